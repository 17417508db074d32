/**
 * The record of one post: an append-only list of events, and the state that
 * follows from it.
 *
 * Slack's webhooks have no idempotency key, so this record prevents a second
 * message. Only an append and a read of the whole list decide anything. An
 * append that arrives twice carries the same token and changes nothing. No
 * lease, lock or clock ever allows a second message.
 *
 * ```text
 * free ─claim→ held ─refused→ free     held ─unknown→ in doubt
 * any ─posted|marked→ posted           held|in doubt ─freed→ free
 * posted ─worse claim→ held            a refusal or freeing leads back to posted
 * ```
 *
 * An incident whose severity rises above every message so far gets one more: a
 * claim that is worse than the last message is valid. So each severity has at
 * most one message, and none follows an equal or worse one.
 *
 * Events by people obey the same rule: `freed` and `marked` name their claim, so
 * that a late copy cannot settle the next claim.
 *
 * @module
 */
import { isWorse, type Severity } from "../incident.ts";
import {
  type Claim,
  parseEvents,
  type Posted,
  postedEvent,
  type PostEvent,
  type PostKey,
  recordKey,
  resultOf,
} from "./events.ts";
import { outranks, type PostSeverity, readAs } from "./severity.ts";

/** A message that went out. */
export type Sent =
  & {
    severity: Severity;
    /** Whether no claim says the severity, so that it counts as critical. */
    assumed: boolean;
    /** RFC 3339: when it was posted, or marked as posted. */
    at: string;
    /** The destination's; `undefined` if no claim names it. */
    host: string | undefined;
  }
  & (
    | { as: "posted"; result: Posted }
    /** A person marked it; the record knows only its claim, if any. */
    | {
      as: "marked";
      by: string;
      link: string | undefined;
      claim: Claim | undefined;
    }
  );

/** What was posted. */
export interface Standing {
  state: "posted";
  /** The last message, and so the worst. */
  last: Sent;
  /** Those before it, oldest first, each worse than the one before. */
  earlier: readonly Sent[];
}

/** A claim without an outcome. */
export type Claimed =
  & {
    claim: Claim;
    /** What was posted before it, if it is for an update. */
    before: Standing | undefined;
  }
  & ({ state: "held" } | { state: "in doubt"; why: string });

export type PostState = { state: "free" } | Claimed | Standing;

/** The state of a post after these events. */
export function fold(events: readonly PostEvent[]): PostState {
  let state: PostState = { state: "free" };
  const claims = new Map<string, Claim>();
  for (const event of events) {
    state = step(state, event, claims);
    if (event.type === "claim" && !claims.has(event.token)) {
      claims.set(event.token, event);
    }
  }
  return state;
}

function step(
  now: PostState,
  event: PostEvent,
  claims: ReadonlyMap<string, Claim>,
): PostState {
  const standing = standingOf(now);
  const open = openClaimOf(now);
  switch (event.type) {
    case "posted":
      return afterMessage(now, event.token, {
        ...sentFor(claims.get(event.token)),
        at: event.at,
        as: "posted",
        result: resultOf(event),
      });
    case "marked": {
      const { token, by, at, link } = event;
      // It names no claim, and none is open that it could stand for.
      if (token === undefined && standing && !open) return now;
      const claim = claims.get(token ?? "");
      const how = { as: "marked", by, at, link, claim } as const;
      return afterMessage(now, token, { ...sentFor(claim), ...how });
    }
    case "claim":
      // A known token belongs to the same append, sent again late.
      return open === undefined && !claims.has(event.token) &&
          isCalledFor(standing, event.severity)
        ? { state: "held", claim: event, before: standing }
        : now;
    case "refused":
      return now.state === "held" && now.claim.token === event.token
        ? standing ?? { state: "free" }
        : now;
    case "unknown":
      return now.state === "held" && now.claim.token === event.token
        ? { ...now, state: "in doubt", why: event.why }
        : now;
    case "freed":
      return open !== undefined &&
          (event.token === undefined || event.token === open.token)
        ? standing ?? { state: "free" }
        : now;
  }
}

