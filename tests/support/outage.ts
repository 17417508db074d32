/**
 * What workers do when NATS or Redis goes away under them, and comes back.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { type Behaviour, startSlack } from "../../deploy/standins/slack.ts";
import { approve } from "../../scripts/support/approvals.ts";
import { openLine } from "./proxy.ts";
import { type Path, startPath } from "./path.ts";
import { until } from "./until.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};

/** What an outage is made of. */
export interface Outage {
  /** Which of the two goes away. */
  of: "nats" | "redis";
  /** For how long; a frozen line is never mended, new ones work at once. */
  awayMs: number | "frozen";
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

/**
 * Cuts the workers off while the poster waits for Slack's answer, and shows
 * that the post is answered once, and that the workers go on afterwards.
 */
export async function surviveOutage({ of, awayMs }: Outage): Promise<void> {
  const slow = { status: 200, body: "ok", slowMs: 700 };
  let behaviour: Behaviour = slow;
  await using core = await startDevcore({ reloadMs: 200 });
  await using slack = await startSlack({ behaviour: () => behaviour });
  await using nats = openLine(core.env["NATS_URL"]!);
  await using redis = openLine(core.env["REDIS_URL"]!);
  const timeoutMs = awayMs === "frozen" ? 60_000 : awayMs + 60_000;
  await using path = await startPath(core.env, {
    timeoutMs,
    env: {
      NATS_URL: nats.url,
      REDIS_URL: redis.url,
      SLACK_WEBHOOK_URL: slack.url,
      SLACK_ALLOWED_HOSTS: slack.host,
      DEFAULT_DESTINATION_MODE: "slack",
    },
  });
  const runId = await toApproval(path, "during");
  await approve(path.platform, await path.untilApproval(runId));
  await until("Slack to be asked", () => slack.connections() === 1);
  const line = of === "nats" ? nats : redis;
  if (awayMs === "frozen") {
    line.freeze();
  } else {
    line.cut();
    await sleep(awayMs);
    line.mend();
  }
  assertEquals((await path.untilEnded(runId))["status"], "succeeded");
  assertEquals(slack.received.length, 1);

  behaviour = "slack";
  const next = await toApproval(path, "after");
  await until("the poster to be there again", async () => {
    const topics = (await path.platform.workers())?.topics ?? {};
    return topics["job.incident-enricher.post"]?.available;
  }, timeoutMs);
  await approve(path.platform, await path.untilApproval(next));
  assertEquals((await path.untilEnded(next))["status"], "succeeded");
  assertEquals(slack.received.length, 2);
  for (const worker of path.workers.values()) {
    assertEquals([worker.name, await worker.stop()], [worker.name, 0]);
  }
}

async function toApproval(path: Path, id: string): Promise<string> {
  const { status, answer } = await path.send({ ...sample, id });
  assertEquals(status, 202);
  return String(answer["run_id"]);
}
