/**
 * The ingester: `handle` behind its real server, before a stand-in gateway.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Answer, never, plain } from "../../deploy/standins/gateway.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import type { Waits } from "../../workers/ingester.ts";
import { API_KEY, type Rig, startRig } from "../support/ingester.ts";

/** Reads again at once. */
const AT_ONCE: Waits = { pause: () => Promise.resolve() };

function post(rig: Rig, body: BodyInit = '{"id":"A"}') {
  return rig.ask("/webhook/mock", body);
}

Deno.test("the ingester starts a run for a mock webhook and reads it back", async () => {
  await using rig = await startRig();
  const { status, headers, body } = await post(
    rig,
    JSON.stringify({
      id: "INC-1",
      title: "t",
      severity: "High",
      url: "https://x.example/1",
    }),
  );
  assertEquals(status, 202);
  assertEquals(headers.get("content-type"), "application/json");
  assertEquals(body, {
    run_id: "run-of-incident-enricher:mock:INC-1",
    incident_id: "mock:INC-1",
  });
  const [start, read] = rig.asked;
  assertEquals([start?.request.method, start?.path], [
    "POST",
    "/api/v1/workflows/incident-enricher.enrich/runs",
  ]);
  assertEquals(start?.key, "incident-enricher:mock:INC-1");
  assertEquals([read?.request.method, read?.path], [
    "GET",
    "/api/v1/workflow-runs/run-of-incident-enricher%3Amock%3AINC-1",
  ]);
  assertEquals(rig.asked.length, 2);
  const input = rig.starts[0]!.input;
  const { raw, ...incident } = input;
  assertEquals(incident, {
    incident_id: "mock:INC-1",
    source: { system: "mock", url: "https://x.example/1" },
    title: "t",
    severity: "high",
    destination: { mode: "artifact" },
  });
  assertEquals((raw as Record<string, unknown>)["id"], "INC-1");
  assertEquals(compileCheck("IncidentInput")(input), undefined);
});

Deno.test("the caller does not choose where the post goes", async () => {
  await using rig = await startRig({
    DEFAULT_DESTINATION_MODE: "slack",
    INGESTER_WORKFLOW_ID: "other.flow",
  });
  const { status } = await post(
    rig,
    JSON.stringify({
      id: "INC-1",
      destination: {
        mode: "slack",
        slack_webhook_url: "https://evil.example/hook",
      },
    }),
  );
  assertEquals(status, 202);
  assertEquals(rig.asked[0]?.path, "/api/v1/workflows/other.flow/runs");
  assertEquals(rig.starts[0]?.input["destination"], { mode: "slack" });
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
    assertEquals(rig.asked, []);
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
  for (const as of [(text: string) => text, stream]) {
    const taken = await post(rig, as(bodyOf(limit)));
    assertEquals(taken.status, 202);
    const refused = await post(rig, as(bodyOf(limit + 1)));
    assertEquals([refused.status, refused.body], [413, {
      error: "The body must have at most 1048576 bytes",
      status: 413,
    }]);
  }
});

Deno.test("a burned key leads to the next spelling, three burned keys to 503", async () => {
  await Promise.all([1, 2, 3].map(async (burned) => {
    const gateway: Answer = ({ kind, runId }, works) => {
      const spelling = Number(/:(\d)$/.exec(runId)?.[1] ?? 1);
      const isBurned = kind === "read" && spelling <= burned;
      return isBurned ? plain(404, "not found\n") : works();
    };
    await using rig = await startRig({}, { gateway, waits: AT_ONCE });
    const { status, body, headers } = await post(rig);
    if (burned < 3) {
      assertEquals([status, body["run_id"]], [
        202,
        `run-of-incident-enricher:mock:A:${burned + 1}`,
      ]);
    } else {
      assertEquals([status, headers.get("retry-after")], [503, "5"]);
    }
  }));
});

