/**
 * Slack's Block Kit as far as we write it: blocks, and text that cannot become
 * anything else. Pure.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text for the escapes.
 * @see https://docs.slack.dev/reference/block-kit/blocks for the limits.
 * @module
 */
import { markControls, shorten } from "../base/text.ts";

/** One block of Slack's Block Kit. */
export type Block = Readonly<Record<string, unknown>> & {
  readonly type: string;
};

/** A button that only leads somewhere. */
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
const HEADER_CHARS_MAX = 150;

/** A title in plain text, cut if it is long. */
export function header(text: string): Block {
  const title = shorten(text, HEADER_CHARS_MAX);
  // Without `emoji` a title such as ":fire:" stays what the source wrote.
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

/** `verbatim` keeps Slack from making links of bare URLs and channel names. */
function mrkdwnText(text: string): Record<string, unknown> {
  return { type: "mrkdwn", text, verbatim: true };
}

/**
 * Text as one line that shows what it holds: blanks are one space, and what
 * would steer the display instead (control characters, marks that turn the
 * direction of writing, half a surrogate pair) is U+FFFD. Empty if nothing of
 * it can be seen.
 */
export function visibleLine(text: string): string {
  const line = markControls(text.toWellFormed().replace(/\s+/g, " ").trim());
  return /[^\s\p{Cf}]/u.test(line) ? line : "";
}

/**
 * Makes `text` inert in Slack's mrkdwn: no mention, disguised link or entity
 * survives. Half a surrogate pair, which no JSON reader has to take, becomes
 * U+FFFD.
 */
export function escapeMrkdwn(text: string): string {
  return text.toWellFormed().replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** Marks that format what stands between two of them, and their look-alikes. */
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
 * Makes one line inert in mrkdwn, its formatting marks too, and shortens it so
 * that the escaped form has at most `charsMax` characters. Neither an entity
 * nor a surrogate pair is cut.
 */
export function fit(line: string, charsMax: number): string {
  return tryFit(line, charsMax).text;
}

/** As {@linkcode fit} does; `cut` says whether something is missing. */
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
 * A line without formatting. mrkdwn has no escape for its marks, so a mark
 * that would format becomes its look-alike; one that would not, as in
 * `db_pool_size`, `rm *.log` or `~5 %`, stays and can be copied.
 */
function withoutMarks(line: string): string {
  // A back-tick alone can begin a block of code that swallows what follows.
  let text = line.replaceAll("`", "'");
  for (const { opens, closes, either, twin } of MARKS) {
    if (opens.test(text) && closes.test(text)) {
      text = text.replace(either, twin);
    }
  }
  return text;
}
