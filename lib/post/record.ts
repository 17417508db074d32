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
 * ```
 *
 * Events by people obey the same rule: `freed` names its claim, so that a late
 * copy cannot free the next claim, and after the first `marked` no event counts.
 *
 * @module
 */
import { JobError } from "../base/errors.ts";
import { parseJson } from "../base/json.ts";

export interface Claim {
  type: "claim";
  token: string;
  job_id: string;
  run_id: string;
  /** Of the message, as 64 hex digits. */
  digest: string;
  /** The destination's host, for people; the key holds only a digest. */
  host: string;
  /** The parts of the key, because they may contain its separator. */
  tenant?: string;
  incident_id?: string;
  destination?: string;
  at: string;
}

/** One line of the record. Times are RFC 3339. */
export type PostEvent =
  | Claim
  | { type: "refused"; token: string; why: string; at: string }
  | { type: "unknown"; token: string; why: string; at: string }
  | { type: "posted"; token: string; result: Posted; at: string }
  /** Frees the claim with that token; without one, frees any claim. */
  | { type: "freed"; token?: string; by: string; why: string; at: string }
  | { type: "marked"; by: string; why: string; link?: string; at: string };

/** The part of a result that later attempts need. */
export interface Posted {
  posted_at: string;
  slack?: { ok: boolean };
  artifact_ptr?: string;
  approval?: { by: string; at: string; rule_id: string };
  /** Of the message, as 64 hex digits. */
  message_sha256: string;
  job_id: string;
  run_id: string;
}

export type PostState =
  | { state: "free" }
  | { state: "held"; claim: Claim }
  | { state: "in doubt"; claim: Claim; why: string }
  | { state: "posted"; result: Posted }
  /** A person marked it; the record does not know the message. */
  | { state: "marked"; by: string; at: string; link: string | undefined };

/** The state of a post after these events. */
export function fold(events: readonly PostEvent[]): PostState {
  let state: PostState = { state: "free" };
  const seen = new Set<string>();
  for (const event of events) {
    state = step(state, event, seen);
    if (event.type === "claim") seen.add(event.token);
  }
  return state;
}

function step(
  now: PostState,
  event: PostEvent,
  seen: ReadonlySet<string>,
): PostState {
  // No later event can unsend a message.
  if (now.state === "posted" || now.state === "marked") return now;
  switch (event.type) {
    case "posted":
      return { state: "posted", result: event.result };
    case "marked":
      return { state: "marked", by: event.by, at: event.at, link: event.link };
    case "claim":
      // A known token belongs to the same append, sent again late.
      return now.state === "free" && !seen.has(event.token)
        ? { state: "held", claim: event }
        : now;
    case "refused":
      return now.state === "held" && now.claim.token === event.token
        ? { state: "free" }
        : now;
    case "unknown":
      return now.state === "held" && now.claim.token === event.token
        ? { state: "in doubt", claim: now.claim, why: event.why }
        : now;
    case "freed":
      return now.state === "free" || event.token === undefined ||
          event.token === now.claim.token
        ? { state: "free" }
        : now;
  }
}

/** Required texts of each event, beside its time. */
const FIELDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["claim", ["token", "job_id", "run_id", "digest", "host"]],
  ["refused", ["token", "why"]],
  ["unknown", ["token", "why"]],
  ["posted", ["token"]],
  ["freed", ["by", "why"]],
  ["marked", ["by", "why"]],
]);
/** Optional texts of each event. */
const OPTIONAL_FIELDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["claim", ["tenant", "incident_id", "destination"]],
  ["freed", ["token"]],
  ["marked", ["link"]],
]);

/**
 * @throws {JobError} `POST_IN_DOUBT` if an item is not one of our events, or newer
 * than this code. Its meaning is unknown, so nothing may be sent.
 */
export function parseEvents(items: readonly string[]): PostEvent[] {
  return items.map((item, at) => {
    const event = parseJson(item);
    if (isEvent(event)) return event;
    throw new JobError(
      "POST_IN_DOUBT",
      `Cannot read the post's record: item ${at} is not one of our events`,
    );
  });
}

