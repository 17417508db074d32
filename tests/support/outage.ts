/**
 * What workers do when NATS or Redis goes away under them, and comes back.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { type Behaviour, startSlack } from "../../deploy/standins/slack.ts";
import { delay } from "../../lib/base/time.ts";
import { approve } from "../../lib/operate/approvals.ts";
import { openLine } from "./proxy.ts";
import { type Stand, startStand } from "../../scripts/launch/stand.ts";
import { sideBySide } from "./side_by_side.ts";
import { until } from "./until.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};

/** What an outage is made of. */
export interface Outage {
  /** Which of the two goes away. */
  of: "nats" | "redis";
  /** For how long. A frozen line is never mended, but new connections work. */
  awayMs: number | "frozen";
}

/** Survives each outage, side by side and each on a platform of its own. */
export async function surviveOutages(
  outages: readonly Outage[],
): Promise<void> {
  const cases = outages.map((outage) => ({
    ...outage,
    name: `${outage.of}, ${outage.awayMs}`,
  }));
  await sideBySide(cases, surviveOutage); // They mostly wait.
}

/**
 * Cuts the workers off while the poster waits for Slack's answer. Shows that the
 * post is answered once and that the workers go on afterwards.
 */
async function surviveOutage({ of, awayMs }: Outage): Promise<void> {
  const slow = { status: 200, body: "ok", slowMs: 700 };
  let behaviour: Behaviour = slow;
  await using core = await startDevcore({ reloadMs: 200 });
  await using slack = await startSlack({ behaviour: () => behaviour });
  await using nats = openLine(core.env["NATS_URL"]!);
  await using redis = openLine(core.env["REDIS_URL"]!);
  const timeoutMs = awayMs === "frozen" ? 60_000 : awayMs + 60_000;
  await using stand = await startStand({
    platformEnv: core.env,
    timeoutMs,
    slack,
    env: { NATS_URL: nats.url, REDIS_URL: redis.url },
  });
  const runId = await toApproval(stand, "during");
  await approve(stand.platform, await stand.untilApproval(runId));
  await until("Slack to be asked", () => slack.connections() === 1);
  const line = of === "nats" ? nats : redis;
  if (awayMs === "frozen") {
    line.freeze();
  } else {
    line.cut();
    await delay(awayMs);
    line.mend();
  }
  assertEquals((await stand.untilEnded(runId))["status"], "succeeded");
  assertEquals(slack.received.length, 1);

  behaviour = "slack";
  const next = await toApproval(stand, "after");
  await until("the poster to be there again", async () => {
    const topics = (await stand.platform.workers())?.topics ?? {};
    return topics["job.incident-enricher.post"]?.available;
  }, timeoutMs);
  await approve(stand.platform, await stand.untilApproval(next));
  assertEquals((await stand.untilEnded(next))["status"], "succeeded");
  assertEquals(slack.received.length, 2);
  for (const worker of stand.workers.values()) {
    assertEquals([worker.name, await worker.stop()], [worker.name, 0]);
  }
}

async function toApproval(stand: Stand, id: string): Promise<string> {
  const { status, answer } = await stand.send({ ...sample, id });
  assertEquals(status, 202);
  return String(answer["run_id"]);
}
