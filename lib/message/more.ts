/**
 * What a message leaves out, in words. Pure.
 *
 * @module
 */
import { counted } from "../base/text.ts";
import { isWorse, type Severity } from "../incident.ts";

/** Alerts that have no line of their own. */
export interface More {
  names: number;
  alerts: number;
  worst: Severity;
  /** How many of the names only the payload has. */
  unlisted?: number;
}

/** Both together. */
export function addMore(one: More | undefined, other: More): More {
  if (one === undefined) return other;
  const unlisted = (one.unlisted ?? 0) + (other.unlisted ?? 0);
  return {
    names: one.names + other.names,
    alerts: one.alerts + other.alerts,
    worst: isWorse(one.worst, other.worst) ? one.worst : other.worst,
    ...unlisted > 0 && { unlisted },
  };
}

/** `… 3 more names (41 alerts), at worst warning, in the stored summary`. */
export function moreNames(
  { names, alerts, worst, unlisted = 0 }: More,
): string {
  const where = unlisted === 0
    ? "in the stored summary"
    : unlisted >= names
    ? "in the payload"
    : `${names - unlisted} of them in the stored summary`;
  return `… ${counted(names, "more name")} (${
    counted(alerts, "alert")
  }), at worst ${worst}, ${where}`;
}
