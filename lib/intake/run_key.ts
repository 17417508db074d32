/**
 * What makes two deliveries one run. Pure.
 *
 * The platform's keys are global and never expire, so each says whose it is.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import { PACK_ID } from "../schemas.ts";
import type { Delivery } from "../sources/source.ts";

/** Half a SHA-256: nobody makes two alike, and it still fits on a line. */
const HASH_CHARS = 32;

/**
 * The key of a delivery's run.
 *
 * With a cooldown, all that a service reports within one stretch of that length
 * has one key, whoever counts and whenever: the stretches are those of the
 * clock, and the time is the event's own. A delivery that names no service or
 * no time has nothing to share, and keeps its own key.
 *
 * @param cooldownS In seconds; 0 for none.
 * @returns `incident-enricher:<source>:<delivery key>`, or
 * `incident-enricher:<source>:cooldown:<seconds>:<stretch>:<hash of the service>`.
 */
export async function runKey(
  { incident, key, at }: Delivery,
  cooldownS: number,
): Promise<string> {
  const base = `${PACK_ID}:${incident.source?.system ?? "mock"}`;
  const { service } = incident;
  const second = Date.parse(at ?? incident.occurred_at ?? "") / 1000;
  if (cooldownS === 0 || service === undefined || Number.isNaN(second)) {
    // With a colon of its own, one key could be the second spelling of another.
    return `${base}:${key.replaceAll("%", "%25").replaceAll(":", "%3A")}`;
  }
  const stretch = Math.floor(second / cooldownS);
  const hash = (await sha256Hex(service)).slice(0, HASH_CHARS);
  return `${base}:cooldown:${cooldownS}:${stretch}:${hash}`;
}
