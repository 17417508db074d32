/**
 * When people are told of an approval that waits. Pure.
 *
 * @module
 */
import { INPUT_MS } from "../proposal.ts";

/** A moment at which people are told once. */
export interface Stage {
  kind: "new" | "reminder" | "last";
  /** What was told at a later stage is not told at an earlier one any more. */
  rank: number;
}

/** What decides on it. */
export interface Waited {
  /** Since when it waits, in ms since the epoch. */
  sinceMs: number;
  /** Until when it can be approved; `undefined` if nothing is known. */
  untilMs: number | undefined;
  /** Whether it can be approved now. */
  approvable: boolean;
}

const MINUTE_MS = 60_000;
/** So long before it expires; earlier than that if it has little time at all. */
const LAST_MS = 10 * MINUTE_MS;
const LAST_RANK = 100;

/**
 * The stage that an approval has reached. Only the last one counts, so that
 * people are not told three times by a desk that was down.
 *
 * @returns `undefined` if nobody is to be told any more.
 */
export function stageOf(
  { sinceMs, untilMs, approvable }: Waited,
  remindMinutes: readonly number[],
  nowMs: number,
): Stage | undefined {
  // The platform has dropped its input; the notices' records go soon.
  if (nowMs - sinceMs >= INPUT_MS) return undefined;
  const first: Stage = { kind: "new", rank: 0 };
  // Whoever was told before sees what became of it; others hear of it once.
  if (!approvable) return first;
  if (untilMs !== undefined && nowMs >= lastMs(sinceMs, untilMs)) {
    return { kind: "last", rank: LAST_RANK };
  }
  const rank =
    remindMinutes.filter((minutes) => nowMs - sinceMs >= minutes * MINUTE_MS)
      .length;
  return rank === 0 ? first : { kind: "reminder", rank };
}

/** When the last notice is due. */
function lastMs(sinceMs: number, untilMs: number): number {
  const leadMs = Math.max(0, untilMs - sinceMs) / 4;
  return untilMs - Math.min(LAST_MS, leadMs);
}
