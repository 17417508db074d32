/**
 * Knows what waits for approval at the price of one call of the gateway a look:
 * each job is read once, and kept as long as it waits and a while longer.
 *
 * @module
 */
import { messageOf, OutsideError } from "../base/errors.ts";
import type { Lead } from "../message/lead.ts";
import { type Effect, readEffects } from "./effect.ts";
import type { Platform, WaitingJob } from "./platform.ts";
import {
  approvableUntil,
  INPUT_MS,
  type JobFacts,
  readFacts,
} from "./proposal.ts";
import {
  describePost,
  readLead,
  type ReadOptions,
  type WaitingPost,
} from "./waiting.ts";

/** A job that waits, and what is known of it. */
export interface WaitingRow {
  readonly job: WaitingJob;
  /** `undefined` until it has been read. */
  readonly post: WaitingPost | undefined;
  /** Why it, or what was posted before, could not be read so far. */
  readonly trouble: string | undefined;
}

/** What a job's record and message say, which stays true while it waits. */
interface Known {
  facts: JobFacts;
  lead: Lead;
  effect: Effect | undefined;
}

interface Failure {
  why: string;
  count: number;
  /** Not to be read again before. */
  againMs: number;
}

/** Tests bring their own clock. */
export interface WatchOptions extends ReadOptions {
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** The list of what waits holds at most 1,000; the others have bounced or gone. */
const KNOWN_MAX = 1_200;
/** Which policy is in force costs two calls, and changes by an installation. */
const POLICY_MS = 30_000;
const AGAIN_MS = 2_000;
const AGAIN_MAX_MS = 60_000;

/** Everything that waits on one platform. */
export class Waiting {
  readonly #platform: Platform;
  readonly #options: WatchOptions;
  readonly #now: () => number;
  /** Without what has gone; in the order in which it was last used. */
  readonly #known = new Map<string, Known>();
  readonly #failed = new Map<string, Failure>();
  /** Whose record was gone when it was read. */
  readonly #gone = new Set<string>();
  #jobs: readonly WaitingJob[] = [];
  #isApprovable: (policySnapshot: string) => boolean = () => true;
  #policyMs = -Infinity;

