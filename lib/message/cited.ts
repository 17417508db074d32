/**
 * How a citation looks. Pure.
 *
 * @module
 */

/** An id as a citation names it; a question mark for what could be a word. */
export function plainId(id: string): string {
  return /^[A-Za-z]{1,2}\d{1,4}$/.test(id) ? id : "?";
}

/** `[E1, E2]`, of at most `idsMax`; empty without any. */
export function citing(ids: readonly string[], idsMax = 50): string {
  return ids.length === 0
    ? ""
    : `[${ids.slice(0, idsMax).map(plainId).join(", ")}]`;
}
