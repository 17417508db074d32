/**
 * The jobs that a worker holds. Each is done once, and a redelivered job gets
 * the same answer again.
 *
 * @module
 */
import { aborted } from "../base/deadline.ts";
import { isRefusal, JobError, type JobErrorCode } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { wait, within } from "../base/time.ts";
import type { JobEnd, JobRequest } from "./packet.ts";

export interface Delivery {
  readonly request: JobRequest;
  readonly traceId: string;
}

export interface Held extends Delivery {
  /** Aborts at the deadline, on a cancel, and when the worker stops. */
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly jobId: string;
  readonly traceId: string;
  readonly end: JobEnd;
  readonly executionMs: number;
  /** When it ended, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** A job that cannot be done now, though it is not at fault. */
export interface Hold {
  readonly status: "held";
  /** For people. */
  readonly why: string;
  /** Resolves when to try again. Never rejects. */
  readonly again: Promise<void>;
  /** Does the job then. */
  readonly work: Work;
}

/** Does a job; `undefined` if another process answers it. Never throws. */
export type Work = (held: Held) => Promise<JobEnd | Hold | undefined>;

export interface JobTableOptions {
  /** The only topic that the worker serves. */
  topic: string;
  parallelMax: number;
  log: Log;
  /**
   * Whether another process finds a job that is left unanswered. Then a stop or
   * a full queue fails none.
   */
  recoverable?: boolean;
  /**
   * Whether a job may be failed. Its packet may be anybody's, and for a job that
   * the scheduler has not sent out yet, the platform would take our answer.
   */
  isDue?: (jobId: string) => Promise<boolean>;
}

interface Entry extends Held {
  readonly receivedMs: number;
  work: Work;
  /** Why it is put aside, if it is. */
  why?: string | undefined;
  readonly abort: AbortController;
  readonly answered: (answer: Answer | undefined) => void;
  deadline?: ReturnType<typeof setTimeout>;
  /** It has ended, and `isDue` is being asked. */
  ended?: true;
  /** The newest packet that came for the job meanwhile. */
  again?: Delivery;
}

/** Our own troubles: the job may be done later, or by another process. */
const NOT_NOW: ReadonlySet<string> = new Set<JobErrorCode>([
  "WORKER_OVERLOADED",
  "WORKER_STOPPING",
]);
/**
 * Failures for which the gateway is not asked whether the job is due: whoever has
 * come to a doubt had the release confirmed, and who gave up on the gateway would
 * get no answer.
 */
const UNASKED: ReadonlySet<string> = new Set<JobErrorCode>([
  "POST_IN_DOUBT",
  "GATEWAY_UNAVAILABLE",
]);
/** The limit of waiting jobs; the table refuses any more. */
export const QUEUE_MAX = 10_000;
const REMEMBERED_MAX = 1_000;
/** How long a handler may go on after its signal has aborted. */
const ABORT_GRACE_MS = 5_000;
const TIMER_MS_MAX = 2 ** 31 - 1;

export class JobTable {
  readonly #options: JobTableOptions;
  readonly #held = new Map<string, Entry>();
  /** The jobs in `#held` that wait for their turn. */
  readonly #waiting: Entry[] = [];
  readonly #answers = new Map<string, Answer>();
  /** A cancel may overtake its job. */
  readonly #cancelled = new Map<string, true>();
  #running = 0;
  #stopping: JobError | undefined;
  #onEmpty = () => {};

  constructor(options: JobTableOptions) {
    this.#options = options;
  }

  /** Jobs received and not yet answered, running, waiting or put aside. */
  get size(): number {
    return this.#held.size;
  }

  has(jobId: string): boolean {
    return this.#held.has(jobId);
  }

  /**
   * Takes a job and does it when its turn comes.
   *
   * @returns The answer, at once if the job was answered before. `undefined` if
   * there is nothing to answer: the job is in hand already, another process
   * answers it, or it has no id.
   */
  async take(delivery: Delivery, work: Work): Promise<Answer | undefined> {
    const { log } = this.#options;
    const { jobId: job } = delivery.request;
    if (job === "") return void log.warn("Ignored a job without an id");
    const answer = this.#answers.get(job);
    if (answer !== undefined) {
      log.info("Answering a redelivered job again", { job });
      return answer;
    }
    const held = this.#held.get(job);
    if (held !== undefined) {
      held.again = delivery;
      return void log.info("Ignored a redelivered job that is in hand", {
        job,
      });
    }
    return await this.#hold(delivery, work);
  }

