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
}

/** Both together. */
export function addMore(one: More | undefined, other: More): More {
  if (one === undefined) return other;
  return {
    names: one.names + other.names,
    alerts: one.alerts + other.alerts,
    worst: isWorse(one.worst, other.worst) ? one.worst : other.worst,
  };
}

/** `… 3 more names (41 alerts), at worst warning, in the stored summary`. */
export function moreNames({ names, alerts, worst }: More): string {
  return `… ${counted(names, "more name")} (${
    counted(alerts, "alert")
  }), at worst ${worst}, in the stored summary`;
}
