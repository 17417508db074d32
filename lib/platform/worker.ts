/**
 * The worker loop: everything that a worker does beside its own work.
 *
 * @module
 */
import {
  type Config,
  readConfig,
  secretsOf,
  type Settings,
} from "../base/config.ts";
import { ConfigError } from "../base/errors.ts";
import { openHealth } from "../base/health.ts";
import { createLog, createMask, errorFields } from "../base/log.ts";
import { compileCheck, type SchemaName } from "../schemas.ts";
import { type Bus, connectBus } from "./bus.ts";
import { Gateway } from "./gateway.ts";
import { type JobContext, type JobRunner, runJob } from "./run_job.ts";
import { HEARTBEAT_MS, Loop } from "./conversation.ts";
import { Readiness, type ReadinessOptions } from "./readiness.ts";
import {
  busEndpoint,
  gatewayEndpoint,
  type PlatformConfig,
  type PlatformSettings,
  storeEndpoint,
} from "./settings.ts";
import { connectStore, type Store } from "./store.ts";

export type { Job, JobContext, JobGateway, JobStore } from "./run_job.ts";

/** What makes a worker. */
export interface WorkerOptions<S extends Settings & PlatformSettings, I, O> {
  /** The only topic that it serves. */
  topic: string;
  /** Everything that it reads from its environment. */
  settings: S;
  /** The schema of a job's input. */
  input: SchemaName;
  /** The schema of a job's result. */
  output: SchemaName;
  /** Placement labels that it advertises beside `dry_run`. */
  labels?: Readonly<Record<string, string>>;
  /** What an operator should know of these settings, said once at start. */
  caution?: (settings: Config<S>) => string | undefined;
  /**
   * Whether it also does jobs of its topic whose worker has died. Its handler
   * must see by itself whether another still does the job.
   */
  recover?: boolean;
  /** How long a stopping worker may go on with its jobs, 15 s if not given. */
  graceMs?: (settings: Config<S>) => number;
  /** Does one job. */
  handle: (input: I, context: JobContext<S>) => Promise<O>;
}

/** What a worker runs in; tests bring their own. */
export interface WorkerEnvironment {
  /** One variable's value. */
  env: (name: string) => string | undefined;
  /** Aborts to stop: the worker finishes what it holds, then returns. */
  signal: AbortSignal;
  /** Takes log lines. */
  write?: (line: string) => void;
  /** Sooner than usual, for tests that wait for it. */
  recovery?: { silentMs: number; everyMs: number };
}

/** Units and manifests give a worker 45 s to end. */
const GRACE_MS = 15_000;
const LATE_MS = 3 * HEARTBEAT_MS;
/** A job is looked after when nothing was heard of it for a minute. */
const RECOVERY = { silentMs: 60_000, everyMs: 60_000 };
/**
 * Runs a worker until SIGINT or SIGTERM, then exits the process: 0 after a
 * stop that was asked for, 1 if a connection is gone for good, 2 for a wrong
 * environment.
 */
export async function runWorker<S extends Settings & PlatformSettings, I, O>(
  options: WorkerOptions<S, I, O>,
): Promise<never> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => stop.abort());
  }
  try {
    const env = (name: string) => Deno.env.get(name);
    await serveJobs(options, { env, signal: stop.signal });
  } catch (error) {
    if (error instanceof ConfigError) {
      Deno.stderr.writeSync(
        new TextEncoder().encode(`error: ${error.message}\n`),
      );
      Deno.exit(2);
    }
    if (!stop.signal.aborted) {
      createLog().error("Worker ended", errorFields(error));
      Deno.exit(1);
    }
  }
  Deno.exit(0);
}

/**
 * Runs a worker until `signal` aborts.
 *
 * @throws {ConfigError} If the environment is wrong.
 * @throws If NATS closes the connection for good.
 */
export async function serveJobs<S extends Settings & PlatformSettings, I, O>(
  options: WorkerOptions<S, I, O>,
  { env, signal, write, recovery = RECOVERY }: WorkerEnvironment,
): Promise<void> {
  const config = readConfig(options.settings, env);
  const platform = config as unknown as PlatformConfig;
  const secrets = secretsOf(options.settings, config);
  const name = platform.workerId;
  const log = createLog({ worker: name }, { secrets, ...(write && { write }) });
  const caution = options.caution?.(config);
  if (caution !== undefined) log.warn(caution);
  using gateway = new Gateway(gatewayEndpoint(platform));
  const state: State = {};
  const readiness = new Readiness({ gateway, checks: checksOf(state) });
  await using health = await openHealth({
    address: platform.healthAddress,
    log,
    report: () => readiness.report(),
  });
  signal.addEventListener("abort", () => health?.stopping(), { once: true });
  await using store = await connectStore({
    ...storeEndpoint(platform),
    name,
    log,
    signal,
  });
  state.store = store;
  await using bus = await connectBus({
    ...busEndpoint(platform),
    name,
    log,
    signal,
  });
  state.bus = bus;
  const runner: JobRunner<S, I, O> = {
    topic: options.topic,
    settings: config,
    gateway,
    store,
    checkInput: compileCheck(options.input),
    checkOutput: compileCheck(options.output),
    handle: options.handle,
  };
  const loop = new Loop({
    topic: options.topic,
    platform,
    labels: { dry_run: "true", ...options.labels },
    bus,
    log,
    mask: createMask(secrets),
    run: (call) => runJob(runner, call),
    graceMs: options.graceMs?.(config) ?? GRACE_MS,
    onBeat: () => state.beatAt = performance.now(),
    ...(options.recover ? { recovery: { ...recovery, gateway } } : {}),
  });
  await loop.run(signal);
}

/** What there is of a worker so far. */
interface State {
  store?: Store;
  bus?: Bus;
  /** When the scheduler was last told, in ms of `performance.now()`. */
  beatAt?: number;
}

function checksOf(state: State): ReadinessOptions["checks"] & object {
  return {
    redis: () => state.store?.connected() ? undefined : "not connected",
    nats: () => state.bus?.connected() ? undefined : "not connected",
    heartbeat() {
      const { beatAt = -Infinity } = state;
      const late = performance.now() - beatAt > LATE_MS;
      return late ? "none was sent within 15 s" : undefined;
    },
  };
}
