/**
 * The worker loop: everything that a worker does beside its own job.
 *
 * @module
 */
import type { Config, Settings } from "../base/config.ts";
import { openHealth } from "../base/health.ts";
import { type Environment, runProcess, start } from "../base/process.ts";
import { compileCheck, type SchemaName } from "../schema_check.ts";
import { type Bus, connectBus } from "./bus.ts";
import type { JobContext } from "./context.ts";
import { Conversation, HEARTBEAT_MS } from "./conversation.ts";
import { Gateway } from "./gateway.ts";
import { Readiness, type ReadinessOptions } from "./readiness.ts";
import { runJob, type Workbench } from "./run_job.ts";
import {
  busEndpoint,
  gatewayEndpoint,
  type PlatformConfig,
  type PlatformSettings,
  storeEndpoint,
} from "./settings.ts";
import { connectStore, type Store } from "./store.ts";
import { askStatus, GatewayWatch, type WatchTimes } from "./watch_gateway.ts";

export type { Job, JobContext } from "./context.ts";

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
  /** How long a stopping worker may go on with its jobs; 15 s if absent. */
  graceMs?: (settings: Config<S>) => number;
  /** Does one job. */
  handle: (input: I, context: JobContext<S>) => Promise<O>;
}

/** A worker's surroundings; tests bring their own. */
export interface WorkerEnvironment extends Environment {
  /** Shorter times, for tests that wait for a recovery. */
  recovery?: { silentMs: number; everyMs: number };
  /** Shorter times, for tests that wait for the gateway. */
  watch?: Partial<WatchTimes>;
}

/** Units and manifests give a worker 45 s to end. */
const GRACE_MS = 15_000;
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
  const parts: Parts = {};
  const readiness = new Readiness({
    gateway,
    watched: () => watch.trouble,
    checks: checksOf(parts),
  });
  const report = () => readiness.report();
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
  const bench: Workbench = {
    topic,
    settings: config,
    gateway,
    store,
    checkInput: compileCheck(options.input),
    checkOutput: compileCheck(options.output),
    // The checks and the settings match its types.
    handle: handle as Workbench["handle"],
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
    ...(options.recover ? { recovery: { ...recovery, gateway } } : {}),
  });
  parts.conversation = conversation;
  await conversation.run(signal);
}

function nameOf(config: unknown): string {
  return (config as PlatformConfig).workerId;
}

/** The parts that a worker has opened so far. */
interface Parts {
  store?: Store;
  bus?: Bus;
  conversation?: Conversation;
}

function checksOf(parts: Parts): ReadinessOptions["checks"] & object {
  return {
    redis: () => parts.store?.connected() ? undefined : "not connected",
    nats: () => parts.bus?.connected() ? undefined : "not connected",
    heartbeat() {
      const { beatAt = -Infinity } = parts.conversation ?? {};
      const late = performance.now() - beatAt > LATE_MS;
      return late ? "none was sent within 15 s" : undefined;
    },
  };
}
