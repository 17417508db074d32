/**
 * Finds where a number, a time or an amount of a claim stands in evidence. Pure.
 *
 * @module
 */
import { escapeRegExp } from "../claim.ts";
import { type Layout, partOf, placeAt, positions } from "../records.ts";
import {
  amountPlaces,
  isAmount,
  NUMBER,
  numberPlaces,
  unitOf,
  unitsIn,
} from "./numbers.ts";

/** A time of day. */
export const TIME = /^\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?Z?$/;

/** Where a number, a time or an amount stands; `undefined` for other words. */
export function finder(
  token: string,
  next: string | undefined,
  before: string | undefined,
): ((layout: Layout) => number[]) | undefined {
  if (TIME.test(token)) {
    const time = escapeRegExp(token.replace(/Z$/, ""));
    return ({ text }) =>
      positions(text, RegExp(`(?<![\\d:])0?${time}(?![\\d.]\\d|\\d)`, "g"));
  }
  if (isAmount(token.toLowerCase())) {
    return ({ text }) => amountPlaces(text, token.toLowerCase());
  }
  const [, number, attached = ""] = NUMBER.exec(token) ?? [];
  if (number === undefined) return undefined;
  const unit = attached !== ""
    ? unitOf(attached)
    : next === undefined
    ? undefined
    : unitOf(next);
  if (attached !== "" && unit === undefined) return undefined;
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