  #hold(delivery: Delivery, work: Work): Promise<Answer | undefined> {
    const { request } = delivery;
    const abort = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    const entry: Entry = {
      ...delivery,
      receivedMs: performance.now(),
      work,
      abort,
      signal: abort.signal,
      answered: resolve,
    };
    this.#held.set(request.jobId, entry);
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      this.#answer(entry, this.#endBy(refusal));
      return promise;
    }
    this.#setDeadline(entry);
    this.#queue(entry);
    return promise;
  }

  /** Above its limit a worker queues, because a refused job fails its step. */
  #queue(entry: Entry): void {
    if (this.#running < this.#options.parallelMax) this.#start(entry);
    else this.#waiting.push(entry);
  }

  /** Ends a job, whether it is in hand or comes later. */
  cancel(jobId: string): void {
    if (jobId === "") return;
    remember(this.#cancelled, jobId, true);
    this.#end(jobId, new JobError("JOB_CANCELLED", "The job was cancelled"));
  }

  /**
   * Waits until no job is in hand. Fails the jobs left after `graceMs`, so that
   * the platform can try them elsewhere.
   */
  async finish(graceMs: number): Promise<void> {
    const reason = this.#stopping = new JobError(
      "WORKER_STOPPING",
      "The worker was stopped before the job was done",
      { retryable: true },
    );
    for (const { request, why } of [...this.#held.values()]) {
      if (why !== undefined) this.#end(request.jobId, reason);
    }
    await this.#empty(graceMs);
    for (const jobId of [...this.#held.keys()]) this.#end(jobId, reason);
    // A handler may still have to record something.
    await this.#empty(ABORT_GRACE_MS + 500);
  }

  async #empty(timeoutMs: number): Promise<void> {
    if (this.#held.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    await within(timeoutMs, promise).catch(() => {});
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
    if (this.#held.size - this.#running > QUEUE_MAX) {
      return new JobError(
        "WORKER_OVERLOADED",
        `Cannot take a job: ${QUEUE_MAX} are waiting already`,
        { retryable: true },
      );
    }
    return undefined;
  }

  /** The bus does not report a passed deadline, so the worker keeps the time. */
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

  /** Aborts a job, and answers it at once if nothing goes on with it. */
  #end(jobId: string, reason: JobError): void {
    const entry = this.#held.get(jobId);
    if (entry === undefined) return;
    entry.abort.abort(reason);
    const place = this.#waiting.indexOf(entry);
    if (place !== -1) this.#waiting.splice(place, 1);
    else if (entry.why === undefined) return;
    this.#answer(entry, this.#endBy(reason, entry.why));
  }

  /** @returns `undefined` for a job that is left to another process. */
  #endBy({ code, message }: JobError, why?: string): JobEnd | undefined {
    if (this.#options.recoverable && NOT_NOW.has(code)) {
      this.#options.log.warn("Leaving a job for later", { code });
      return undefined;
    }
    const because = why === undefined ? "" : `; it had to wait: ${why}`;
    return { status: "failed", code, message: message + because };
  }

  async #start(entry: Entry): Promise<void> {
    const done = new AbortController();
    this.#running++;
    try {
      const late = overdue(entry.signal, done.signal);
      const end = await Promise.race([entry.work(entry), late]);
      if (end instanceof JobError) this.#answer(entry, this.#endBy(end));
      else if (end?.status === "held") this.#putAside(entry, end);
      else this.#answer(entry, end);
    } finally {
      done.abort();
      this.#running--;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#start(next);
    }
  }

  /** Keeps a job that cannot be done now, and lets others have its place. */
  async #putAside(entry: Entry, { why, again, work }: Hold): Promise<void> {
    const { jobId } = entry.request;
    Object.assign(entry, { why, work });
    if (this.#stopping !== undefined) this.#end(jobId, this.#stopping);
    await again;
    if (this.#held.get(jobId) !== entry || entry.ended) return;
    entry.why = undefined;
    this.#queue(entry);
  }

  /** Ends a job; a later answer to it is dropped. */
  async #answer(entry: Entry, end: JobEnd | undefined): Promise<void> {
    const { isDue, log } = this.#options;
    const { jobId } = entry.request;
    if (entry.ended) return;
    entry.ended = true;
    if (
      isDue !== undefined && end?.status === "failed" &&
      !UNASKED.has(end.code) && !await isDue(jobId)
    ) {
      const { code } = end;
      log.warn("Failing no job that may not have been sent", { code });
      return this.#settle(entry, undefined);
    }
    this.#settle(entry, end);
  }

  /** Removes a job from the table. */
  #settle(entry: Entry, end: JobEnd | undefined): void {
    const { log } = this.#options;
    const { request: { jobId }, traceId } = entry;
    clearTimeout(entry.deadline);
    this.#held.delete(jobId);
    if (this.#held.size === 0) this.#onEmpty();
    if (end === undefined) {
      log.info("Left a job to the process that does it", { job: jobId });
      return this.#leave(entry);
    }
    const executionMs = performance.now() - entry.receivedMs;
    const answer = { jobId, traceId, end, executionMs, atMs: Date.now() };
    remember(this.#answers, jobId, answer);
    const fields = {
      job: jobId,
      status: end.status,
      ms: Math.round(executionMs),
    };
    if (end.status === "succeeded") {
      log.info("Job answered", fields);
    } else {
      const { code, message: error } = end;
      const level = isRefusal(code) ? "warn" : "error";
      log[level]("Job answered", { ...fields, code, error });
    }
    entry.answered(answer);
  }

  /** Takes what came for the job meanwhile: it may be the scheduler's packet. */
  #leave({ again, work, answered }: Entry): void {
    if (again === undefined || this.#stopping !== undefined) {
      return answered(undefined);
    }
    this.#hold(again, work).then(answered);
  }
}

/** Ends a job if its handler ignores its signal. */
async function overdue(
  signal: AbortSignal,
  done: AbortSignal,
): Promise<JobError> {
  await aborted(signal);
  await wait(ABORT_GRACE_MS, done).catch(() => {});
  return signal.reason as JobError;
}

/** Keeps the newest entries only. */
function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > REMEMBERED_MAX) map.delete(map.keys().next().value!);
}
