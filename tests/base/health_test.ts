/**
 * What workers say of themselves to those who watch over them.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import type { Gateway } from "../../lib/platform/gateway.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import { Readiness } from "../../lib/platform/readiness.ts";
import { startNatsServer } from "../../deploy/devcore/nats_server.ts";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { openHealth, type Report } from "../../lib/base/health.ts";
import { createLog } from "../../lib/base/log.ts";
import { PACK_SCHEMAS } from "../../lib/schemas.ts";
import { serveRequests } from "../../lib/base/service.ts";
import { INGESTER } from "../../workers/ingester.ts";
import {
  cacheWorkers,
  spawnWorker,
  type WorkerProcess,
} from "../../scripts/launch/process.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { openLine } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };
const quiet = createLog({}, { write() {} });

interface Answer {
  status: number;
  body: {
    status: string;
    problems: Record<string, string>;
    warnings: string[];
  };
}

async function get(url: string): Promise<Answer> {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
}

Deno.test("openHealth() serves nothing without an address", async () => {
  const report = () => Promise.reject(new Error("not asked"));
  const options = { address: undefined, log: quiet, report };
  assertEquals(await openHealth(options), undefined);
});

Deno.test("/healthz says that the process answers, /readyz what is missing", async () => {
  let now: Report = { problems: { nats: "not connected" }, warnings: ["odd"] };
  await using health = await openHealth({
    address: LOCAL,
    log: quiet,
    report: () => Promise.resolve(now),
  });
  const { url } = health!;
  const alive = await fetch(`${url}/healthz`);
  assertEquals([alive.status, await alive.json()], [200, { status: "ok" }]);
  assertEquals(await get(`${url}/readyz`), {
    status: 503,
    body: { status: "not ready", ...now, warnings: ["odd"] },
  });
  now = { problems: {}, warnings: [] };
  assertEquals(await get(`${url}/readyz`), {
    status: 200,
    body: { status: "ready", problems: {}, warnings: [] },
  });
  health!.stopping();
  assertEquals(await get(`${url}/readyz`), {
    status: 503,
    body: {
      status: "not ready",
      problems: { worker: "stopping" },
      warnings: [],
    },
  });
});

Deno.test("the health server answers nothing else", async () => {
  const report = () => Promise.resolve({ problems: {}, warnings: [] });
  await using health = await openHealth({ address: LOCAL, log: quiet, report });
  const rows = [
    ["GET", "/", 404],
    ["GET", "/readyz/x", 404],
    ["POST", "/readyz", 405],
    ["DELETE", "/healthz", 405],
    ["HEAD", "/readyz", 200],
  ] as const;
  for (const [method, path, status] of rows) {
    const response = await fetch(health!.url + path, { method });
    await response.body?.cancel();
    assertEquals([method, path, response.status], [method, path, status]);
  }
});

/** A gateway that knows the pack's schemas and workflow, as far as told. */
function serveGateway(known: { schemas: boolean; workflow: boolean }) {
  const paths: string[] = [];
  const gateway = startGateway((asked) => {
    const path = decodeURIComponent(asked.path);
    paths.push(path);
    const [, name] = /\/schemas\/incident-enricher\/(\w+)$/.exec(path) ?? [];
    const schema = PACK_SCHEMAS[name as keyof typeof PACK_SCHEMAS];
    if (schema !== undefined && known.schemas) {
      // The order of keys is not the platform's to keep.
      const keys = Object.entries(schema).toReversed();
      return Response.json({ id: name, schema: Object.fromEntries(keys) });
    }
    const isKnown = path.endsWith("/status") ||
      (path.includes("/workflows/") && known.workflow);
    return isKnown ? Response.json({}) : plain(404, "not found\n");
  });
  return Object.assign(gateway, { paths });
}

interface Running extends AsyncDisposable {
  url: string;
  process: WorkerProcess;
}

