/**
 * Refuses a post that comes too late to be useful.
 *
 * An approval may come long after the incident, when the message is no longer
 * true. Age counts from the collection of the evidence, because the message was
 * true then.
 *
 * @module
 */
import { integer, type Setting } from "../base/config.ts";
import { JobError } from "../base/errors.ts";
import type { EvidenceBundle } from "../incident.ts";

/** After a shift, the next person should take a fresh look. */
const MAX_AGE_S = 12 * 3600;

/** `POST_MAX_AGE_S`, for the poster and for approvers. */
export const POST_MAX_AGE: Setting<number> = integer("POST_MAX_AGE_S", {
  about: "age of the evidence in s beyond which nothing is posted",
  fallback: MAX_AGE_S,
  min: 1,
  max: 10 * 365 * 24 * 3600,
});

/** @throws {JobError} `POST_TOO_OLD`. */
export function refuseOld(
  { collected_at: collectedAt }: EvidenceBundle,
  { postMaxAgeS: maxAgeS }: { postMaxAgeS: number },
): void {
  const why = describeTooOld(collectedAt, { maxAgeS, nowMs: Date.now() });
  if (why !== undefined) {
    throw new JobError("POST_TOO_OLD", `Cannot post: ${why}`);
  }
}

/** When a post becomes too old, in milliseconds since the epoch. */
export function ageLimitOf(
  { collected_at: collectedAt }: EvidenceBundle,
  { postMaxAgeS: maxAgeS }: { postMaxAgeS: number },
): number {
  return Date.parse(collectedAt) + maxAgeS * 1000;
}

/**
 * Says why a post is too old.
 *
 * @param collectedAt RFC 3339, unchecked, from the evidence bundle. An
 * unreadable time counts as too old. So does a time further ahead than
 * `maxAgeS`, because no clock is that wrong.
 * @param nowMs Milliseconds since the epoch.
 * @returns A sentence without its full stop; `undefined` if the post is in time.
 */
export function describeTooOld(
  collectedAt: unknown,
  { maxAgeS, nowMs }: { maxAgeS: number; nowMs: number },
): string | undefined {
  const collectedMs = typeof collectedAt === "string"
    ? Date.parse(collectedAt)
    : NaN;
  const ageS = (nowMs - collectedMs) / 1000;
  if (Math.abs(ageS) <= maxAgeS) return undefined;
  const allowed = `POST_MAX_AGE_S allows ${describeLength(maxAgeS)}`;
  return ageS > maxAgeS
    ? `its evidence was collected ${describeLength(ageS)} ago, and ${allowed}`
    : "the age of its evidence is unknown: its time of collection is not a time in the past";
}

/** The two largest units, rounded down. */
function describeLength(seconds: number): string {
  const units = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const;
  const first = units.findIndex(([, length]) => seconds >= length);
  let left = Math.floor(seconds);
  const parts: string[] = [];
  for (const [unit, length] of units.slice(first).slice(0, 2)) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(" ");
}
