/**
 * Jobs waiting for approval, in enough detail to decide on them.
 *
 * @module
 */
import { type Lead, leadOf } from "../message/lead.ts";
import { readInBatches } from "./batches.ts";
import { describeEffect, type Effect, readEffects } from "./effect.ts";
import { POST_TOPIC } from "./pack.ts";
import type { Platform, WaitingJob } from "./platform.ts";
import type { Posts } from "./posts.ts";
import {
  approvableUntil,
  describeRemedy,
  findObstacle,
  type JobFacts,
  readFacts,
  readMessage,
} from "./proposal.ts";

/** A waiting job, as `approvals --json` and the hooks show it. */
export interface WaitingPost {
  job_id: string;
  run_id: string;
  topic: string;
  /** Including its source; empty if the job belongs to no incident of ours. */
  incident_id: string;
  title: string;
  severity: string;
  /** `artifact` or `slack`; empty if the job is no post. */
  destination: string;
  /** What the message says first; empty if the job has none to be read. */
  headline: string;
  /** What the message says next, in at most three lines. */
  lines: string[];
  rule_id: string;
  /** Of the message, as the summary names it. */
  message_sha256: string;
  /** RFC 3339. */
  since: string;
  age_s: number;
  /** RFC 3339: until when it can be approved; empty if nothing is known. */
  until: string;
  /** What approving does; empty if the job is no post. */
  effect: Effect["kind"] | "";
  /** RFC 3339 and the severity of what was posted before; empty if not known. */
  posted_at: string;
  posted_as: string;
  /** What approving does, in words; empty for a first message. */
  note: string;
  /** Why it can no longer be approved; empty if nothing is known. */
  problem: string;
  /** What to do then. */
  remedy: string;
}

/** Each read costs one of the 50 calls a second that the gateway allows everybody. */
const READS_MAX = 8;

/** What reading waiting jobs takes beside the jobs. */
export interface ReadOptions {
  /** The poster refuses older evidence. */
  maxAgeS: number;
  /** Opens the records of posts, if Redis is named. */
  posts: () => Promise<Posts | undefined>;
}

/** Reads waiting jobs, without those that have gone in the meantime. */
export async function readWaiting(
  platform: Platform,
  waiting: readonly WaitingJob[],
  options: ReadOptions,
): Promise<WaitingPost[]> {
  if (waiting.length === 0) return [];
  const isApprovable = await platform.readApprovable();
  const read = await readInBatches(waiting, READS_MAX, async (job) => {
    const record = await platform.findJob(job.jobId);
    if (record === undefined) return undefined;
    const stale = !isApprovable(job.policySnapshot);
    const facts = { ...readFacts(record), stale };
    return { job, facts, lead: await readLead(platform, facts) };
  });
  const facts = read.map(({ facts }) => facts);
  const isPost = facts.some(({ mode }) => mode !== "");
  const posts = isPost ? await options.posts() : undefined;
  const effects = await readEffects(posts, facts);
  return read.map((one) =>
    describePost(one, effects.get(one.job.jobId), options.maxAgeS)
  );
}

/** What a job's message says first; nothing if it has none to be read. */
export async function readLead(
  platform: Platform,
  facts: JobFacts,
): Promise<Lead> {
  const { message } = await readMessage(platform, facts);
  return leadOf(message?.blocks ?? []);
}

/** @param effect `undefined` for a job that is no post. */
export function describePost(
  { job: { jobId, topic, ruleId, since }, facts, lead }: {
    job: WaitingJob;
    facts: JobFacts & { stale: boolean };
    lead: Lead;
  },
  effect: Effect | undefined,
  maxAgeS: number,
  nowMs: number = Date.now(),
): WaitingPost {
  const problem = findObstacle(facts, maxAgeS, nowMs);
  const until = topic === POST_TOPIC
    ? approvableUntil(facts, maxAgeS)
    : undefined;
  const before = effect?.before?.last;
  return {
    job_id: jobId,
    run_id: facts.runId,
    topic,
    incident_id: facts.incidentId,
    title: facts.title,
    severity: facts.severity,
    destination: facts.mode,
    ...lead,
    rule_id: ruleId,
    message_sha256: facts.messageDigest,
    since: new Date(since).toISOString(),
    age_s: Math.max(0, Math.floor((nowMs - since) / 1000)),
    until: problem === undefined ? until?.toISOString() ?? "" : "",
    effect: effect?.kind ?? "",
    posted_at: before?.at ?? "",
    posted_as: before === undefined || before.assumed ? "" : before.severity,
    note: effect === undefined || effect.kind === "new"
      ? ""
      : describeEffect(effect),
    problem: problem ?? "",
    remedy: problem === undefined ? "" : describeRemedy(facts),
  };
}
