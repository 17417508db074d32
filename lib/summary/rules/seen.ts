/**
 * The last time, and how it ended. Pure.
 *
 * @module
 */
import { quoted } from "../../base/foreign.ts";
import type { Rule } from "./rule.ts";

const SHOWN = 2;
const TEXT_CHARS_MAX = 300;

export const seen: Rule = ({ facts }) =>
  facts.filter(({ kind }) => kind === "history").slice(0, SHOWN)
    .map(({ name, value, evidence }) => ({
      place: "seen",
      text: quoted(`${name}: ${value}`, TEXT_CHARS_MAX),
      evidence: [...evidence],
      collected: true,
    }));