  constructor(platform: Platform, options: WatchOptions) {
    this.#platform = platform;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** The jobs that wait, oldest first. */
  get jobs(): readonly WaitingJob[] {
    return this.#jobs;
  }

  /**
   * Asks which jobs wait: one call, and now and then two more for the policy in
   * force.
   *
   * @returns The jobs that wait since the last time, or again.
   * @throws {GatewayError} Everything known so far stays as it was.
   */
  async look(): Promise<readonly WaitingJob[]> {
    const jobs = await this.#platform.waiting();
    if (jobs.length > 0 && this.#now() - this.#policyMs >= POLICY_MS) {
      this.#isApprovable = await this.#platform.readApprovable();
      this.#policyMs = this.#now();
    }
    const before = new Set(this.#jobs.map(approvalOf));
    this.#jobs = jobs;
    const ids = new Set(jobs.map(({ jobId }) => jobId));
    for (const id of [...this.#failed.keys(), ...this.#gone]) {
      if (!ids.has(id)) this.#failed.delete(id), this.#gone.delete(id);
    }
    return jobs.filter((job) => !before.has(approvalOf(job)));
  }

  /** The jobs that are still to be read, oldest first. */
  unread(): WaitingJob[] {
    const nowMs = this.#now();
    return this.#jobs.filter(({ jobId }) => {
      const { againMs } = this.#failed.get(jobId) ?? { againMs: undefined };
      // What failed stays to be read, if only for what was posted before.
      if (againMs !== undefined) return againMs <= nowMs;
      return !this.#known.has(jobId) && !this.#gone.has(jobId);
    });
  }

  /**
   * Reads jobs that wait, all at once: their record and their message.
   *
   * @throws {OutsideError} What went wrong first. The others are known.
   */
  async read(jobs: readonly WaitingJob[]): Promise<void> {
    const failures: OutsideError[] = [];
    const fail = (ids: readonly string[], error: unknown) => {
      if (!(error instanceof OutsideError)) throw error;
      failures.push(error);
      for (const id of ids) this.#fail(id, messageOf(error));
    };
    const ids = jobs.map(({ jobId }) => jobId);
    await Promise.all(ids.map(async (id) => {
      try {
        if (!this.#known.has(id)) await this.#readOne(id);
      } catch (error) {
        fail([id], error);
      }
    }));
    const read = ids.filter((id) => this.#known.has(id));
    try {
      await this.#readEffects(read);
      for (const id of read) this.#failed.delete(id);
    } catch (error) {
      fail(read, error);
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Reads anew what approving each known job does. @throws {StoreError} */
  async refreshEffects(): Promise<void> {
    await this.#readEffects(this.#jobs.map(({ jobId }) => jobId));
  }

  /** All jobs that wait and are not known to be gone, oldest first. */
  rows(): WaitingRow[] {
    const nowMs = this.#now();
    return this.#jobs.flatMap((job) =>
      this.#gone.has(job.jobId) ? [] : [this.#rowOf(job, nowMs)]
    );
  }

  /** One of them. */
  find(jobId: string): WaitingRow | undefined {
    const job = this.#jobs.find((job) => job.jobId === jobId);
    const gone = job === undefined || this.#gone.has(jobId);
    return gone ? undefined : this.#rowOf(job, this.#now());
  }

  #rowOf(job: WaitingJob, nowMs: number): WaitingRow {
    const known = this.#known.get(job.jobId);
    const trouble = this.#failed.get(job.jobId)?.why;
    if (known === undefined) return { job, post: undefined, trouble };
    const { lead, effect } = known;
    const { maxAgeS } = this.#options;
    const facts = {
      ...known.facts,
      stale: !this.#isApprovable(job.policySnapshot),
      expired: known.facts.expired || hasExpired(job, known.facts, nowMs),
    };
    const post = describePost({ job, facts, lead }, effect, maxAgeS, nowMs);
    return { job, post, trouble };
  }

  async #readOne(jobId: string): Promise<void> {
    const record = await this.#platform.findJob(jobId);
    if (record === undefined) return void this.#gone.add(jobId);
    const facts = readFacts(record);
    const lead = await readLead(this.#platform, facts);
    // Whoever reads evidence reads the job again.
    const brief = { ...facts, evidence: [], gaps: [] };
    this.#keep(jobId, { facts: brief, lead, effect: undefined });
  }

  /** What waits is never forgotten for what does not. */
  #keep(jobId: string, known: Known): void {
    this.#known.set(jobId, known);
    if (this.#known.size <= KNOWN_MAX) return;
    const waiting = new Set(this.#jobs.map(({ jobId }) => jobId));
    for (const id of this.#known.keys()) {
      if (this.#known.size <= KNOWN_MAX) return;
      if (!waiting.has(id)) this.#known.delete(id);
    }
  }

  #fail(jobId: string, why: string): void {
    const count = (this.#failed.get(jobId)?.count ?? 0) + 1;
    const ms = Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** (count - 1));
    this.#failed.set(jobId, { why, count, againMs: this.#now() + ms });
  }

  async #readEffects(jobIds: readonly string[]): Promise<void> {
    const known = jobIds.flatMap((id) => this.#known.get(id) ?? []);
    const posts = known.filter(({ facts }) => facts.mode !== "");
    if (posts.length === 0) return;
    const facts = posts.map(({ facts }) => facts);
    const records = await this.#options.posts();
    const effects = await readEffects(records, facts, this.#now());
    for (const one of posts) one.effect = effects.get(one.facts.jobId);
  }
}

/** A job that bounced waits anew. */
function approvalOf({ jobId, since }: WaitingJob): string {
  return `${since} ${jobId}`;
}

/** The platform drops a job's input after a day, whatever the poster allows. */
function hasExpired(
  { since }: WaitingJob,
  facts: JobFacts,
  nowMs: number,
): boolean {
  const until = approvableUntil(facts, Infinity)?.getTime() ?? Infinity;
  return nowMs >= Math.min(until, since + INPUT_MS);
}
