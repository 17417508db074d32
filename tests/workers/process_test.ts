/**
 * Workers as processes: how they start, stop and fail.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startNatsServer } from "../../deploy/devcore/nats_server.ts";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { startGateway } from "../../deploy/standins/gateway.ts";
import { LEVELS } from "../../lib/base/log.ts";
import { start as startProcess } from "../../lib/base/process.ts";
import {
  WORKER_SETTINGS,
  type WorkerName,
  WORKERS,
} from "../../scripts/launch/permissions.ts";
import {
  cacheWorkers,
  spawnWorker,
  type WorkerProcess,
} from "../../scripts/launch/process.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { readRequirements } from "../../scripts/launch/environment.ts";

await cacheWorkers(WORKERS);
const requirements = await readRequirements();
const JOB_WORKERS = ["fetcher", "summarizer", "poster"] as const;

function start(worker: WorkerName, env: Record<string, string>): WorkerProcess {
  return spawnWorker(worker, requirements[worker], {
    CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
    CORETEX_API_KEY: "s3cret-key",
    ...env,
  });
}

for (const worker of JOB_WORKERS) {
  Deno.test(`the ${worker} starts with its own permissions and stops at SIGTERM`, async () => {
    await using nats = await startNatsServer();
    await using redis = await startRedisServer();
    await using gateway = startGateway();
    const process = start(worker, {
      NATS_URL: nats.url,
      REDIS_URL: redis.url,
      CORETEX_GATEWAY_URL: gateway.url,
    });
    await process.waitFor("Worker ready", 20_000);
    assertEquals(await process.stop(), 0);
    assert(process.hasLogged('"Worker stopped"'));
  });
}

Deno.test("the ingester starts with its own permissions and stops at SIGTERM", async () => {
  const port = freePort();
  const process = start("ingester", { INGESTER_ADDR: `127.0.0.1:${port}` });
  const { url } = await process.waitFor("Worker ready", 20_000);
  assertEquals(url, `http://127.0.0.1:${port}`);
  assertEquals(await process.stop(), 0);
});

Deno.test("a worker without Redis says so, tries again, and still stops at SIGTERM", async () => {
  const process = start("fetcher", {
    REDIS_URL: `redis://127.0.0.1:${freePort()}`,
  });
  const { level, server } = await process.waitFor(
    "Cannot connect to Redis, trying again",
    20_000,
  );
  assertEquals(level, "warn");
  assert(String(server).startsWith("127.0.0.1:"));
  assertEquals(await process.stop(), 0);
});

Deno.test("a worker without NATS says so, tries again, and still stops at SIGTERM", async () => {
  await using redis = await startRedisServer();
  const process = start("fetcher", {
    REDIS_URL: redis.url,
    NATS_URL: `nats://127.0.0.1:${freePort()}`,
  });
  await process.waitFor("Cannot connect to NATS, trying again", 20_000);
  assertEquals(await process.stop(), 0);
});

Deno.test("a worker in a wrong environment exits with code 2 and one line, without values", async () => {
  // Started by hand: spawnWorker() would refuse this environment itself.
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--cached-only",
      "--ignore-env",
      "--allow-env=WORKER_ID,WORKER_MAX_PARALLEL,LOG_LEVEL",
      "workers/fetcher.ts",
    ],
    env: {
      WORKER_ID: "s3cret.id",
      WORKER_MAX_PARALLEL: "1",
      LOG_LEVEL: "loud",
    },
  }).output();
  assertEquals(output.code, 2);
  assertEquals(
    new TextDecoder().decode(output.stderr),
    "error: CORETEX_GATEWAY_URL is required (HTTP address of the platform's gateway); " +
      "CORETEX_API_KEY is required (API key for the gateway); " +
      "WORKER_ID must be 1 to 100 characters without blanks, dots, * or >; " +
      "WORKER_MAX_PARALLEL must be a whole number from 2 to 1000; " +
      "LOG_LEVEL must be one of info, warn, error\n",
  );
});

for (const worker of WORKERS) {
  Deno.test(`LOG_LEVEL selects what the ${worker} logs`, () => {
    const variables: Record<string, string> = {
      LOG_LEVEL: "warn",
      CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
      CORETEX_API_KEY: "s3cret-key",
    };
    const lines: string[] = [];
    const environment = {
      env: (name: string) => variables[name],
      signal: new AbortController().signal,
      write: (line: string) => lines.push(JSON.parse(line).level),
    };
    const settings = WORKER_SETTINGS[worker];
    const { log } = startProcess(settings, environment, () => worker);
    for (const level of LEVELS) log[level]("A line");
    assertEquals(lines, ["warn", "error"]);
  });
}

Deno.test("an ingester that cannot listen exits with code 1 and says why", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const process = start("ingester", {
    INGESTER_ADDR: `127.0.0.1:${taken.addr.port}`,
  });
  assertEquals(await process.ended, 1);
  await process.stop();
  assert(
    process.lastLines.some((line) =>
      line.includes('"Worker ended"') && line.includes("EADDRINUSE")
    ),
  );
});

Deno.test("no worker prints its key", async () => {
  await using nats = await startNatsServer();
  await using redis = await startRedisServer();
  await using gateway = startGateway();
  const process = start("poster", {
    NATS_URL: nats.url,
    REDIS_URL: redis.url,
    CORETEX_GATEWAY_URL: gateway.url,
    SLACK_WEBHOOK_URL: "https://hooks.slack.com/services/T0/B0/s3cret-hook",
  });
  await process.waitFor("Worker ready", 20_000);
  await process.stop();
  assert(!process.hasLogged("s3cret"));
});
