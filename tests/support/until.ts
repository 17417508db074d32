/**
 * Waits for something to become true, with a deadline and without a fixed sleep.
 *
 * @module
 */

import { delay } from "../../lib/base/time.ts";

/**
 * Polls until `holds` gives a truthy value.
 *
 * @returns That value.
 * @throws {Error} After `timeoutMs`, naming what was waited for.
 */
export async function until<T>(
  what: string,
  holds: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  while (true) {
    const value = await holds();
    if (value) return value as NonNullable<T>;
    if (performance.now() > deadline) {
      throw new Error(`Gave up waiting for ${what} after ${timeoutMs} ms`);
    }
    await delay(10);
  }
}

/**
 * Waits for timers that a library leaves behind after a lost connection or a long
 * reply. Nothing tells when they end.
 */
export function runOut(): Promise<void> {
  return delay(1_200);
}
