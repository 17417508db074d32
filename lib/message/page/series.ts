/**
 * A number's course, read from a piece of evidence. Pure.
 *
 * @module
 */
import { isObject, parseJson, stringOf } from "../../base/json.ts";

/** Seconds since the epoch, and the value. */
export type Sample = readonly [at: number, value: number];

/** What a chart shows. */
export interface Series {
  title: string;
  samples: readonly Sample[];
  /** Beyond which it is bad. */
  limit?: { operator: string; value: number };
}

const SAMPLES_MAX = 5_000;
const OPERATORS = /^(?:[<>]=?|==|!=)$/;

/**
 * Reads the piece that a metrics collector keeps.
 *
 * @returns `undefined` for anything else, such as JSON that has been cut.
 */
export function seriesOf(title: string, text: string): Series | undefined {
  const value = parseJson(text);
  if (!isObject(value) || !Array.isArray(value["lines"])) return undefined;
  const [first] = value["lines"];
  const given = isObject(first) ? first["samples"] : undefined;
  if (!Array.isArray(given)) return undefined;
  const samples = given.slice(-SAMPLES_MAX).filter((sample): sample is Sample =>
    Array.isArray(sample) && sample.length === 2 &&
    // `Date` knows no later moment.
    Math.abs(sample[0]) <= 8.64e12 && Number.isFinite(sample[1])
  ).toSorted(([a], [b]) => a - b);
  if (samples.length < 2) return undefined;
  const operator = stringOf(value["operator"]);
  const limit = value["limit"];
  return {
    title,
    samples,
    ...typeof limit === "number" && Number.isFinite(limit) &&
        OPERATORS.test(operator)
      ? { limit: { operator, value: limit } }
      : {},
  };
}
