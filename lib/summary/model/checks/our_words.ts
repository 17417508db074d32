/**
 * A claim is made of our words and of names out of its evidence. Words that only
 * stand in somebody's sentences are no names. Pure.
 *
 * @module
 */
import { type Check, citedItems, escapeRegExp } from "../claim.ts";
import { isOrdinary } from "../words.ts";
import { tokensOf } from "./copied.ts";
import { isAmount, unitOf } from "./numbers.ts";

/** So few names stand in one sentence. */
const NAMES_MAX = 6;

export const ourWords: Check = (claim, seen) => {
  const texts = citedItems(claim, seen).map(({ folded }) => folded);
  const foreign = tokensOf(claim.text).map((token) =>
    token.replace(/['’]s$/, "")
  ).filter((token) => !isOurs(token));
  const unnamed = foreign.find((token) =>
    !texts.some((text) => isNamed(text, token))
  );
  if (unnamed !== undefined) {
    return { reason: "not our words", word: unnamed };
  }
  return new Set(foreign).size > NAMES_MAX
    ? { reason: "not our words" }
    : { kept: claim };
};

function isOurs(token: string): boolean {
  const word = token.toLowerCase();
  return /^[+-]?\d[\d.,:%-]*[a-z%]{0,4}$/i.test(token) ||
    unitOf(word) !== undefined || isAmount(word) || isOrdinary(word) ||
    word.split("-").every((part) => isOrdinary(part));
}

/**
 * Whether it is a whole value, or part of a longer name. A sentence's words have
 * blanks around them.
 */
function isNamed(folded: string, token: string): boolean {
  const name = escapeRegExp(token);
  const isMarked = /[\d_.:/-]/.test(token) || /\p{Ll}\p{Lu}/u.test(token);
  if (isMarked) return folded.toLowerCase().includes(token.toLowerCase());
  return RegExp(
    `(?<=["=:/._{(-])${name}(?=["=:/._,;})-]|$)|(?<![\\w])${name}(?=[-_/][\\w])`,
    "i",
  ).test(folded);
}
