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

/** What an element holds: text and numbers are escaped, lists are joined. */
export type Child = Markup | string | number | undefined | readonly Child[];

/** Attributes of an element; one that is `undefined` is left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

const VOID = new Set(["meta", "br"]);
/** After which a line ends, for people who read the source. */
const BLOCKS = new Set([
  ...["header", "section", "article", "footer", "main", "figure", "details"],
  ...["h1", "h2", "h3", "p", "ul", "ol", "li", "table", "tr", "pre", "meta"],
  ...["svg", "line", "title", "div"],
]);

/**
 * Makes an element:
 *
 * ```ts
 * element("p", { class: "faint" }, "Since ", element("b", {}, since));
 * ```
 *
 * Children and values may come from anywhere; names are ours. What nobody could
 * see is removed, marks of direction and null characters among it.
 */
export function element(
  name: string,
  attributes: Attributes = {},
  ...children: readonly Child[]
): Markup {
  let start = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) start += ` ${key}="${escape(String(value))}"`;
  }
  const end = VOID.has(name) ? "" : `</${name}>`;
  const line = BLOCKS.has(name) ? "\n" : "";
  return new Markup(`${start}>${join(children)}${end}${line}`);
}

/** Markup one after another, without an element around it. */
export function join(children: readonly Child[]): string {
  let text = "";
  for (const child of children) {
    if (child instanceof Markup) text += child.text;
    else if (typeof child === "object") text += join(child);
    else if (child !== undefined) text += escapeText(String(child));
  }
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Within double quotes. */
function escape(text: string): string {
  return plain(text).replace(/[&<>"]/g, (sign) => ESCAPES[sign]!);
}

/** Between tags, where quotes need no escape: evidence is full of them. */
function escapeText(text: string): string {
  return plain(text).replace(/[&<>]/g, (sign) => ESCAPES[sign]!);
}

function plain(text: string): string {
  return removeUnseen(text.toWellFormed());
}
