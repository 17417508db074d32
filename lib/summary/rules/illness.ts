/**
 * The value's course, and what else is ill: other alerts, new errors, states.
 * Pure.
 *
 * @module
 */
import { quoted } from "../../base/foreign.ts";
import type { EvidenceKind } from "../../incident.ts";
import type { Rule } from "./rule.ts";

/** What explains an incident best, first. */
const KINDS: readonly EvidenceKind[] = ["metric", "alert", "log", "state"];
const EACH_MAX = 1;
const TEXT_CHARS_MAX = 300;

export const illness: Rule = ({ facts }) =>
  KINDS.flatMap((wanted) =>
    facts.filter(({ kind }) => kind === wanted).slice(0, EACH_MAX)
  ).map(({ name, value, evidence }) => ({
    place: "happened",
    text: quoted(`${name}: ${value}`, TEXT_CHARS_MAX),
    evidence: [...evidence],
    collected: true,
  }));
