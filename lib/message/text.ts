/**
 * A message for a terminal. Pure.
 *
 * @module
 */
import type { JsonObject } from "../base/json.ts";
import { columnsOf, visible } from "../base/text.ts";
import { unescapeMrkdwn } from "./block_kit.ts";
import {
  type BlockContent,
  readBlock,
  readMrkdwn,
  type Span,
  type Style,
} from "./mrkdwn.ts";

export interface TextOptions {
  /** Longer lines are broken between words; nothing is cut. */
  columns: number;
  /** Whether it may be told of bold and colours. */
  colour: boolean;
}

const BAR = "│ ";
/** Of a line's rest, so that foreign text begins no line like one of ours. */
const INDENT = 2;
const ANSI: Readonly<Record<Style | "dim", string>> = {
  bold: "1",
  italic: "3",
  strike: "9",
  code: "36",
  link: "4",
  mention: "7", // Nobody should overlook one.
  dim: "2",
};

/** A message as it would look, an empty line between its blocks. */
export function renderText(
  blocks: readonly JsonObject[],
  { columns, colour }: TextOptions,
): string[] {
  const paint = (text: string, style: Style | "dim") =>
    colour ? `\x1b[${ANSI[style]}m${text}\x1b[0m` : text;
  const lines = blocks.flatMap((block, at) => {
    const content = readBlock(block);
    const { type } = content;
    const style = type === "header"
      ? "bold"
      : type === "context"
      ? "dim"
      : undefined;
    const isMrkdwn = type === "section" || type === "context";
    const shown = linesOf(content).flatMap((text) => {
      const spans = isMrkdwn ? readMrkdwn(text) : [{ text }];
      return wrap(
        spans.map((span) => ({ ...span, text: visible(span.text) })),
        columns - BAR.length,
        INDENT,
      ).map((line) =>
        line.map(({ text, style: own }) => {
          const how = own ?? style;
          return how === undefined ? text : paint(text, how);
        }).join("").trimEnd()
      );
    });
    return at === 0 ? shown : ["", ...shown];
  });
  return lines.map((line) => (BAR + line).trimEnd());
}

/** One line of text, its rest indented where it is too long. */
export function renderLine(
  text: string,
  { columns }: Pick<TextOptions, "columns">,
): string[] {
  return wrap([{ text: visible(text) }], columns, INDENT).map((line) =>
    line.map(({ text }) => text).join("").trimEnd()
  );
}

/** What a phone shows first, each line on a line of its own. */
export function renderNotification(
  text: string,
  { columns }: Pick<TextOptions, "columns">,
): string[] {
  const lines = text.split("\n").flatMap((line) =>
    renderLine(unescapeMrkdwn(line), { columns: columns - BAR.length })
  );
  return ["Notification:", ...lines.map((line) => BAR + line)];
}

function linesOf({ texts, buttons, opens }: BlockContent): string[] {
  const addresses = [
    ...buttons.map(({ label, url }) => `[${label}] ${url}`),
    ...opens.map(({ text, url }) => `${text} ${url}`),
  ];
  return [...texts, ...addresses].flatMap((text) => text.split("\n"));
}

/** Breaks between words; a word that is longer than a line stays whole. */
function wrap(
  spans: readonly Span[],
  width: number,
  indent: number,
): Span[][] {
  const lines: Span[][] = [[]];
  let used = 0;
  for (const { text, ...style } of spans) {
    for (const word of text.match(/\s+|\S+/g) ?? []) {
      const columns = columnsOf(word);
      const room = used + columns <= width;
      if (!room && used > indent && word.trim() !== "") {
        lines.push([{ text: " ".repeat(indent) }]);
        used = indent;
      }
      lines.at(-1)!.push({ text: word, ...style });
      used += columns;
    }
  }
  return lines;
}
