/**
 * What else the alerts say in sentences: annotations beside the description and
 * the summary, such as an error or an impact. Pure.
 *
 * @module
 */
import { foreignLine, quoted } from "../../base/foreign.ts";
import type { Rule } from "./rule.ts";

const SHOWN = 1;
const TEXT_CHARS_MAX = 220;
/** Fewer words are a value, not a sentence. */
const WORDS_MIN = 5;
/** What other rules tell. */
const ELSEWHERE =
  /^(?:alerts|start unknown|receiver|measured by|values|runbook.*|dashboard.*)$/i;

export const prose: Rule = ({ groups, given }) => {
  const [group] = groups;
  if (group === undefined) return [];
  return [...given].filter(([name, value]) =>
    !ELSEWHERE.test(name) && isProse(value)
  ).slice(0, SHOWN).map(([, value]) => ({
    place: "happened" as const,
    text: quoted(value, TEXT_CHARS_MAX),
    evidence: [...group.evidence],
  }));
};

/** Whether a value is a sentence, which no label is. */
export function isProse(value: string): boolean {
  const words = foreignLine(value).split(" ")
    .filter((word) => /\p{L}{2,}/u.test(word));
  return words.length >= WORDS_MIN && !/:\/\//.test(value);
}
