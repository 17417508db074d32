/**
 * A worker's conversation with the scheduler: it announces itself, takes jobs
 * and reports how they ended.
 *
 * @module
 */
import { aborted, linkSignal } from "../base/deadline.ts";
import { errorFields, type Log } from "../base/log.ts";
import { delay, retry, wait, within } from "../base/time.ts";
import type { Bus } from "./bus.ts";
import type { Gateway } from "./gateway.ts";
import {
  type Answer,
  type Delivery,
  type Held,
  type Hold,
  JobTable,
} from "./job_table.ts";
import {
  decodePacket,
  encodeHandshake,
  encodeHeartbeat,
  encodeProgress,
  encodeResult,
  type JobEnd,
  type Sender,
} from "./packet.ts";
import { findSilentJobs, isDue } from "./recovery.ts";
import type { JobCall } from "./run_job.ts";
import { awayFrom, type PlatformConfig } from "./settings.ts";
import type { GatewayWatch } from "./watch_gateway.ts";

/** The scheduler forgets a worker 30 s after its last heartbeat. */
export const HEARTBEAT_MS = 5_000;
const HANDSHAKE_EVERY = 4; // Heartbeats: Cordum 1.0 forgets one after 60 s.
/** A stopping worker still takes jobs that were sent before it looked full. */
const LAST_CALL_MS = 250;
const DELIVERY_MS = 5_000;

