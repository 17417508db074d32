/**
 * What is known of one post: an append-only list of events, and the state that
 * follows from it.
 *
 * Slack's webhooks have no idempotency key, so this record is what keeps two
 * messages apart. Only an append and a read of the whole list decide anything:
 * an append that arrives twice carries the same token and changes nothing, and
 * no lease, lock or clock ever allows a second message.
 *
 * ```text
 * free ─claim→ held ─refused→ free     held ─unknown→ in doubt
 * any ─posted|marked→ posted           held|in doubt ─freed→ free
 * ```
 *
 * What a person writes obeys the same rule: `freed` names the claim that it
 * frees, so that a copy which arrives late cannot free the next one, and after
 * the first `marked` nothing counts any more.
 *
 * @module
 */
import { JobError } from "../base/errors.ts";

export interface Claim {
  type: "claim";
  token: string;
  job_id: string;
  run_id: string;
  /** Of the message, as 64 hex digits. */
  digest: string;
  /** Host of the destination, for people; the key holds only a digest. */
  host: string;
  /** Of the key, spelled out: its parts may hold its separator. */
  tenant?: string;
  /** The same of the incident, with its source in front. */
  incident_id?: string;
  destination?: string;
  /** RFC 3339. */
  at: string;
}

/** One line of the record. Times are RFC 3339. */
export type PostEvent =
  | Claim
  | { type: "refused"; token: string; why: string; at: string }
  | { type: "unknown"; token: string; why: string; at: string }
  | { type: "posted"; token: string; result: Posted; at: string }
  /** Frees the claim of that token; one without a token, any that stands. */
  | { type: "freed"; token?: string; by: string; why: string; at: string }
  | { type: "marked"; by: string; why: string; link?: string; at: string };

/** What a later attempt needs of one that succeeded. */
export interface Posted {
  /** RFC 3339. */
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
  /** A person said so; what was sent is not known here. */
  | { state: "marked"; by: string; at: string; link: string | undefined };

/** Says where a post stands after these events. */
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
  // Nothing turns a message that was sent into one that was not.
  if (now.state === "posted" || now.state === "marked") return now;
  switch (event.type) {
    case "posted":
      return { state: "posted", result: event.result };
    case "marked":
      return { state: "marked", by: event.by, at: event.at, link: event.link };
    case "claim":
      // A token that was seen before is the same append, sent again late.
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

/** What each event carries as text, beside its time. */
const FIELDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["claim", ["token", "job_id", "run_id", "digest", "host"]],
  ["refused", ["token", "why"]],
  ["unknown", ["token", "why"]],
  ["posted", ["token"]],
  ["freed", ["by", "why"]],
  ["marked", ["by", "why"]],
]);
/** What it may carry as text, and only as text. */
const OPTIONAL_FIELDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["claim", ["tenant", "incident_id", "destination"]],
  ["freed", ["token"]],
  ["marked", ["link"]],
]);

/**
 * Reads the items of a record.
 *
 * @throws {JobError} `POST_IN_DOUBT` if one of them is no event of ours, or
 * newer than this code: what it means is not known, so nothing may be sent.
 */
