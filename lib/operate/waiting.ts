/**
 * Jobs waiting for approval, in enough detail to decide on them.
 *
 * @module
 */
import { OutsideError } from "../base/errors.ts";
import { stringOf } from "../base/json.ts";
import { printable } from "../base/text.ts";
import { wait } from "../base/time.ts";
import { describeTooOld } from "../post/age.ts";
import { readInput } from "./approvals.ts";
import { readInBatches } from "./batches.ts";
import { POST_TOPIC } from "./pack.ts";
import type { Platform, WaitingJob } from "./platform.ts";

/** A waiting job, as `approvals --json` and the hooks show it. */
export interface WaitingPost {
  job_id: string;
  run_id: string;
  topic: string;
  /** Including its source; empty if the job belongs to no incident of ours. */
  incident_id: string;
  title: string;
  severity: string;
  rule_id: string;
  /** Of the message, as the summary names it. */
  message_sha256: string;
  /** RFC 3339. */
  since: string;
  age_s: number;
  /** Why approving it would be pointless; empty if nothing is known. */
  problem: string;
}

/** Each read costs one of the 50 calls a second that the gateway allows everybody. */
const READS_MAX = 8;
const POLL_MS = 2_000;

/**
 * Reads waiting jobs, without those that have gone in the meantime.
 *
 * @param maxAgeS The poster refuses older evidence.
 */
export async function readWaiting(
  platform: Platform,
  waiting: readonly WaitingJob[],
  maxAgeS: number,
): Promise<WaitingPost[]> {
  const read = (job: WaitingJob) => readOne(platform, job, maxAgeS);
  return await readInBatches(waiting, READS_MAX, read);
}

async function readOne(
  platform: Platform,
  { jobId, topic, ruleId, since }: WaitingJob,
  maxAgeS: number,
): Promise<WaitingPost | undefined> {
  const job = await platform.findJob(jobId);
  if (job === undefined) return undefined;
  const { incident, evidence, normalized, summary, expired } = readInput(job);
  const text = (value: unknown, charsMax: number) =>
    printable(stringOf(value), charsMax);
  const nowMs = Date.now();
  const tooOld = topic === POST_TOPIC
    ? describeTooOld(evidence["collected_at"], { maxAgeS, nowMs })
    : undefined;
  return {
    job_id: jobId,
    run_id: text(job["run_id"], 100),
    topic,
    incident_id: text(evidence["incident_id"] ?? incident["incident_id"], 220),
    title: text(normalized["title"] ?? incident["title"], 1_000),
    severity: text(normalized["severity"] ?? incident["severity"], 20),
    rule_id: ruleId,
    message_sha256: text(summary["message_sha256"], 64),
    since: new Date(since).toISOString(),
    age_s: Math.max(0, Math.floor((nowMs - since) / 1000)),
    problem: expired ? "its input has expired" : tooOld ?? "",
  };
}

export interface Watcher {
  onWaiting(post: WaitingPost): Promise<void>;
  /** Called once when the platform stops answering. */
  onAway(error: OutsideError): void;
  onBack(): void;
}

/**
 * Reports the jobs that are waiting, and then each new one.
 *
 * @throws The reason of the platform's signal, when it aborts.
 */
export async function watchWaiting(
  platform: Platform,
  maxAgeS: number,
  watcher: Watcher,
  pollMs = POLL_MS,
): Promise<never> {
  let known: ReadonlySet<string> = new Set();
  let away = false;
  while (true) {
    try {
      const waiting = await platform.waiting();
      // A job that bounced is waiting again, and is reported again.
      const fresh = waiting.filter(({ jobId }) => !known.has(jobId));
      const taken = fresh.slice(0, READS_MAX);
      const posts = await readWaiting(platform, taken, maxAgeS);
      if (away) watcher.onBack();
      away = false;
      const later = new Set(fresh.slice(READS_MAX).map(({ jobId }) => jobId));
      known = new Set(waiting.map(({ jobId }) => jobId)).difference(later);
      await Promise.all(posts.map((post) => watcher.onWaiting(post)));
    } catch (error) {
      platform.signal.throwIfAborted();
      if (!(error instanceof OutsideError)) throw error;
      if (!away) watcher.onAway(error);
      away = true;
    }
    await wait(pollMs, platform.signal);
  }
}
