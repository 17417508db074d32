/**
 * The events in the record of a post, and the key that the record stands under.
 *
 * @module
 */
import { JobError } from "../base/errors.ts";
import { parseJson } from "../base/json.ts";
import { WORST_FIRST } from "../incident.ts";
import type { PostSeverity } from "./severity.ts";

export interface Claim {
  type: "claim";
  token: string;
  job_id: string;
  run_id: string;
  /** Of the message, as 64 hex digits. */
  digest: string;
  /** The destination's host, for people; the key holds only a digest. */
  host: string;
  /** Absent in claims of version 0.1.0, which count as critical. */
  severity?: PostSeverity;
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
  | {
    type: "posted";
    token: string;
    result: Posted;
    /** Stands outside of the result, whose schema 0.2.0 checks. */
    signed_by?: string;
    at: string;
  }
  /** Frees the claim with that token; without one, frees any claim. */
  | { type: "freed"; token?: string; by: string; why: string; at: string }
  /** Marks the claim with that token; without one, counts as critical. */
  | {
    type: "marked";
    token?: string;
    by: string;
    why: string;
    link?: string;
    at: string;
  };

/** The part of a result that later attempts need. */
export interface Posted {
  posted_at: string;
  slack?: { ok: boolean };
  artifact_ptr?: string;
  approval?: { by: string; at: string; rule_id: string; signed_by?: string };
  /** Of the message, as 64 hex digits. */
  message_sha256: string;
  job_id: string;
  run_id: string;
}

/** The event of a message that went out. */
export function postedEvent(token: string, result: Posted): PostEvent {
  const { posted_at: at, approval } = result;
  if (approval?.signed_by === undefined) {
    return { type: "posted", token, result, at };
  }
  const { signed_by, ...rest } = approval;
  const bare = { ...result, approval: rest };
  return { type: "posted", token, result: bare, signed_by, at };
}

/** The result that an event holds. */
export function resultOf(
  { result, signed_by }: Extract<PostEvent, { type: "posted" }>,
): Posted {
  const { approval } = result;
  return approval === undefined || signed_by === undefined
    ? result
    : { ...result, approval: { ...approval, signed_by } };
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
  ["posted", ["signed_by"]],
  ["freed", ["token"]],
  ["marked", ["token", "link"]],
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
    (event["type"] !== "posted" || event["result"] instanceof Object) &&
    (event["severity"] === undefined || SEVERITIES.has(event["severity"]));
}

const SEVERITIES: ReadonlySet<unknown> = new Set([...WORST_FIRST, "unknown"]);

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
