/**
 * The course of a number: when it crossed its limit, where it is heading, what
 * it looks like. Pure; all of it can be read off the samples.
 *
 * @module
 */

/** Seconds since the epoch, and the value. */
export type Sample = readonly [at: number, value: number];

/** A limit, and how it reads with the series on the left. */
export interface Limit {
  readonly operator: string;
  readonly value: number;
}

/** What the samples of one series show. */
export interface Course {
  readonly last: Sample;
  /** The highest, or the lowest for a limit below which it is bad. */
  readonly worst: Sample;
  /** Where the latest stretch beyond the limit began. */
  readonly crossed?: Sample;
  readonly trend: "rising" | "falling" | "flat";
}

const BARS = "▁▂▃▄▅▆▇█";
/** A share of the whole range that counts as a change. */
const FLAT = 0.1;
/** A share that counts at once: more than the noise of so few samples. */
const JUMP = 0.4;
const JUMP_SAMPLES = 2;

/** Reads a course; `undefined` without a finite sample. */
export function courseOf(
  samples: readonly Sample[],
  limit?: Limit,
): Course | undefined {
  const finite = samples.filter(([, value]) => Number.isFinite(value));
  const last = finite.at(-1);
  if (last === undefined) return undefined;
  const isLow = limit !== undefined && /^<|^==/.test(limit.operator);
  const worst = finite.reduce((a, b) =>
    (isLow ? b[1] < a[1] : b[1] > a[1]) ? b : a
  );
  const crossed = limit && crossingOf(finite, limit);
  return {
    last,
    worst,
    ...crossed && { crossed },
    trend: trendOf(finite),
  };
}

/** The first sample of the last stretch that is beyond the limit. */
function crossingOf(
  samples: readonly Sample[],
  limit: Limit,
): Sample | undefined {
  const end = samples.findLastIndex(([, value]) => isBeyond(value, limit));
  let start = end;
  while (start > 0 && isBeyond(samples[start - 1]![1], limit)) start--;
  return end < 0 ? undefined : samples[start];
}

/** Whether the alert's condition holds for this value. */
export function isBeyond(value: number, { operator, value: limit }: Limit) {
  switch (operator) {
    case ">":
      return value > limit;
    case ">=":
      return value >= limit;
    case "<":
      return value < limit;
    case "<=":
      return value <= limit;
    case "==":
      return value === limit;
    default:
      return value !== limit;
  }
}

/**
 * Compares the last eighth with the one before it, at least one sample each. An
 * alert is often younger than that, so a jump of the last two samples counts too.
 */
function trendOf(samples: readonly Sample[]): Course["trend"] {
  const values = samples.map(([, value]) => value);
  const range = Math.max(...values) - Math.min(...values);
  const size = Math.max(1, Math.floor(values.length / 8));
  const change = (count: number) =>
    mean(values.slice(-count)) - mean(values.slice(-count - size, -count));
  const jump = change(JUMP_SAMPLES);
  const shown = Math.abs(jump) > range * JUMP ? jump : change(size);
  if (!(Math.abs(shown) > range * FLAT)) return "flat";
  return shown > 0 ? "rising" : "falling";
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * A line of bars, each the mean of its share of the time; a blank where there
 * are no samples.
 */
export function sparkline(samples: readonly Sample[], width = 12): string {
  const finite = samples.filter(([, value]) => Number.isFinite(value));
  if (finite.length === 0) return "";
  const [start] = finite[0]!;
  const [end] = finite.at(-1)!;
  const step = (end - start) / width || 1;
  const groups = Array.from({ length: width }, (): number[] => []);
  for (const [at, value] of finite) {
    groups[Math.min(width - 1, Math.floor((at - start) / step))]!.push(value);
  }
  const means = groups.map((group) => group.length === 0 ? NaN : mean(group));
  const known = means.filter((value) => !Number.isNaN(value));
  const low = Math.min(...known);
  const range = Math.max(...known) - low;
  return means.map((value) => {
    if (Number.isNaN(value)) return " ";
    const at = range === 0 ? 0 : (value - low) / range * (BARS.length - 1);
    return BARS[Math.round(at)];
  }).join("").trimEnd();
}
