/**
 * Waiting for something to become true, with a deadline and no fixed sleep.
 *
 * @module
 */

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
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * Waits until timers that a library leaves behind after a lost connection, or
 * after a long reply, have run out. They announce their end to nobody.
 */
export function runOut(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_200));
}
