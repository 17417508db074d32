/**
 * A claim speaks of what its evidence speaks of: most of its things and names
 * stand there, and at least one in its quote. Pure.
 *
 * @module
 */
import { type Check, citedItems, fold } from "../claim.ts";
import { isFunctionWord, isThing } from "../words.ts";
import { tokensOf } from "./copied.ts";

/** `deployment` is found in `deployed`, `limits` in `limit`. */
const ENDING_CHARS = 4;
const STEM_CHARS_MIN = 3;
/** Words that every claim may use to speak of evidence. */
const ABOUT =
  /^(?:root|causes?|reasons?|evidence|incident|alerts?|logs?|lines?|metrics?|values?|minutes?|seconds?|hours?|times?|starts?|begin\w*|changes?|versions?|rates?|numbers?|errors?|problems?)$/;

export const onTopic: Check = (claim, seen) => {
  const texts = citedItems(claim, seen)
    .map(({ folded }) => folded.toLowerCase());
  const quote = fold(claim.quote).toLowerCase();
  const said = [
    ...new Set(tokensOf(claim.text).map((token) => token.toLowerCase())),
  ].filter((word) =>
    /\d/.test(word) ||
    word.length > 2 && !ABOUT.test(word) && !isFunctionWord(word)
  );
  const words = said.filter((word) => /\d/.test(word) || isThing(word));
  const found =
    words.filter((word) => texts.some((text) => text.includes(stemOf(word))))
      .length;
  const isMost = claim.section === "cause"
    ? found > words.length / 2
    : found >= words.length / 2;
  // And its quote is about one of them.
  const isQuoted = said.some((word) => quote.includes(stemOf(word)));
  return isMost && isQuoted ? { kept: claim } : { reason: "off topic" };
};

/** What a word shares with its other forms. */
export function stemOf(word: string): string {
  return /^[a-z]+$/.test(word)
    ? word.slice(0, Math.max(STEM_CHARS_MIN, word.length - ENDING_CHARS))
    : word.split(/[^\w.:-]/, 1)[0]!;
}