/** No later event can unsend a message. */
function afterMessage(
  now: PostState,
  token: string | undefined,
  sent: Sent,
): PostState {
  const before = standingOf(now);
  const isNews = before === undefined ||
    isWorse(sent.severity, before.last.severity);
  const earlier = before === undefined ? [] : [...before.earlier, before.last];
  const after: Standing = isNews
    ? { state: "posted", last: sent, earlier }
    : before;
  // The message of another, worse claim may be on its way, so that stays open.
  return (now.state === "held" || now.state === "in doubt") &&
      now.claim.token !== token &&
      isWorse(postedAs(now.claim), after.last.severity)
    ? { ...now, before: after }
    : after;
}

function sentFor(
  claim: Claim | undefined,
): Pick<Sent, "severity" | "assumed" | "host"> {
  return {
    severity: postedAs(claim),
    assumed: claim?.severity === undefined,
    host: claim?.host,
  };
}

/** How a claim's message counts. What no claim says could be the worst. */
function postedAs(claim: Claim | undefined): Severity {
  return readAs(claim?.severity ?? "critical");
}

/** @param severity Absent for posters of 0.1.0, which send no updates. */
function isCalledFor(
  standing: Standing | undefined,
  severity: PostSeverity | undefined,
): boolean {
  return standing === undefined ||
    severity !== undefined && outranks(severity, standing.last.severity);
}

/** Whether a message may be claimed now. */
function isOpen(state: PostState, severity: PostSeverity): boolean {
  return openClaimOf(state) === undefined &&
    isCalledFor(standingOf(state), severity);
}

/** What was posted, whatever else is under way. */
export function standingOf(state: PostState): Standing | undefined {
  if (state.state === "posted") return state;
  return state.state === "free" ? undefined : state.before;
}

function openClaimOf(state: PostState): Claim | undefined {
  return state.state === "held" || state.state === "in doubt"
    ? state.claim
    : undefined;
}

/** What a message of some severity would be, if it were approved now. */
export type Effect =
  /** The first message. */
  | "new"
  /** One more, because it is worse than those before. */
  | "update"
  /** Not sent, because it is no worse than what was posted. */
  | "nothing"
  /** Not sent unless the current claim ends within a minute without a message. */
  | "busy"
  /** Not sent before a person has looked. */
  | "in doubt";

/** @param nowMs Milliseconds since the epoch; tells busy from in doubt. */
export function effectOf(
  state: PostState,
  severity: PostSeverity,
  nowMs: number,
): Effect {
  const standing = standingOf(state);
  if (!isCalledFor(standing, severity)) return "nothing";
  if (state.state === "held") {
    const ageMs = nowMs - Date.parse(state.claim.at);
    return isYounger(ageMs, BUSY_MS) ? "busy" : "in doubt";
  }
  if (state.state === "in doubt") return "in doubt";
  return standing === undefined ? "new" : "update";
}

/** The first message that was posted. */
export function firstOf({ last, earlier }: Standing): Sent {
  return earlier[0] ?? last;
}

/** The list that holds a record. */
export interface EventList {
  append(key: string, item: string): Promise<void>;
  /** All items, oldest first. */
  list(key: string): Promise<string[]>;
}

export type ClaimOutcome =
  /** Exactly this attempt may send: an update if there is something `before`. */
  | { state: "mine"; token: string; before: Standing | undefined }
  /** Sent before, as this or as worse; nothing is left to do. */
  | Standing
  /** Another live process does this very job and will answer for it. */
  | { state: "elsewhere" }
  /** A message may have been sent; only a person can tell. */
  | { state: "in doubt"; why: string };

export interface Claimant {
  jobId: string;
  runId: string;
  /** Of the message, as 64 hex digits. */
  digest: string;
  /** Host of the destination, for people. */
  host: string;
  severity: PostSeverity;
}

/** Tests bring their own clock. */
export interface ClaimOptions {
  /** How long another job's claim may take to settle. */
  settleMs: number;
  /** Up to this age, the same job's claim may belong to a live process. */
  liveMs?: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Rejects when the job is aborted. */
  wait: (ms: number) => Promise<void>;
}

const SETTLE_POLL_MS = 500;
/** A younger claim is called busy; the clock decides nothing else. */
export const BUSY_MS = 60_000;

export class PostRecord {
  readonly #list: EventList;
  readonly #post: PostKey;
  readonly #key: string;
  readonly #formerKey: string | undefined;

