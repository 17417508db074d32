/**
 * Reads the value that stands at a place: in quotes or up to a separator. Pure.
 *
 * @module
 */
import { skipPlaceholder } from "./span.ts";

/** The characters of a text, by their codes; none beyond U+00FF. */
export function charTable(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

const ENDS = charTable(" \t\r\n\v\f\u00a0\"'`,;&<>{}[])|");
const ESCAPED_ENDS = charTable("nrtu\"'`\\");
const BACKSLASH = 92;

/** Whether a value without quotes ends at `at`. */
export function endsValue(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code === BACKSLASH) return ESCAPED_ENDS[text.charCodeAt(at + 1)] === 1;
  // Line separators, and the quotes “ and ”.
  return ENDS[code] === 1 || code >= 0x201c && code <= 0x2029 &&
      (code <= 0x201d || code >= 0x2028);
}

/** Whether a placeholder stands between the two. */
export function holdsPlaceholder(
  text: string,
  start: number,
  end: number,
): boolean {
  const stop = Math.min(end, start + QUOTED_MAX);
  for (let at = start; at < stop; at++) {
    if (skipPlaceholder(text, at) > at) return true;
  }
  return false;
}

/** What may stand between operator and value. */
export const PREFIX =
  /(?:!!\w{1,12}[ \t]{1,4}|&[\w-]{1,40}[ \t]{1,4}|[rbfuN@$](?=["'`])|(?:Bearer|Basic|Token)[ ](?=\S))/y;
/** What opens a value in quotes. */
export const OPEN = /\\{0,3}(?:"""|'''|["'`])|&quot;|&#34;|&apos;|\\u0022/y;
const QUOTED_MAX = 4096;

/** Where what `open` opened is closed, on the same line. */
export function closing(
  text: string,
  start: number,
  open: string,
): number | undefined {
  for (let from = start;;) {
    const end = text.indexOf(open, from);
    if (end === -1 || end - start > QUOTED_MAX) return undefined;
    const escaped = open.length === 1 && text[end - 1] === "\\" &&
      text[end - 2] !== "\\";
    if (escaped) {
      from = end + 1;
      continue;
    }
    const long = open.length > 1 && !open.startsWith("\\");
    if (!long && text.slice(start, end).includes("\n")) return undefined;
    return end;
  }
}

/** Where a value without quotes that starts at `at` ends. */
export function runEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && end - at < QUOTED_MAX) {
    const skipped = skipPlaceholder(text, end);
    if (skipped === end && endsValue(text, end)) break;
    end = Math.max(skipped, end + 1);
  }
  return end;
}

/** The end of what `pattern` matches at `at`. */
export function after(
  pattern: RegExp,
  text: string,
  at: number,
): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
