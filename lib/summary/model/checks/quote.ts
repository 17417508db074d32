/**
 * A claim's quote stands in an item that it cites, as the model saw it. Pure.
 *
 * @module
 */
import { type Check, citedItems, fold } from "../claim.ts";
import { LEFT_OUT } from "../orders.ts";

const QUOTE_CHARS_MIN = 8;

export const quote: Check = (claim, seen) => {
  const quote = fold(claim.quote);
  // What was left out says nothing.
  if (LEFT_OUT.includes(quote) || quote.includes(LEFT_OUT)) {
    return { reason: "no such quote" };
  }
  const isThere = quote.length >= QUOTE_CHARS_MIN &&
    citedItems(claim, seen).some(({ folded }) => folded.includes(quote));
  return isThere ? { kept: claim } : { reason: "no such quote" };
};
