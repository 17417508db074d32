/**
 * The ingester: `handle` behind its real server, before a stand-in gateway.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { compileCheck } from "../../lib/schema_check.ts";
import { serveRequests } from "../../lib/base/service.ts";
import { INGESTER, openIngester, type Waits } from "../../workers/ingester.ts";
import { until } from "../support/until.ts";

interface Seen {
  method: string;
  path: string;
  key: string | null;
  body: Record<string, unknown>;
}

interface Rig extends AsyncDisposable {
  url: string;
  /** What the gateway was asked. */
  seen: Seen[];
  log: Record<string, unknown>[];
  post(body: BodyInit, init?: RequestInit): Promise<Response>;
}

type Answer = (
  seen: Seen,
  nth: number,
  signal: AbortSignal,
) => Response | Promise<Response>;

/** Reads again at once. */
const AT_ONCE: Waits = { pause: () => Promise.resolve() };

/** One run a key, and every run is there. */
const SIGNAL = new AbortController().signal;
const works: Answer = ({ method, key }) =>
  method === "POST"
    ? Response.json({ run_id: `run-of-${key}` })
    : Response.json({ id: "run" });

async function startRig(
  answer: Answer = works,
  env: Record<string, string> = {},
  waits: Waits = {},
): Promise<Rig> {
  const seen: Seen[] = [];
  const gateway = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname: path } = new URL(request.url);
      const text = await request.text();
      const one: Seen = {
        method: request.method,
        path,
        key: request.headers.get("idempotency-key"),
        body: text === "" ? {} : JSON.parse(text),
      };
      seen.push(one);
      return await answer(one, seen.length, request.signal);
    },
  );
  const variables: Record<string, string> = {
    INGESTER_ADDR: "127.0.0.1:0",
    CORETEX_GATEWAY_URL: `http://127.0.0.1:${gateway.addr.port}`,
    CORETEX_API_KEY: "s3cret-key",
    INGEST_MOCK_OPEN: "1",
    ...env,
  };
  const stop = new AbortController();
  const log: Record<string, unknown>[] = [];
  let url = "";
  const ended = serveRequests(
    { ...INGESTER, open: (config, log) => openIngester(config, log, waits) },
    {
      env: (name) => variables[name],
      signal: stop.signal,
      write: (line) => log.push(JSON.parse(line)),
      onListen: (address) => url = address,
    },
  );
  await until("the ingester to listen", () => url !== "");
  return {
    url,
    seen,
    log,
    post: (body, init = {}) =>
      fetch(`${url}/webhook/mock`, { method: "POST", body, ...init }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      await gateway.shutdown();
    },
  };
}

Deno.test("the ingester starts a run for a mock webhook and reads it back", async () => {
  await using rig = await startRig();
  const response = await rig.post(
    JSON.stringify({
      id: "INC-1",
      title: "t",
      severity: "High",
      url: "https://x.example/1",
    }),
  );
  assertEquals(response.status, 202);
  assertEquals(response.headers.get("content-type"), "application/json");
  assertEquals(await response.json(), {
    run_id: "run-of-incident-enricher:mock:INC-1",
    incident_id: "mock:INC-1",
  });
  const [start, read] = rig.seen;
  assertEquals([start?.method, start?.path], [
    "POST",
    "/api/v1/workflows/incident-enricher.enrich/runs",
  ]);
  assertEquals(start?.key, "incident-enricher:mock:INC-1");
  assertEquals([read?.method, read?.path], [
    "GET",
    "/api/v1/workflow-runs/run-of-incident-enricher%3Amock%3AINC-1",
  ]);
  assertEquals(rig.seen.length, 2);
  const { raw, ...incident } = start!.body;
  assertEquals(incident, {
    incident_id: "mock:INC-1",
    source: { system: "mock", url: "https://x.example/1" },
    title: "t",
    severity: "high",
    destination: { mode: "artifact" },
  });
  assertEquals((raw as Record<string, unknown>)["id"], "INC-1");
  assertEquals(compileCheck("IncidentInput")(start!.body), undefined);
});

Deno.test("the caller does not choose where the post goes", async () => {
  await using rig = await startRig(works, {
    DEFAULT_DESTINATION_MODE: "slack",
    INGESTER_WORKFLOW_ID: "other.flow",
  });
  const response = await rig.post(JSON.stringify({
    id: "INC-1",
    destination: {
      mode: "slack",
      slack_webhook_url: "https://evil.example/hook",
    },
  }));
  assertEquals(response.status, 202);
  await response.body?.cancel();
  assertEquals(rig.seen[0]?.path, "/api/v1/workflows/other.flow/runs");
  assertEquals(rig.seen[0]?.body["destination"], { mode: "slack" });
});

const NO_PATH =
  "No such path; webhooks are POST /webhook/pagerduty, /webhook/alertmanager, /webhook/mock";
