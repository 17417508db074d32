/**
 * Counts the tokens of a day, for all summarizers together.
 *
 * @module
 */
import { OutsideError } from "../../base/errors.ts";
import type { Tokens } from "./provider.ts";

const PREFIX = "incident-enricher:tokens:";
/** The day itself, and one more to look at it. */
const KEPT_S = 2 * 24 * 60 * 60;

/** Adds to a number that expires; returns the sum. */
export type Add = (key: string, by: number, ttlS: number) => Promise<number>;

/** Tokens that were set aside for one answer. */
export interface Share {
  /** Gives back what was not used. */
  settle(used: Tokens | undefined): Promise<void>;
}

/** The key that holds a day's tokens. */
export function tokensKey(now: Date): string {
  return `${PREFIX}${now.toISOString().slice(0, 10)}`;
}

/**
 * Sets tokens aside before they are used, since others may ask at the same time.
 * What is not known to be unused stays counted.
 *
 * @returns `budget` if too few are left, `uncounted` if nobody can tell.
 */
export async function takeShare(
  add: Add,
  { tokens, dailyMax, now }: { tokens: number; dailyMax: number; now: Date },
): Promise<Share | "budget" | "uncounted"> {
  const key = tokensKey(now);
  const giveBack = async (unused: number) => {
    if (unused <= 0) return;
    try {
      await add(key, -unused, KEPT_S);
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error;
    }
  };
  try {
    if (await add(key, tokens, KEPT_S) > dailyMax) {
      await giveBack(tokens);
      return "budget";
    }
  } catch (error) {
    if (error instanceof OutsideError) return "uncounted";
    throw error;
  }
  return {
    settle: (used) =>
      used === undefined
        ? Promise.resolve()
        : giveBack(tokens - used.input - used.output),
  };
}