  /** @param formerId By which an earlier version recorded the same incident. */
  constructor(list: EventList, key: PostKey, formerId?: string) {
    this.#list = list;
    this.#post = key;
    this.#key = recordKey(key);
    this.#formerKey = formerId === undefined
      ? undefined
      : recordKey({ ...key, incidentId: formerId });
  }

  /** The post's current state. @throws {JobError} As `parseEvents` does. */
  async state(): Promise<PostState> {
    const former = this.#formerKey === undefined
      ? []
      : await this.#list.list(this.#formerKey);
    return fold(
      parseEvents([...former, ...await this.#list.list(this.#key)]),
    );
  }

  /**
   * Claims the post. If another claim stands, waits at most `settleMs` for it to
   * settle.
   *
   * @throws {JobError} As `parseEvents` does.
   */
  async claim(
    claimant: Claimant,
    options: ClaimOptions,
  ): Promise<ClaimOutcome> {
    // Counts the waits, because a clock that is set back would stretch them.
    let leftMs = options.settleMs;
    let sameJob = false;
    const { severity } = claimant;
    while (true) {
      const token = crypto.randomUUID(); // A void claim's token stays void.
      let state = await this.state();
      if (isOpen(state, severity)) {
        // The process that held it for this job is alive and answers for it.
        if (sameJob) return { state: "elsewhere" };
        state = await this.#appendClaim(token, claimant, options.now());
      }
      if (state.state === "held" && state.claim.token === token) {
        return { state: "mine", token, before: state.before };
      }
      const standing = standingOf(state);
      if (standing !== undefined && !isCalledFor(standing, severity)) {
        return standing;
      }
      // Freed in between, or void after another claim that was refused.
      if (state.state === "free" || state.state === "posted") continue;
      if (state.state === "in doubt") {
        return { state: "in doubt", why: state.why };
      }
      const { claim } = state;
      sameJob = claim.job_id === claimant.jobId;
      if (leftMs <= 0) return unsettled(claim, sameJob, options);
      const ms = Math.min(SETTLE_POLL_MS, leftMs);
      leftMs -= ms;
      await options.wait(ms);
    }
  }

  /** Appends a claim. @returns The state after it. */
  async #appendClaim(
    token: string,
    { jobId, runId, digest, host, severity }: Claimant,
    nowMs: number,
  ): Promise<PostState> {
    await this.#append({
      type: "claim",
      token,
      job_id: jobId,
      run_id: runId,
      digest,
      host,
      severity,
      tenant: this.#post.tenant,
      incident_id: this.#post.incidentId,
      destination: this.#post.destination,
      at: new Date(nowMs).toISOString(),
    });
    try {
      return await this.state();
    } catch (error) {
      // Nothing was sent, and only this attempt can record that.
      const why = "the record could not be read after the claim";
      await this.settle(token, { outcome: "refused", why }).catch(() => {});
      throw error;
    }
  }

  /** Records the outcome of a claim. */
  settle(
    token: string,
    settled:
      | { outcome: "posted"; result: Posted }
      | { outcome: "refused" | "unknown"; why: string },
  ): Promise<void> {
    if (settled.outcome === "posted") {
      return this.#append(postedEvent(token, settled.result));
    }
    const { outcome: type, why } = settled;
    return this.#append({ type, token, why, at: new Date().toISOString() });
  }

  #append(event: PostEvent): Promise<void> {
    return this.#list.append(this.#key, JSON.stringify(event));
  }
}

function unsettled(
  claim: Claim,
  sameJob: boolean,
  { now, liveMs = BUSY_MS }: ClaimOptions,
): ClaimOutcome {
  const ageMs = now() - Date.parse(claim.at);
  if (sameJob && isYounger(ageMs, liveMs)) return { state: "elsewhere" };
  const busy = isYounger(ageMs, BUSY_MS);
  const word = busy ? "is busy with it" : "may have sent it";
  return {
    state: "in doubt",
    why: `job ${claim.job_id} ${word}, claimed ${describeAge(ageMs)}`,
  };
}

/** No clock is a minute ahead of another, so such a time means nothing. */
export function isYounger(ageMs: number, limitMs: number): boolean {
  return ageMs > -BUSY_MS && ageMs < limitMs;
}

function describeAge(ms: number): string {
  if (Number.isNaN(ms)) return "at an unreadable time";
  return `${Math.max(0, Math.round(ms / 1000))} s ago`;
}
