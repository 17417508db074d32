/**
 * HTML as a template: whatever is put into it is escaped, unless it is markup of
 * ours. Pure.
 *
 * @module
 */
import { join, Markup } from "../message/page/markup.ts";

export { Markup };

/** What a template takes; lists are joined, nothing is shown for `undefined`. */
export type Part = Markup | string | number | undefined | readonly Part[];

/**
 * Fills a template. A value may stand between tags or in an attribute with
 * double quotes, nowhere else. The name keeps the formatter from laying it out:
 * blanks count within some elements.
 */
export function h(
  parts: TemplateStringsArray,
  ...values: readonly Part[]
): Markup {
  return new Markup(
    parts.map((part, at) => part + textOf(values[at])).join(""),
  );
}

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return join([part]).replaceAll('"', "&quot;");
}
