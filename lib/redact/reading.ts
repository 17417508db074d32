/**
 * Reads the value that stands at a place: in quotes or up to a separator. Pure.
 *
 * @module
 */
import { skipPlaceholder } from "./span.ts";

const ENDS = new Set(" \t\r\n\v\f\u00a0\u2028\u2029\"'`,;&<>{}[])|");

/** Whether a value without quotes ends at `at`. */
export function endsValue(text: string, at: number): boolean {
  const character = text[at]!;
  if (character === "\\") return /[nrtu"'`\\]/.test(text[at + 1] ?? "");
  return ENDS.has(character);
}

/** Whether a placeholder stands between the two. */
export function holdsPlaceholder(
  text: string,
  start: number,
  end: number,
): boolean {
  const part = text.slice(start, Math.min(end, start + 4096));
  const at = part.indexOf("[secret:");
  if (at !== -1) return skipPlaceholder(text, start + at) > start + at;
  const encoded = part.search(/%5bsecret/i);
  return encoded !== -1 &&
    skipPlaceholder(text, start + encoded) > start + encoded;
}

/** What may stand between operator and value. */
export const PREFIX =
  /(?:!!str[ \t]+|[rbfu@$](?=["'`])|(?:Bearer|Basic|Token)[ ](?=\S))/y;
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
    const held = text[end] === "[" || text[end] === "%";
    const skipped = held ? skipPlaceholder(text, end) : end;
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
