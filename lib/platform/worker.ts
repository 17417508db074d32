/**
 * The worker loop: everything that a worker does beside its own job.
 *
 * @module
 */
import type { Config, Settings } from "../base/config.ts";
import { openHealth } from "../base/health.ts";
import { JobError } from "../base/errors.ts";
import { type Environment, runProcess, start } from "../base/process.ts";
import { Tally } from "../base/tally.ts";
import { compileCheck, type SchemaName } from "../schema_check.ts";
import { type Bus, connectBus } from "./bus.ts";
import type { JobContext } from "./context.ts";
import { Conversation, HEARTBEAT_MS } from "./conversation.ts";
import { Gateway } from "./gateway.ts";
import { lookForTwin } from "./instance.ts";
import { type Look, Lookout } from "./lookout.ts";
import { Readiness, type ReadinessOptions } from "./readiness.ts";
import { lookAtRouting } from "./routing.ts";
import { runJob, type Workbench } from "./run_job.ts";
import {
  busEndpoint,
  gatewayEndpoint,
  type PlatformConfig,
  type PlatformSettings,
  storeEndpoint,
} from "./settings.ts";
import { connectStore, lookAtStore, type Store } from "./store.ts";
import { askStatus, GatewayWatch, type WatchTimes } from "./watch_gateway.ts";

export type { Job, JobContext } from "./context.ts";
export type { WatchTimes } from "./watch_gateway.ts";

/** Describes a worker. */
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
  /** Warns the operator about these settings, once at start. */
  caution?: (settings: Config<S>) => string | undefined;
  /**
   * Whether it also takes over jobs of its topic whose worker has died. The
   * handler itself must detect whether another worker still does the job.
   */
  recover?: boolean;
  /**
   * When a job that it holds, because the platform is out of order, is no longer
   * worth doing, in milliseconds since the epoch. Only for a worker that
   * recovers; after 2.5 h if absent.
   */
  giveUpAt?: (input: I, settings: Config<S>) => number;
  /** How long a stopping worker may go on with its jobs; 15 s if absent. */
  graceMs?: (settings: Config<S>) => number;
  /** What it tells of itself in Redis, again and again while it lives. */
  announce?: (settings: Config<S>) => Promise<Announcement>;
  /** Looks for further warnings of `/readyz`, now and then. Must not throw. */
  look?: (settings: Config<S>) => Promise<readonly string[]>;
  /** Does one job. */
  handle: (input: I, context: JobContext<S>) => Promise<O>;
}

/** A key of Redis and its value, short and without secrets. */
export interface Announcement {
  /** Names the worker, as two must not share one. */
  readonly key: string;
  /** For whoever may read Redis. */
  readonly value: string;
}

/** A worker's surroundings; tests bring their own. */
export interface WorkerEnvironment extends Environment {
  /** Shorter times, for tests that wait for a recovery. */
  recovery?: { silentMs: number; everyMs: number };
  /** A shorter time between heartbeats, for tests that wait for one. */
  heartbeatMs?: number;
  /** Shorter times, for tests that wait for the gateway. */
  watch?: Partial<WatchTimes>;
}

/** Units and manifests give a worker 45 s to end. */
const GRACE_MS = 15_000;
/** How long `/readyz` names a part that a job has found missing. */
const PART_MS = 60 * 60_000;
/** Longer than several looks. */
const ANNOUNCED_S = 30;
const LATE_MS = 3 * HEARTBEAT_MS;
const RECOVERY = { silentMs: 60_000, everyMs: 60_000 };

/** Runs a worker until SIGINT or SIGTERM, then exits the process. */
export function runWorker<S extends Settings & PlatformSettings, I, O>(
  options: WorkerOptions<S, I, O>,
): Promise<never> {
  return runProcess(
    options.settings.workerId.fallback ?? options.topic,
    (environment) => serveJobs(options, environment),
  );
}

/**
 * Runs a worker until `signal` aborts.
 *
 * @throws {ConfigError} If the environment is wrong.
 * @throws If NATS closes the connection for good.
 */
