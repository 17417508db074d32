/**
 * The parts of Slack's Block Kit that we use: blocks, and text that stays text.
 * Pure.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text for the escapes.
 * @see https://docs.slack.dev/reference/block-kit/blocks for the limits.
 * @module
 */
import { removeUnseen, shorten } from "../base/text.ts";

export type Block = Readonly<Record<string, unknown>> & {
  readonly type: string;
};

/** A button that only opens a page. */
export interface Link {
  readonly id: "incident" | "run";
  /** At most 75 characters. */
  readonly label: string;
  /** Absolute, at most 3000 characters. */
  readonly url: string;
}

export const BLOCKS_MAX = 50;
/** Characters of a section, escapes counted. */
export const SECTION_CHARS_MAX = 3000;
export const HEADER_CHARS_MAX = 150;

export function header(text: string): Block {
  const title = shorten(text, HEADER_CHARS_MAX);
  // Without `emoji`, Slack does not turn a title such as ":fire:" into a picture.
  return {
    type: "header",
    text: { type: "plain_text", text: title, emoji: false },
  };
}

export function section(mrkdwn: string): Block {
  return { type: "section", text: mrkdwnText(mrkdwn) };
}

/** Small print: 1 to 10 texts of mrkdwn. */
export function contextBlock(...mrkdwn: readonly string[]): Block {
  return { type: "context", elements: mrkdwn.map(mrkdwnText) };
}

export function linkButtons(links: readonly Link[]): Block {
  const elements = links.map(({ id, label, url }) => ({
    type: "button",
    text: { type: "plain_text", text: label, emoji: false },
    url,
    action_id: `open_${id}`,
  }));
  return { type: "actions", block_id: "links", elements };
}

/** With `verbatim`, Slack does not link bare URLs and channel names. */
function mrkdwnText(text: string): Record<string, unknown> {
  return { type: "mrkdwn", text, verbatim: true };
}

/**
 * Text as one line without anything that its reader could not see. Blanks become
 * one space, half a surrogate pair U+FFFD.
 */
export function visibleLine(text: string): string {
  return removeUnseen(text.toWellFormed()).replace(/\s+/g, " ").trim();
}

/**
 * Makes `text` inert in Slack's mrkdwn: no mention, disguised link or entity
 * survives. Half a surrogate pair becomes U+FFFD, because JSON readers may
 * refuse it.
 */
export function escapeMrkdwn(text: string): string {
  return text.toWellFormed().replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** Marks that format the text between two of them, and their look-alikes. */
const MARKS = ([["*", "∗"], ["_", "ˍ"], ["~", "∼"]] as const).map(
  ([mark, twin]) => {
    const opens = `(?<![\\p{L}\\p{N}])[${mark}](?=\\S)`;
    const closes = `(?<=\\S)[${mark}](?![\\p{L}\\p{N}])`;
    const either = RegExp(`${opens}|${closes}`, "gu");
    return {
      opens: RegExp(opens, "u"),
      closes: RegExp(closes, "u"),
      either,
      twin,
    };
  },
);

/**
 * Makes one line inert in mrkdwn, including its formatting marks, and shortens
 * the escaped form to at most `charsMax` characters. Never cuts an entity or a
 * surrogate pair.
 */
export function fit(line: string, charsMax: number): string {
  return tryFit(line, charsMax).text;
}

/** Like {@linkcode fit}; `cut` tells whether the line was shortened. */
export function tryFit(
  line: string,
  charsMax: number,
): { text: string; cut: boolean } {
  const text = withoutMarks(line);
  const escaped = escapeMrkdwn(text);
  if (escaped.length <= charsMax) return { text: escaped, cut: false };
  let kept = "";
  for (const character of text) { // By code point, so pairs stay whole.
    const next = escapeMrkdwn(character);
    if (kept.length + next.length > charsMax - 1) break;
    kept += next;
  }
  return { text: `${kept}…`, cut: true };
}

/**
 * A line without formatting. mrkdwn has no escape for its marks, so a mark that
 * would format becomes its look-alike. Any other mark, as in `db_pool_size`,
 * `rm *.log` or `~5 %`, stays, so people can copy the text.
 */
function withoutMarks(line: string): string {
  // A single back-tick can begin a block of code that swallows the rest.
  let text = line.replaceAll("`", "'");
  for (const { opens, closes, either, twin } of MARKS) {
    if (opens.test(text) && closes.test(text)) {
      text = text.replace(either, twin);
    }
  }
  return text;
}
