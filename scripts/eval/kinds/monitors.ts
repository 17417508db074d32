/**
 * Monitors of another system, as its alerts. Pure.
 *
 * @module
 */
import { type JsonObject, stringOf } from "../../../lib/base/json.ts";
import { counted } from "../../../lib/base/text.ts";
import type { FoundFact } from "../../../lib/evidence/collector.ts";
import { collectorOf, listOf, type Reader } from "../kind.ts";

const SHOWN = 5;
const WELL = /^(?:ok|normal|resolved|inactive)$/i;
/** No data proves nothing, in either direction. */
const UNKNOWN = /^(?:no[ _]?data|unknown|ignored|skipped|paused|)$/i;

export const monitorReplies: Reader = (kinds) => {
  const own = kinds.filter(({ value }) => Array.isArray(value["monitors"]));
  const all = own.flatMap(({ value }) => listOf(value["monitors"]));
  if (own.length === 0) return { read: [], replies: [] };
  const stateOf = (one: JsonObject) =>
    stringOf(one["overall_state"] ?? one["state"] ?? one["status"]);
  const well = all.filter((one) => WELL.test(stateOf(one)));
  const ill = all.filter((one) =>
    !WELL.test(stateOf(one)) && !UNKNOWN.test(stateOf(one))
  );
  const facts: FoundFact[] = [
    ...ill.slice(0, SHOWN).map((one): FoundFact => ({
      name: `monitor ${stringOf(one["name"])}`,
      value: [stateOf(one), stringOf(one["message"])].filter(Boolean)
        .join(": "),
      health: "ill",
    })),
    // How many are well says nothing beside those that are not.
    ...all.length === 0 || ill.length > 0 ? [] : [{
      name: "monitors",
      value: `${well.length} of ${all.length} OK`,
      ...well.length === all.length && { health: "well" as const },
    }],
  ];
  return {
    read: own,
    replies: [{
      collector: collectorOf(own[0]!, "monitors"),
      question: {
        id: "monitors",
        what: "other monitors",
        rank: 4,
        kind: "alert",
      },
      findings: [
        all.length === 0 ? { nothing: "no monitor" } : {
          piece: { title: counted(all.length, "monitor"), value: all },
          facts,
        },
      ],
    }],
  };
};
