/**
 * What changed before it began, the newest first. Pure.
 *
 * Only what a collector calls a change, or what a sender without kinds writes
 * down as one; never an alert, never after the start.
 *
 * @module
 */
import { quoted } from "../../base/foreign.ts";
import { ageOf } from "../../base/text.ts";
import { type TimelineEntry, toMoment } from "../../incident.ts";
import { titleOf } from "../../lookups.ts";
import { between, clock } from "./clock.ts";
import type { Known, Rule } from "./rule.ts";

const SHOWN = 3;
const TEXT_CHARS_MAX = 300;
/** In a sender's own timeline, where no kind says what it is. */
const WORDS =
  /\b(?:deploy(?:ed|ing|s|ment)?|releas(?:ed?|ing)|rolled (?:out|back)|rollout|merged|migrat\w*|config\w* changed?|scaled)\b/i;
/** Questions whose answer would be a change. */
const ASKED = /deploy|rollout|release|merge|commit|change|annotation|config/i;

/** `6 min before: “Deployed checkout-api 2026.3.1”`. */
export const changes: Rule = (known) => {
  const { since, asOf, lookups } = known;
  if (since === undefined) return [];
  const found = changesBefore(known).slice(0, SHOWN);
  if (found.length > 0) {
    return found.map(({ at, text, kind, evidence }) => ({
      place: "changed",
      text: `${clock(at, asOf)}, ${ageOf(between(at, since))} before: ${
        quoted(text, TEXT_CHARS_MAX)
      }`,
      evidence: [...evidence],
      ...kind !== undefined && { collected: true },
    }));
  }
  const asked = [
    ...new Set(
      lookups.flatMap(({ collector, question = "", state }) =>
        ASKED.test(question) && (state === "found" || state === "nothing")
          ? [titleOf(collector)]
          : []
      ),
    ),
  ];
  return asked.length === 0 ? [] : [{
    place: "changed",
    text: `No change found before it began, in ${asked.join(" and ")}`,
    evidence: [...known.main],
  }];
};

/** The newest first. */
export function changesBefore(
  { timeline, groups, since, context }: Known,
): TimelineEntry[] {
  // Alerts of Kubernetes carry the words, too.
  const mayWrite = groups.length === 0 &&
    context.source?.system !== "alertmanager";
  return timeline.filter(({ kind, text, at }) =>
    (kind === "change" ||
      (kind === undefined && mayWrite && WORDS.test(text))) &&
    since !== undefined && (toMoment(at) ?? "~") <= since
  ).toReversed();
}
