/**
 * What was checked and is well, beside what is not: it need not be looked at
 * again. Pure.
 *
 * @module
 */
import { quoted } from "../../base/foreign.ts";
import type { Rule } from "./rule.ts";
import { verdictOf } from "./verdict.ts";

const SHOWN = 3;
const TEXT_CHARS_MAX = 70;

/** `Well: “Deployment cart: 2 of 2 ready”, “monitors: 3 of 3 OK”`. */
export const checked: Rule = (known) => {
  const well = known.facts.filter(({ health, name }) =>
    // Pods are counted where their Deployment is.
    health === "well" && name !== "pods"
  ).slice(0, SHOWN);
  // A verdict names its signs.
  if (well.length === 0 || verdictOf(known) !== undefined) return [];
  const list = well.map(({ name, value }) =>
    quoted(`${name}: ${value}`, TEXT_CHARS_MAX)
  );
  return [{
    place: "happened",
    text: `Well: ${list.join(", ")}`,
    evidence: [...new Set(well.flatMap(({ evidence }) => evidence))],
    collected: true,
  }];
};
