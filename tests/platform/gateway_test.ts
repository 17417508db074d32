import { assert, assertEquals, assertRejects } from "@std/assert";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { Gateway } from "../../lib/platform/gateway.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import { until } from "../support/until.ts";

interface Seen {
  method: string;
  path: string;
  headers: Headers;
  body: string;
}

interface Stub extends AsyncDisposable {
  gateway: Gateway;
  seen: Seen[];
}

const { signal } = new AbortController();

/** A gateway that answers the nth request with the nth answer, the last one for ever. */
function stub(
  answers: (Response | (() => Response | Promise<Response>))[],
  options: { deadlineMs?: number; principal?: string } = {},
): Stub {
  const seen: Seen[] = [];
  const stand = startGateway(({ request, path, search, body }) => {
    const { method, headers } = request;
    seen.push({ method, path: path + search, headers, body });
    const answer = answers[Math.min(seen.length, answers.length) - 1]!;
    return typeof answer === "function" ? answer() : answer.clone();
  });
  const url = stand.url;
  return Object.assign(stand, {
    gateway: new Gateway({ url, apiKey: "k3y", deadlineMs: 5_000, ...options }),
    seen,
  });
}

const text = (status: number, body: string) => () =>
  new Response(body, { status, headers: { "content-type": "text/plain" } });
const json = (body: unknown, status = 200) => () =>
  Response.json(body, { status });

Deno.test("Gateway sends the key in one header and the principal in another", async () => {
  await using stand = stub([json({ ok: true })], { principal: "ada" });
  await stand.gateway.call("GET", "/status", { signal });
  const { headers, path } = stand.seen[0]!;
  assertEquals(path, "/api/v1/status");
  assertEquals(headers.get("x-api-key"), "k3y");
  assertEquals(headers.get("authorization"), null);
  assertEquals(headers.get("x-principal-id"), "ada");
});

Deno.test("Gateway reads JSON by route, whatever the content type", async () => {
  await using stand = stub([text(200, '{"id":"j"}\n')]);
  assertEquals(await stand.gateway.readJob("j", signal), { id: "j" });
});

Deno.test("Gateway escapes ids and pointers into one path segment", async () => {
  await using stand = stub([
    json({ id: 1, content_base64: "aGk=", metadata: {} }),
  ]);
  await stand.gateway.readJob("r:post[0]@1/../x", signal);
  await stand.gateway.readArtifact("redis://art:1?a#b", 100, signal);
  await stand.gateway.readRun("a/b", signal);
  assertEquals(stand.seen.map(({ path }) => path), [
    "/api/v1/jobs/r%3Apost%5B0%5D%401%2F..%2Fx",
    "/api/v1/artifacts/redis%3A%2F%2Fart%3A1%3Fa%23b",
    "/api/v1/workflow-runs/a%2Fb",
  ]);
});

Deno.test("Gateway stores and reads an artifact byte for byte", async () => {
  const bytes = Uint8Array.from([0, 255, 10, 195, 40]);
  await using stand = stub([
    json({ artifact_ptr: "redis://art:1", size_bytes: 5 }),
    json({
      artifact_ptr: "redis://art:1",
      content_base64: bytes.toBase64(),
      metadata: {
        content_type: "application/json",
        retention: "audit",
        labels: { kind: "x" },
      },
    }),
  ]);
  const pointer = await stand.gateway.putArtifact({
    content: bytes,
    contentType: "application/json",
    retention: "audit",
    labels: { kind: "x" },
  }, signal);
  assertEquals(pointer, "redis://art:1");
  assertEquals(JSON.parse(stand.seen[0]!.body), {
    content_base64: bytes.toBase64(),
    content_type: "application/json",
    retention: "audit",
    labels: { kind: "x" },
  });
  assertEquals(await stand.gateway.readArtifact(pointer, 5, signal), {
    bytes,
    contentType: "application/json",
    retention: "audit",
    labels: { kind: "x" },
  });
});

Deno.test("Gateway refuses an artifact that is far longer than asked for", async () => {
  const content = new Uint8Array(200_000).toBase64();
  await using stand = stub([json({ content_base64: content, metadata: {} })], {
    deadlineMs: 300,
  });
  const error = await assertRejects(
    () => stand.gateway.readArtifact("redis://art:1", 1000, signal),
    GatewayError,
  );
  assert(
    error.message.startsWith(
      "Cannot call GET /artifacts/redis%3A%2F%2Fart%3A1: body is longer than",
    ),
  );
});

Deno.test("Gateway starts a run with its key, and a dry one by query", async () => {
  await using stand = stub([json({ run_id: "r1" })]);
  const start = (dryRun: boolean) =>
    stand.gateway.startRun("p.flow", { a: 1 }, { key: "k:1", dryRun, signal });
  assertEquals(await start(false), "r1");
  assertEquals(await start(true), "r1");
  const [first, second] = stand.seen;
  assertEquals([first?.path, first?.body], [
    "/api/v1/workflows/p.flow/runs",
    '{"a":1}',
  ]);
  assertEquals(first?.headers.get("idempotency-key"), "k:1");
  assertEquals(second?.path, "/api/v1/workflows/p.flow/runs?dry_run=true");
});

