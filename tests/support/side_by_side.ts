/**
 * Cases that mostly wait, run at the same time.
 *
 * Not as steps: steps that overlap have to do without sanitizers.
 *
 * @module
 */

/**
 * Runs each case.
 *
 * @param atOnce How many at a time.
 * @throws {AggregateError} Names every case that failed, and says why.
 */
export async function sideBySide<C extends { name: string }>(
  cases: readonly C[],
  run: (one: C) => Promise<void>,
  atOnce: number = cases.length,
): Promise<void> {
  const failures: Error[] = [];
  const rest = cases.values();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const one of rest) {
      try {
        await run(one);
      } catch (cause) {
        failures.push(new Error(one.name, { cause }));
      }
    }
  }));
  if (failures.length === 0) return;
  const names = failures.map(({ message }) => message).join("; ");
  throw new AggregateError(failures, `${failures.length} failed: ${names}`);
}
