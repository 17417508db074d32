/**
 * Maps the words that teams use for severities to the scale of PD-CEF. Pure.
 *
 * Understands a text as a whole or not at all: `not critical` contains the word
 * and means something else. An unknown text is a warning, and the rule says so.
 *
 * @module
 */
import { shorten } from "../base/text.ts";
import { type IncidentInput, type Severity, WORST_FIRST } from "../incident.ts";

/** By several vendors' scales; a map, since an alert may say `constructor`. */
const WORDS: ReadonlyMap<string, Severity> = new Map([
  ...words(
    "critical",
    `crit page pager paging fatal emergency emerg panic disaster blocker urgent
    immediate highest catastrophic`,
  ),
  ...words("error", "err high major severe serious"),
  ...words("warning", "warn medium moderate minor average ticket"),
  ...words(
    "info",
    `information informational notice low lowest trivial planning none ok
    success debug verbose trace`,
  ),
  // Each only as a whole text: "alert" is in syslog the level above critical.
  ["alert", "critical"],
  ["very high", "critical"],
  ["very low", "info"],
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

/** A longer text is a sentence, which may be about anything. */
const PARTS_MAX = 5;
const WORD_CHARS_MAX = 60;
const LEVEL = /^(?:p|prio|priority|s|sev|severity)0?([0-5])$/;
const DIGIT = /^\d$/;
/** They add nothing to a word or level: `severity_critical`, `P1 incident`. */
const FILLERS = new Set(
  "p s sev severity prio priority level impact urgency incident alert"
    .split(" "),
);
/** What follows explains what stands before: `P1 - the shop is down`. */
const EXPLAINS = /[:;,|([{]|\s[-\u2013\u2014/]\s/;

/**
 * The severity for a text such as `page`, `SEV_1`, `severity-2` or
 * `1 - Critical`. A text with several words or levels means the worst.
 *
 * @returns `undefined` for an unknown text. That includes a number alone: some
 * teams count up to the worst, some down.
 */
export function severityOf(text: string): Severity | undefined {
  const lower = text.normalize("NFKC").toLowerCase();
  const [start = ""] = lower.split(EXPLAINS, 1);
  const parts = partsOf(lower);
  return severityOfParts(parts) ?? severityOfParts(partsOf(start)) ??
    severityOfStart(parts);
}

/**
 * The severity that a sender reports in its own words, and the rule that gave
 * it, which keeps these words.
 *
 * @param from What the sender calls the field, such as `label severity`.
 */
export function reportedAs(
  from: string,
  text: string,
): Required<Pick<IncidentInput, "severity" | "severity_rule">> {
  const severity = severityOf(text);
  const said = `${from} "${shorten(text, WORD_CHARS_MAX)}"`;
  if (severity === undefined) {
    return {
      severity: "unknown",
      severity_rule: `${said} is not a known severity, so warning`,
    };
  }
  const so = text === severity ? "" : `, so ${severity}`;
  return { severity, severity_rule: said + so };
}

function severityOfParts(parts: string[]): Severity | undefined {
  const whole = WORDS.get(parts.join(" "));
  if (whole !== undefined || parts.length > PARTS_MAX) return whole;
  const found: Severity[] = [];
  let [hasWord, hasLevel, digits] = [false, false, 0];
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at]!;
    const word = WORDS.get(part);
    const [level, used] = levelAt(parts, at);
    if (level !== undefined) {
      found.push(level);
      hasLevel = true;
      at += used - 1;
    } else if (DIGIT.test(part)) {
      digits++;
    } else if (FILLERS.has(part)) {
      continue;
    } else if (word !== undefined) {
      found.push(word);
      hasWord = true;
    } else {
      return undefined;
    }
  }
  // `1 - Critical`, but neither `P1.5` nor `high 2 low 3`.
  const isScale = digits === 0 || (digits === 1 && hasWord && !hasLevel);
  return isScale ? WORST_FIRST.find((one) => found.includes(one)) : undefined;
}

/** A level and a name: `SEV1 outage`, but neither `P1.5` nor `S3 bucket`. */
function severityOfStart(parts: string[]): Severity | undefined {
  const [level, used] = levelAt(parts, 0);
  const [next = ""] = parts.slice(used);
  const isOther = /^s0?\d?$/.test(parts[0] ?? "") ||
    /^(?:\d.*|no|not|non|never)$/.test(next);
  return isOther ? undefined : level;
}

/** A level in one part or two, `sev1` or `sev 1`, and the number of parts. */
function levelAt(
  parts: string[],
  at: number,
): [level: Severity | undefined, parts: number] {
  for (const used of [1, 2]) {
    const text = parts.slice(at, at + used).join("");
    const level = LEVEL.exec(text)?.[1];
    if (level !== undefined) return [LEVELS[Number(level)], used];
  }
  return [undefined, 0];
}

function partsOf(text: string): string[] {
  return text.split(/[^\p{L}\p{N}]+/u, PARTS_MAX + 2).filter(Boolean);
}

function words(severity: Severity, others: string): [string, Severity][] {
  return [severity, ...others.split(/\s+/)].map((word) => [word, severity]);
}