for (const status of [429, 500, 502, 503, 504]) {
  Deno.test(`Gateway tries a read again after ${status}`, async () => {
    await using stand = stub([text(status, "busy\n"), json({ id: "j" })]);
    assertEquals(await stand.gateway.readJob("j", signal), { id: "j" });
    assertEquals(stand.seen.length, 2);
  });
}

for (const status of [400, 401, 403, 404, 409, 501]) {
  Deno.test(`Gateway does not try again after ${status}`, async () => {
    await using stand = stub([text(status, "no\n")]);
    const error = await assertRejects(
      () => stand.gateway.readJob("j", signal),
      GatewayError,
    );
    assertEquals(error.status, status);
    assertEquals(
      error.message,
      `Cannot call GET /jobs/j: got status ${status}, expected 2xx (no)`,
    );
    assertEquals(stand.seen.length, 1);
  });
}

Deno.test("Gateway tries a write that must not arrive twice again only after 429", async () => {
  for (const [status, tries] of [[429, 2], [500, 1], [503, 1]] as const) {
    await using stand = stub([text(status, "busy"), json({})]);
    const call = stand.gateway.call("POST", "/packs/install", {
      signal,
      json: {},
    });
    if (tries === 2) await call;
    else await assertRejects(() => call, GatewayError);
    assertEquals(stand.seen.length, tries, String(status));
  }
});

Deno.test("Gateway gives up at its deadline and says what it saw last", async () => {
  await using stand = stub([text(429, "rate limited\n")], { deadlineMs: 400 });
  const error = await assertRejects(
    () => stand.gateway.readJob("j", signal),
    GatewayError,
  );
  assertEquals(error.status, 429);
  assertEquals(error.unavailable, true);
  assert(stand.seen.length >= 2);
});

Deno.test("Gateway stops waiting when the signal aborts", async () => {
  await using stand = stub([text(503, "later")]);
  const abort = new AbortController();
  const call = stand.gateway.readJob("j", abort.signal);
  const rejected = assertRejects(() => call, GatewayError, "got status 503");
  await until("the gateway to be asked", () => stand.seen.length === 1);
  setTimeout(() => abort.abort(), 20); // Before it is asked again.
  await rejected;
});

Deno.test("Gateway takes the platform's words from text, from JSON, and not from a page", async () => {
  const cases: [() => Response, string][] = [
    [text(409, "job not awaiting approval\n"), " (job not awaiting approval)"],
    [
      json({ error: "access denied", code: "access_denied", status: 403 }, 403),
      " (access_denied: access denied)",
    ],
    [json({ error: "no code here" }, 403), " (no code here)"],
    [text(404, "<html><body>nginx</body></html>"), ""],
    [text(400, ""), ""],
    [text(400, "x".repeat(1000)), ` (${"x".repeat(299)}…)`],
    [text(400, "two\nlines\twith   blanks\n"), " (two lines with blanks)"],
  ];
  for (const [answer, detail] of cases) {
    await using stand = stub([answer]);
    const { status } = answer();
    const error = await assertRejects(
      () => stand.gateway.readJob("j", signal),
      GatewayError,
    );
    assertEquals(
      error.message,
      `Cannot call GET /jobs/j: got status ${status}, expected 2xx${detail}`,
    );
  }
});

Deno.test("Gateway tells what stands before it from the platform itself", async () => {
  const cases: [string, boolean][] = [
    ["not found\n", true],
    ['{"error":"run not found","code":"not_found"}', true],
    ["", true],
    ["404 page not found\n", false],
    ["404 Page Not Found\n", false],
    ["Default Backend - 404", false],
    ["default backend - 404", false],
    ["Not Found\n", false],
    ['{"message":"no Route matched with those values"}', false],
    ["\n<html><body>nginx</body></html>", false],
  ];
  for (const [body, missing] of cases) {
    await using stand = stub([text(404, body)]);
    const error = await assertRejects(
      () => stand.gateway.readRun("r", signal),
      GatewayError,
    );
    assertEquals([error.status, error.missing], [404, missing], body);
  }
});

Deno.test("Gateway says that an answer is no JSON, or has not what it should", async () => {
  await using page = stub([text(200, "<html>")]);
  await assertRejects(
    () => page.gateway.readJob("j", signal),
    GatewayError,
    "the answer is not JSON",
  );
  await using empty = stub([json({})]);
  const put = () =>
    empty.gateway.putArtifact({
      content: "x",
      contentType: "t",
      retention: "short",
    }, signal);
  await assertRejects(put, GatewayError, "the answer has no artifact_ptr");
  await using garbage = stub([json({ content_base64: "*", metadata: {} })]);
  await assertRejects(
    () => garbage.gateway.readArtifact("p", 10, signal),
    GatewayError,
    "the content is not base64",
  );
});

