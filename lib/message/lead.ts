/**
 * The beginning of a message, for lists and notifications. Pure.
 *
 * @module
 */
import type { JsonObject } from "../base/json.ts";
import { printable } from "../base/text.ts";
import { readBlock, readMrkdwn } from "./mrkdwn.ts";

/** What a message says first. */
export interface Lead {
  headline: string;
  /** What follows, without buttons and small print. */
  lines: string[];
}

const LINES_MAX = 3;
const CHARS_MAX = 300;

/** Reads the first lines of a message's blocks as plain, printable text. */
export function leadOf(blocks: readonly JsonObject[]): Lead {
  const texts = blocks.map((block) => readBlock(block)).flatMap((
    { type, texts },
  ) => {
    const lines = texts.flatMap((text) => text.split("\n"));
    if (type === "header") return lines;
    return type === "section" ? lines.flatMap(readLine) : [];
  });
  const [headline = "", ...lines] = texts
    .map((text) => printable(text, CHARS_MAX))
    .filter((text) => text !== "");
  return { headline, lines: lines.slice(0, LINES_MAX) };
}

/** The text of a line of mrkdwn, unless it is the title of a list. */
function readLine(line: string): string[] {
  const spans = readMrkdwn(line);
  const isTitle = spans.length === 1 && spans[0]!.style === "bold";
  return isTitle ? [] : [spans.map(({ text }) => text).join("")];
}
