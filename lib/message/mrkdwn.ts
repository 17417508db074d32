/**
 * Slack's mrkdwn as Slack reads it, so that people see before a post what they
 * would see after it: a mention that got through looks like one. Pure.
 *
 * @see https://docs.slack.dev/messaging/formatting-message-text
 * @module
 */

import { isObject, type JsonObject, objectOf } from "../base/json.ts";
import { unescapeMrkdwn } from "./block_kit.ts";
import { evidenceLinksOf, readControl } from "./controls.ts";

export type Style = "bold" | "italic" | "strike" | "code" | "link" | "mention";

export interface Span {
  text: string;
  /** How it looks; plain if absent. */
  style?: Style;
  /** Where a link leads. */
  url?: string;
}

const STYLES: Readonly<Record<string, Style>> = {
  "*": "bold",
  "_": "italic",
  "~": "strike",
  "`": "code",
};

// A mark formats from a boundary to a boundary, within one line; what stands
// between `<` and `>` is a link or a mention.
const MARKUP =
  /(?<![\p{L}\p{N}])([*_~`])(?=\S)([^\n]*?\S)\1(?![\p{L}\p{N}])|<([^<>\n]+)>/gu;

/** Reads one line of mrkdwn. Formatting within formatting is left as it is. */
export function readMrkdwn(line: string): Span[] {
  const spans: Span[] = [];
  let end = 0;
  for (const match of line.matchAll(MARKUP)) {
    const [whole, mark = "", marked = "", control] = match;
    spans.push({ text: line.slice(end, match.index) });
    spans.push(
      control === undefined
        ? { text: marked, style: STYLES[mark]! }
        : spanOf(control),
    );
    end = match.index + whole.length;
  }
  spans.push({ text: line.slice(end) });
  return spans.filter(({ text }) => text !== "")
    .map((span) => ({ ...span, text: unescapeMrkdwn(span.text) }));
}

/** Ours as Slack shows them; whatever else got through is seen for what it is. */
function spanOf(control: string): Span {
  const known = readControl(control);
  if (known?.kind === "date") return { text: known.text };
  if (known !== undefined) return linkSpan(known);
  const [target = "", label] = control.split("|", 2);
  return /^[!@#]/.test(target)
    ? { text: label ?? target, style: "mention" }
    : { text: label ?? target, style: "link" };
}

function linkSpan({ text, url }: { text: string; url: string }): Span {
  // Spans are unescaped once more.
  return { text: text.replaceAll("&", "&amp;"), style: "link", url };
}

/** What a block shows. */
export interface BlockContent {
  type: string;
  texts: readonly string[];
  buttons: readonly { label: string; url: string }[];
  /** What its citations open. */
  opens: readonly { text: string; url: string }[];
}

/** Reads a block that may be malformed. */
export function readBlock(block: JsonObject): BlockContent {
  const { type, text } = block;
  const given = block["elements"];
  const elements = Array.isArray(given) ? given.filter(isObject) : [];
  const isActions = type === "actions";
  const texts = text === undefined ? elements : [objectOf(text) ?? {}];
  return {
    type: String(type),
    texts: isActions ? [] : texts.map(({ text }) => String(text ?? "")),
    buttons: !isActions ? [] : elements.map(({ text, url }) => ({
      label: String(objectOf(text)?.["text"] ?? ""),
      url: String(url ?? ""),
    })),
    opens: isActions
      ? []
      : texts.flatMap(({ text }) => evidenceLinksOf(String(text ?? ""))),
  };
}
