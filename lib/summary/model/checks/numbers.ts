/**
 * Finds a sentence's numbers in evidence, with their units. Pure.
 *
 * @module
 */
import { escapeRegExp } from "../claim.ts";

const UNITS: readonly (readonly [unit: string, spellings: string])[] = [
  ["ms", "ms|millis|millisecond|milliseconds"],
  ["s", "s|sec|secs|second|seconds"],
  ["min", "m|min|mins|minute|minutes"],
  ["h", "h|hr|hrs|hour|hours"],
  ["d", "d|day|days"],
  ["%", "%|percent|pct"],
  ["B", "b|byte|bytes"],
  ["KB", "k|kb|ki|kib"],
  ["MB", "mb|mi|mib"],
  ["GB", "g|gb|gi|gib"],
  ["TB", "t|tb|ti|tib"],
];
const UNIT_OF = new Map(
  UNITS.flatMap(([unit, spellings]) =>
    spellings.split("|").map((spelling) => [spelling, unit] as const)
  ),
);

/** Words that are numbers. `one` is mostly none. */
const WORDS = new Map(
  ("two three four five six seven eight nine ten eleven twelve thirteen " +
    "fourteen fifteen sixteen seventeen eighteen nineteen twenty").split(" ")
    .map((word, at) => [word, String(at + 2)] as const),
).set("zero", "0");
const AMOUNTS =
  /^(?:thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|half|halved|twice|thrice|doubled?|doubles|tripled?|quarter|third|tenfold|majority|couple|score|nil)$/;

/** A number with its unit, as it begins a text: `97.4 %`. */
export const NUMBER =
  /^[+-]?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)([a-z%]{0,12})$/i;

/** A time of day. */
export const TIME = /^\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?Z?$/;

/** Finds a time of day: its seconds may be left out, but not altered. */
export function timePattern(time: string): RegExp {
  const digits = escapeRegExp(time.replace(/Z$/, ""));
  return RegExp(`(?<![\\d:])0?${digits}(?![\\d.]\\d|\\d)`, "g");
}

/** A token's number and its unit, which may be the next token; else nothing. */
export function quantityOf(
  token: string,
  next: string | undefined,
): { number: string; unit: string | undefined } | undefined {
  const [, number, attached = ""] = NUMBER.exec(token) ?? [];
  if (number === undefined) return undefined;
  if (attached === "") return { number, unit: unitOf(next ?? "") };
  const unit = unitOf(attached);
  return unit === undefined ? undefined : { number, unit };
}

/** A unit's one spelling. */
export function unitOf(text: string): string | undefined {
  return UNIT_OF.get(text.toLowerCase());
}

/** Units as fields and sentences spell them out: `latency_seconds`. */
const SPELLED =
  /(?<![a-z])(?:ms|millis|milliseconds?|secs?|seconds?|minutes?|mins|hours?|days?|percent|percentage|pct|bytes?|[kmgt]i?b)(?![a-z])|%|(?<=\d\s?)(?:s|m|h|d)(?![a-z])|(?<=["_])s(?=["])/gi;

/** Which units a text names anywhere. */
export function unitsIn(text: string): ReadonlySet<string> {
  return new Set(
    [...text.replace(/([a-z])([A-Z])/g, "$1_$2").matchAll(SPELLED)]
      .flatMap(([unit]) =>
        unitOf(unit.toLowerCase().replace("percentage", "percent")) ?? []
      ),
  );
}

/** Where a text has this number with no other unit; bare: it has none there. */
export function numberPlaces(
  text: string,
  number: string,
  unit: string | undefined,
): { at: number; isBare: boolean }[] {
  // Not a part of a name, a version, a time, a date or a longer number.
  const pattern = RegExp(
    `(?<![\\w.]|\\w-|\\d[:,])${
      escapeRegExp(number)
    }(?![\\d]|[.,:-]\\d)\\s?([a-z%]{0,12})`,
    "gi",
  );
  return [...text.matchAll(pattern)].flatMap(({ index, 1: after = "" }) => {
    const found = unitOf(after);
    return unit !== undefined && found !== undefined && found !== unit ? [] : [{
      at: index,
      isBare: unit !== undefined && found === undefined,
    }];
  });
}

/** Whether a text has this number, and with no other unit. */
export function hasNumber(
  folded: string,
  number: string,
  unit: string | undefined,
): boolean {
  return numberPlaces(folded, number, unit).length > 0;
}

/** Whether a word is a number or an amount that a text must have, too. */
export function isAmount(word: string): boolean {
  return WORDS.has(word) || AMOUNTS.test(word);
}

/** Whether a text has an amount, as a word or in digits. */
export function hasAmount(folded: string, word: string): boolean {
  return amountPlaces(folded, word).length > 0;
}

/** Where it has it. */
export function amountPlaces(text: string, word: string): number[] {
  const digits = WORDS.get(word);
  return [
    ...[...text.matchAll(RegExp(`\\b${word}\\b`, "gi"))]
      .map(({ index }) => index),
    ...digits === undefined
      ? []
      : numberPlaces(text, digits, undefined).map(({ at }) => at),
  ];
}
