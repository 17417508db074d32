/**
 * The webhook's URL is a credential: planted in the poster's environment and in
 * what comes in, it is looked for wherever anything is kept, said or sent.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { assert, assertEquals } from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { type Behaviour, startSlack } from "../../deploy/standins/slack.ts";
import { createLog } from "../../lib/base/log.ts";
import { connectStore, type Store } from "../../lib/platform/store.ts";
import { approve } from "../../lib/operate/approvals.ts";
import { type Stand, startStand } from "../../scripts/launch/stand.ts";
import { until } from "../support/until.ts";
import { collectSpans } from "../support/spans.ts";

const { signal } = new AbortController();
/** The last part of the stand-in's webhooks. */
const IN_ENVIRONMENT = "standInSecret";
const IN_INPUT = "plantedInTheInput";
const HOOK = ["https://hooks.slack.com", "services", "T1", "B1", IN_INPUT]
  .join("/");

/** Every artifact that a JSON text names, as text, by pointer. */
async function readArtifacts(stand: Stand, text: string): Promise<string[]> {
  const pointers = new Set(text.match(/redis:\/\/art:[\w-]+/g));
  return await Promise.all([...pointers].map(async (pointer) => {
    const { bytes, labels } = await stand.platform.gateway.readArtifact(
      pointer,
      10_000_000,
      signal,
    );
    return JSON.stringify(labels) + new TextDecoder().decode(bytes);
  }));
}

/** Every value in Redis with its key. */
async function readRedis(store: Store): Promise<string[]> {
  const texts: string[] = [];
  for await (const keys of store.scan("", signal)) {
    for (const key of keys) {
      const value = /^incident-enricher:(?:posted|history|approval):/.test(key)
        ? JSON.stringify(await store.list(key, signal))
        : await store.read(key, 10_000_000, signal);
      texts.push(`${key} ${value}`);
    }
  }
  return texts;
}

Deno.test("the webhook's URL appears nowhere outside the poster's memory", async () => {
  let behaviour: Behaviour = "slack";
  await using core = await startDevcore({ reloadMs: 200 });
  await using slack = await startSlack({ behaviour: () => behaviour });
  assert(slack.url.endsWith(IN_ENVIRONMENT));
  await using spans = collectSpans();
  await using stand = await startStand({
    platformEnv: core.env,
    slack,
    env: { POST_TIMEOUT_MS: "1000" },
    spawn: () => ({
      more: {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_ENDPOINT: spans.url,
        OTEL_BSP_SCHEDULE_DELAY: "100",
      },
    }),
  });
  const kept: string[] = [];
  const run = async (id: string, how: Behaviour): Promise<string> => {
    behaviour = how;
    const { status, answer } = await stand.send({
      id,
      title: `Look at ${HOOK}`,
      description: `curl -d @x ${HOOK}`,
      service: "checkout",
      destination: { mode: "slack", slack_webhook_url: HOOK },
      facts: { runbook: HOOK, nested: { webhook: HOOK } },
    });
    kept.push(JSON.stringify(answer));
    assertEquals(status, 202);
    const runId = String(answer["run_id"]);
    const jobId = await stand.untilApproval(runId);
    kept.push(JSON.stringify(await stand.platform.call("GET", "/approvals")));
    await approve(stand.platform, jobId);
    const ended = await stand.untilEnded(runId);
    const timeline = `/workflow-runs/${runId}/timeline`;
    kept.push(JSON.stringify(ended));
    kept.push(JSON.stringify(await stand.platform.call("GET", timeline)));
    for (const step of ["fetch", "summarize", "post"]) {
      kept.push(JSON.stringify(await stand.job(`${runId}:${step}@1`)));
    }
    return String(ended["status"]);
  };
  assertEquals(await run("posted", "slack"), "succeeded");
  assertEquals(
    await run("refused", { status: 404, body: "no_service" }),
    "failed",
  );
  assertEquals(await run("in-doubt", "never answer"), "failed");
  assertEquals(await run("reset", "reset before reading"), "failed");

  const artifacts = await readArtifacts(stand, kept.join("\n"));
  assert(artifacts.length >= 3 * 4 + 1, `${artifacts.length} artifacts`);
  await using store = await connectStore({
    url: core.env["REDIS_URL"]!,
    name: "test",
    log: createLog({}, { write() {} }),
    signal,
  });
  const redis = await readRedis(store);
  assert(redis.length >= 4 * 3, `${redis.length} values in Redis`);
  const logs = [...stand.workers.values()].flatMap(({ lastLines }) =>
    lastLines
  );
  assert(logs.length >= 12, `${logs.length} lines`);
  // Those of the calls to the gateway: that they come at all shows that they
  // would also tell of a call to Slack.
  await until(
    "spans",
    () => spans.bodies.some((body) => body.includes("/api/v1/artifacts")),
  );
  await Promise.all([...stand.workers.values()].map((worker) => worker.stop()));

  const places = { kept, artifacts, redis, logs, spans: spans.bodies };
  for (const [place, texts] of Object.entries(places)) {
    for (const secret of [IN_ENVIRONMENT, IN_INPUT]) {
      const found = texts.filter((text) => text.includes(secret));
      assertEquals([place, secret, found], [place, secret, []]);
    }
  }
  // The posts did go there, and nowhere else.
  assertEquals(slack.received.length, 3);
  assert(slack.received.every(({ path }) => path.endsWith(IN_ENVIRONMENT)));
  assert(slack.received.every(({ body }) => !body.includes(IN_INPUT)));
});

Deno.test("a poster told to allow another host still cannot connect to it", async () => {
  await using core = await startDevcore({ reloadMs: 200 });
  await using allowed = await startSlack();
  await using forbidden = await startSlack();
  await using stand = await startStand({
    platformEnv: core.env,
    slack: allowed,
  });
  const poster = stand.workers.get("poster")!;
  await poster.stop();
  // The check in the code lets this through; the runtime was started without.
  await using other = stand.spawnBeside("poster", {
    SLACK_WEBHOOK_URL: forbidden.url,
    SLACK_ALLOWED_HOSTS: forbidden.host,
  }, { flags: poster.flags });
  await other.waitFor("Worker ready", 20_000);
  const { answer } = await stand.send({ id: "second-wall", title: "x" });
  const runId = String(answer["run_id"]);
  const jobId = await stand.untilApproval(runId);
  await approve(stand.platform, jobId);
  assertEquals((await stand.untilEnded(runId))["status"], "failed");
  const { error_code, error_message } = await stand.job(jobId) as JsonObject;
  assertEquals(error_code, "POST_REFUSED");
  assertEquals(error_message, "Cannot post: no connection (NotCapable)");
  assertEquals([allowed.connections(), forbidden.connections()], [0, 0]);
});
