/**
 * What people wrote about it, and how the last ones ended, as our collector for
 * PagerDuty tells it. Pure.
 *
 * @module
 */
import { type JsonObject, stringOf } from "../../../lib/base/json.ts";
import { counted } from "../../../lib/base/text.ts";
import type { FoundFact } from "../../../lib/evidence/collector.ts";
import type { Subject } from "../../../lib/evidence/subject.ts";
import { fromStart, wordsOf } from "../../../lib/evidence/wording.ts";
import { listOf, type Reader } from "../kind.ts";

const NOTE_CHARS_MAX = 300;

export const peopleReplies: Reader = (kinds, { subject }) => {
  const own = kinds.filter(({ value }) =>
    Array.isArray(value["notes"]) || Array.isArray(value["past"])
  );
  return {
    read: own,
    replies: own.map(({ value }) => {
      const [notes, past] = [listOf(value["notes"]), listOf(value["past"])];
      return {
        collector: "pagerduty",
        question: {
          id: "incident",
          what: "notes of the incident",
          rank: 3,
          kind: "people" as const,
        },
        findings: [{
          piece: {
            title: `${counted(notes.length, "note")}, ${
              counted(past.length, "similar incident")
            }`,
            value,
          },
          facts: pastFacts(past, subject),
          timeline: notes.map((one) => ({
            at: stringOf(one["at"]),
            text: `Note of ${stringOf(one["by"]) || "somebody"}: ${
              wordsOf(one["text"], NOTE_CHARS_MAX) ?? ""
            }`,
          })),
        }],
      };
    }),
  };
};

/** In the words of our collector for PagerDuty. */
function pastFacts(
  past: readonly JsonObject[],
  subject: Subject,
): FoundFact[] {
  const last = past.at(-1);
  if (last === undefined) return [];
  const age = fromStart(stringOf(last["at"]), subject)
    .replace(" the start", "");
  const name = `${stringOf(last["title"]) || "an incident"}, ${age}`;
  const says = wordsOf(last["says"], NOTE_CHARS_MAX);
  return [
    { name: "similar incidents", value: `${past.length}, the last: ${name}` },
    ...says === undefined ? [] : [{
      name: "last note of a similar incident",
      value: `${name}: ${says}`,
    }],
  ].map((fact) => ({ ...fact, kind: "history" as const }));
}
