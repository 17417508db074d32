/**
 * What was looked up in other systems, for people and counters. Pure.
 *
 * @module
 */
import { quoted } from "./base/foreign.ts";
import type { Lookup, LookupState } from "./incident.ts";

/** Every collector as it stands within a sentence. */
export const COLLECTOR_TITLES: ReadonlyMap<string, string> = new Map([
  ["pagerduty", "PagerDuty"],
  ["github", "GitHub"],
  ["kubernetes", "Kubernetes"],
  ["grafana", "Grafana"],
  ["prometheus", "Prometheus"],
  ["history", "our own posts"],
  ["alertmanager", "Alertmanager"],
  ["loki", "Loki"],
  ["runbook", "the runbook"],
]);

/** What asks no other system, and is on unless somebody turns it off. */
const OWN = "history";
const NAME_CHARS_MAX = 40;
const QUESTION_CHARS_MAX = 56;
const WHY_CHARS_MAX = 40;

/** Counts each look-up as `lookup prometheus: found`. */
export function countLookups(
  lookups: readonly Lookup[],
  count: (name: string, count: number) => void,
): void {
  for (const { collector, state } of lookups) {
    count(`lookup ${collector}: ${state}`, 1);
  }
}

/** A collector's name for people; one that is none of ours is quoted. */
export function titleOf(collector: string): string {
  return COLLECTOR_TITLES.get(collector) ?? quoted(collector, NAME_CHARS_MAX);
}

/** How each group begins, and its share of the line. */
const GROUPS: readonly [LookupState, start: string, charsMax: number][] = [
  ["nothing", "asked, nothing there: ", 70],
  ["failed", "could not ask: ", 68],
  ["unconcerned", "not concerned: ", 42],
  ["off", "not set up: ", 44],
];

/**
 * One line for people about what is not in the evidence: `asked, nothing there:
 * “silences” · could not ask: GitHub (“answered 403”) · not set up: Loki`. Where
 * no other system is set up, only what failed is worth saying.
 *
 * @returns `undefined` if there is nothing to say; else about 300 characters.
 */
export function describeLookups(
  lookups: readonly Lookup[],
): string | undefined {
  const isSetUp = lookups.some(({ collector, state }) =>
    collector !== OWN && state !== "off"
  );
  const groups = GROUPS.flatMap(([state, start, charsMax]) => {
    if (!isSetUp && state !== "failed") return [];
    const items = lookups.filter((lookup) => lookup.state === state)
      .map(wordsOf);
    return items.length === 0
      ? []
      : [start + joined([...new Set(items)], charsMax)];
  });
  return groups.length === 0 ? undefined : groups.join(" · ");
}

function wordsOf({ collector, question, state, why = "" }: Lookup): string {
  const title = titleOf(collector);
  if (state === "nothing" && question !== undefined) {
    return quoted(question, QUESTION_CHARS_MAX);
  }
  if (state !== "failed" || why === "") return title;
  const rest = why.startsWith(`${title} `) ? why.slice(title.length + 1) : why;
  return `${title} (${quoted(rest, WHY_CHARS_MAX)})`;
}

/** As many items as find room, and how many do not. */
function joined(items: readonly string[], charsMax: number): string {
  let text = "";
  for (const [at, item] of items.entries()) {
    const next = at === 0 ? item : `${text}, ${item}`;
    const left = items.length - at - 1;
    const rest = left === 0 ? "" : ` and ${left} more`;
    if (at > 0 && next.length + rest.length > charsMax) {
      return `${text} and ${items.length - at} more`;
    }
    text = next;
  }
  return text;
}
