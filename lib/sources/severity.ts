/**
 * Maps the words that teams use for severities to the scale of PD-CEF. Pure.
 *
 * @module
 */
import type { Severity } from "../incident.ts";

/** A map, since an alert may say `constructor`. */
const WORDS: ReadonlyMap<string, Severity> = new Map([
  ...words("critical", "crit page fatal emergency emerg disaster blocker"),
  ...words("error", "err high major severe"),
  ...words("warning", "warn medium moderate minor average ticket"),
  ...words("info", "information informational notice low none debug"),
]);

/** P0 to P5 and SEV0 to SEV5, as PagerDuty and runbooks use them. */
const LEVELS: readonly Severity[] = [
  "critical",
  "critical",
  "error",
  "warning",
  "info",
  "info",
];

export const WORST_FIRST: readonly Severity[] = [
  "critical",
  "error",
  "warning",
  "info",
];

/** The severity for a known word, such as `page`, `P2` or `SEV-1`. */
export function severityOf(word: string): Severity | undefined {
  const lower = word.trim().toLowerCase();
  const [, level] = /^(?:p|sev|s)[ -]?([0-5])(?![a-z0-9])/.exec(lower) ?? [];
  return level === undefined ? WORDS.get(lower) : LEVELS[Number(level)];
}

function words(severity: Severity, others: string): [string, Severity][] {
  return [severity, ...others.split(" ")].map((word) => [word, severity]);
}
