/**
 * What a sender without alerts wrote: its description, and the newest moments.
 * Pure.
 *
 * @module
 */
import { foreignLine, quoted } from "../../base/foreign.ts";
import { sentencesOf, withoutStop } from "../../base/sentence.ts";
import { clock } from "./clock.ts";
import { entriesBefore } from "./change_ranks.ts";
import type { Rule } from "./rule.ts";

const MOMENTS_MAX = 3;
const FACTS_MAX = 2;
const TEXT_CHARS_MAX = 500;
/** What other rules tell, or the small print. */
const ELSEWHERE = new Set([
  "assigned to",
  "escalation policy",
  "teams",
  "conference bridge",
  "urgency",
  "priority",
  "incident number",
  "sent by",
  "incident type",
  "dedup key",
]);

export const words: Rule = (known) => {
  const { context, groups, timeline, asOf, main, given, since } = known;
  if (groups.length > 0) return [];
  const { description = "", title = "", source } = context;
  const said = foreignLine(description);
  const [first = ""] = sentencesOf(said).map(withoutStop);
  const isNew = said !== "" && !foreignLine(title).includes(first);
  const changes = since === undefined ? [] : entriesBefore(known, since);
  // The opening of an incident is its start, which stands above.
  const moments = timeline.filter((entry) =>
    entry.kind === undefined && !changes.includes(entry) &&
    !(source?.system === "pagerduty" && entry.at === since)
  ).slice(-MOMENTS_MAX);
  const others = [...given].filter(([name]) => !ELSEWHERE.has(name));
  return [
    ...isNew
      ? [{
        place: "happened" as const,
        text: quoted(said, TEXT_CHARS_MAX),
        evidence: [...main],
      }]
      : [],
    ...others.slice(0, FACTS_MAX).map(([name, value]) => ({
      place: "happened" as const,
      text: quoted(`${name}: ${value}`, TEXT_CHARS_MAX),
      evidence: [...main],
    })),
    ...moments.map(({ at, text, evidence }) => ({
      place: "happened" as const,
      text: `${clock(at, asOf)} ${quoted(text, TEXT_CHARS_MAX)}`,
      evidence: [...evidence],
    })),
  ];
};
