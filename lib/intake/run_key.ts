/**
 * The keys that make two deliveries share a run. Pure.
 *
 * The platform's keys are global and never expire, so each names its owner.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import { toSeverity } from "../incident.ts";
import { PACK_ID } from "../schemas.ts";
import type { Delivery } from "../sources/source.ts";

/** Half a SHA-256: collisions stay infeasible, and it fits on a line. */
const HASH_CHARS = 32;
/** Clocks differ; a time further ahead would fold what has yet to happen. */
const AHEAD_S_MAX = 300;

export interface RunKeys {
  /** The delivery's own, or the one that a cooldown shares. */
  key: string;
  /** Used if the run of a shared key is about something less severe. */
  worse?: string;
}

/**
 * A cooldown divides the clock into windows of its length. All deliveries for a
 * service whose events fall in the same window share a key, no matter when and
 * by which ingester they are taken. A delivery without a service or a time, or
 * with a time more than 5 min ahead, keeps its own key.
 *
 * @param cooldownS In seconds; 0 for none.
 * @returns `incident-enricher:<source>:<delivery key>`, or
 * `incident-enricher:<source>:cooldown:<seconds>:<window>:<hash of the service>`;
 * `worse` has the severity before the hash.
 */
export async function runKeys(
  { incident, key, at, foldedBy }: Delivery,
  cooldownS: number,
  nowMs: number,
): Promise<RunKeys> {
  const base = `${PACK_ID}:${incident.source?.system ?? "mock"}`;
  const { service } = incident;
  const second = Date.parse(at ?? incident.occurred_at ?? "") / 1000;
  const isAhead = second > nowMs / 1000 + AHEAD_S_MAX;
  if (
    cooldownS === 0 || service === undefined || Number.isNaN(second) || isAhead
  ) {
    // A colon in it could make one key the second spelling of another.
    return {
      key: `${base}:${key.replaceAll("%", "%25").replaceAll(":", "%3A")}`,
    };
  }
  const window = Math.floor(second / cooldownS);
  const hash = (await sha256Hex(foldedBy ?? service)).slice(0, HASH_CHARS);
  const shared = `${base}:cooldown:${cooldownS}:${window}`;
  const { severity } = toSeverity(incident.severity);
  return { key: `${shared}:${hash}`, worse: `${shared}:${severity}:${hash}` };
}
