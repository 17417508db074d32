/**
 * A claim's quote stands in an item that it cites, as the model saw it. Pure.
 *
 * @module
 */
import { type Check, citedItems, fold } from "../claim.ts";

const QUOTE_CHARS_MIN = 8;

export const quote: Check = (claim, seen) => {
  const quote = fold(claim.quote);
  const isThere = quote.length >= QUOTE_CHARS_MIN &&
    citedItems(claim, seen).some(({ folded }) => folded.includes(quote));
  return isThere ? { kept: claim } : { reason: "no such quote" };
};