export function parseEvents(items: readonly string[]): PostEvent[] {
  return items.map((item, at) => {
    let event: unknown;
    try {
      event = JSON.parse(item);
    } catch {
      // Told below.
    }
    if (isEvent(event)) return event;
    throw new JobError(
      "POST_IN_DOUBT",
      `Cannot read the post's record: item ${at} is no event of ours`,
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

/** The list that a record is kept in. Appending twice must be harmless. */
export interface EventList {
  append(key: string, item: string): Promise<void>;
  /** All items, oldest first. */
  list(key: string): Promise<string[]>;
}

/** What a post is about: one incident at one destination. */
export interface PostKey {
  /** The job's. */
  tenant: string;
  /** With its source in front. */
  incidentId: string;
  /** `artifact`, or `slack:` and 16 hex digits of the URL's SHA-256. */
  destination: string;
}

/** What the Redis key of every record begins with. */
export const RECORD_PREFIX = "incident-enricher:posted:";

export function recordKey(
  { tenant, incidentId, destination }: PostKey,
): string {
  return `${RECORD_PREFIX}${tenant}:${incidentId}:${destination}`;
}

/**
 * Says which post a record is about.
 *
 * A tenant and an incident id may hold a colon, so the key alone does not say
 * where one ends; its claims do. Without one that fits, the tenant is taken to
 * hold none.
 *
 * @returns `undefined` for a key that is none of ours.
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
  /** Ours: exactly this attempt may send. */
  | { state: "mine"; token: string }
  /** Sent before; nothing is to be done. */
  | { state: "posted"; result: Posted }
  | { state: "marked"; by: string; at: string; link: string | undefined }
  /** Another live process does this very job, and will answer for it. */
  | { state: "elsewhere" }
  /** A message may have been sent; only a person can tell. */
  | { state: "in doubt"; why: string };

/** Who claims. */
export interface Claimant {
  jobId: string;
  runId: string;
  /** Of the message, as 64 hex digits. */
  digest: string;
  /** Host of the destination, for people. */
  host: string;
}

/** Waiting and the time, so that tests bring their own. */
export interface ClaimOptions {
  /** How long a foreign claim gets to settle. */
  settleMs: number;
  /** How old the same job's claim may be while its process is alive. */
  liveMs?: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Rejects when the job is aborted. */
  wait: (ms: number) => Promise<void>;
}

const SETTLE_POLL_MS = 500;
/** A younger claim is worded as busy; the clock decides nothing else. */
export const BUSY_MS = 60_000;

/** One post's record. */
export class PostRecord {
  readonly #list: EventList;
  readonly #post: PostKey;
  readonly #key: string;

  constructor(list: EventList, key: PostKey) {
    this.#list = list;
    this.#post = key;
    this.#key = recordKey(key);
  }

  /** Where the post stands now. @throws {JobError} As `parseEvents` does. */
  async state(): Promise<PostState> {
    return fold(parseEvents(await this.#list.list(this.#key)));
  }

  /**
   * Claims the post, unless it is taken: then waits for the claim of the other
   * to settle, at most `settleMs`.
   *
   * @throws {JobError} As `parseEvents` does.
   */
  async claim(
    claimant: Claimant,
    options: ClaimOptions,
  ): Promise<ClaimOutcome> {
    // The waits are counted: a clock that is set back would stretch them.
    let leftMs = options.settleMs;
    let sameJob = false;
    while (true) {
      const token = crypto.randomUUID(); // A void claim's token stays void.
      let state = await this.state();
      if (state.state === "free") {
        // The process that held it for this job is alive and answers for it.
        if (sameJob) return { state: "elsewhere" };
        state = await this.#appendClaim(token, claimant, options.now());
        // Freed in between, or void and the other's was refused.
        if (state.state === "free") continue;
      }
      if (state.state === "held" && state.claim.token === token) {
        return { state: "mine", token };
      }
      if (state.state === "posted") {
        return { state: "posted", result: state.result };
      }
      if (state.state === "marked") return state;
      if (state.state === "in doubt") {
        return { state: "in doubt", why: state.why };
      }
      const { claim } = state as Extract<PostState, { state: "held" }>;
      sameJob = claim.job_id === claimant.jobId;
      if (leftMs <= 0) return unsettled(claim, sameJob, options);
      const ms = Math.min(SETTLE_POLL_MS, leftMs);
      leftMs -= ms;
      await options.wait(ms);
    }
  }

  /** Appends a claim and says where the post stands after it. */
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
      // Nothing is sent, and only this attempt can ever say so.
      const why = "the record could not be read after the claim";
      await this.settle(token, { outcome: "refused", why }).catch(() => {});
      throw error;
    }
  }

  /** Writes down what became of a claim; `posted` with its result. */
  settle(
    token: string,
    settled:
      | { outcome: "posted"; result: Posted }
      | { outcome: "refused" | "unknown"; why: string },
  ): Promise<void> {
    if (settled.outcome === "posted") {
      const { result } = settled;
      return this.#append({
        type: "posted",
        token,
        result,
        at: result.posted_at,
      });
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

/** No clock is a minute ahead of another: such a time says nothing. */
export function isYounger(ageMs: number, limitMs: number): boolean {
  return ageMs > -BUSY_MS && ageMs < limitMs;
}

function describeAge(ms: number): string {
  if (Number.isNaN(ms)) return "at an unreadable time";
  return `${Math.max(0, Math.round(ms / 1000))} s ago`;
}
