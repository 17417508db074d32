/**
 * Numbers with their units: as people write them, and as alerts state limits.
 * Pure.
 *
 * @module
 */
import { numberText } from "../../lib/base/text.ts";
import type { Limit } from "../../lib/evidence/course.ts";

const UNITS: Readonly<Record<string, string>> = {
  Percent: "%",
  Milliseconds: "ms",
  Seconds: "s",
  "Count/Second": "/s",
  Count: "",
};
const SIZES = ["B", "kB", "MB", "GB", "TB"];
/** What a stated unit is in a metric's own, by the metric's unit. */
const FACTORS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  percent: { "%": 1, percent: 1 },
  seconds: {
    s: 1,
    sec: 1,
    second: 1,
    min: 60,
    minute: 60,
    h: 3600,
    hour: 3600,
  },
  milliseconds: { ms: 1, s: 1000, second: 1000 },
  bytes: {
    b: 1,
    kb: 1e3,
    mb: 1e6,
    gb: 1e9,
    tb: 1e12,
    kib: 2 ** 10,
    mib: 2 ** 20,
    gib: 2 ** 30,
    tib: 2 ** 40,
  },
  count: { "": 1, connection: 1, session: 1 },
  "count/second": { "": 1, iops: 1, "/s": 1 },
};
const STATED =
  /(?:\b(?:above|exceed(?:s|ed|ing)?|over|below|under|limit(?: of| is)?|more than|less than|dropped to|threshold(?: of| is)?)\b|[<>]=?|\()\s*\(?(\d[\d,]*(?:\.\d+)?)\s*([%a-z/]*)/gi;
const COUNT_WORD = /^(?:connection|session|iops)/;

/** The limit that sentences about a metric state, if its unit is the metric's. */
export function limitIn(
  sentences: readonly string[],
  { unit, isLowBad }: { unit: string; isLowBad: boolean },
): Limit | undefined {
  const factors = FACTORS[unit.toLowerCase()] ?? {};
  for (const sentence of sentences) {
    for (const [, digits = "", word = ""] of sentence.matchAll(STATED)) {
      const stated = word.toLowerCase().replace(/(?<=[a-z]{2})s$/, "");
      const isBare = "" in factors && !COUNT_WORD.test(stated) &&
        !/^(?:%|percent|[kmgt]i?b|ms|s|sec|min|h)|^(?:second|minute|hour|day)/
          .test(stated);
      const factor = factors[isBare ? "" : stated];
      if (factor === undefined) continue;
      const value = Number(digits.replaceAll(",", "")) * factor;
      return { operator: isLowBad ? "<" : ">", value };
    }
  }
  return undefined;
}

/** `1.5 GB`, `72 %`, `18210 /s`. */
export function quantity(value: number, unit: string): string {
  if (/^Bytes/.test(unit)) {
    const at = Math.min(
      SIZES.length - 1,
      Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(value))) / 3)),
    );
    const per = unit.endsWith("/Second") ? "/s" : "";
    return `${numberText(value / 10 ** (3 * at))} ${SIZES[at]}${per}`;
  }
  return `${numberText(value)} ${UNITS[unit] ?? unit}`.trim();
}
