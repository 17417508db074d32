/**
 * Text that others wrote, beside our own words. Pure.
 *
 * Whoever writes an alert chooses its words, so nothing of it may pass for ours:
 * our lines begin with {@linkcode OWN_MARK} or with a sign of severity, claims
 * end with a citation, and what we repeat stands in quotes. Foreign text can
 * hold none of these marks and close no quote.
 *
 * @module
 */
import { removeUnseen, shorten } from "./text.ts";

/** Begins our own lines: headings, small print, the footer. */
export const OWN_MARK = "◆";
/** Stands where foreign text had a mark of ours. */
const NO_MARK = "▫";

/**
 * Our marks and what looks like them: coloured circles and squares, lozenges,
 * ticks.
 */
const MARKS =
  /[\u{1F534}\u{1F535}\u{1F7E0}-\u{1F7EB}\u2B24\u{1F518}◆◈❖⬥⯁♦⬧⧫\u{1F536}-\u{1F539}✅☑✓✔🗸\u{1F197}\u{1F5F9}]/gu;
/** What looks like `“` or `”`. */
const QUOTES = /[“”„‟❝❞〝〞〟＂″‶ʺ˝\u{1F676}-\u{1F678}]|[‘’‚‛❛❜′‵ʹ]{2,}/gu;
const BRACKETED = /\p{Ps}([^\p{Ps}\p{Pe}]{1,60})\p{Pe}/gu;
/** Each of them looks like the Latin letter. */
const E_TWINS = /[EeΕЕеᎬꓰⲈ℮]/g;
const CITATION =
  /^\s*E\s*[1-9]\d{0,3}(?:\s*(?:[,;·&+]\s*E?|[-–]\s*E)\s*\d{1,4})*\s*$/;
/** A name that needs no quotes, since no sentence of ours is one word. */
const NAME = /^(?!www\.)[A-Za-z0-9](?:[\w.@-]*|\w*:[\w.-]*)$/i;

/**
 * One line of foreign text, without what nobody could see and without marks of
 * ours. Blanks become one space, half a surrogate pair U+FFFD, and brackets
 * around what reads like a citation round ones. All else can be copied.
 */
export function foreignLine(text: string): string {
  return oneLine(text)
    .replace(MARKS, NO_MARK)
    .replace(BRACKETED, (whole, inner: string) => {
      const plain = inner.normalize("NFKD").replace(/\p{M}/gu, "")
        .replace(E_TWINS, "E");
      return CITATION.test(plain) ? `(${inner})` : whole;
    });
}

/** Text as one line without anything that its reader could not see. */
export function oneLine(text: string): string {
  return removeUnseen(text.toWellFormed()).replace(/\s+/g, " ").trim();
}

/**
 * Foreign text in quotes that it cannot close.
 *
 * @param charsMax At least 3; with the quotes.
 */
export function quoted(text: string, charsMax = 300): string {
  const line = foreignLine(text).replace(QUOTES, '"');
  return `“${shorten(line, charsMax - 2)}”`;
}

/** A foreign name: bare if it is one plain word, else {@linkcode quoted}. */
export function named(text: string, charsMax = 100): string {
  const line = oneLine(text);
  return NAME.test(line) && line.length <= charsMax
    ? line
    : quoted(line, charsMax);
}
