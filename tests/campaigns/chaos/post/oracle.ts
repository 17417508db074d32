/**
 * What became of an incident, and whether that was right. Pure.
 *
 * @module
 */
import type { Behaviour } from "../../../../deploy/standins/slack.ts";
import type { Judgement } from "../campaign.ts";
import { fold, parseEvents } from "../../../../lib/post/record.ts";

/** How an incident may end. */
export const ENDS = ["posted", "refused", "in doubt", "forgotten"] as const;

/** A job as the platform has it in the end. */
export interface JobFacts {
  jobId: string;
  /** `undefined` if the platform knows none. */
  state: string | undefined;
  /** Of its failure. */
  code: string;
  /** Why it failed. */
  message: string;
}

/** All that is known once a trial is over. */
export interface Evidence {
  /** What Slack did with each request that it read. */
  requests: readonly Behaviour[];
  /** The post's record. */
  record: readonly string[];
  jobs: readonly JobFacts[];
  /** Whether Redis lost what it held, the platform's own state with it. */
  lostData: boolean;
}

const OVER = ["SUCCEEDED", "FAILED"];

/** Judges one incident. */
export function judge(evidence: Evidence): Judgement {
  const { requests, record, jobs, lostData } = evidence;
  const messages = requests.filter(mayBeMessage).length;
  const problems: string[] = [];
  if (messages > 1) {
    problems.push(`Slack got ${messages} messages of one incident`);
  }
  const { state } = fold(parseEvents(record));
  // With Redis the platform forgets the job: nobody can be told of it.
  const forgotten = lostData && state === "free";
  if (!forgotten) problems.push(...judgeRecord(state, messages, jobs));
  if (!lostData) problems.push(...judgeJobs(state, jobs));
  if (problems.length > 0) return { end: undefined, problems };
  if (forgotten) return { end: "forgotten", problems };
  const end = state === "posted" || state === "marked"
    ? "posted"
    : state === "free"
    ? "refused"
    : "in doubt";
  return { end, problems };
}

/**
 * Whether a request counts as a message. What Slack answered with 5xx or not at
 * all may have been posted, so it counts; what it refused has not.
 */
export function mayBeMessage(behaviour: Behaviour): boolean {
  if (typeof behaviour === "string") {
    return behaviour !== "reset before reading";
  }
  return behaviour.status < 300 || behaviour.status >= 500;
}

/** What is on record, against what Slack got. */
function judgeRecord(
  state: string,
  messages: number,
  jobs: readonly JobFacts[],
): string[] {
  if (state === "posted" && messages === 0) {
    return ["the record says posted, and Slack got nothing"];
  }
  if (state !== "free") return [];
  if (messages > 0) {
    return ["Slack got a message, and the record would allow another"];
  }
  return jobs.some(({ code }) => code !== "")
    ? []
    : ["nothing was sent, and no job says why"];
}

/** What the platform was told, against what is on record. */
function judgeJobs(state: string, jobs: readonly JobFacts[]): string[] {
  return jobs.flatMap(({ jobId, state: now, code }) => {
    if (now === undefined || !OVER.includes(now)) {
      return [`job ${jobId} never ended: it is ${now ?? "not known"}`];
    }
    if (now === "SUCCEEDED" && state !== "posted") {
      return [`job ${jobId} succeeded, and the record is ${state}`];
    }
    if (now === "FAILED" && code === "") {
      return [`job ${jobId} failed without a reason`];
    }
    return [];
  });
}