/** What a proxy says of a gateway that is being replaced. */
const NOT_THE_PLATFORM: readonly [string, () => Response][] = [
  [
    "404 of a router",
    () => plain(404, "404 page not found\n"),
  ],
  [
    "404 of an ingress",
    () => plain(404, "default backend - 404"),
  ],
  [
    "404 as a page",
    () => plain(404, "<h1>not found</h1>"),
  ],
  ["200 without a word", () => new Response("")],
  ["200 and null", () => new Response("null")],
  ["200 and a list", () => new Response("[]")],
];

Deno.test("a proxy that knows no run burns no key", async () => {
  await Promise.all(NOT_THE_PLATFORM.map(async ([what, answer]) => {
    let isReplaced = true;
    await using rig = await startRig({}, {
      gateway: ({ kind }, works) =>
        kind === "read" && isReplaced ? answer() : works(),
    });
    const refused = await post(rig);
    assertEquals([refused.status, refused.body["status"]], [503, 503], what);
    isReplaced = false;
    assertEquals((await post(rig)).status, 202, what);
    const keys = rig.asked.filter(({ kind }) => kind === "start")
      .map(({ key }) => key);
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
    const misses: Answer = ({ kind, path }, works) =>
      kind === "read" && !path.endsWith("2") ? plain(404, text) : works();
    await using rig = await startRig({}, { gateway: misses, waits: AT_ONCE });
    const { status, body } = await post(rig);
    assertEquals([status, body["run_id"]], [
      202,
      "run-of-incident-enricher:mock:A:2",
    ]);
  });
}

const FAILING: [string, Answer, number][] = [
  [
    "a gateway that answers 500",
    () => plain(500, "boom"),
    503,
  ],
  [
    "a gateway that answers a page",
    () => plain(502, "<html>502</html>"),
    503,
  ],
  ["a gateway that answers no JSON", () => new Response("<html>"), 503],
  [
    "a gateway that refuses the key",
    () => plain(401, "unauthorized\n"),
    502,
  ],
  [
    "a gateway that does not know the workflow",
    () => plain(404, "workflow not found\n"),
    503,
  ],
  ["a gateway that never answers", never, 503],
  [
    "a gateway that refuses the incident",
    () => plain(400, "input schema validation failed: x\n"),
    400,
  ],
  [
    "a TLS port that is spoken to in plain HTTP",
    () => plain(400, "Client sent an HTTP request to an HTTPS server.\n"),
    503,
  ],
  [
    "a proxy's TLS port",
    () => plain(400, "<html>400 Bad Request</html>"),
    503,
  ],
  [
    "a gateway that answers 400 to the read",
    ({ kind }, works) => kind === "start" ? works() : plain(400, "invalid\n"),
    503,
  ],
];

Deno.test("the ingester answers in time, whatever the gateway does", async () => {
  await Promise.all(FAILING.map(async ([what, gateway, status]) => {
    await using rig = await startRig({}, {
      gateway,
      waits: { answerMs: 1_000 },
    });
    const started = performance.now();
    const answer = await post(rig);
    // Near enough to tell it from 4.5 s, however slow this machine is.
    assert(performance.now() - started < 4_000, what);
    assertEquals(
      [answer.status, answer.body["status"]],
      [status, status],
      what,
    );
    const retryAfter = answer.headers.get("retry-after");
    assertEquals(retryAfter, status >= 500 ? "5" : null, what);
    assert(!JSON.stringify([answer.body, rig.log]).includes(API_KEY), what);
  }));
});

Deno.test("the ingester goes on after a gateway that was away", async () => {
  let up = false;
  await using rig = await startRig({}, {
    gateway: (_, works) => up ? works() : plain(503, ""),
    waits: { answerMs: 1_000 },
  });
  assertEquals((await post(rig)).status, 503);
  up = true;
  assertEquals((await post(rig)).status, 202);
});

Deno.test("a hundred webhooks at once each get their own run", async () => {
  await using rig = await startRig();
  const ids = Array.from({ length: 100 }, (_, nth) => `I${nth}`);
  const runs = await Promise.all(
    ids.map(async (id) =>
      (await post(rig, JSON.stringify({ id }))).body["run_id"]
    ),
  );
  assertEquals(runs, ids.map((id) => `run-of-incident-enricher:mock:${id}`));
  assertEquals(rig.starts.length, 100);
});
