/**
 * Every number, time, name and quoted word of a claim stands in the items that
 * it cites. Models alter these without a word. Pure.
 *
 * @module
 */
import { type Check, citedItems, escapeRegExp, fold } from "../claim.ts";
import { isOrdinary } from "../words.ts";
import {
  hasAmount,
  hasNumber,
  isAmount,
  quantityOf,
  TIME,
  timePattern,
} from "./numbers.ts";

const QUOTED = /[“"]([^“”"]+)[”"]|(?<!\w)['‘]([^'’‘]+)['’](?!\w)|`([^`]+)`/g;
const TOKEN = /[+-]?[\p{L}\p{N}][\p{L}\p{N}_.,:/@+%-]*|%/gu;
const DATE = /^\d{4}-\d\d-\d\d$/;

export const copied: Check = (claim, seen) => {
  const texts = citedItems(claim, seen).map(({ folded }) => folded);
  const isThere = (has: (folded: string) => boolean) => texts.some(has);
  for (const [, ...groups] of claim.text.matchAll(QUOTED)) {
    const quoted = fold(groups.find((group) => group !== undefined) ?? "");
    if (!isThere((text) => text.includes(quoted))) {
      return { reason: "not copied", word: quoted };
    }
  }
  const tokens = tokensOf(claim.text);
  for (const [at, token] of tokens.entries()) {
    const next = tokens[at + 1];
    if (!isThere((text) => hasToken(text, token, next, at === 0))) {
      return { reason: "not copied", word: token };
    }
  }
  return { kept: claim };
};

/** A sentence's words without the marks around them. */
export function tokensOf(text: string): string[] {
  return (text.match(TOKEN) ?? []).map((token) =>
    token.replace(/[.,:/@-]+$/, "").replace(/^-(?!\d)/, "")
  ).filter((token) => token !== "");
}

function hasToken(
  folded: string,
  token: string,
  next: string | undefined,
  isFirst: boolean,
): boolean {
  const quantity = quantityOf(token, next);
  if (quantity !== undefined) {
    return hasNumber(folded, quantity.number, quantity.unit);
  }
  const word = token.toLowerCase();
  if (TIME.test(token)) return timePattern(token).test(folded);
  if (DATE.test(token)) return RegExp(`(?<!\\d)${token}(?!\\d)`).test(folded);
  if (isAmount(word)) return hasAmount(folded, word);
  if (!isName(token, isFirst)) return true;
  return isOrdinary(word) || hasName(folded, token);
}

/** Digits, marks inside or capitals make a word a name. */
function isName(token: string, isFirst: boolean): boolean {
  return /[\d_.,:/@+-]/.test(token) || /\p{Ll}\p{Lu}/u.test(token) ||
    /\p{Lu}{2}/u.test(token) || !isFirst && /^\p{Lu}/u.test(token);
}

/** With digits, one name is never the beginning of another. */
export function hasName(folded: string, name: string): boolean {
  const end = /\d/.test(name) ? "(?![\\w-]|\\.\\d)" : "(?!\\w)";
  return RegExp(`(?<![\\w-])${escapeRegExp(name)}${end}`, "i").test(folded);
}