function isEvent(value: unknown): value is PostEvent {
  const event = (value ?? {}) as Readonly<Record<string, unknown>>;
  const fields = FIELDS.get(event["type"]);
  const optional = OPTIONAL_FIELDS.get(event["type"]) ?? [];
  return fields !== undefined &&
    [...fields, "at"].every((field) => typeof event[field] === "string") &&
    optional.every((field) =>
      event[field] === undefined || typeof event[field] === "string"
    ) &&
    (event["type"] !== "posted" || event["result"] instanceof Object);
}

/** The list that holds a record. */
export interface EventList {
  append(key: string, item: string): Promise<void>;
  /** All items, oldest first. */
  list(key: string): Promise<string[]>;
}

/** Identifies a post: one incident at one destination. */
export interface PostKey {
  tenant: string;
  /** Prefixed by its source. */
  incidentId: string;
  /** `artifact`, or `slack:` and 16 hex digits of the URL's SHA-256. */
  destination: string;
}

/** Every record's Redis key begins with it. */
export const RECORD_PREFIX = "incident-enricher:posted:";

export function recordKey(
  { tenant, incidentId, destination }: PostKey,
): string {
  return `${RECORD_PREFIX}${tenant}:${incidentId}:${destination}`;
}

/**
 * Tells which post a record belongs to.
 *
 * A tenant and an incident id may contain a colon, so the key alone does not
 * show where each ends, but the record's claims do. Without a matching claim,
 * assumes that the tenant contains no colon.
 *
 * @returns `undefined` for a key that is not ours.
 */
export function readKey(
  key: string,
  events: readonly PostEvent[] = [],
): PostKey | undefined {
  for (const event of events) {
    if (event.type !== "claim") continue;
    const { tenant = "", incident_id: incidentId = "", destination = "" } =
      event;
    const named = { tenant, incidentId, destination };
    if (recordKey(named) === key) return named;
  }
  const [, tenant, incidentId, destination] = KEY_PATTERN.exec(key) ?? [];
  if (!tenant || !incidentId || !destination) return undefined;
  return { tenant, incidentId, destination };
}

const KEY_PATTERN =
  /^incident-enricher:posted:([^:]+):(.+):(artifact|slack:[0-9a-f]{16})$/s;

export type ClaimOutcome =
  /** Exactly this attempt may send. */
  | { state: "mine"; token: string }
  /** Sent before; nothing is left to do. */
  | Extract<PostState, { state: "posted" | "marked" }>
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

  constructor(list: EventList, key: PostKey) {
    this.#list = list;
    this.#post = key;
    this.#key = recordKey(key);
  }

  /** The post's current state. @throws {JobError} As `parseEvents` does. */
  async state(): Promise<PostState> {
    return fold(parseEvents(await this.#list.list(this.#key)));
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
    while (true) {
      const token = crypto.randomUUID(); // A void claim's token stays void.
      let state = await this.state();
      if (state.state === "free") {
        // The process that held it for this job is alive and answers for it.
        if (sameJob) return { state: "elsewhere" };
        state = await this.#appendClaim(token, claimant, options.now());
        // Freed in between, or void after another claim that was refused.
        if (state.state === "free") continue;
      }
      if (state.state === "posted" || state.state === "marked") return state;
      const { claim } = state;
      if (state.state === "in doubt") {
        return { state: "in doubt", why: state.why };
      }
      if (claim.token === token) return { state: "mine", token };
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
    { jobId, runId, digest, host }: Claimant,
    nowMs: number,
  ): Promise<PostState> {
    await this.#append({
      type: "claim",
      token,
      job_id: jobId,
      run_id: runId,
      digest,
      host,
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
      const { result } = settled;
      const { posted_at: at } = result;
      return this.#append({ type: "posted", token, result, at });
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
