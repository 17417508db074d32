/**
 * The parts of Slack's Block Kit that we use: blocks, and text that stays text.
 * Pure.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text for the escapes.
 * @see https://docs.slack.dev/reference/block-kit/blocks for the limits.
 * @module
 */
import { shorten } from "../base/text.ts";
import type { LinkKind } from "../incident.ts";
import { type Part, partsOf } from "./words.ts";

export type Block = Readonly<Record<string, unknown>> & {
  readonly type: string;
};

/** A button that only opens a page. */
export interface Link {
  readonly id: LinkKind | "run" | "change";
  /** Tells it from others of its kind: 2 for the second. */
  readonly nth?: number;
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
  // Nothing tells Slack to leave addresses alone in plain text.
  const title = shorten(text.replaceAll("://", "[:]//"), HEADER_CHARS_MAX);
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
  const elements = links.map(({ id, nth = 1, label, url }) => ({
    type: "button",
    text: { type: "plain_text", text: label, emoji: false },
    url,
    action_id: `open_${id}${nth === 1 ? "" : `_${nth}`}`,
  }));
  return { type: "actions", block_id: "links", elements };
}

/** With `verbatim`, Slack does not link bare URLs and channel names. */
function mrkdwnText(text: string): Record<string, unknown> {
  return { type: "mrkdwn", text, verbatim: true };
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

/** Undoes Slack's three escapes. */
export function unescapeMrkdwn(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll(
    "&amp;",
    "&",
  );
}

/**
 * Makes one line inert in mrkdwn and shortens its escaped form to at most
 * `charsMax` characters. mrkdwn has no escape for its marks, so a word that
 * would format, become a picture or be linked stands as code: people can copy
 * it as it was. Cuts no entity, placeholder or surrogate pair, and closes the
 * code and the quotes that it cuts.
 */
export function fit(line: string, charsMax: number): string {
  return tryFit(line, charsMax).text;
}

/** Like {@linkcode fit}; `cut` tells whether the line was shortened. */
export function tryFit(
  line: string,
  charsMax: number,
): { text: string; cut: boolean } {
  const parts = inertParts(line);
  const whole = parts.map(({ text, code }) => {
    const escaped = escapeMrkdwn(text);
    return code ? `\`${escaped}\`` : escaped;
  }).join("");
  if (whole.length <= charsMax) return { text: whole, cut: false };
  let kept = "";
  let isQuote = false;
  for (const { text, code } of parts) {
    const mark = code ? "`" : "";
    let inner = "";
    for (const [unit] of text.matchAll(UNIT)) {
      const within: boolean = unit === "“" || (isQuote && unit !== "”");
      const next = inner + escapeMrkdwn(unit);
      const closed = kept.length + next.length + 2 * mark.length;
      if (closed + 1 + Number(within) > charsMax) {
        const shown = inner === "" ? "" : mark + inner + mark;
        return { text: `${kept}${shown}…${isQuote ? "”" : ""}`, cut: true };
      }
      inner = next;
      isQuote = within;
    }
    kept += mark + inner + mark;
  }
  return { text: kept, cut: false };
}

/** What is kept or cut as a whole. */
const UNIT = /\[[a-z]+:[a-z-]{1,30}#\d{1,9}\]|[^]/gu;

/** Marks that format the text between two of them. */
const MARKS = ["*", "_", "~"].map((mark) => {
  const opens = `(?<![\\p{L}\\p{N}])[${mark}](?=\\S)`;
  const closes = `(?<=\\S)[${mark}](?![\\p{L}\\p{N}])`;
  const either = RegExp(`${opens}|${closes}`, "gu");
  return { opens: RegExp(opens, "u"), closes: RegExp(closes, "u"), either };
});
/** A picture by its name; no clock's minutes are called so. */
const EMOJI = /:(?!\d{1,2}:)[\p{L}\p{N}_+'-]+:/u;
const ADDRESS = /[a-z]:\/\/|^(?:www\.|mailto:|tel:)/i;

function inertParts(line: string): Part[] {
  const marks = new Set(
    MARKS.flatMap(({ opens, closes, either }) =>
      opens.test(line) && closes.test(line)
        ? [...line.matchAll(either)].map(({ index }) => index)
        : []
    ),
  );
  return partsOf(line, (word, start) => {
    if (EMOJI.test(word) || ADDRESS.test(word)) return true;
    for (let at = start; at < start + word.length; at++) {
      if (marks.has(at)) return true;
    }
    return false;
  });
}
