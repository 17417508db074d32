/**
 * Judges what became of an incident.
 *
 * @module
 */
import type { Behaviour } from "../../../../deploy/standins/slack.ts";
import { parseEvents } from "../../../../lib/post/events.ts";
import {
  effectOf,
  fold,
  type PostState,
  standingOf,
} from "../../../../lib/post/record.ts";
import {
  outranks,
  type PostSeverity,
  readAs,
} from "../../../../lib/post/severity.ts";
import type { Judgement } from "../campaign.ts";

export const ENDS = [
  "posted",
  "updated",
  "refused",
  "in doubt",
  "forgotten",
] as const;

/** A job as the platform knows it in the end. */
export interface JobFacts {
  jobId: string;
  /** What its message says. */
  severity: PostSeverity;
  /** `undefined` if the platform has forgotten it. */
  state: string | undefined;
  /** Why it failed, if it did. */
  code: string;
  message: string;
}

/** A request to Slack, and what Slack did with it. */
export interface Sent {
  severity: PostSeverity;
  /** Whether it is worded as an update. */
  isUpdate: boolean;
  behaviour: Behaviour;
}

export interface Evidence {
  /** The severity that was posted before the trial. */
  before: PostSeverity | undefined;
  /** What Slack read. */
  requests: readonly Sent[];
  record: readonly string[];
  jobs: readonly JobFacts[];
  /** Whether Redis lost its data, and with it the platform's own state. */
  lostData: boolean;
}

type Message = Pick<Sent, "severity" | "isUpdate">;

const OVER = ["SUCCEEDED", "FAILED"];

export function judge(evidence: Evidence): Judgement {
  const { before, requests, record, jobs, lostData } = evidence;
  const first = before === undefined
    ? []
    : [{ severity: before, isUpdate: false }];
  const messages = [
    ...first,
    ...requests.filter(({ behaviour }) => mayBeMessage(behaviour)),
  ];
  const problems = judgeMessages(messages, lostData);
  const state = fold(parseEvents(record));
  // The platform has forgotten the job too, so nobody can be told.
  const forgotten = lostData && state.state === "free";
  if (!forgotten) problems.push(...judgeRecord(state, messages, jobs));
  if (!lostData) problems.push(...judgeJobs(state, jobs));
  if (problems.length > 0) return { end: undefined, problems };
  const end = forgotten ? "forgotten" : endOf(state, evidence);
  return { end, problems };
}

function endOf(
  state: PostState,
  { before, jobs }: Evidence,
): typeof ENDS[number] {
  if (state.state === "free") return "refused";
  if (state.state !== "posted") return "in doubt";
  if (state.earlier.length > 0) return "updated";
  const isOnlyBefore = before !== undefined;
  return isOnlyBefore && jobs.every(({ code }) => code !== "")
    ? "refused"
    : "posted";
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

/** Each message must be worse than all before it, and say so. */
function judgeMessages(
  messages: readonly Message[],
  lostData: boolean,
): string[] {
  return messages.flatMap(({ severity, isUpdate }, at) => {
    const before = messages.slice(0, at);
    const equal = before.find((one) =>
      !outranks(severity, readAs(one.severity))
    );
    if (equal !== undefined) {
      return [
        `Slack got a message as ${severity} after one as ${equal.severity}`,
      ];
    }
    // What was posted before may be lost.
    if (lostData || isUpdate === before.length > 0) return [];
    return [
      `Slack got a message as ${severity} ${
        isUpdate ? "as an update of nothing" : "that names none before it"
      }`,
    ];
  });
}

/** Compares the record with what Slack got. */
function judgeRecord(
  state: PostState,
  messages: readonly Message[],
  jobs: readonly JobFacts[],
): string[] {
  const got = new Set(messages.map(({ severity }) => readAs(severity)));
  const { last, earlier = [] } = standingOf(state) ?? {};
  // Redis may have lost the claim, and with it the severity.
  const unsent = [...earlier, ...last ? [last] : []]
    .filter(({ severity, assumed }) =>
      assumed ? messages.length === 0 : !got.has(severity)
    );
  const again = messages.filter(({ severity }) =>
    ["new", "update"].includes(effectOf(state, severity, 0))
  );
  return [
    ...unsent.map(({ severity }) =>
      `the record says posted as ${severity}, and Slack got no such message`
    ),
    ...again.map(({ severity }) =>
      `Slack got a message as ${severity}, and the record would allow another`
    ),
    ...state.state === "free" && messages.length === 0 &&
        jobs.every(({ code }) => code === "")
      ? ["nothing was sent, and no job says why"]
      : [],
  ];
}

/** Compares what the platform was told with the record. */
function judgeJobs(state: PostState, jobs: readonly JobFacts[]): string[] {
  const { last } = standingOf(state) ?? {};
  return jobs.flatMap(({ jobId, severity, state: now, code, message }) => {
    if (now === undefined || !OVER.includes(now)) {
      return [`job ${jobId} never ended: it is ${now ?? "not known"}`];
    }
    if (now === "SUCCEEDED" && last === undefined) {
      return [`job ${jobId} succeeded, and the record is ${state.state}`];
    }
    if (now === "SUCCEEDED" && last && outranks(severity, last.severity)) {
      return [
        `job ${jobId} succeeded as ${severity}, and only ${last.severity} was sent`,
      ];
    }
    if (code === "NOT_APPROVED") {
      return [`job ${jobId} was approved and signed, yet refused: ${message}`];
    }
    if (now === "FAILED" && code === "") {
      return [`job ${jobId} failed without a reason`];
    }
    return [];
  });
}