Deno.test("Gateway follows no redirect", async () => {
  await using stand = stub([
    () =>
      new Response(null, { status: 307, headers: { location: "/elsewhere" } }),
  ]);
  const error = await assertRejects(
    () => stand.gateway.readJob("j", signal),
    GatewayError,
  );
  assertEquals(error.status, 307);
  assertEquals(stand.seen.length, 1);
});

Deno.test("Gateway says that nobody listens, after trying for its deadline", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const gateway = new Gateway({
    url: `http://127.0.0.1:${port}`,
    apiKey: "k",
    deadlineMs: 300,
  });
  const error = await assertRejects(
    () => gateway.readJob("j", signal),
    GatewayError,
  );
  assertEquals(error.message, "Cannot call GET /jobs/j: connection refused");
  assertEquals([error.status, error.unavailable], [0, true]);
});

Deno.test("Gateway does not go on trying a host that it may not reach", async () => {
  const gateway = new Gateway({ url: "http://gateway.invalid", apiKey: "k" });
  const started = performance.now();
  const error = await assertRejects(
    () => gateway.readJob("j", signal),
    GatewayError,
  );
  assertEquals(
    error.message,
    "Cannot call GET /jobs/j: no permission for that host",
  );
  // Its deadline is 30 s, and its first wait at least 100 ms.
  assert(performance.now() - started < 5_000);
});

Deno.test("Gateway reaches one that comes up while it tries", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const gateway = new Gateway({ url: `http://127.0.0.1:${port}`, apiKey: "k" });
  const call = gateway.readJob("j", signal);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen() {} },
    json({ id: "j" }),
  );
  assertEquals(await call, { id: "j" });
  await server.shutdown();
});

Deno.test("Gateway quotes no control character of an error", async () => {
  await using stand = stub([text(400, "a\r\nb\x1b[2J\x7f\u009b2J\0c")]);
  const error = await assertRejects(
    () => stand.gateway.readJob("j", signal),
    GatewayError,
  );
  assertEquals(error.detail, "a b [2J 2J c");
});

for (const run_id of ["..", ".", "r".repeat(257), "\ud800", "a\nb", "é"]) {
  Deno.test(`Gateway takes no run id such as ${JSON.stringify(run_id).slice(0, 12)}`, async () => {
    await using stand = stub([json({ run_id })]);
    const error = await assertRejects(
      () => stand.gateway.startRun("w", {}, { key: "k", signal }),
      GatewayError,
    );
    assertEquals(
      error.message,
      "Cannot call POST /workflows/{id}/runs: run_id is not an id",
    );
    assertEquals(stand.seen.length, 1);
  });
}

for (const body of ["", "null", '"run"', "7"]) {
  Deno.test(`Gateway takes ${JSON.stringify(body)} for no run`, async () => {
    await using stand = stub([text(200, body)]);
    const error = await assertRejects(
      () => stand.gateway.readRun("r", signal),
      GatewayError,
    );
    assertEquals(
      error.message,
      "Cannot call GET /workflow-runs: the answer is not an object",
    );
  });
}

Deno.test("call() makes no second attempt of a call that wants one only", async () => {
  let count = 0;
  await using stand = startGateway(() => {
    count++;
    return plain(429, "rate limited\n");
  });
  using gateway = new Gateway({ url: stand.url, apiKey: "k" });
  const { signal } = new AbortController();
  await assertRejects(
    () => gateway.call("GET", "/status", { signal, once: true }),
    GatewayError,
    "got status 429",
  );
  assertEquals(count, 1);
});

Deno.test("call() tells of good answers only", async () => {
  let works = false;
  let told = 0;
  await using stand = startGateway((_, answer) =>
    works ? answer() : plain(401, "unauthorized\n")
  );
  using gateway = new Gateway({
    url: stand.url,
    apiKey: "k",
    onAnswer: () => told++,
  });
  const { signal } = new AbortController();
  const ask = () => gateway.call("GET", "/status", { signal });
  await assertRejects(ask, GatewayError);
  assertEquals(told, 0);
  works = true;
  await ask();
  assertEquals(told, 1);
});

Deno.test("call() does not try again for an answer that is too long", async () => {
  let count = 0;
  await using stand = startGateway(() => {
    count++;
    return new Response("x".repeat(100));
  });
  using gateway = new Gateway({ url: stand.url, apiKey: "k" });
  const { signal } = new AbortController();
  await assertRejects(
    () => gateway.call("GET", "/x", { signal, bodyBytesMax: 10 }),
    GatewayError,
    "body is longer than 10 bytes",
  );
  assertEquals(count, 1);
});
