/**
 * What a number did that has no stated limit: stayed, moved, or moved and came
 * back. Pure.
 *
 * @module
 */
import type { Health } from "../../lib/incident.ts";
import type { Limit, Sample } from "../../lib/evidence/course.ts";
import { isBeyond } from "../../lib/evidence/course.ts";

export interface Movement {
  readonly health: Health;
  /** Where it began, in the middle of its first samples or better. */
  readonly from: number;
  /** In the middle of its last samples. */
  readonly to: number;
  /** The furthest it went. */
  readonly peak: number;
  /** How far: 1 is twice or half. */
  readonly size: number;
}

export interface Nature {
  readonly unit: string;
  /** Whether low values are the bad ones, as of free space. */
  readonly isLowBad: boolean;
  /** Whether a share of all there is, whose end is 100 %. */
  readonly isShare: boolean;
}

/** Twice or half counts as a change. */
const MOVED = 0.95;
/** Back within this much of where it was counts as back. */
const BACK = 0.5;
/** A share of a whole beyond which there is no room, whatever it was before. */
const FULL_PERCENT = 85;
/** Below it, a change is noise. */
const FLOORS: Readonly<Record<string, number>> = {
  percent: 25,
  milliseconds: 10,
  seconds: 10,
  count: 3,
  "count/second": 50,
};

/** Judges a series; `undefined` without a finite sample. */
export function movementOf(
  samples: readonly Sample[],
  { unit, isLowBad, isShare }: Nature,
  limit?: Limit,
): Movement | undefined {
  const values = samples.map(([, value]) => value).filter(Number.isFinite);
  const [first] = values;
  if (first === undefined) return undefined;
  const some = Math.max(1, Math.floor(values.length / 5));
  const to = middle(values.slice(-Math.min(3, values.length)));
  const start = middle(values.slice(0, some));
  const furthest = (one: number, other: number) =>
    (isLowBad ? other < one : other > one) ? other : one;
  const peak = values.reduce(furthest);
  // A jump after the first sample begins there.
  const from = isLowBad ? Math.max(first, start) : Math.min(first, start);
  const floor = FLOORS[unit.toLowerCase()] ?? 0;
  const far = (value: number) =>
    !isLowBad && value < floor
      ? 0
      : isLowBad
      ? ratio(from, value)
      : ratio(value, from);
  const isOver = (value: number) =>
    limit !== undefined
      ? isBeyond(value, limit)
      : isShare && value >= FULL_PERCENT || far(value) >= MOVED;
  const health = isOver(to)
    ? "ill"
    : !isOver(peak)
    ? "well"
    : limit !== undefined || far(to) <= BACK
    ? "recovered"
    : "ill";
  const size = Math.max(far(to), health === "recovered" ? far(peak) : 0);
  return { health, from, to, peak, size };
}

/** Doublings from one to the other. */
function ratio(value: number, from: number): number {
  if (value === from) return 0;
  return Math.log2(Math.max(value, 1e-9) / Math.max(from, 1e-9));
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
