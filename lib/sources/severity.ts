/**
 * Maps the words that teams use for severities to the scale of PD-CEF. Pure.
 *
 * @module
 */
import type { Severity } from "../incident.ts";

/** A map, since an alert may say `constructor`. */
const WORDS: ReadonlyMap<string, Severity> = new Map([
  ...words(
    "critical",
    "crit page pager fatal emergency emerg disaster blocker urgent",
  ),
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

/** Further words of a longer text may be about something else. */
const PARTS_MAX = 3;
const LEVEL = /^(?:p|prio|priority|s|sev|severity)([0-5])$/;

/**
 * The severity for a known word, such as `page`, `P2`, `SEV_1` or
 * `1 - Critical`. A number alone is not known: some teams count up to the
 * worst, some down.
 */
export function severityOf(word: string): Severity | undefined {
  const parts = word.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean);
  const [first = "", second = ""] = parts;
  const level = (LEVEL.exec(first) ?? LEVEL.exec(first + second))?.[1];
  if (level !== undefined) return LEVELS[Number(level)];
  return parts.slice(0, parts.length > PARTS_MAX ? 1 : PARTS_MAX)
    .map((part) => WORDS.get(part)).find((named) => named !== undefined);
}

function words(severity: Severity, others: string): [string, Severity][] {
  return [severity, ...others.split(" ")].map((word) => [word, severity]);
}
