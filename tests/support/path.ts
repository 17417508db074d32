/**
 * The whole path for tests: a platform with the pack installed, and the four
 * workers as processes with their own permissions.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { GatewayError } from "../../lib/platform/gateway.ts";
import {
  derivePermissions,
  type Permissions,
  type WorkerName,
  WORKERS,
} from "../../scripts/launch/permissions.ts";
import { installBundle } from "../../scripts/support/install.ts";
import { bundlePack, readPackFolder } from "../../scripts/pack/pack.ts";
import { Platform, readAddress } from "../../scripts/support/platform.ts";
import {
  cacheWorkers,
  type SpawnOptions,
  spawnWorker,
  type WorkerProcess,
} from "../../scripts/launch/process.ts";
import { until } from "./until.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import { readRequirements } from "../../scripts/launch/environment.ts";

/** A platform with the pack and its workers. */
export interface Path extends AsyncDisposable {
  platform: Platform;
  workers: ReadonlyMap<WorkerName, WorkerProcess>;
  ingesterUrl: string;
  /** Sends a mock webhook. */
  send(body: JsonObject): Promise<{ status: number; answer: JsonObject }>;
  /** Waits until a run's post asks for approval. @returns The post's job id. */
  untilApproval(runId: string): Promise<string>;
  /** Waits until a run has ended. */
  untilEnded(runId: string): Promise<JsonObject>;
  /** Reads a job's record. */
  job(jobId: string): Promise<JsonObject>;
}

/** Options of {@linkcode startPath}. */
export interface PathOptions {
  /** More variables for every worker. */
  env?: Readonly<Record<string, string>>;
  /** How long a run may take to get anywhere. */
  timeoutMs?: number;
  /** How a worker is started, if not as its file with its own flags. */
  spawn?: (worker: WorkerName, permissions: Permissions) => SpawnOptions;
}

/**
 * Installs the pack, starts the workers and waits until they are routable.
 *
 * @param platformEnv The variables that name the platform.
 */
export async function startPath(
  platformEnv: Readonly<Record<string, string>>,
  { env = {}, timeoutMs = 30_000, spawn = () => ({}) }: PathOptions = {},
): Promise<Path> {
  await using stack = new AsyncDisposableStack();
  const { signal } = new AbortController();
  const platform = stack.use(
    new Platform(readAddress((name) => platformEnv[name]), {
      signal,
      principal: "tester",
    }),
  );
  const bundle = await bundlePack(await readPackFolder("pack"));
  await installBundle(platform, bundle, {
    upgrade: true,
    force: false,
    signal,
  });
  await cacheWorkers(WORKERS);
  const requirements = await readRequirements();
  const port = freePort();
  const variables: Record<string, string> = {
    ...platformEnv,
    INGESTER_ADDR: `127.0.0.1:${port}`,
    INGEST_MOCK_OPEN: "1",
    ...env,
  };
  const workers = new Map(WORKERS.map((worker) => {
    const requires = requirements[worker];
    const permissions = derivePermissions(
      worker,
      requires,
      (name) => variables[name],
    );
    const options = spawn(worker, permissions);
    const process = spawnWorker(worker, requires, variables, options);
    return [worker, stack.use(process)];
  }));
  for (const worker of workers.values()) {
    await worker.waitFor("Worker ready", 30_000);
  }
  await until("every topic to have a worker", async () => {
    const topics = Object.entries((await platform.workers())?.topics ?? {});
    return topics.filter(([topic, { available }]) =>
      topic.startsWith("job.incident-enricher.") && available
    ).length === 3;
  }, 45_000);
  const ingesterUrl = `http://127.0.0.1:${port}`;
  const moved = stack.move();
  return {
    platform,
    workers,
    ingesterUrl,
    async send(body) {
      const response = await fetch(`${ingesterUrl}/webhook/mock`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      return { status: response.status, answer: await response.json() };
    },
    untilApproval: (runId) =>
      until(`run ${runId} to ask for approval`, async () => {
        const waiting = await platform.waiting();
        return waiting.find(({ jobId }) => jobId.startsWith(`${runId}:post@`))
          ?.jobId;
      }, timeoutMs),
    untilEnded: (runId) =>
      until(`run ${runId} to end`, async () => {
        const run = await platform.call("GET", `/workflow-runs/${runId}`);
        return ["running", "pending"].includes(String(run["status"]))
          ? undefined
          : run;
      }, timeoutMs),
    job: (jobId) => platform.call("GET", `/jobs/${encodeURIComponent(jobId)}`),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** The status that a call of the gateway ends with. */
export async function statusOf(call: () => Promise<unknown>): Promise<number> {
  try {
    await call();
    return 200;
  } catch (error) {
    if (error instanceof GatewayError) return error.status;
    throw error;
  }
}
