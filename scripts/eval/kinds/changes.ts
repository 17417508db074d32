/**
 * Changes, as our collectors tell deployments, merges and flags. Pure.
 *
 * @module
 */
import {
  type JsonObject,
  optional,
  stringOf,
  textOf,
} from "../../../lib/base/json.ts";
import { counted } from "../../../lib/base/text.ts";
import type { FoundEntry } from "../../../lib/evidence/collector.ts";
import { changeKindOf } from "../../../lib/evidence/wording.ts";
import { collectorOf, listOf, type Reader } from "../kind.ts";

const TEXT_CHARS_MAX = 200;

export const changeReplies: Reader = (kinds) => {
  const own = kinds.filter(({ value }) => Array.isArray(value["changes"]));
  return {
    read: own,
    replies: own.map((kind) => {
      const all = listOf(kind.value["changes"]);
      return {
        collector: collectorOf(kind, "changes"),
        question: {
          id: "changes",
          what: "changes of it before the start",
          rank: 1,
          kind: "change" as const,
        },
        findings: [
          all.length === 0 ? { nothing: "no change" } : {
            piece: { title: counted(all.length, "change"), value: all },
            timeline: all.map(toEntry),
          },
        ],
      };
    }),
  };
};

function toEntry(one: JsonObject): FoundEntry {
  const field = (name: string) => textOf(one[name], TEXT_CHARS_MAX);
  const [of, version, by, says] = ["of", "version", "by", "says"].map(field);
  const what = stringOf(one["what"]) || "change";
  const text = [
    `${what[0]!.toUpperCase()}${what.slice(1)}`,
    ...of === undefined ? [] : [`of ${of}`],
    ...version === undefined ? [] : [version],
    ...by === undefined ? [] : [`by ${by}`],
  ].join(" ") + (says === undefined ? "" : `: ${says}`);
  return {
    at: stringOf(one["at"]),
    text,
    change: {
      what: changeKindOf(what) ?? "other",
      ...optional("of", of),
      ...optional("version", version),
      ...optional("by", by),
      ...optional("says", says),
      ...optional("url", field("url")),
    },
  };
}