/** Starts a fetcher as a process: its clients' timers outlive what they lost. */
async function startFetcher(env: Record<string, string>): Promise<Running> {
  await cacheWorkers(["fetcher"]);
  const process = spawnWorker("fetcher", ["network:egress"], {
    CORETEX_API_KEY: "k3y",
    HEALTH_ADDR: "127.0.0.1:0",
    ...env,
  });
  const { url } = await process.waitFor(
    "Serving /healthz and /readyz",
    20_000,
  );
  return {
    url: String(url),
    process,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

Deno.test("a worker is ready once it is connected, and not while it is cut off", async () => {
  await using nats = await startNatsServer();
  await using redis = await startRedisServer();
  await using gateway = serveGateway({ schemas: true, workflow: true });
  await using worker = await startFetcher({
    NATS_URL: nats.url,
    REDIS_URL: redis.url,
    CORETEX_GATEWAY_URL: gateway.url,
  });
  const ready = await until("the worker to be ready", async () => {
    const answer = await get(`${worker.url}/readyz`);
    return answer.status === 200 ? answer : undefined;
  });
  assertEquals(ready.body.warnings, []);
  // A gateway serves everybody: watchers are answered from memory. What else
  // the worker asks, it asks by itself.
  const asked = () =>
    gateway.paths.filter((path) => path.includes("/schemas/")).length;
  const before = asked();
  for (let i = 0; i < 5; i++) await get(`${worker.url}/readyz`);
  assertEquals([before > 0, asked()], [true, before]);
  await nats[Symbol.asyncDispose]();
  const cut = await until("the worker to see it", async () => {
    const answer = await get(`${worker.url}/readyz`);
    return answer.status === 503 ? answer : undefined;
  });
  assertEquals(cut.body.problems, { nats: "not connected" });
  const alive = await fetch(`${worker.url}/healthz`);
  assertEquals(await alive.json(), { status: "ok" });
});

Deno.test("a worker that cannot connect is alive, and says what it waits for", async () => {
  await using worker = await startFetcher({
    NATS_URL: `nats://127.0.0.1:${freePort()}`,
    REDIS_URL: `redis://127.0.0.1:${freePort()}`,
    CORETEX_GATEWAY_URL: `http://127.0.0.1:${freePort()}`,
  });
  const alive = await fetch(`${worker.url}/healthz`);
  assertEquals(await alive.json(), { status: "ok" });
  const { status, body } = await get(`${worker.url}/readyz`);
  assertEquals([status, body.status], [503, "not ready"]);
  assertEquals(Object.keys(body.problems).toSorted(), [
    "gateway",
    "heartbeat",
    "nats",
    "redis",
  ]);
  assertStringIncludes(body.problems["gateway"]!, "connection refused");
  assert(!JSON.stringify(body).includes("k3y"));
});

/** Accepts connections and never says a word. */
function startSilence() {
  const open: Deno.Conn[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ended = (async () => {
    for await (const connection of listener) open.push(connection);
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection.close();
      await ended;
    },
  };
}

Deno.test("a worker names each part that falls silent, and no other", async () => {
  await using nats = await startNatsServer();
  await using redis = await startRedisServer();
  await using line = openLine(redis.url);
  await using gateway = serveGateway({ schemas: true, workflow: true });
  await using worker = await startFetcher({
    NATS_URL: nats.url,
    REDIS_URL: line.url,
    CORETEX_GATEWAY_URL: gateway.url,
  });
  const problems = async () =>
    (await get(`${worker.url}/readyz`)).body.problems;
  await until(
    "the worker to be ready",
    async () => Object.keys(await problems()).length === 0,
  );
  const found = await until("the worker to see it", async () => {
    line.freeze(); // Connections that were opened meanwhile, too.
    const found = await problems();
    return Object.keys(found).length > 0 ? found : undefined;
  }, 15_000);
  assertEquals(found, { redis: "Redis does not answer" });
  await worker.process.waitFor(
    ({ msg, level }) =>
      msg === "Not ready: Redis does not answer" && level === "error",
    5_000,
  );
});

Deno.test("a worker that starts before silent servers names them", async () => {
  await using redis = startSilence();
  await using gateway = startSilence();
  await using nats = await startNatsServer();
  await using worker = await startFetcher({
    NATS_URL: nats.url,
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    CORETEX_GATEWAY_URL: `http://127.0.0.1:${gateway.port}`,
  });
  await worker.process.waitFor("Cannot connect to Redis, trying again", 15_000);
  const silent = "Cannot call GET /status: no answer in time";
  await until("both to be named", async () => {
    const { problems } = (await get(`${worker.url}/readyz`)).body;
    return problems["redis"] === "not connected" &&
      problems["gateway"]?.startsWith(silent);
  });
});

Deno.test("a worker warns of schemas that are missing or others", async () => {
  await using nats = await startNatsServer();
  await using redis = await startRedisServer();
  await using gateway = serveGateway({ schemas: false, workflow: true });
  await using worker = await startFetcher({
    NATS_URL: nats.url,
    REDIS_URL: redis.url,
    CORETEX_GATEWAY_URL: gateway.url,
  });
  const { body } = await until("the worker to be ready", async () => {
    const answer = await get(`${worker.url}/readyz`);
    return answer.status === 200 ? answer : undefined;
  });
  assertEquals(body.warnings, [
    "incident-enricher/IncidentInput is not installed",
    "incident-enricher/EvidenceBundle is not installed",
    "incident-enricher/Summary is not installed",
    "incident-enricher/PostResult is not installed",
  ]);
});

Deno.test("a worker that needs no workflow names the gateway if that has no /status", async () => {
  const missing = new GatewayError("Cannot call GET /status: 404", 404, "");
  const gateway = { call: () => Promise.reject(missing) };
  const readiness = new Readiness({ gateway: gateway as unknown as Gateway });
  assertEquals((await readiness.report()).problems, {
    gateway: missing.message,
  });
});

for (const workflow of [true, false]) {
  Deno.test(`the ingester is ${workflow ? "" : "not "}ready if its workflow is ${workflow ? "" : "not "}installed`, async () => {
    await using gateway = serveGateway({ schemas: true, workflow });
    const variables: Record<string, string> = {
      INGESTER_ADDR: "127.0.0.1:0",
      HEALTH_ADDR: "127.0.0.1:0",
      CORETEX_GATEWAY_URL: gateway.url,
      CORETEX_API_KEY: "k3y",
    };
    const stop = new AbortController();
    const log: Record<string, unknown>[] = [];
    const ended = serveRequests(
      INGESTER,
      {
        env: (name) => variables[name],
        signal: stop.signal,
        write: (line) => log.push(JSON.parse(line)),
      },
    );
    const line = await until(
      "its health to be served",
      () => log.find(({ msg }) => msg === "Serving /healthz and /readyz"),
    );
    const { status, body } = await get(`${line["url"]}/readyz`);
    assertEquals(
      [status, body.problems],
      workflow
        ? [200, {}]
        : [503, { workflow: "incident-enricher.enrich is not installed" }],
    );
    stop.abort();
    await ended;
  });
}

Deno.test("a health address that is taken ends the worker with a clear error", async () => {
  using taken = Deno.listen(LOCAL);
  const variables: Record<string, string> = {
    INGESTER_ADDR: "127.0.0.1:0",
    HEALTH_ADDR: `127.0.0.1:${taken.addr.port}`,
    CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
    CORETEX_API_KEY: "k3y",
  };
  const error = await serveRequests(
    INGESTER,
    {
      env: (name) => variables[name],
      signal: new AbortController().signal,
      write: () => {},
    },
  ).then(() => undefined, (error) => error);
  assertStringIncludes(
    String(error),
    `on 127.0.0.1:${taken.addr.port}: EADDRINUSE, another process has it; workers on one machine need an address each`,
  );
});