export async function serveJobs<S extends Settings & PlatformSettings, I, O>(
  options: WorkerOptions<S, I, O>,
  environment: WorkerEnvironment,
): Promise<void> {
  const { signal, recovery = RECOVERY } = environment;
  const { topic, settings, handle } = options;
  const { config, log, mask } = start(settings, environment, nameOf);
  const platform = config as unknown as PlatformConfig;
  const { workerId: name, healthAddress: address } = platform;
  const caution = options.caution?.(config);
  if (caution !== undefined) log.warn(caution);
  using gateway = new Gateway({
    ...gatewayEndpoint(platform),
    onAnswer: () => watch.answered(),
  });
  await using watch = new GatewayWatch({
    ask: (signal) => askStatus(gateway, signal),
    log,
    times: environment.watch,
  });
  const parts: Parts = { watch };
  const readiness = new Readiness({
    gateway,
    watched: () => watch.trouble,
    checks: checksOf(parts),
    look: async () => await options.look?.(config) ?? [],
  });
  const tally = new Tally();
  const report = async () => ({
    ...await readiness.report(),
    counts: tally.counts(),
  });
  await using health = await openHealth({ address, log, report });
  signal.addEventListener("abort", () => health?.stopping(), { once: true });
  watch.start();
  const connection = { name, log, signal };
  await using store = await connectStore({
    ...storeEndpoint(platform),
    ...connection,
  });
  parts.store = store;
  await using bus = await connectBus({
    ...busEndpoint(platform),
    ...connection,
  });
  parts.bus = bus;
  const pool = platform.workerPool;
  await using lookout = new Lookout({
    log,
    signal,
    looks: {
      redis: lookAtStore(store),
      pool: lookAtRouting({ store, gateway, topic, pool }),
      worker_id: lookForTwin(store, name),
      ...announcing(options.announce?.(config), store),
    },
  });
  parts.lookout = lookout;
  const bench: Workbench = {
    topic,
    settings: config,
    gateway,
    store,
    checkInput: compileCheck(options.input),
    checkOutput: compileCheck(options.output),
    watch,
    tally,
    recoverable: options.recover ?? false,
    giveUpAt: (input) => options.giveUpAt?.(input as I, config) ?? Infinity,
    // The checks and the settings match its types.
    handle: noting(handle as Workbench["handle"], lookout),
  };
  const conversation = new Conversation({
    topic,
    platform,
    labels: { dry_run: "true", ...options.labels },
    bus,
    watch,
    log,
    mask,
    work: (call) => runJob(bench, call),
    graceMs: options.graceMs?.(config) ?? GRACE_MS,
    heartbeatMs: environment.heartbeatMs,
    ...(options.recover ? { recovery: { ...recovery, gateway } } : {}),
  });
  parts.conversation = conversation;
  await conversation.run(signal);
}

/** Repeats an announcement, so that it outlives its worker by little. */
function announcing(
  announcement: Promise<Announcement> | undefined,
  store: Store,
): Record<string, Look> {
  if (announcement === undefined) return {};
  return {
    async announcement(signal) {
      const { key, value } = await announcement;
      await store.write(key, value, ANNOUNCED_S, signal);
      return undefined;
    },
  };
}

/** Notes which part of the process a job has found missing. */
function noting(handle: Workbench["handle"], lookout: Lookout): typeof handle {
  return async (input, context) => {
    try {
      return await handle(input, context);
    } catch (error) {
      if (error instanceof JobError && error.part !== undefined) {
        lookout.note(error.part, error.message, PART_MS);
      }
      throw error;
    }
  };
}

function nameOf(config: unknown): string {
  return (config as PlatformConfig).workerId;
}

/** The parts that a worker has opened so far. */
interface Parts {
  watch?: GatewayWatch;
  store?: Store;
  bus?: Bus;
  lookout?: Lookout;
  conversation?: Conversation;
}

function checksOf(parts: Parts): ReadinessOptions["checks"] & object {
  return {
    redis: () =>
      parts.store?.connected()
        ? parts.lookout?.problem("redis")
        : "not connected",
    pool: () => parts.lookout?.problem("pool"),
    worker_id: () => parts.lookout?.problem("worker_id"),
    slack: () => parts.lookout?.problem("slack"),
    nats: () => parts.bus?.connected() ? undefined : "not connected",
    heartbeat() {
      // On purpose: the gateway's problem says why.
      if (parts.bus?.connected() && parts.watch?.failure) return undefined;
      const { beatAt = -Infinity } = parts.conversation ?? {};
      const late = performance.now() - beatAt > LATE_MS;
      return late ? "none was sent within 15 s" : undefined;
    },
  };
}
