/**
 * Text for people. Pure.
 *
 * @module
 */

/**
 * Cuts `text` to `charsMax` characters and marks the cut.
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

/**
 * One line for a terminal, without control characters, which could rewrite the
 * screen, and without marks that change the text's direction.
 */
export function printable(text: string, charsMax = 200): string {
  const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replace(/\p{Cf}/gu, "");
  return shorten(plain.trim(), charsMax);
}

/** Replaces characters that would control a display by U+FFFD. */
export function markControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\uFFFD");
}

/** A duration in its largest whole unit, such as `50 min`. */
export function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (Number.isNaN(seconds)) return "unknown";
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}
