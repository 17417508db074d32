/**
 * Errors that are new in the logs. Pure.
 *
 * @module
 */
import { quoted } from "../../base/foreign.ts";
import { counted } from "../../base/text.ts";
import type { Rule } from "./rule.ts";

const TEXT_CHARS_MAX = 160;
const ERROR = /^(.*) ×(\d+), first (\d\d:\d\d:\d\d) UTC$/s;

/** `New in the logs since 09:26:40, 10 times: “pool is full”; 2 more kinds`. */
export const errors: Rule = ({ facts }) => {
  const own = facts.filter(({ kind }) => kind === "log");
  const fresh = own.filter(({ name }) => name === "new error");
  // Where nothing was compared, nobody knows if an error is new.
  const isCompared = !own.some(({ name }) => name === "error");
  const found = isCompared ? fresh : own.filter(({ name }) => name === "error");
  const [first, ...others] = found;
  const [, text, count, from] = ERROR.exec(first?.value ?? "") ?? [];
  if (first === undefined || text === undefined) return [];
  const what = isCompared
    ? `New in the logs since ${from}`
    : `In the logs since ${from}, new or not`;
  const more = others.length === 0
    ? ""
    : `; ${counted(others.length, "more kind")}`;
  return [{
    place: "happened",
    text: `${what}, ${counted(Number(count), "time")}: ${
      quoted(text, TEXT_CHARS_MAX)
    }${more}`,
    evidence: [...first.evidence],
    collected: true,
  }];
};
