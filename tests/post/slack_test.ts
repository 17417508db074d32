import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  type Behaviour,
  rateLimited,
  refusal,
  SLACK_ERRORS,
  startSlack,
} from "../../deploy/standins/slack.ts";
import {
  postToSlack,
  SLACK_TOKENS,
  type SlackOutcome,
} from "../../lib/post/slack.ts";
import { until } from "../support/until.ts";
import { freePort } from "../../scripts/launch/free_port.ts";

const PAYLOAD = JSON.stringify({
  text: "Größer than ever",
  blocks: [{ type: "section", text: { type: "mrkdwn", text: "☃" } }],
});
const SECRET = "standInSecret";
const ODD_BODY = 'Slack answered status 200 with a body other than "ok"';

function send(
  url: string,
  { timeoutMs = 10_000, signal = new AbortController().signal } = {},
): Promise<SlackOutcome> {
  return postToSlack(url, new TextEncoder().encode(PAYLOAD), {
    timeoutMs,
    signal,
  });
}

/** An outcome without its time, which is checked. */
function describe(outcome: SlackOutcome): Record<string, unknown> {
  assert(!JSON.stringify(outcome).includes(SECRET));
  assert(!JSON.stringify(outcome).includes("/services/"));
  if (outcome.outcome !== "posted") return outcome;
  const { at, ...rest } = outcome;
  assertMatch(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert(Math.abs(Date.parse(at) - Date.now()) < 60_000);
  return rest;
}

function refused(why: string, retryable = false): Record<string, unknown> {
  return { outcome: "refused", why, retryable };
}

function unknown(why: string): Record<string, unknown> {
  return { outcome: "unknown", why };
}

Deno.test("postToSlack() sends one POST of exactly its bytes", async () => {
  await using slack = await startSlack();
  assertEquals(describe(await send(`${slack.url}?wait=true`)), {
    outcome: "posted",
  });
  assertEquals(slack.connections(), 1);
  const [{ at, ...request }, ...more] = slack.received as [
    typeof slack.received[0],
  ];
  assert(at instanceof Date);
  assertEquals(more, []);
  assertEquals(request, {
    method: "POST",
    path: `/services/T0EXAMPLE/B0EXAMPLE/${SECRET}?wait=true`,
    contentType: "application/json",
    body: PAYLOAD,
  });
});

interface Case {
  when: string;
  behaviour: Behaviour | ((nth: number) => Behaviour);
  expected: Record<string, unknown>;
  timeoutMs?: number;
  /** Connections that the stand-in saw, 1 unless told. */
  connections?: number;
}

/** Apart from the table: what each documented token means for a message. */
const TOKENS: Record<string, readonly string[]> = {
  permanent: [
    "account_inactive",
    "action_prohibited",
    "cannot_reply_to_message",
    "channel_is_archived",
    "channel_not_found",
    "ekm_access_denied",
    "invalid_auth",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "invalid_payload",
    "invalid_token",
    "is_archived",
    "metadata_too_large",
    "missing_scope",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_active_hooks",
    "no_permission",
    "no_service",
    "no_service_id",
    "no_team",
    "no_text",
    "not_authed",
    "not_in_channel",
    "posting_to_general_channel_denied",
    "restricted_action",
    "team_disabled",
    "token_expired",
    "token_revoked",
    "too_many_attachments",
    "user_not_found",
  ],
  retryable: ["message_limit_exceeded", "rate_limited", "ratelimited"],
  unknown: [
    "fatal_error",
    "internal_error",
    "request_timeout",
    "rollup_error",
    "service_unavailable",
  ],
};

Deno.test("SLACK_TOKENS holds every documented token and no other", () => {
  assertEquals(
    Object.keys(SLACK_TOKENS).sort(),
    Object.values(TOKENS).flat().sort(),
  );
  // Those that the stand-in says are among them.
  for (const token of Object.keys(SLACK_ERRORS)) {
    assert(Object.hasOwn(SLACK_TOKENS, token), token);
  }
});

for (const [verdict, tokens] of Object.entries(TOKENS)) {
  for (const token of tokens) {
    Deno.test(`postToSlack() takes ${token} for ${verdict}, whatever the status`, async () => {
      for (const status of [400, 418, 503]) {
        await using slack = await startSlack({
          behaviour: () => ({
            status,
            body: `${token}\n`,
            headers: { "Retry-After": "60" },
          }),
        });
        const why = `Slack answered status ${status} (${token})`;
        assertEquals(
          describe(await send(slack.url)),
          verdict === "unknown"
            ? unknown(why)
            : refused(why, verdict === "retryable"),
        );
        // Neither the same bytes again nor, worse, others.
        assertEquals(slack.received.map(({ body }) => body), [PAYLOAD]);
      }
    });
  }
}

const CASES: Case[] = [
  ...Object.entries(SLACK_ERRORS).map(([token, status]) => ({
    when: `Slack says ${token}`,
    behaviour: refusal(token),
    expected: (status < 500 ? refused : unknown)(
      `Slack answered status ${status} (${token})`,
    ),
  })),
  {
    when: "Slack says ok and a line break",
    behaviour: { status: 200, body: "ok\n" },
    expected: { outcome: "posted" },
  },
  {
    when: "Slack says ok one character at a time",
    behaviour: { status: 200, body: "ok", slowMs: 20 },
    expected: { outcome: "posted" },
  },
  {
    when: "status 200 comes with another body",
    behaviour: { status: 200, body: "<html>Welcome</html>" },
    expected: { outcome: "posted", warning: ODD_BODY },
  },
  {
    when: "status 200 comes with an empty body",
    behaviour: { status: 200 },
    expected: { outcome: "posted", warning: ODD_BODY },
  },
  {
    when: "status 202 comes in place of 200",
    behaviour: { status: 202, body: "queued" },
    expected: { outcome: "posted", warning: ODD_BODY.replace("200", "202") },
  },
  {
    when: "status 200 comes and the body is not over in time",
    behaviour: { status: 200, body: `ok${" ".repeat(1000)}`, slowMs: 20 },
    timeoutMs: 200,
    expected: { outcome: "posted" },
  },
  {
    when: "status 200 comes and nothing of the body does in time",
    behaviour: { status: 200, body: "ok", slowMs: 60_000 },
    timeoutMs: 150,
    expected: { outcome: "posted", warning: ODD_BODY },
  },
  {
    when: "status 404 comes with a page",
    behaviour: { status: 404, body: "<html>no_service</html>" },
    expected: refused("Slack answered status 404"),
  },
  {
    when: "status 400 comes with a body that repeats the URL",
    behaviour: { status: 400, body: `bad path /services/${SECRET}` },
    expected: refused("Slack answered status 400"),
  },
  {
    when: "status 404 comes with a word that is no token of Slack's",
    behaviour: { status: 404, body: "constructor" },
    expected: refused("Slack answered status 404 (constructor)"),
  },
  {
    when: "429 comes with a word that is permanent elsewhere",
    behaviour: {
      status: 429,
      body: "invalid_token",
      headers: { "Retry-After": "60" },
    },
    expected: refused("Slack answered status 429", true),
  },
  {
    when: "Slack is over its limits, then takes the same bytes",
    behaviour: (nth) =>
      nth === 1 ? { status: 403, body: "ratelimited" } : "slack",
    expected: { outcome: "posted" },
    connections: 2,
  },
  {
    when: "status 500 comes without a word",
    behaviour: { status: 500 },
    expected: unknown("Slack answered status 500"),
  },
  {
    when: "status 503 comes with Retry-After",
    behaviour: { status: 503, headers: { "Retry-After": "0" } },
    expected: unknown("Slack answered status 503"),
  },
  {
    when: "no answer comes",
    behaviour: "never answer",
    timeoutMs: 150,
    expected: unknown("no answer in time"),
  },
  {
    when: "the connection is reset before the request is read",
    behaviour: "reset before reading",
    expected: unknown("connection lost (ECONNRESET)"),
  },
  {
    when: "the connection is reset after the request was read",
    behaviour: "reset after reading",
    expected: unknown("connection lost (ECONNRESET)"),
  },
  {
    when: "429 asks for more time than there is",
    behaviour: rateLimited("2"),
    timeoutMs: 1_900,
    expected: refused("Slack answered status 429", true),
  },
  {
    when: "429 asks for more time than a number holds",
    behaviour: rateLimited("9".repeat(400)),
    expected: refused("Slack answered status 429", true),
  },
  {
    when: "429 asks for no wait at all, again and again",
    behaviour: rateLimited("0"),
    timeoutMs: 700, // Our own waits are 250 to 500, then 500 to 1000.
    expected: refused("Slack answered status 429", true),
    connections: 2,
  },
  {
    when: "429 passes and no answer follows",
    behaviour: (nth) => nth === 1 ? rateLimited() : "never answer",
    timeoutMs: 700,
    expected: unknown("no answer in time"),
    connections: 2,
  },
  {
    when: "429 passes and the connection is reset",
    behaviour: (nth) => nth === 1 ? rateLimited() : "reset after reading",
    expected: unknown("connection lost (ECONNRESET)"),
    connections: 2,
  },
  {
    when: "429 passes and Slack refuses",
    behaviour: (nth) => nth === 1 ? rateLimited() : refusal("no_team"),
    expected: refused("Slack answered status 404 (no_team)"),
    connections: 2,
  },
];

for (const { when, behaviour, expected, timeoutMs, connections } of CASES) {
  Deno.test(`postToSlack() says ${expected["outcome"]} when ${when}`, async () => {
    await using slack = await startSlack({
      behaviour: typeof behaviour === "function" ? behaviour : () => behaviour,
    });
    const outcome = await send(slack.url, { timeoutMs: timeoutMs ?? 10_000 });
    assertEquals(describe(outcome), expected);
    assertEquals(slack.connections(), connections ?? 1);
  });
}

Deno.test("postToSlack() waits as long as 429 asks, then sends the same bytes", async () => {
  await using slack = await startSlack({
    behaviour: (nth) => nth === 1 ? rateLimited("1") : "slack",
  });
  assertEquals(describe(await send(slack.url)), { outcome: "posted" });
  const [first, second, ...more] = slack.received;
  assertEquals(more, []);
  assertEquals([first?.body, second?.body], [PAYLOAD, PAYLOAD]);
  const waitedMs = second!.at.getTime() - first!.at.getTime();
  assert(waitedMs >= 990 && waitedMs < 5_000, `waited ${waitedMs} ms`);
});

Deno.test("postToSlack() waits as it sees fit when 429 names no time to come", async () => {
  const headers = ["soon", "-1", "1.5", "", "Thu, 01 Jan 1970 00:00:00 GMT"];
  await Promise.all(headers.map(async (header) => {
    await using slack = await startSlack({
      behaviour: (nth) => nth === 1 ? rateLimited(header) : "slack",
    });
    assertEquals(describe(await send(slack.url)), { outcome: "posted" });
    const [first, second] = slack.received;
    const waitedMs = second!.at.getTime() - first!.at.getTime();
    assert(waitedMs >= 240 && waitedMs < 5_000, `waited ${waitedMs} ms`);
    assertEquals(slack.connections(), 2);
  }));
});

Deno.test("postToSlack() heeds a date that 429 names", async () => {
  const later = new Date(Date.now() + 60_000).toUTCString();
  await using slack = await startSlack({ behaviour: () => rateLimited(later) });
  assertEquals(
    describe(await send(slack.url)),
    refused("Slack answered status 429", true),
  );
  assertEquals(slack.connections(), 1);
});

for (const status of [301, 302, 303, 307, 308]) {
  Deno.test(`postToSlack() follows no redirect when it gets ${status}`, async () => {
    await using target = await startSlack();
    await using slack = await startSlack({
      behaviour: () => ({ status, headers: { Location: target.url } }),
    });
    assertEquals(
      describe(await send(slack.url)),
      unknown(`Slack answered status ${status}`),
    );
    assertEquals([slack.connections(), target.connections()], [1, 0]);
  });
}

Deno.test("postToSlack() stops reading when the answer has no end", async () => {
  await using slack = await startSlack({
    behaviour: () => "answer without end",
  });
  const start = performance.now();
  const outcome = await send(slack.url, { timeoutMs: 60_000 });
  assert(performance.now() - start < 30_000);
  assertEquals(describe(outcome), { outcome: "posted", warning: ODD_BODY });
  assertEquals(slack.connections(), 1);
});

Deno.test("postToSlack() says refused and retryable when nobody listens", async () => {
  const port = freePort();
  const start = performance.now();
  const outcome = await send(`http://127.0.0.1:${port}/services/${SECRET}`, {
    timeoutMs: 600,
  });
  assertEquals(
    describe(outcome),
    refused("no connection (ECONNREFUSED)", true),
  );
  assert(performance.now() - start < 600);
});

for (
  const [host, code] of [
    ["slack.invalid", "EPERM"],
    ["192.0.2.1", "NotCapable"],
  ] as const
) {
  Deno.test(`postToSlack() does not go on trying ${host}, which it may not reach`, async () => {
    const outcome = await send(`https://${host}/services/${SECRET}`, {
      timeoutMs: 60_000,
    });
    assertEquals(describe(outcome), refused(`no connection (${code})`, false));
  });
}

Deno.test("postToSlack() tries again when somebody listens in the end", async () => {
  const port = freePort();
  const start = performance.now();
  const sent = send(`http://127.0.0.1:${port}/services/${SECRET}`);
  // Its first attempt began before this one, and fails before it.
  await assertRejects(
    () => Deno.connect({ hostname: "127.0.0.1", port }),
    Deno.errors.ConnectionRefused,
  );
  using listener = Deno.listen({ hostname: "127.0.0.1", port });
  using connection = await listener.accept();
  assertStringIncludes(await readText(connection), PAYLOAD);
  await connection.write(
    new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  );
  assertEquals(describe(await sent), { outcome: "posted" });
  assert(performance.now() - start >= 240);
});

Deno.test("postToSlack() says unknown when the answer is no HTTP", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const sent = send(`http://127.0.0.1:${port}/services/${SECRET}`);
  using connection = await listener.accept();
  await readText(connection);
  await connection.write(new TextEncoder().encode("+PONG\r\n\r\n"));
  assertEquals(describe(await sent)["outcome"], "unknown");
});

