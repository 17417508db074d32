/**
 * Judges what became of an incident.
 *
 * @module
 */
import type { Behaviour } from "../../../../deploy/standins/slack.ts";
import type { Judgement } from "../campaign.ts";
import { parseEvents } from "../../../../lib/post/events.ts";
import { fold } from "../../../../lib/post/record.ts";

export const ENDS = ["posted", "refused", "in doubt", "forgotten"] as const;

/** A job as the platform knows it in the end. */
export interface JobFacts {
  jobId: string;
  /** `undefined` if the platform has forgotten it. */
  state: string | undefined;
  /** Why it failed, if it did. */
  code: string;
  message: string;
}

export interface Evidence {
  /** What Slack did with each request it read. */
  requests: readonly Behaviour[];
  record: readonly string[];
  jobs: readonly JobFacts[];
  /** Whether Redis lost its data, and with it the platform's own state. */
  lostData: boolean;
}

const OVER = ["SUCCEEDED", "FAILED"];

export function judge(evidence: Evidence): Judgement {
  const { requests, record, jobs, lostData } = evidence;
  const messages = requests.filter(mayBeMessage).length;
  const problems: string[] = [];
  if (messages > 1) {
    problems.push(`Slack got ${messages} messages of one incident`);
  }
  const { state } = fold(parseEvents(record));
  // The platform has forgotten the job too, so nobody can be told.
  const forgotten = lostData && state === "free";
  if (!forgotten) problems.push(...judgeRecord(state, messages, jobs));
  if (!lostData) problems.push(...judgeJobs(state, jobs));
  if (problems.length > 0) return { end: undefined, problems };
  if (forgotten) return { end: "forgotten", problems };
  const end = state === "posted"
    ? "posted"
    : state === "free"
    ? "refused"
    : "in doubt";
  return { end, problems };
}

/**
 * Whether a request counts as a message. Slack may have posted what it answered
 * with 5xx or not at all, so that counts; what it refused does not.
 */
function mayBeMessage(behaviour: Behaviour): boolean {
  if (typeof behaviour === "string") {
    return behaviour !== "reset before reading";
  }
  return behaviour.status < 300 || behaviour.status >= 500;
}

/** Compares the record with what Slack got. */
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

/** Compares what the platform was told with the record. */
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
