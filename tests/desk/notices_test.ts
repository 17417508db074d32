/**
 * Two real desks side by side tell of what waits: once, to Slack and to a
 * webhook of one's own, whose URLs appear nowhere.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { type Behaviour, startSlack } from "../../deploy/standins/slack.ts";
import { createLog } from "../../lib/base/log.ts";
import { approve } from "../../lib/operate/approvals.ts";
import {
  foldNotices,
  NOTICE_TTL_S,
  noticeKey,
} from "../../lib/operate/notices/record.ts";
import { connectStore } from "../../lib/platform/store.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import { startDesk } from "../support/desk.ts";
import { collectSpans } from "../support/spans.ts";
import { until } from "../support/until.ts";
import { serveWaitingPosts } from "../support/waiting_posts.ts";

const READY_MS = 30_000;
const SECRET = "s3cretNoticePath";
const { signal } = new AbortController();

Deno.test("two desks send one notice, and its URL appears nowhere", async () => {
  let behaviour: Behaviour = { status: 500, body: "no" };
  await using core = await startDevcore({ reloadMs: 200 });
  await using slack = await startSlack({ behaviour: () => behaviour });
  const hooked: string[] = [];
  await using hook = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      hooked.push(await request.text());
      return new Response();
    },
  );
  const hookHost = `127.0.0.1:${hook.addr.port}`;
  await using spans = collectSpans();
  await using stand = await startStand({
    platformEnv: core.env,
    env: {
      DESK_URL: "https://desk.example.com",
      DESK_USER_HEADER: "X-Forwarded-Email",
      DESK_PROXY_SECRET: "0123456789abcdef",
      APPROVALS_SLACK_WEBHOOK_URL: `http://${slack.host}/${SECRET}`,
      APPROVALS_HOOK_URL: `http://${hookHost}/${SECRET}`,
      APPROVALS_HOOK_SECRET: `whsec_${new Uint8Array(32).fill(7).toBase64()}`,
      APPROVALS_ALLOWED_HOSTS: `${slack.host},${hookHost}`,
    },
  });
  const more = {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_ENDPOINT: spans.url,
    OTEL_BSP_SCHEDULE_DELAY: "100",
  };
  await using stack = new AsyncDisposableStack();
  const ports = [freePort(), freePort()];
  const desks = ports.map((port) =>
    stack.use(
      stand.spawnBeside("desk", {
        DESK_ADDR: `127.0.0.1:${freePort()}`,
        HEALTH_ADDR: `127.0.0.1:${port}`,
      }, { more }),
    )
  );
  await Promise.all(
    desks.map((desk) => desk.waitFor("Worker ready", READY_MS)),
  );
  const readyz = () =>
    Promise.all(ports.map(async (port) => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`);
      const { warnings, counts } = await response.json();
      return { status: response.status, warnings, counts };
    }));

  const { answer } = await stand.send({
    id: "told",
    title: "Checkout fails",
    severity: "critical",
  });
  const jobId = await stand.untilApproval(String(answer["run_id"]));

  // Slack fails: that is said, and stops no desk.
  await until("a failure", () => slack.received.length > 0, READY_MS);
  const said = await until("a warning", async () => {
    const found = (await readyz()).find(({ warnings }) => warnings.length > 0);
    return found;
  });
  assertEquals(said.status, 200);
  assert(
    /^1 notice could not be delivered to Slack: status 500 \(no\); next attempt at [\d: -]+ UTC$/
      .test(said.warnings[0]),
    said.warnings[0],
  );
  behaviour = "slack";
  const failures = slack.received.length;
  await until("Slack told", () => slack.received.length > failures, READY_MS);
  const message = slack.received.at(-1)!;
  assertEquals(message.path, `/${SECRET}`);
  const path = `/posts/${encodeURIComponent(jobId)}`;
  assert(message.body.includes(`https://desk.example.com${path}`));
  assert(message.body.includes("Checkout fails"));
  assertEquals(hooked.map((body) => JSON.parse(body).job_id), [jobId]);

  // Whoever decided, nobody is told again.
  await approve(stand.platform, jobId);
  await stand.untilEnded(String(answer["run_id"]));
  const rounds = await readyz();
  const sum = (name: string) =>
    rounds.reduce((all, { counts }) => all + (counts[name] ?? 0), 0);
  assertEquals([sum("notices sent: slack"), sum("notices sent: hook")], [1, 1]);
  assertEquals(sum("notices failed: slack"), failures);

  await using store = await connectStore({
    url: core.env["REDIS_URL"]!,
    name: "test",
    log: createLog({}, { write() {} }),
    signal,
  });
  const redis: string[] = [];
  for await (const keys of store.scan("incident-enricher:notice:", signal)) {
    for (const key of keys) redis.push(key, ...await store.list(key, signal));
  }
  assert(redis.length >= 5, `${redis.length} texts in Redis`);
  assertEquals(NOTICE_TTL_S, 259_200);
  await until(
    "spans",
    () => spans.bodies.some((body) => body.includes("/api/v1/approvals")),
  );
  for (const desk of desks) assertEquals(await desk.stop(), 0);
  const logs = desks.flatMap(({ lastLines }) => lastLines);
  assert(logs.some((line) => line.includes("Sent a notice")));
  for (
    const [place, texts] of Object.entries({ redis, logs, spans: spans.bodies })
  ) {
    const found = texts.filter((text) => text.includes(SECRET));
    assertEquals([place, found], [place, []]);
  }
});

Deno.test("a desk that stops settles the notice on its way, so that no other sends it again", async () => {
  const late: Behaviour = { status: 200, body: "ok", lateMs: 600 };
  await using core = await startDevcore();
  await using slack = await startSlack({ behaviour: () => late });
  const sinceMs = Date.now();
  await using posts = serveWaitingPosts(["run:post@1"], { sinceMs });
  const variables = {
    ...core.env,
    CORETEX_GATEWAY_URL: posts.url,
    APPROVALS_SLACK_WEBHOOK_URL: `http://${slack.host}/${SECRET}`,
    APPROVALS_ALLOWED_HOSTS: slack.host,
  };
  {
    await using desk = await startDesk(variables);
    await until("the request", () => slack.received.length === 1);
    assertEquals(desk.log.filter((line) => line.includes("Sent a notice")), []);
  }
  await using store = await connectStore({
    url: core.env["REDIS_URL"]!,
    name: "test",
    log: createLog({}, { write() {} }),
    signal,
  });
  const key = noticeKey({ jobId: "run:post@1", since: sinceMs });
  const told = foldNotices(await store.list(key, signal), "slack");
  assertEquals([told.rank, told.holder], [0, undefined]);
});