Deno.test("postToSlack() offers no HTTP/2, and says refused when TLS never stands", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const sent = send(`https://127.0.0.1:${port}/services/${SECRET}`, {
    timeoutMs: 200,
  });
  using connection = await listener.accept();
  const hello = await readText(connection);
  assertStringIncludes(hello, "\x08http/1.1");
  assert(!hello.includes("\x02h2"));
  assert(!hello.includes(SECRET));
  assertEquals(
    describe(await sent),
    refused("no connection (ETIMEDOUT)", true),
  );
});

Deno.test("postToSlack() sends nothing when the job was aborted before", async () => {
  await using slack = await startSlack();
  const signal = AbortSignal.abort();
  assertEquals(
    describe(await send(slack.url, { signal })),
    refused("the job was aborted"),
  );
  assertEquals(slack.connections(), 0);
});

Deno.test("postToSlack() sends nothing when the job is aborted while it connects", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const job = new AbortController();
  const sent = send(`https://127.0.0.1:${port}/services/${SECRET}`, {
    signal: job.signal,
  });
  using _connection = await listener.accept();
  const start = performance.now();
  job.abort();
  assertEquals(describe(await sent), refused("the job was aborted"));
  assert(performance.now() - start < 5_000);
});

Deno.test("postToSlack() waits for the answer when the job is aborted after it sent", async () => {
  await using slack = await startSlack({
    behaviour: () => ({ status: 200, body: "ok", slowMs: 50 }),
  });
  const job = new AbortController();
  const sent = send(slack.url, { signal: job.signal });
  await until("the request", () => slack.received.length === 1);
  job.abort();
  assertEquals(describe(await sent), { outcome: "posted" });
});

