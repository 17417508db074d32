/**
 * The key that makes two deliveries share a run. Pure.
 *
 * The platform's keys are global and never expire, so each names its owner.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import { PACK_ID } from "../schemas.ts";
import type { Delivery } from "../sources/source.ts";

/** Half a SHA-256: collisions stay infeasible, and it fits on a line. */
const HASH_CHARS = 32;

/**
 * A cooldown divides the clock into windows of its length. All deliveries for a
 * service whose events fall in the same window share a key, no matter when and
 * by which ingester they are taken. A delivery without a service or a time
 * keeps its own key.
 *
 * @param cooldownS In seconds; 0 for none.
 * @returns `incident-enricher:<source>:<delivery key>`, or
 * `incident-enricher:<source>:cooldown:<seconds>:<window>:<hash of the service>`.
 */
export async function runKey(
  { incident, key, at, foldedBy }: Delivery,
  cooldownS: number,
): Promise<string> {
  const base = `${PACK_ID}:${incident.source?.system ?? "mock"}`;
  const { service } = incident;
  const second = Date.parse(at ?? incident.occurred_at ?? "") / 1000;
  if (cooldownS === 0 || service === undefined || Number.isNaN(second)) {
    // A colon in it could make one key the second spelling of another.
    return `${base}:${key.replaceAll("%", "%25").replaceAll(":", "%3A")}`;
  }
  const window = Math.floor(second / cooldownS);
  const hash = (await sha256Hex(foldedBy ?? service)).slice(0, HASH_CHARS);
  return `${base}:cooldown:${cooldownS}:${window}:${hash}`;
}
