/**
 * How old a delivery may be. Pure.
 *
 * A sender's signature never expires, so a delivery that somebody recorded could
 * start its run again once the platform has forgotten the first.
 *
 * @module
 */
import type { Delivery, Ignored } from "../sources/source.ts";

/**
 * Ignores a delivery whose time is too far from now. One without a time passes.
 *
 * @param maxAgeS 0 for any age.
 */
export function ignoreOld(
  delivery: Delivery,
  maxAgeS: number,
  nowMs: number,
): Delivery | Ignored {
  if (maxAgeS === 0 || delivery.at === undefined) return delivery;
  const ageS = (nowMs - Date.parse(delivery.at)) / 1000;
  if (ageS > maxAgeS) return { ignored: "older than INGEST_MAX_AGE_S" };
  if (ageS < -maxAgeS) return { ignored: "ahead by over INGEST_MAX_AGE_S" };
  return delivery;
}
