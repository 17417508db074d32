/**
 * A worker's conversation with the scheduler: that it is there, which jobs it
 * takes, and how they ended.
 *
 * @module
 */
import { retry, wait, within } from "../base/time.ts";
import { errorFields, type Log } from "../base/log.ts";
import type { Bus } from "./bus.ts";
import type { Gateway } from "./gateway.ts";
import type { JobCall, runJob } from "./run_job.ts";
import { type Held, JobTable } from "./job_table.ts";
import {
  decodePacket,
  encodeHandshake,
  encodeHeartbeat,
  encodeProgress,
  encodeResult,
  type JobEnd,
  type Sender,
} from "./packet.ts";
import { findSilentJobs } from "./recovery.ts";
import type { PlatformConfig } from "./settings.ts";

/** How often the scheduler is told; it forgets a worker after 30 s. */
export const HEARTBEAT_MS = 5_000;
const HANDSHAKE_EVERY = 4; // Heartbeats: Cordum 1.0 forgets one after 60 s.
/** A stopping worker still takes what was on its way when it said so. */
const LAST_CALL_MS = 250;
const DELIVERY_MS = 5_000;

/** What a loop needs of its worker. */
export interface LoopOptions {
  /** The only one that it serves. */
  topic: string;
  /** Who it is, and how much it takes. */
  platform: PlatformConfig;
  /** Placement labels that it advertises. */
  labels: Record<string, string>;
  /** Connected. */
  bus: Bus;
  /** Names the worker in every line. */
  log: Log;
  /** Hides the worker's secrets. */
  mask: (text: string) => string;
  /** How long it may go on, when it stops, with the jobs that it holds. */
  graceMs: number;
  /** Does one job. */
  run: (call: JobCall) => ReturnType<typeof runJob>;
  /** Told after each heartbeat. */
  onBeat: () => void;
  /** Whom to ask for jobs whose worker has died, and how often. */
  recovery?: { silentMs: number; everyMs: number; gateway: Gateway };
}

/** The worker's side of the conversation with the scheduler. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #jobs: JobTable;
  /** Results that the bus has not yet confirmed. */
  readonly #deliveries = new Set<Promise<void>>();
  #stopping = false;

  /** Says and does nothing yet. */
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

  /**
   * Works until `signal` aborts, and finishes what it holds then.
   *
   * @throws If NATS closes the connection for good.
   */
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
    const recovering = this.#recover(signal);
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
      await this.#jobs.finish(this.#options.graceMs);
      await within(DELIVERY_MS, Promise.all(this.#deliveries)).catch(() => {});
    } finally {
      clearInterval(timer);
      endCancels();
    }
    await recovering;
    log.info("Worker stopped");
  }

  /** Takes jobs whose worker has died, until it stops. */
  async #recover(signal: AbortSignal): Promise<void> {
    const { recovery, log, topic, bus } = this.#options;
    if (recovery === undefined) return;
    const { gateway, silentMs, everyMs } = recovery;
    const stop = AbortSignal.any([signal, bus.ended]);
    while (!stop.aborted) {
      try {
        const nowMs = Date.now();
        const silent = await findSilentJobs(gateway, {
          topic,
          silentMs,
          nowMs,
          signal: stop,
          isHeld: (jobId) => this.#jobs.has(jobId),
          onProblem: (error, job) =>
            log.warn("Cannot take over a job that nobody answers", {
              error,
              job,
            }),
        });
        if (stop.aborted) return;
        for (const { request, traceId } of silent) {
          log.warn("Taking a job that nobody answers", { job: request.jobId });
          this.#jobs.take(request, traceId);
        }
      } catch (error) {
        if (stop.aborted) return;
        log.warn(
          "Cannot look for jobs that nobody answers",
          errorFields(error),
        );
      }
      await wait(everyMs, stop).catch(() => {});
    }
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
