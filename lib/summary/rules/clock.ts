/**
 * Moments as a message says them, in UTC. Pure.
 *
 * @module
 */
import { named } from "../../base/foreign.ts";
import { toMoment } from "../../incident.ts";

/**
 * `09:20:00`, with the date in front on another day than `asOf`.
 *
 * @param seconds Whether they matter.
 */
export function clock(
  at: string,
  asOf: string | undefined,
  { seconds = true }: { seconds?: boolean } = {},
): string {
  const moment = toMoment(at);
  if (moment === undefined) return named(at, 40);
  const day = moment.slice(0, 10);
  const time = moment.slice(11, seconds ? 19 : 16);
  return asOf?.slice(0, 10) === day ? time : `${day} ${time}`;
}

/** The same for a moment in UTC that a collector wrote: `2026-05-06 09:20:00`. */
export function clockOf(
  text: string,
  asOf: string | undefined,
  options: { seconds?: boolean } = {},
): string {
  return clock(`${text.replace(" ", "T")}Z`, asOf, options);
}

/** Milliseconds from one moment to another. */
export function between(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}
