/**
 * What people wrote about it, and how the last ones ended, as our collector for
 * PagerDuty tells it. Pure.
 *
 * @module
 */
import { isObject, stringOf } from "../../../lib/base/json.ts";
import { counted } from "../../../lib/base/text.ts";
import { wordsOf } from "../../../lib/evidence/wording.ts";
import type { Reader } from "../kind.ts";

const NOTE_CHARS_MAX = 300;

export const peopleReplies: Reader = (kinds) => {
  const own = kinds.filter(({ value }) =>
    Array.isArray(value["notes"]) || Array.isArray(value["past"])
  );
  return {
    read: own,
    replies: own.map(({ value }) => {
      const list = (name: string) =>
        Array.isArray(value[name])
          ? (value[name] as unknown[]).filter(isObject)
          : [];
      const [notes, past] = [list("notes"), list("past")];
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
          facts: past.map((one) => ({
            name: "similar incident",
            value: [
              stringOf(one["at"]).slice(0, 10),
              wordsOf(one["says"], NOTE_CHARS_MAX) ?? "",
            ].join(": "),
            kind: "history" as const,
          })),
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
