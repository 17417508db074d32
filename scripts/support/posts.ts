/**
 * What people do about posts: look, mark, free, forget.
 *
 * A person decides by one event in the record, as a poster does. Whatever was
 * decided meanwhile is read back, so that the one who came second is told.
 *
 * @module
 */
import { JobError } from "../../lib/base/errors.ts";
import {
  BUSY_MS,
  type Claim,
  type EventList,
  fold,
  isYounger,
  parseEvents,
  type PostEvent,
  PostRecord,
  type PostState,
  readKey,
  RECORD_PREFIX,
} from "../../lib/post/record.ts";
import { CommandError } from "../terminal/command.ts";

/** One record, as `posts --json` shows it. */
export interface Post {
  key: string;
  tenant: string;
  /** With its source in front. */
  incident_id: string;
  /** `artifact`, or `slack:` and a digest. */
  destination: string;
  state: "posted" | "busy" | "in doubt" | "free";
  /** As they were written, oldest first; what cannot be read as its text. */
  events: unknown[];
  /** Of the claim or the post that counts; empty if none is known. */
  job_id: string;
  run_id: string;
  /** RFC 3339: when it was posted or marked, claimed, or last written to. */
  at: string;
}

/** A claim younger than this may belong to a poster that is only slow. */
export const FREE_AGE_MS: number = 15 * 60_000;
/** What freeing, and forgetting what is not settled, may lead to. */
export const RISK =
  "If the message was sent after all, or the process that claimed it is only paused, there will be two.";

/** Says what a record's items come to. */
export function describePost(
  key: string,
  items: readonly string[],
  nowMs: number,
): Post {
  const events = tryParse(items);
  const post = {
    key,
    ...placeOf(key, events),
    events: events ?? items.map(parseLoosely),
  };
  const claim = events?.findLast(({ type }) => type === "claim") as
    | Claim
    | undefined;
  const ids = { job_id: claim?.job_id ?? "", run_id: claim?.run_id ?? "" };
  // What nobody can read may be anything, so a person has to look.
  if (events === undefined) {
    return { ...post, state: "in doubt", ...ids, at: "" };
  }
  const state = fold(events);
  switch (state.state) {
    case "posted": {
      const { job_id, run_id, posted_at: at } = state.result;
      return { ...post, state: "posted", job_id, run_id, at };
    }
    case "marked":
      return { ...post, state: "posted", ...ids, at: state.at };
    case "held":
    case "in doubt": {
      const { job_id, run_id, at } = state.claim;
      const ageMs = nowMs - Date.parse(at);
      const busy = state.state === "held" && isYounger(ageMs, BUSY_MS);
      const word = busy ? "busy" : "in doubt";
      return { ...post, state: word, job_id, run_id, at };
    }
    case "free":
      return { ...post, state: "free", ...ids, at: events.at(-1)?.at ?? "" };
  }
}

function placeOf(
  key: string,
  events: readonly PostEvent[] | undefined,
): { tenant: string; incident_id: string; destination: string } {
  const {
    tenant = "",
    incidentId = key.slice(RECORD_PREFIX.length),
    destination = "",
  } = readKey(key, events) ?? {};
  return { tenant, incident_id: incidentId, destination };
}

function tryParse(items: readonly string[]): PostEvent[] | undefined {
  try {
    return parseEvents(items);
  } catch (error) {
    if (error instanceof JobError) return undefined;
    throw error;
  }
}

function parseLoosely(item: string): unknown {
  try {
    return JSON.parse(item);
  } catch {
    return item;
  }
}

/** The host that a post went to or was to go to, for people. */
export function hostOf({ events, destination }: Post): string {
  const host = events.map((event) => (event as Partial<Claim>)?.host)
    .findLast((host) => typeof host === "string");
  return host ?? destination;
}

/** A person's decision. */
export interface Decision {
  by: string;
  why: string;
  /** Milliseconds since the epoch. */
  nowMs: number;
}

/** Whether it was this decision that counted; else who or what was faster. */
export type Decided = { first: true } | { first: false; instead: string };

/**
 * Frees a claim, so that the next attempt may send.
 *
 * @throws {CommandError} If no claim stands, or it is younger than
 * {@linkcode FREE_AGE_MS} and `force` is not set.
 */
export async function freePost(
  list: EventList,
  key: string,
  { by, why, nowMs, force }: Decision & { force: boolean },
): Promise<Decided> {
  const claim = standingClaim(await readState(list, key), "free");
  if (!force) checkAge(claim, nowMs);
  const at = new Date(nowMs).toISOString();
  const { token } = claim;
  const event = { type: "freed" as const, token, by, why, at };
  await list.append(key, JSON.stringify(event));
  return settledBy(parseEvents(await list.list(key)), token, event);
}

/**
 * Says for good that a post was sent.
 *
 * @throws {CommandError} If that is known already.
 */
