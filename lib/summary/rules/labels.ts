/**
 * Where exactly, for alerts of one name: what their labels add. Pure.
 *
 * @module
 */
import { quoted } from "../../base/foreign.ts";
import { counted } from "../../base/text.ts";
import { isProse } from "./prose.ts";
import type { Rule } from "./rule.ts";

const SHOWN = 4;
const VALUE_CHARS_MAX = 80;
const TEXT_CHARS_MAX = 220;
/** What other rules tell, and what is no label. */
const ELSEWHERE =
  /^(?:alerts|start unknown|receiver|measured by|panel|image|runbook.*|dashboard.*|cluster|team|owner|squad)$/i;

/** `“namespace: shop, secret: mail/relay-tls”`. */
export const labels: Rule = (
  { groups: [group, ...others], given, context },
) => {
  if (group === undefined || others.length > 0) return [];
  const told = new Set([
    ...group.where ?? [],
    context.service,
    context.alerts?.place,
  ]);
  // A sentence with a number says what was measured; `web-1` is none.
  const isNumbered = /(?<![\w.-])\d/.test(group.says ?? "");
  const all = [...given].filter(([name, value]) =>
    !(name === "values" && isNumbered) && !ELSEWHERE.test(name) &&
    !told.has(value) && !/:\/\//.test(value) &&
    value.length <= VALUE_CHARS_MAX && !isProse(value)
  );
  const text = all.slice(0, SHOWN).map(([name, value]) => `${name}: ${value}`)
    .join(", ");
  const left = all.length - SHOWN;
  return text === "" ? [] : [{
    place: "happened",
    text: quoted(text, TEXT_CHARS_MAX) +
      (left > 0 ? ` and ${counted(left, "more label")}` : ""),
    evidence: [...group.evidence],
  }];
};
