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

const NO_WIDTH = /^[\p{M}\u200B-\u200D\uFE0F]$/u;
/** Letters of East Asia and pictures. */
const WIDE =
  /^[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\p{Emoji_Presentation}]$/u;

/** The columns that a text fills on a terminal. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (NO_WIDTH.test(character)) continue;
    columns += WIDE.test(character) ? 2 : 1;
  }
  return columns;
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

/** `2026-11-28 21:30:02 UTC` for a time of RFC 3339; other text as it is. */
export function utcOf(at: string): string {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return printable(at, 40);
  return `${moment.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