export async function markPost(
  list: EventList,
  key: string,
  { by, why, link, nowMs }: Decision & { link: string | undefined },
): Promise<Decided> {
  const state = await readState(list, key);
  if (state.state === "posted" || state.state === "marked") {
    throw new CommandError(`Nothing to mark: ${describeEnd(state)}`);
  }
  const at = new Date(nowMs).toISOString();
  const event: PostEvent = {
    type: "marked",
    by,
    why,
    ...(link === undefined ? {} : { link }),
    at,
  };
  await list.append(key, JSON.stringify(event));
  const after = await readState(list, key);
  return after.state === "marked" && after.by === by && after.at === at
    ? { first: true }
    : { first: false, instead: describeEnd(after) };
}

async function readState(list: EventList, key: string): Promise<PostState> {
  const events = tryParse(await list.list(key));
  if (events === undefined) {
    throw new CommandError(
      "The record cannot be read, so nothing can be added to it; posts forget --force deletes it",
    );
  }
  if (events.length === 0) throw new CommandError("The record is gone");
  return fold(events);
}

function standingClaim(state: PostState, verb: string): Claim {
  if (state.state === "held" || state.state === "in doubt") return state.claim;
  const why = state.state === "free" ? "no claim stands" : describeEnd(state);
  throw new CommandError(`Nothing to ${verb}: ${why}`);
}

function describeEnd(state: PostState): string {
  switch (state.state) {
    case "posted":
      return `it was posted at ${state.result.posted_at}`;
    case "marked":
      return `${state.by} marked it as posted at ${state.at}`;
    default:
      return `it is ${state.state}`;
  }
}

/** @throws {CommandError} If a claim may still be one of a live process. */
function checkAge({ at, job_id }: Claim, nowMs: number): void {
  const ageMs = nowMs - Date.parse(at);
  if (ageMs >= FREE_AGE_MS) return;
  const age = Number.isNaN(ageMs)
    ? "at an unreadable time"
    : `${ageOf(ageMs)} ago`;
  throw new CommandError(
    `Job ${job_id} claimed it ${age}; a claim can be freed when it is ${
      ageOf(FREE_AGE_MS)
    } old, or with --force. ${RISK}`,
  );
}

/** Says which event ended the claim, if it was not `own`. */
function settledBy(
  events: readonly PostEvent[],
  token: string,
  own: Extract<PostEvent, { type: "freed" }>,
): Decided {
  const holds = (length: number) => {
    const state = fold(events.slice(0, length));
    return (state.state === "held" || state.state === "in doubt") &&
      state.claim.token === token;
  };
  const ended = events.find((_, at) => holds(at) && !holds(at + 1));
  switch (ended?.type) {
    case "freed":
      return ended.by === own.by && ended.at === own.at
        ? { first: true }
        : { first: false, instead: `${ended.by} freed it at ${ended.at}` };
    case "marked":
      return { first: false, instead: `${ended.by} marked it as posted` };
    case "posted":
      return { first: false, instead: "it was posted meanwhile" };
    case "refused":
      return {
        first: false,
        instead: "it was refused meanwhile, so nothing was sent",
      };
    default:
      throw new CommandError("The record changed meanwhile; look at it again");
  }
}

/** Deleting a record needs a way to do it. */
export interface DeletableList extends EventList {
  /** Sent once. @returns Whether there was one. */
  delete(key: string): Promise<boolean>;
}

/** Stands in the claim that keeps posters away while a record is deleted. */
const FORGET_JOB = "posts forget";

/**
 * Deletes a record. Whoever posts for that incident again then sends.
 *
 * @returns Whether there was one.
 * @throws {CommandError} If a claim stands that is younger than
 * {@linkcode FREE_AGE_MS} and `force` is not set, for forgetting frees it.
 */
export async function forgetPost(
  list: DeletableList,
  key: string,
  { by, nowMs, force }: { by: string; nowMs: number; force: boolean },
): Promise<boolean> {
  const events = tryParse(await list.list(key));
  if (events === undefined && !force) {
    throw new CommandError(
      `The record cannot be read, so it may hold a claim; --force deletes it. ${RISK}`,
    );
  }
  if (events?.length === 0) return false;
  const post = events && readKey(key, events);
  const state = events && fold(events);
  if (state?.state === "held" || state?.state === "in doubt") {
    const { claim } = state;
    if (!force && claim.job_id !== FORGET_JOB) checkAge(claim, nowMs);
    const at = new Date(nowMs).toISOString();
    const why = FORGET_JOB;
    const freed = { type: "freed", by, why, token: claim.token, at };
    await list.append(key, JSON.stringify(freed));
  }
  const settled = state?.state === "posted" || state?.state === "marked";
  if (state !== undefined && !settled && post !== undefined) {
    // Between a look and a deletion a poster might claim, and its claim would
    // be deleted under it. Our own claim keeps it away; it goes with the rest.
    const claim = await new PostRecord(list, post).claim({
      jobId: FORGET_JOB,
      runId: "",
      digest: "",
      host: by,
    }, { settleMs: 0, now: () => nowMs, wait: () => Promise.resolve() });
    if (claim.state === "in doubt" && !force) {
      throw new CommandError(`A poster was faster: ${claim.why}`);
    }
  }
  return await list.delete(key);
}

/** A length of time as people say it. */
export function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (Number.isNaN(seconds)) return "unknown";
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}
