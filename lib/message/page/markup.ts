/**
 * HTML in which text stays text: whatever is put into it is escaped, unless it
 * is markup of ours. Pure.
 *
 * @module
 */
import { removeUnseen } from "../../base/text.ts";

/** HTML that may stand in a page as it is. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What a template takes: text and numbers are escaped, lists are joined. */
export type Part = Markup | string | number | undefined | readonly Part[];

/**
 * Makes markup of a template:
 *
 * ```ts
 * html`<p title="${title}">${text}</p>`
 * ```
 *
 * A value may stand between tags or in an attribute with double quotes, nowhere
 * else. What nobody could see in it is removed, marks of direction and null
 * characters among it.
 */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly Part[]
): Markup {
  let text = parts[0]!;
  for (const [at, value] of values.entries()) {
    text += markupOf(value) + parts[at + 1]!;
  }
  return new Markup(text);
}

function markupOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Markup) return part.text;
  return typeof part === "object"
    ? part.map(markupOf).join("")
    : escape(String(part));
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escape(text: string): string {
  return removeUnseen(text.toWellFormed())
    .replace(/[&<>"]/g, (sign) => ESCAPES[sign]!);
}

/** Text between tags only, where quotes need no escape: evidence is full of them. */
export function between(text: string): Markup {
  return new Markup(
    removeUnseen(text.toWellFormed())
      .replace(/[&<>]/g, (sign) => ESCAPES[sign]!),
  );
}