Deno.test("postToSlack() ends its wait when the job is aborted between attempts", async () => {
  await using slack = await startSlack({ behaviour: () => rateLimited("30") });
  const job = new AbortController();
  const start = performance.now();
  const sent = send(slack.url, { timeoutMs: 60_000, signal: job.signal });
  await until("the request", () => slack.received.length === 1);
  job.abort();
  assertEquals(describe(await sent)["outcome"], "refused");
  assert(performance.now() - start < 10_000);
  assertEquals(slack.connections(), 1);
});

Deno.test("startSlack() refuses in Slack's words what Slack would refuse", async () => {
  await using slack = await startSlack();
  const cases: [string, number, string][] = [
    ["{}", 400, "no_text"],
    ["nonsense", 400, "invalid_payload"],
    ["null", 400, "invalid_payload"],
    ['{"text":"a","blocks":{}}', 400, "invalid_blocks"],
    [
      JSON.stringify({ blocks: Array(51).fill({ type: "divider" }) }),
      400,
      "invalid_blocks",
    ],
    [
      JSON.stringify({ blocks: Array(50).fill({ type: "divider" }) }),
      200,
      "ok",
    ],
    ['{"text":"a"}', 200, "ok"],
  ];
  for (const [body, status, word] of cases) {
    const answer = await fetch(slack.url, { method: "POST", body });
    assertEquals([answer.status, await answer.text()], [status, word]);
  }
  assertEquals(slack.received.map(({ body }) => body), cases.map(([b]) => b));
});

async function readText(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  const length = await connection.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, length));
}
