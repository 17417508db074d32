/**
 * Text for people. Pure.
 *
 * @module
 */

/**
 * `text`, cut to `charsMax` characters with a mark that says so.
 *
 * @param charsMax At least 1, for the mark.
 */
export function shorten(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  // A cut inside a surrogate pair would leave half a character behind.
  const cut = text.slice(0, charsMax - 1).replace(/[\uD800-\uDBFF]$/, "");
  return `${cut}…`;
}

/** `1 piece`, `2 pieces`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
