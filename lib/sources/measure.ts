/**
 * The value and the limit that a sentence states. Pure.
 *
 * Rules write these as they like, so only what is plain is read: a limit that
 * is called one, and the first number of the same unit before it.
 *
 * @module
 */

/** As the sentence writes them. */
export interface Measure {
  /** Such as `97.4 %`. */
  value: string;
  /** Such as `90 %`. */
  limit?: string;
  /** How far past the limit, 0 for no limit: 1 is twice or half of it. */
  past: number;
}

const UNIT =
  "%|percent|[µnm]?s|sec(?:ond)?s?|min(?:ute)?s?|h(?:ours?)?|d(?:ays?)?|[KMGTP]?i?B|[KMGT]i|(?:req|msg|ops)?/s|rps";
/** No part of a name or a version: `db-1`, `v1.2`, `1.2.3`. */
const NUMBER =
  `(?<![\\w.:/#-])([-+]?(?:\\d{1,3}(?:[ \u00a0\u202f]\\d{3})+(?!\\d)|\\d+)(?:[.,]\\d+)*(?:e[-+]?\\d+)?)(?:\\s?(${UNIT}))?(?![\\w:/]|[.-]\\w)`;
const NUMBERS = RegExp(NUMBER, "g");
const LIMIT = RegExp(
  `(?:\\b(?:limit|threshold|maximum|minimum|max|min|allowed|target|slo|objective)\\b(?:\\s+(?:is|of|was|at))?|\\b(?:above|below|more than|less than|greater than)\\b(?:\\s+(?:its|the)\\s+(?:limit|threshold)(?:\\s+of)?)?|[<>]=?)\\s*[:=]?\\s*${NUMBER}`,
  "i",
);
/** Of each unit in its smallest; what is not here has one spelling only. */
const SCALE: Readonly<Record<string, readonly [of: string, factor: number]>> = {
  ns: ["s", 1e-9],
  "µs": ["s", 1e-6],
  ms: ["s", 1e-3],
  s: ["s", 1],
  sec: ["s", 1],
  secs: ["s", 1],
  second: ["s", 1],
  seconds: ["s", 1],
  min: ["s", 60],
  mins: ["s", 60],
  minute: ["s", 60],
  minutes: ["s", 60],
  h: ["s", 3600],
  hour: ["s", 3600],
  hours: ["s", 3600],
  d: ["s", 86_400],
  day: ["s", 86_400],
  days: ["s", 86_400],
  percent: ["%", 1],
  B: ["B", 1],
  KB: ["B", 1e3],
  MB: ["B", 1e6],
  GB: ["B", 1e9],
  TB: ["B", 1e12],
  KiB: ["B", 2 ** 10],
  MiB: ["B", 2 ** 20],
  GiB: ["B", 2 ** 30],
  TiB: ["B", 2 ** 40],
};

interface Quantity {
  text: string;
  /** The unit as it is written. */
  as: string;
  unit: string;
  size: number;
}

/** Reads a sentence; `undefined` if it states no value. */
export function measureOf(sentence: string): Measure | undefined {
  const stated = LIMIT.exec(sentence);
  const limit = stated === null
    ? undefined
    : quantityOf(stated[1]!, stated[2] ?? "");
  const until = stated?.index ?? sentence.length;
  const values = [...sentence.matchAll(NUMBERS)]
    .filter(({ index }) => index < until)
    .map(([, digits = "", unit = ""]) => quantityOf(digits, unit));
  const value = limit === undefined
    ? values.find(({ unit }) => unit !== "") ?? values[0]
    // `For 10 min p99 is 3 s (limit 2 s)` states a duration, too.
    : values.find(({ as }) => as === limit.as) ??
      values.find(({ unit }) => unit === limit.unit);
  if (value === undefined) return undefined;
  if (limit === undefined) return { value: value.text, past: 0 };
  return { value: value.text, limit: limit.text, past: pastOf(value, limit) };
}

function quantityOf(digits: string, unit: string): Quantity {
  const [of, factor] = Object.hasOwn(SCALE, unit) ? SCALE[unit]! : [unit, 1];
  // A space parts thousands, and so does a comma before three digits.
  const plain = digits.replace(/[\s\u00a0\u202f]|,(?=\d{3}(?!\d))/g, "")
    .replace(",", ".");
  const space = unit === "" ? "" : " ";
  return {
    text: `${digits}${space}${unit}`,
    as: unit,
    unit: of,
    size: Number(plain) * factor,
  };
}

/** Limits are passed either way, so the ratio counts whatever its direction. */
function pastOf({ size: value }: Quantity, { size: limit }: Quantity): number {
  if (value <= 0 || limit <= 0) return Math.abs(value - limit);
  return Math.abs(Math.log2(value / limit));
}
