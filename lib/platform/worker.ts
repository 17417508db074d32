/**
 * The worker loop: everything that a worker does beside its own work.
 *
 * @module
 */
import { retry, within } from "../backoff.ts";
import {
  type Config,
  readConfig,
  secretsOf,
  type Settings,
} from "../config.ts";
import { ConfigError } from "../errors.ts";
import { openHealth } from "../health.ts";
import { createLog, createMask, errorFields, type Log } from "../log.ts";
import { compileCheck, type SchemaName } from "../schemas.ts";
import { type Bus, connectBus } from "./bus.ts";
import { Gateway } from "./gateway.ts";
import {
  type JobCall,
  type JobContext,
  type JobRunner,
  runJob,
} from "./job.ts";
import { type Held, JobTable } from "./jobs.ts";
import {
  decodePacket,
  encodeHandshake,
  encodeHeartbeat,
  encodeProgress,
  encodeResult,
  type JobEnd,
  type Sender,
} from "./packet.ts";
import {
  busEndpoint,
  gatewayEndpoint,
  type PlatformConfig,
  type PlatformSettings,
  storeEndpoint,
} from "./settings.ts";
import { Readiness, type ReadinessOptions } from "./readiness.ts";
import { connectStore, type Store } from "./store.ts";

export type { Job, JobContext, JobGateway, JobStore } from "./job.ts";

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
}

const HEARTBEAT_MS = 5_000; // The scheduler forgets a worker after 30 s.
const HANDSHAKE_EVERY = 4; // Heartbeats: Cordum 1.0 forgets one after 60 s.
/** How long a stopping worker may go on with the jobs that it holds. */
const GRACE_MS = 15_000;
/** A stopping worker still takes what was on its way when it said so. */
const LAST_CALL_MS = 250;
const DELIVERY_MS = 5_000;

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
  { env, signal, write }: WorkerEnvironment,
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
    onBeat: () => state.beatAt = performance.now(),
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
      const late = performance.now() - beatAt > 3 * HEARTBEAT_MS;
      return late ? "none was sent within 15 s" : undefined;
    },
  };
}

interface LoopOptions {
  topic: string;
  platform: PlatformConfig;
  labels: Record<string, string>;
  bus: Bus;
  log: Log;
  mask: (text: string) => string;
  run: (call: JobCall) => ReturnType<typeof runJob>;
  /** Told after each heartbeat. */
  onBeat: () => void;
}

/** The worker's side of the conversation with the scheduler. */
class Loop {
  readonly #options: LoopOptions;
  readonly #jobs: JobTable;
  /** Results that the bus has not yet confirmed. */
  readonly #deliveries = new Set<Promise<void>>();
  #stopping = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#jobs = new JobTable({
      topic: options.topic,
      parallelMax: options.platform.maxParallel,
      log: options.log,
      run: (held) => this.#run(held),
      encode: (held, ms, end) => this.#encode(held, ms, end),
      deliver: (jobId, result) => this.#deliver(jobId, result),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { bus, platform, log, topic } = this.#options;
    const onMessage = (bytes: Uint8Array) => this.#onMessage(bytes);
    // One plain subscription for jobs: the scheduler sends to no other
    // subject, and a second one would do every job twice.
    const endJobs = bus.subscribe(
      `worker.${platform.workerId}.jobs`,
      onMessage,
    );
    const endCancels = bus.subscribe("sys.job.cancel", onMessage);
    // Only a worker that is subscribed may say that it is there.
    await retry(() => bus.flush(), {
      baseMs: 200,
      maxMs: 2_000,
      signal,
      retryable: () => true,
    });
    let beats = 0;
    const beat = () => this.#beat(beats++ % HANDSHAKE_EVERY === 0);
    beat();
    bus.onReconnect(() => this.#beat(true));
    const timer = setInterval(beat, HEARTBEAT_MS);
    log.info("Worker ready", { topic, pool: platform.workerPool });
    try {
      const lost = await Promise.race([bus.closed, aborted(signal)]);
      if (!signal.aborted) {
        throw lost ?? new Error("NATS closed the connection");
      }
      log.info("Worker stopping", { jobs_held: this.#jobs.size });
      this.#stopping = true;
      this.#beat(false);
      await bus.flush().catch(() => {});
      await delay(LAST_CALL_MS);
      endJobs();
      await this.#jobs.finish(GRACE_MS);
      await within(DELIVERY_MS, Promise.all(this.#deliveries)).catch(() => {});
    } finally {
      clearInterval(timer);
      endCancels();
    }
    log.info("Worker stopped");
  }

  #sender(): Sender {
    const { workerId, workerToken } = this.#options.platform;
    return { workerId, token: workerToken, nowMs: Date.now() };
  }

  #beat(handshake: boolean): void {
    const { bus, platform, labels, topic } = this.#options;
    if (!bus.connected()) return; // It would arrive late, and lie.
    const { workerPool: pool, maxParallel: maxParallelJobs } = platform;
    // A worker that looks full gets nothing new: there is no other way to leave.
    const activeJobs = this.#stopping
      ? Math.max(maxParallelJobs, this.#jobs.size)
      : this.#jobs.size;
    const heartbeat = {
      pool,
      maxParallelJobs,
      activeJobs,
      labels,
      capabilities: [topic],
    };
    bus.publish("sys.heartbeat", encodeHeartbeat(this.#sender(), heartbeat));
    this.#options.onBeat();
    if (handshake) {
      bus.publish("sys.handshake", encodeHandshake(this.#sender(), [topic]));
    }
  }

  #onMessage(bytes: Uint8Array): void {
    let packet;
    try {
      packet = decodePacket(bytes);
    } catch (error) {
      this.#options.log.warn(
        "Ignored a message that is no packet",
        errorFields(error),
      );
      return;
    }
    const { case: kind, value } = packet.payload;
    if (kind === "jobRequest") this.#jobs.take(value, packet.traceId);
    else if (kind === "jobCancel") this.#jobs.cancel(value.jobId);
  }

  #run({ request, traceId, signal }: Held): ReturnType<typeof runJob> {
    const { bus, log, run } = this.#options;
    const { jobId } = request;
    return run({
      request,
      traceId,
      signal,
      log: log.with({ job: jobId }),
      progress: (percent, message) => {
        if (!bus.connected()) return;
        const packet = encodeProgress(
          this.#sender(),
          { jobId, traceId },
          percent,
          message,
        );
        bus.publish("sys.job.progress", packet);
      },
    });
  }

  #encode(
    { request, traceId }: Held,
    executionMs: number,
    end: JobEnd,
  ): Uint8Array {
    const { mask } = this.#options;
    const shown = end.status === "failed"
      ? { ...end, message: mask(end.message) }
      : end;
    return encodeResult(this.#sender(), {
      jobId: request.jobId,
      traceId,
      executionMs,
    }, shown);
  }

  /** Publishes a result until the server has confirmed that it has it. */
  #deliver(jobId: string, result: Uint8Array): void {
    const { bus, log } = this.#options;
    const delivery = retry(async () => {
      // The client would queue it, once for every attempt.
      if (!bus.connected()) throw new Error("NATS is not connected");
      bus.publish("sys.job.result", result);
      await bus.flush();
    }, {
      baseMs: 200,
      maxMs: 2_000,
      signal: bus.ended,
      retryable: () => true,
      onRetry: (error) =>
        log.warn("Cannot deliver a result, trying again", {
          job: jobId,
          ...errorFields(error),
        }),
    }).catch((error) =>
      log.error("Cannot deliver a result", {
        job: jobId,
        ...errorFields(error),
      })
    ).finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
