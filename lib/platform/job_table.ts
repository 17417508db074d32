/**
 * The jobs that a worker holds: each is done once, answered once, and answered
 * again the same way when it is delivered again.
 *
 * @module
 */
import { wait } from "../base/time.ts";
import { JobError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { JobEnd, JobRequest } from "./packet.ts";

/** A job in hand. */
export interface Held {
  /** As it came. */
  readonly request: JobRequest;
  /** Of the packet that brought it. */
  readonly traceId: string;
  /** Aborts at the deadline, on a cancel, and when the worker stops. */
  readonly signal: AbortSignal;
}

/** What the table needs from its worker. */
export interface JobTableOptions {
  /** The only topic that the worker serves. */
  topic: string;
  /** Jobs done at the same time. */
  parallelMax: number;
  /** Told of every job that is answered, left or ignored. */
  log: Log;
  /** Does a job; `undefined` if another process answers for it. Never throws. */
  run: (held: Held) => Promise<JobEnd | undefined>;
  /** Writes the result of a job. */
  encode: (held: Held, executionMs: number, end: JobEnd) => Uint8Array;
  /** Sends a result, for as long as it takes. */
  deliver: (jobId: string, result: Uint8Array) => void;
}

interface Entry extends Held {
  readonly receivedMs: number;
  readonly abort: AbortController;
  deadline?: ReturnType<typeof setTimeout>;
}

/** Jobs beyond this many waiting are refused. */
export const QUEUE_MAX = 10_000;
const REMEMBERED_MAX = 1_000;
/** How long a handler may go on after its signal has aborted. */
const ABORT_GRACE_MS = 5_000;
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The jobs of one worker. */
export class JobTable {
  readonly #options: JobTableOptions;
  readonly #held = new Map<string, Entry>();
  /** Those of `#held` that wait for their turn. */
  readonly #waiting: Entry[] = [];
  readonly #answered = new Map<string, Uint8Array>();
  /** A cancel may overtake the job that it is for. */
  readonly #cancelled = new Map<string, true>();
  #running = 0;

  /** Starts empty. */
  constructor(options: JobTableOptions) {
    this.#options = options;
  }

  /** Jobs received and not yet answered, running or waiting. */
  get size(): number {
    return this.#held.size;
  }

  /** Whether a job is in hand. */
  has(jobId: string): boolean {
    return this.#held.has(jobId);
  }

  /** Takes a job, unless it is in hand or was answered. */
  take(request: JobRequest, traceId: string): void {
    const { log, deliver, parallelMax } = this.#options;
    const { jobId } = request;
    if (jobId === "") return log.warn("Ignored a job without an id");
    const result = this.#answered.get(jobId);
    if (result !== undefined) {
      log.info("Answering a redelivered job again", { job: jobId });
      return deliver(jobId, result);
    }
    if (this.#held.has(jobId)) {
      return log.info("Ignored a redelivered job that is in hand", {
        job: jobId,
      });
    }
    const abort = new AbortController();
    const receivedMs = performance.now();
    const entry: Entry = {
      request,
      traceId,
      receivedMs,
      abort,
      signal: abort.signal,
    };
    this.#held.set(jobId, entry);
    const refusal = this.#refusal(request);
    if (refusal !== undefined) return this.#answer(entry, failed(refusal));
    this.#setDeadline(entry);
    // Above its limit a worker queues: a refused job would be a failed step.
    if (this.#running < parallelMax) this.#start(entry);
    else this.#waiting.push(entry);
  }

  /** Ends a job that is in hand, or that comes later. */
  cancel(jobId: string): void {
    if (jobId === "") return;
    remember(this.#cancelled, jobId, true);
    this.#end(jobId, new JobError("JOB_CANCELLED", "The job was cancelled"));
  }

  /**
   * Waits until nothing is in hand. What is left after `graceMs` is failed, so
   * that the platform can try it elsewhere.
   */
  async finish(graceMs: number): Promise<void> {
    await this.#empty(graceMs);
    const reason = new JobError(
      "WORKER_STOPPING",
      "The worker was stopped before the job was done",
      { retryable: true },
    );
    for (const jobId of [...this.#held.keys()]) this.#end(jobId, reason);
    // A handler may still have something to write down, and some time for it.
    await this.#empty(ABORT_GRACE_MS + 500);
  }

  async #empty(timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (this.#held.size > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #refusal({ jobId, topic }: JobRequest): JobError | undefined {
    if (topic !== this.#options.topic) {
      return new JobError(
        "JOB_WRONG_TOPIC",
        `Cannot do a job of topic "${topic}": this worker serves "${this.#options.topic}"`,
      );
    }
    if (this.#cancelled.has(jobId)) {
      return new JobError(
        "JOB_CANCELLED",
        "The job was cancelled before it came",
      );
    }
    if (this.#waiting.length >= QUEUE_MAX) {
      return new JobError(
        "WORKER_OVERLOADED",
        `Cannot take a job: ${QUEUE_MAX} are waiting already`,
        { retryable: true },
      );
    }
    return undefined;
  }

  /** Nothing on the bus tells that a deadline has passed, so we watch it. */
  #setDeadline(entry: Entry): void {
    const deadlineMs = Number(entry.request.budget?.deadlineMs ?? 0n);
    if (deadlineMs <= 0) return;
    const reason = new JobError(
      "JOB_TIMEOUT",
      `The job took longer than ${deadlineMs} ms`,
      { retryable: true },
    );
    entry.deadline = setTimeout(
      () => this.#end(entry.request.jobId, reason),
      Math.min(deadlineMs, TIMER_MS_MAX),
    );
  }

  /** Aborts a job; one that has not begun is answered at once. */
  #end(jobId: string, reason: JobError): void {
    const entry = this.#held.get(jobId);
    if (entry === undefined) return;
    entry.abort.abort(reason);
    const place = this.#waiting.indexOf(entry);
    if (place === -1) return;
    this.#waiting.splice(place, 1);
    this.#answer(entry, failed(reason));
  }

  async #start(entry: Entry): Promise<void> {
    const done = new AbortController();
    this.#running++;
    try {
      const work = this.#options.run(entry);
      this.#answer(
        entry,
        await Promise.race([work, overdue(entry.signal, done.signal)]),
      );
    } finally {
      done.abort();
      this.#running--;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#start(next);
    }
  }

  /** Answers a job; it leaves the table, and what comes later of it is dropped. */
  #answer(entry: Entry, end: JobEnd | undefined): void {
    const { log, encode, deliver } = this.#options;
    const { jobId } = entry.request;
    clearTimeout(entry.deadline);
    this.#held.delete(jobId);
    if (end === undefined) {
      return log.info("Left a job to the process that does it", { job: jobId });
    }
    const executionMs = performance.now() - entry.receivedMs;
    const result = encode(entry, executionMs, end);
    remember(this.#answered, jobId, result);
    log.info("Job answered", {
      job: jobId,
      status: end.status,
      ms: Math.round(executionMs),
      ...(end.status === "failed"
        ? { code: end.code, error: end.message }
        : {}),
    });
    deliver(jobId, result);
  }
}

/** How a job ends whose handler does not heed its signal. */
async function overdue(
  signal: AbortSignal,
  done: AbortSignal,
): Promise<JobEnd> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await wait(ABORT_GRACE_MS, done).catch(() => {});
  return failed(signal.reason as JobError);
}

function failed({ code, message }: JobError): JobEnd {
  return { status: "failed", code, message };
}

/** Keeps the newest entries only. */
function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > REMEMBERED_MAX) map.delete(map.keys().next().value!);
}
