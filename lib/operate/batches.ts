/**
 * Reading many things a few at a time.
 *
 * @module
 */

/**
 * Reads each item, `atOnce` of them at the same time.
 *
 * @returns What was read, in the order of the items, without what is gone.
 */
export async function readInBatches<T, R>(
  items: readonly T[],
  atOnce: number,
  read: (item: T) => Promise<R | undefined>,
): Promise<R[]> {
  const found: R[] = [];
  for (let at = 0; at < items.length; at += atOnce) {
    const batch = await Promise.all(
      items.slice(at, at + atOnce).map((item) => read(item)),
    );
    found.push(...batch.filter((one) => one !== undefined));
  }
  return found;
}
