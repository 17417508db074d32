/**
 * What a person can do about a post: mark, free or forget it.
 *
 * A person decides by appending one event to the record, as a poster does, and
 * then reads back whether somebody else was faster.
 *
 * @module
 */
import { optional } from "../base/json.ts";
import { ageOf } from "../base/text.ts";
import {
  type Claim,
  parseEvents,
  type PostEvent,
  readKey,
} from "../post/events.ts";
import {
  type EventList,
  fold,
  PostRecord,
  type PostState,
  type Sent,
  standingOf,
} from "../post/record.ts";
import { OperationError } from "./errors.ts";
import { type DeletableList, tryParse } from "./posts.ts";

/** A claim younger than this may belong to a poster that is only slow. */
const FREE_AGE_MS = 15 * 60_000;
/** Marks the claim that keeps posters away while a record is deleted. */
const FORGET_JOB = "posts forget";
/** What freeing or forgetting an unsettled post can lead to. */
export const RISK =
  "If the message was sent after all, or the process that claimed it is only paused, there will be two.";

export interface Decision {
  by: string;
  why: string;
  /** Milliseconds since the epoch. */
  nowMs: number;
}

/** Whether this decision counted; otherwise what was faster. */
export type Decided =
  | {
    first: true;
    /** What counts as posted now. */
    posted: Sent | undefined;
  }
  | { first: false; instead: string };

/**
 * Frees a claim, so that the next attempt can send. What was posted before the
 * claim stays posted.
 *
 * @throws {OperationError} If no claim stands, or it is younger than 15 minutes
 * and `force` is not set.
 */
export async function freePost(
  list: EventList,
  key: string,
  { by, why, nowMs, force }: Decision & { force: boolean },
): Promise<Decided> {
  const state = await readState(list, key);
  if (state.state !== "held" && state.state !== "in doubt") {
    const why = state.state === "free" ? "no claim stands" : describeEnd(state);
    throw new OperationError(`Nothing to free: ${why}`);
  }
  if (!force) checkAge(state.claim, nowMs);
  const at = new Date(nowMs).toISOString();
  const { token } = state.claim;
  const event = { type: "freed" as const, token, by, why, at };
  await list.append(key, JSON.stringify(event));
  return settledBy(parseEvents(await list.list(key)), token, event);
}

/**
 * Records for good that the claimed message was sent. Without a claim it counts
 * as critical, so that nothing more is sent.
 *
 * @throws {OperationError} If that is already recorded.
 */
export async function markPost(
  list: EventList,
  key: string,
  { by, why, link, nowMs }: Decision & { link: string | undefined },
): Promise<Decided> {
  const state = await readState(list, key);
  if (state.state === "posted") {
    throw new OperationError(`Nothing to mark: ${describeEnd(state)}`);
  }
  const at = new Date(nowMs).toISOString();
  const event: PostEvent = {
    type: "marked",
    ...optional("token", "claim" in state ? state.claim.token : undefined),
    by,
    why,
    ...optional("link", link),
    at,
  };
  await list.append(key, JSON.stringify(event));
  const after = await readState(list, key);
  const own = (sent: Sent) =>
    sent.as === "marked" && sent.by === by && sent.at === at;
  const standing = standingOf(after);
  return standing && [standing.last, ...standing.earlier].some(own)
    ? { first: true, posted: standing.last }
    : { first: false, instead: describeEnd(after) };
}

async function readState(list: EventList, key: string): Promise<PostState> {
  const events = tryParse(await list.list(key));
  if (events === undefined) {
    throw new OperationError(
      "The record cannot be read, so nothing can be added to it; posts forget --force deletes it",
    );
  }
  if (events.length === 0) throw new OperationError("The record is gone");
  return fold(events);
}

function describeEnd(state: PostState): string {
  switch (state.state) {
    case "posted": {
      const { last } = state;
      const as = last.assumed ? "" : `, as ${last.severity}`;
      return last.as === "posted"
        ? `it was posted at ${last.at}${as}`
        : `${last.by} marked it as posted at ${last.at}${as}`;
    }
    default:
      return `it is ${state.state}`;
  }
}

/** @throws {OperationError} If a live process may still hold the claim. */
function checkAge({ at, job_id }: Claim, nowMs: number): void {
  const ageMs = nowMs - Date.parse(at);
  if (ageMs >= FREE_AGE_MS) return;
  const age = Number.isNaN(ageMs)
    ? "at an unreadable time"
    : `${ageOf(ageMs)} ago`;
  throw new OperationError(
    `Job ${job_id} claimed it ${age}; a claim can be freed when it is ${
      ageOf(FREE_AGE_MS)
    } old, or with --force. ${RISK}`,
  );
}

/** Says which event ended the claim, unless it was `own`. */
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
  const by = (instead: string): Decided => ({ first: false, instead });
  switch (ended?.type) {
    case "freed":
      return ended.by === own.by && ended.at === own.at
        ? { first: true, posted: standingOf(fold(events))?.last }
        : by(`${ended.by} freed it at ${ended.at}`);
    case "marked":
      return by(`${ended.by} marked it as posted`);
    case "posted":
      return by("it was posted meanwhile");
    case "refused":
      return by("it was refused meanwhile, so nothing was sent");
    default:
      throw new OperationError(
        "The record changed meanwhile; look at it again",
      );
  }
}

/**
 * Deletes a record. The next post for that incident will be sent.
 *
 * @returns Whether there was a record.
 * @throws {OperationError} If a claim stands that is younger than 15 minutes
 * and `force` is not set, because forgetting frees it.
 */
export async function forgetPost(
  list: DeletableList,
  key: string,
  { by, nowMs, force }: { by: string; nowMs: number; force: boolean },
): Promise<boolean> {
  const events = tryParse(await list.list(key));
  if (events === undefined && !force) {
    throw new OperationError(
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
  if (state !== undefined && post !== undefined) {
    // A poster that claimed between our read and the deletion would lose its
    // claim. Our own claim keeps posters away, and is deleted with the rest.
    const claim = await new PostRecord(list, post).claim({
      jobId: FORGET_JOB,
      runId: "",
      digest: "",
      host: by,
      severity: "critical",
    }, { settleMs: 0, now: () => nowMs, wait: () => Promise.resolve() });
    if (claim.state === "in doubt" && !force) {
      throw new OperationError(`A poster was faster: ${claim.why}`);
    }
  }
  return await list.delete(key);
}