const REFUSED: [string, string, RequestInit, number, string][] = [
  [
    "no body",
    "/webhook/mock",
    { method: "POST" },
    400,
    "The body must be JSON in UTF-8",
  ],
  [
    "text",
    "/webhook/mock",
    { method: "POST", body: "hello" },
    400,
    "The body must be JSON in UTF-8",
  ],
  [
    "half a character",
    "/webhook/mock",
    { method: "POST", body: Uint8Array.from([34, 0xc3, 34]) },
    400,
    "The body must be JSON in UTF-8",
  ],
  [
    "a list",
    "/webhook/mock",
    { method: "POST", body: "[]" },
    400,
    "Cannot use the webhook's body: the body must be a JSON object",
  ],
  [
    "null",
    "/webhook/mock",
    { method: "POST", body: "null" },
    400,
    "Cannot use the webhook's body: the body must be a JSON object",
  ],
  ["GET", "/webhook/mock", {}, 405, "/webhook/mock takes POST only"],
  [
    "PUT",
    "/webhook/mock",
    { method: "PUT", body: "{}" },
    405,
    "/webhook/mock takes POST only",
  ],
  [
    "another path",
    "/webhook/other",
    { method: "POST", body: "{}" },
    404,
    NO_PATH,
  ],
  ["the root", "/", {}, 404, NO_PATH],
  ["a prototype's name", "/constructor", { method: "POST" }, 404, NO_PATH],
  [
    "a compressed body",
    "/webhook/mock",
    {
      method: "POST",
      headers: { "content-encoding": "gzip" },
      body: new Uint8Array([0x1f, 0x8b]),
    },
    415,
    "The body must not be compressed",
  ],
  [
    "another charset",
    "/webhook/mock",
    {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-16" },
      body: "{}",
    },
    415,
    "The body must be in UTF-8",
  ],
  [
    "a byte order mark",
    "/webhook/mock",
    { method: "POST", body: '\ufeff{"id":"A"}' },
    400,
    "The body must be JSON in UTF-8",
  ],
];

for (const [what, path, init, status, error] of REFUSED) {
  Deno.test(`the ingester answers ${status} to ${what} at ${path}, in JSON, and starts nothing`, async () => {
    await using rig = await startRig();
    const response = await fetch(rig.url + path, init);
    assertEquals([response.status, await response.json()], [status, {
      error,
      status,
    }]);
    if (status === 405) assertEquals(response.headers.get("allow"), "POST");
    assertEquals(rig.seen, []);
  });
}

Deno.test("the ingester takes a body of 1 MiB and refuses one byte more, however it is sent", async () => {
  await using rig = await startRig();
  const bodyOf = (bytes: number) => {
    const shell = JSON.stringify({ id: "INC-1", note: "" });
    return JSON.stringify({
      id: "INC-1",
      note: "x".repeat(bytes - shell.length),
    });
  };
  const limit = 1024 * 1024;
  const stream = (text: string) => new Blob([text]).stream(); // Without a Content-Length.
  for (
    const send of [
      (text: string) => rig.post(text),
      (text: string) => rig.post(stream(text)),
    ]
  ) {
    const taken = await send(bodyOf(limit));
    assertEquals(taken.status, 202);
    await taken.body?.cancel();
    const refused = await send(bodyOf(limit + 1));
    assertEquals([refused.status, await refused.json()], [413, {
      error: "The body must have at most 1048576 bytes",
      status: 413,
    }]);
  }
});

Deno.test("a burned key leads to the next spelling, three burned keys to 503", async () => {
  await Promise.all([1, 2, 3].map(async (burned) => {
    const isBurned = (runId: string) =>
      /:(\d)$/.test(runId) ? Number(runId.at(-1)) <= burned : burned > 0;
    const burns: Answer = ({ method, key, path }) =>
      method === "POST"
        ? Response.json({ run_id: `r${key}` })
        : isBurned(decodeURIComponent(path))
        ? new Response("not found\n", { status: 404 })
        : Response.json({});
    await using rig = await startRig(burns, {}, AT_ONCE);
    const response = await rig.post(JSON.stringify({ id: "A" }));
    const answer = await response.json();
    if (burned < 3) {
      assertEquals([response.status, answer.run_id], [
        202,
        `rincident-enricher:mock:A:${burned + 1}`,
      ]);
    } else {
      assertEquals([response.status, response.headers.get("retry-after")], [
        503,
        "5",
      ]);
    }
  }));
});

/** What a proxy says of a gateway that is being replaced. */
const NOT_THE_PLATFORM: readonly [string, () => Response][] = [
  [
    "404 of a router",
    () => new Response("404 page not found\n", { status: 404 }),
  ],
  [
    "404 of an ingress",
    () => new Response("default backend - 404", { status: 404 }),
  ],
  [
    "404 as a page",
    () => new Response("<h1>not found</h1>", { status: 404 }),
  ],
  ["200 without a word", () => new Response("")],
  ["200 and null", () => new Response("null")],
  ["200 and a list", () => new Response("[]")],
];

