/**
 * Finds where a number, a time or an amount of a claim stands in evidence. Pure.
 *
 * @module
 */
import { type Layout, partOf, placeAt, positions } from "../records.ts";
import {
  amountPlaces,
  isAmount,
  numberPlaces,
  quantityOf,
  TIME,
  timePattern,
  unitsIn,
} from "./numbers.ts";

/** Where a number, a time or an amount stands; `undefined` for other words. */
export function finder(
  token: string,
  next: string | undefined,
  before: string | undefined,
): ((layout: Layout) => number[]) | undefined {
  if (TIME.test(token)) {
    return ({ text }) => positions(text, timePattern(token));
  }
  if (isAmount(token.toLowerCase())) {
    return ({ text }) => amountPlaces(text, token.toLowerCase());
  }
  const quantity = quantityOf(token, next);
  if (quantity === undefined) return undefined;
  const { number, unit } = quantity;
  return (layout) =>
    numberPlaces(layout.text, number, unit)
      .filter(({ at, isBare }) => !isBare || isInUnit(layout, at, unit!))
      // What there is in all is not what there was of it.
      .filter(({ at }) =>
        before === "of" || !/\d of $/.test(layout.text.slice(at - 6, at))
      )
      .map(({ at }) => at);
}

/** Whether a number without a unit is in one by what stands around it. */
function isInUnit(layout: Layout, at: number, unit: string): boolean {
  const { key, clause, record } = placeAt(layout, at);
  for (
    const text of [`${key} ${clause}`, partOf(layout, record), layout.text]
  ) {
    const units = unitsIn(text);
    if (units.size > 0) return units.has(unit);
  }
  return false;
}
