/**
 * Text for people. Pure.
 *
 * @module
 */

/** What redaction writes in the place of a value, as it is or in a URL. */
const PLACEHOLDER = /\[[a-z]+:[a-z-]+#\d+\]|%5b[a-z]+%3a[a-z-]+%23\d+%5d/gi;
const PLACEHOLDER_CHARS_MAX = 50;

/**
 * Cuts `text` to `charsMax` characters and marks the cut. Cuts no placeholder
 * of redaction, since its rest would say nothing.
 *
 * @param charsMax At least 1, for the mark.
 */
export function shorten(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const end = beforePlaceholder(text, charsMax - 1);
  // A cut inside a surrogate pair would leave half a character behind.
  const cut = text.slice(0, end).replace(/[\uD800-\uDBFF]$/, "");
  return `${cut}…`;
}

function beforePlaceholder(text: string, end: number): number {
  const start = Math.max(0, end - PLACEHOLDER_CHARS_MAX);
  const near = text.slice(start, end + PLACEHOLDER_CHARS_MAX);
  for (const { index, 0: { length } } of near.matchAll(PLACEHOLDER)) {
    const at = start + index;
    if (at < end && at + length > end) return at;
  }
  return end;
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

/** Begins a sentence of ours. */
export function capitalized(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/**
 * Every character that a reader cannot see: controls, format characters (marks
 * of direction and joiners among them), variation selectors, tags, fillers, and
 * the blanks that count as letters or signs.
 */
const UNSEEN = "\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}" +
  "\\p{Variation_Selector}\\u2800\\u{16FE4}\\u{1D159}";
const UNSEEN_PATTERN = RegExp(`[${UNSEEN}]`, "gu");
/** Line breaks, tabs and the like separate words, so they stay. */
const REMOVED_PATTERN = RegExp(`(?!\\s)[${UNSEEN}]|\\uFEFF`, "gu");
/** A terminal's codes whole, so that no `[31m` is left behind. */
const TERMINAL_CODE_PATTERN =
  // deno-lint-ignore no-control-regex -- They begin with a control character.
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\x9d\n]*(?:\x07|\x1b\\|\x9c)/g;

/**
 * One line of which nothing is hidden, for a terminal or any other reader: each
 * character that would control the display, break the line or not be seen
 * becomes its name, such as `<U+202E>`.
 */
export function visible(text: string): string {
  return text.toWellFormed().replace(
    UNSEEN_PATTERN,
    (character) => `<${codePoint(character)}>`,
  );
}

function codePoint(character: string): string {
  const digits = character.codePointAt(0)!.toString(16).toUpperCase();
  return `U+${digits.padStart(4, "0")}`;
}

/**
 * JSON of the same value, with what {@linkcode visible} names escaped, except
 * for the line breaks that lay it out.
 */
export function visibleJson(json: string): string {
  return json.replace(
    UNSEEN_PATTERN,
    (character) =>
      character === "\n" ? "\n" : character.replace(/[^]/g, escapeUnit),
  );
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * The text without what nobody could see in it. Blanks of every kind stay.
 *
 * Joiners go too, so a picture made of several falls apart into these, and a
 * variation selector leaves the plain sign.
 */
export function removeUnseen(text: string): string {
  return text.replace(TERMINAL_CODE_PATTERN, "").replace(REMOVED_PATTERN, "");
}

/** One {@linkcode visible} line of at most `charsMax` characters. */
export function printable(text: string, charsMax = 200): string {
  return shorten(visible(text.replace(/\s+/g, " ").trim()), charsMax);
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

/** A number as people write it: three digits that count, no exponent in between. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) {
    return value.toExponential(2);
  }
  return size >= 100
    ? String(Math.round(value * 10) / 10)
    : String(Number(value.toPrecision(3)));
}
