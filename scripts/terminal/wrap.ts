/**
 * Lines that fit a terminal. Pure.
 *
 * @module
 */

import { columnsOf, visible } from "../../lib/base/text.ts";

// deno-lint-ignore no-control-regex -- These are the codes that set a style.
const STYLE = /\x1b\[[\d;]*m/g;
/** The styles of a heading and of a message's text, and their end. */
// deno-lint-ignore no-control-regex -- These are a terminal's codes.
const OUR_STYLE = /(\x1b\[(?:1;36|36|[0123479])m)/;

/** Makes all of a line visible but the styles that headings and messages have. */
export function visibleInStyle(line: string): string {
  return line.split(OUR_STYLE)
    .map((part, at) => at % 2 === 0 ? visible(part) : part).join("");
}

/** The columns that a styled text fills on a terminal. */
function widthOf(text: string): number {
  return columnsOf(text.replace(STYLE, ""));
}

/** Cuts a plain line to `columns` and marks the cut. */
export function ellipsis(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  let cut = "";
  let width = 1; // The mark's own.
  for (const character of line) {
    width += widthOf(character);
    if (width > columns) break;
    cut += character;
  }
  return `${cut}…`;
}

/** A message's bar is repeated on each line that goes on. */
const BAR = /^ *[│|] /;
const BULLET = /^ *(?:[•-] )?/;

/**
 * Breaks a line at spaces. A word that is longer than a line stays whole, so
 * that an id or an address can still be copied. What goes on below is indented
 * as the text above it: below the last column of a table, or behind a bullet.
 */
export function wrapLine(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const [bar = ""] = BAR.exec(line) ?? [];
  const text = line.slice(bar.length);
  const room = columns - widthOf(bar);
  const indent = hangingIndent(text, room);
  const lines: string[] = [];
  let current = "";
  let used = 0;
  for (const [, spaces = "", word = ""] of text.matchAll(/( *)([^ ]+)/g)) {
    const width = spaces.length + widthOf(word);
    if (used + width > room && current.trim() !== "") {
      lines.push(current);
      current = " ".repeat(indent) + word;
      used = indent + widthOf(word);
    } else {
      current += spaces + word;
      used += width;
    }
  }
  return [...lines, current].map((part) => bar + part);
}

function hangingIndent(text: string, columns: number): number {
  const plain = text.replace(STYLE, "");
  const gaps = [...plain.matchAll(/ {2,}(?=\S)/g)]
    .map(({ index, 0: { length } }) => index + length)
    .filter((at) => at <= columns / 2);
  return gaps.at(-1) ?? BULLET.exec(plain)![0].length;
}