Deno.test("a proxy that knows no run burns no key", async () => {
  await Promise.all(NOT_THE_PLATFORM.map(async ([what, answer]) => {
    let isReplaced = true;
    await using rig = await startRig((seen, nth) =>
      seen.method === "GET" && isReplaced ? answer() : works(seen, nth, SIGNAL)
    );
    const refused = await rig.post(JSON.stringify({ id: "A" }));
    assertEquals(
      [refused.status, (await refused.json()).status],
      [503, 503],
      what,
    );
    isReplaced = false;
    const taken = await rig.post(JSON.stringify({ id: "A" }));
    assertEquals(taken.status, 202, what);
    await taken.body?.cancel();
    const keys = rig.seen.flatMap(({ key }) => key ?? []);
    assertEquals(new Set(keys), new Set(["incident-enricher:mock:A"]), what);
  }));
});

for (
  const text of [
    "not found\n",
    "run not found\n",
    "no such run",
    "",
    '{"error":"run not found","code":"not_found","status":404}',
  ]
) {
  Deno.test(`a run is missing if the platform says "${text.trim()}"`, async () => {
    const misses: Answer = (seen, nth) =>
      seen.method === "GET" && !seen.path.endsWith("2")
        ? new Response(text, { status: 404 })
        : works(seen, nth, SIGNAL);
    await using rig = await startRig(misses, {}, AT_ONCE);
    const response = await rig.post(JSON.stringify({ id: "A" }));
    assertEquals([response.status, (await response.json()).run_id], [
      202,
      "run-of-incident-enricher:mock:A:2",
    ]);
  });
}

/** Answers when the caller has gone. */
const never: Answer = (_seen, _nth, signal) =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(new Response()), {
      once: true,
    });
  });

const FAILING: [string, Answer, number][] = [
  [
    "a gateway that answers 500",
    () => new Response("boom", { status: 500 }),
    503,
  ],
  [
    "a gateway that answers a page",
    () => new Response("<html>502</html>", { status: 502 }),
    503,
  ],
  ["a gateway that answers no JSON", () => new Response("<html>"), 503],
  [
    "a gateway that refuses the key",
    () => new Response("unauthorized\n", { status: 401 }),
    502,
  ],
  [
    "a gateway that does not know the workflow",
    () => new Response("workflow not found\n", { status: 404 }),
    503,
  ],
  ["a gateway that never answers", never, 503],
  [
    "a gateway that refuses the incident",
    () => new Response("input schema validation failed: x\n", { status: 400 }),
    400,
  ],
  [
    "a TLS port that is spoken to in plain HTTP",
    () =>
      new Response("Client sent an HTTP request to an HTTPS server.\n", {
        status: 400,
      }),
    503,
  ],
  [
    "a proxy's TLS port",
    () => new Response("<html>400 Bad Request</html>", { status: 400 }),
    503,
  ],
  [
    "a gateway that answers 400 to the read",
    (seen, nth, signal) =>
      seen.method === "POST"
        ? works(seen, nth, signal)
        : new Response("invalid\n", { status: 400 }),
    503,
  ],
];

Deno.test("the ingester answers in time, whatever the gateway does", async () => {
  await Promise.all(FAILING.map(async ([what, answer, status]) => {
    await using rig = await startRig(answer, {}, { answerMs: 1_000 });
    const started = performance.now();
    const response = await rig.post(JSON.stringify({ id: "A" }));
    const answered = await response.json();
    // Near enough to tell it from 4.5 s, however slow this machine is.
    assert(performance.now() - started < 4_000, what);
    assertEquals([response.status, answered.status], [status, status], what);
    const retryAfter = response.headers.get("retry-after");
    assertEquals(retryAfter, status >= 500 ? "5" : null, what);
    assert(!JSON.stringify([answered, rig.log]).includes("s3cret-key"), what);
  }));
});

Deno.test("the ingester goes on after a gateway that was away", async () => {
  let up = false;
  const away: Answer = (seen, nth) =>
    up ? works(seen, nth, SIGNAL) : new Response("", { status: 503 });
  await using rig = await startRig(away, {}, { answerMs: 1_000 });
  const refused = await rig.post(JSON.stringify({ id: "A" }));
  assertEquals(refused.status, 503);
  await refused.body?.cancel();
  up = true;
  const taken = await rig.post(JSON.stringify({ id: "A" }));
  assertEquals(taken.status, 202);
  await taken.body?.cancel();
});

Deno.test("a hundred webhooks at once each get their own run", async () => {
  await using rig = await startRig();
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, nth) => {
      const response = await rig.post(JSON.stringify({ id: `I${nth}` }));
      return (await response.json()).run_id as string;
    }),
  );
  assertEquals(new Set(answers).size, 100);
  const digest = createHash("sha256").update(answers.toSorted().join()).digest(
    "hex",
  );
  const expected = Array.from(
    { length: 100 },
    (_, nth) => `run-of-incident-enricher:mock:I${nth}`,
  ).toSorted().join();
  assertEquals(digest, createHash("sha256").update(expected).digest("hex"));
});