export interface ConversationOptions {
  topic: string;
  platform: PlatformConfig;
  /** Placement labels that the worker advertises. */
  labels: Record<string, string>;
  bus: Bus;
  /** While it has trouble, the worker takes no jobs. */
  watch: GatewayWatch;
  log: Log;
  /** Hides the worker's secrets. */
  mask: (text: string) => string;
  /** How long a stopping worker may go on with its jobs in hand. */
  graceMs: number;
  /** Does one job; `undefined` if another process answers it. Never throws. */
  work: (call: JobCall) => Promise<JobEnd | Hold | undefined>;
  /** Between two heartbeats, by default {@linkcode HEARTBEAT_MS}. */
  heartbeatMs?: number | undefined;
  /** Where and how often to ask for jobs whose worker has died. */
  recovery?: { silentMs: number; everyMs: number; gateway: Gateway };
}

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #jobs: JobTable;
  /** Jobs in hand, until the bus has confirmed their results. */
  readonly #pending = new Set<Promise<void>>();
  #stopping = false;
  /** Whether the log has said that it is ready. */
  #ready = false;
  #beatAt = -Infinity;

  constructor(options: ConversationOptions) {
    this.#options = options;
    const { topic, log, platform: { maxParallel }, recovery } = options;
    this.#jobs = new JobTable({
      topic,
      parallelMax: maxParallel,
      log,
      recoverable: recovery !== undefined,
      ...(recovery && { isDue: (id) => isDue(recovery.gateway, id) }),
    });
  }

  /** The time of the last heartbeat, by `performance.now()`. */
  get beatAt(): number {
    return this.#beatAt;
  }

  /**
   * Works until `signal` aborts, then finishes the jobs in hand.
   *
   * @throws If NATS closes the connection for good, or refuses this worker's jobs.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { bus, platform, log, watch, heartbeatMs = HEARTBEAT_MS } =
      this.#options;
    const onMessage = (bytes: Uint8Array) => this.#onMessage(bytes);
    // One plain subscription for jobs: the scheduler sends to no other
    // subject, and a second one would do every job twice.
    const subject = `worker.${platform.workerId}.jobs`;
    const deaf = new AbortController();
    const endJobs = bus.subscribe(subject, onMessage, () => {
      deaf.abort(
        new Error(`This user of NATS may not subscribe to ${subject}`),
      );
    });
    const endCancels = bus.subscribe("sys.job.cancel", onMessage);
    // Only a subscribed worker may announce itself.
    await retry(() => bus.flush(), {
      baseMs: 200,
      maxMs: 2_000,
      signal,
      retryable: () => !bus.ended.aborted,
    });
    deaf.signal.throwIfAborted();
    let beats = 0;
    const beat = () => this.#beat(beats++ % HANDSHAKE_EVERY === 0);
    const endTurns = watch.onChange(() => this.#turn());
    this.#turn();
    bus.onReconnect(() => this.#turn());
    const timer = setInterval(beat, heartbeatMs);
    const recovering = this.#recover(signal);
    try {
      const lost = await Promise.race([
        bus.closed,
        aborted(signal),
        aborted(deaf.signal),
      ]);
      if (!signal.aborted) {
        deaf.signal.throwIfAborted();
        throw lost ?? new Error("NATS closed the connection");
      }
      log.info("Worker stopping", { jobs_held: this.#jobs.size });
      this.#stopping = true;
      this.#beat(false);
      await bus.flush().catch(() => {});
      await delay(LAST_CALL_MS);
      endJobs();
      await this.#jobs.finish(this.#options.graceMs);
      await within(DELIVERY_MS, Promise.all(this.#pending)).catch(() => {});
    } finally {
      clearInterval(timer);
      endTurns();
      endCancels();
    }
    await recovering;
    log.info("Worker stopped");
  }

  /** Takes jobs whose worker has died, until it stops. */
  async #recover(signal: AbortSignal): Promise<void> {
    const { recovery, log, topic, bus, watch } = this.#options;
    if (recovery === undefined) return;
    const { gateway, silentMs, everyMs } = recovery;
    using stop = linkSignal(signal, bus.ended);
    while (!stop.signal.aborted) {
      try {
        await watch.untilGood(stop.signal);
        const { jobs, problems } = await findSilentJobs(gateway, {
          topic,
          silentMs,
          nowMs: Date.now(),
          isHeld: (jobId) => this.#jobs.has(jobId),
          signal: stop.signal,
        });
        if (stop.signal.aborted) return;
        for (const { error, jobId: job } of problems) {
          log.warn("Cannot take over a job that nobody answers", {
            error,
            job,
          });
        }
        for (const job of jobs) {
          const { jobId } = job.request;
          log.warn("Taking a job that nobody answers", { job: jobId });
          this.#take(job);
        }
      } catch (error) {
        if (stop.signal.aborted) return;
        log.warn(
          "Cannot look for jobs that nobody answers",
          errorFields(error),
        );
      }
      // Jobs may have been left when the gateway was away.
      using pause = linkSignal(stop.signal);
      const endPause = watch.onChange(() => pause.abort(undefined));
      await wait(everyMs, pause.signal).catch(() => {}).finally(endPause);
    }
  }

  #sender(nowMs: number = Date.now()): Sender {
    const { workerId, workerToken } = this.#options.platform;
    return { workerId, token: workerToken, nowMs };
  }

  /** Joins the pool when the gateway is well, and leaves it when it is not. */
  #turn(): void {
    const { watch, platform, log, topic } = this.#options;
    if (!watch.asked) return;
    if (watch.failure !== undefined) return this.#leave();
    this.#beat(true);
    if (this.#ready || this.#stopping) return;
    this.#ready = true;
    log.info("Worker ready", { topic, pool: platform.workerPool });
  }

  /**
   * Leaves the pool at once. The scheduler would go on for 30 s to send jobs to
   * a worker that just falls silent.
   */
  #leave(): void {
    const { bus, platform: { workerPool } } = this.#options;
    if (!bus.connected()) return;
    bus.publish("sys.heartbeat", this.#heartbeat(awayFrom(workerPool), true));
  }

  #heartbeat(pool: string, full: boolean): Uint8Array {
    const { platform: { maxParallel }, labels, topic } = this.#options;
    const { size } = this.#jobs;
    return encodeHeartbeat(this.#sender(), {
      pool,
      maxParallelJobs: maxParallel,
      activeJobs: full ? Math.max(maxParallel, size) : size,
      labels,
      capabilities: [topic],
    });
  }

  #beat(handshake: boolean): void {
    const { bus, platform, topic, watch } = this.#options;
    if (!bus.connected()) return; // It would arrive late, and lie.
    if (watch.failure !== undefined) return;
    const sender = this.#sender();
    // A worker that looks full gets no new job: there is no other way to leave
    // before a stop.
    const heartbeat = this.#heartbeat(platform.workerPool, this.#stopping);
    bus.publish("sys.heartbeat", heartbeat);
    this.#beatAt = performance.now();
    if (handshake) {
      bus.publish("sys.handshake", encodeHandshake(sender, [topic]));
    }
  }

  #onMessage(bytes: Uint8Array): void {
    let packet;
    try {
      packet = decodePacket(bytes);
    } catch (error) {
      this.#options.log.warn(
        "Ignored a message that is not a packet",
        errorFields(error),
      );
      return;
    }
    const { traceId, payload: { case: kind, value } } = packet;
    if (kind === "jobRequest") this.#take({ request: value, traceId });
    else if (kind === "jobCancel") this.#jobs.cancel(value.jobId);
  }

  /** Does a job and delivers its result. Only a stop waits for it. */
  #take(delivery: Delivery): void {
    const taken = this.#jobs.take(delivery, (held) => this.#work(held));
    const pending = taken
      .then((answer) => answer && this.#deliver(answer))
      .finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
  }

  #work(held: Held): Promise<JobEnd | Hold | undefined> {
    const { bus, log, work } = this.#options;
    const { request, traceId, signal } = held;
    const { jobId } = request;
    return work({
      request,
      traceId,
      signal,
      log: log.with({ job: jobId }),
      progress: (percent, message) => {
        if (!bus.connected()) return;
        const job = { jobId, traceId };
        bus.publish(
          "sys.job.progress",
          encodeProgress(this.#sender(), job, percent, message),
        );
      },
    });
  }

  /** Publishes a result until the server confirms it; the same bytes each time. */
  async #deliver({ end, atMs, ...call }: Answer): Promise<void> {
    const { bus, log, mask } = this.#options;
    const { jobId: job } = call;
    const shown = end.status === "failed"
      ? { ...end, message: mask(end.message) }
      : end;
    const result = encodeResult(this.#sender(atMs), call, shown);
    try {
      await retry(async () => {
        // Otherwise the client would queue it, once for every attempt.
        if (!bus.connected()) throw new Error("NATS is not connected");
        bus.publish("sys.job.result", result);
        await bus.flush();
      }, {
        baseMs: 200,
        maxMs: 2_000,
        signal: bus.ended,
        onRetry: (error) =>
          log.warn("Cannot deliver a result, trying again", {
            job,
            ...errorFields(error),
          }),
      });
    } catch (error) {
      log.error("Cannot deliver a result", { job, ...errorFields(error) });
    }
  }
}
