/**
 * Kinds that no other reader knows: a piece each, with the sentences in it. Pure.
 *
 * @module
 */
import { isObject, stringOf } from "../../../lib/base/json.ts";
import type { FoundFact } from "../../../lib/evidence/collector.ts";
import { wordsOf } from "../../../lib/evidence/wording.ts";
import type { Reader } from "../kind.ts";

const SHOWN = 3;
const TEXT_CHARS_MAX = 250;
const WORDS = ["message", "summary", "description", "reason", "text", "status"];

export const otherReplies: Reader = (kinds) => {
  const told = kinds.filter(({ value }) => Object.keys(value).length > 0);
  return {
    read: kinds,
    replies: told.map(({ name, value }) => {
      const what = name.replaceAll("_", " ");
      return {
        collector: "other",
        question: {
          id: name.replace(/[^a-z0-9]+/gi, "-"),
          what,
          rank: 5,
          kind: "state" as const,
        },
        findings: [{
          piece: { title: `What ${what} says`, value },
          facts: sentences(value).slice(0, SHOWN).map((text): FoundFact => ({
            name: what,
            value: text,
          })),
        }],
      };
    }),
  };
};

/** Of the objects in it, however deep. */
function sentences(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(sentences);
  if (!isObject(value)) return [];
  const own = WORDS.flatMap((name) =>
    wordsOf(stringOf(value[name]), TEXT_CHARS_MAX) ?? []
  ).slice(0, 1);
  return [...own, ...Object.values(value).flatMap(sentences)];
}
