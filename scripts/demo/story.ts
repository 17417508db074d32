/**
 * The story of the demo's incident, as stand-ins and real servers tell it.
 *
 * @module
 */
import type { IncidentInput } from "../../lib/incident.ts";

/** What is told about. */
export interface Story {
  /** When the incident began; what is told lies around it. */
  readonly startedAt: Date;
  readonly incident: IncidentInput;
}

export const MINUTE_S = 60;
export const DAY_S = 24 * 3600;

/** When it had happened before, in seconds since the start, and for how long. */
export const PAST: readonly (readonly [from: number, minutes: number])[] = [
  [-19 * DAY_S, 12],
  [-6 * DAY_S, 26],
];

/**
 * Seconds that a checkout takes, by the time since the incident's start: slow
 * within a minute after a deployment 4 minutes before.
 */
export function latencyAt(since: number, pod: string): number {
  const usual = 0.3 + 0.05 * Math.sin(since / 1700 + pod.length);
  const slow = since + 4 * MINUTE_S;
  return slow < 0 ? usual : usual + 2.1 * Math.min(1, slow / MINUTE_S);
}

/** Whether the alert fires, by the time since the incident's start. */
export function fires(since: number): boolean {
  return since >= 0 ||
    PAST.some(([from, minutes]) =>
      since >= from && since < from + minutes * MINUTE_S
    );
}

export function momentBefore(date: Date, seconds: number): string {
  return new Date(date.getTime() - seconds * 1000).toISOString();
}
