/**
 * HTML as a template: whatever is put into it is escaped, unless it is HTML
 * already. Pure.
 *
 * @module
 */
import { escapeHtml } from "../message/html.ts";

let create: (text: string) => Html;

/** A piece of HTML. Only this file and {@linkcode trusted} make one. */
export class Html {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  static {
    create = (text) => new Html(text);
  }

  toString(): string {
    return this.#text;
  }
}

/** What a template takes; nothing is shown for `undefined` and `false`. */
export type Part = Html | string | number | false | undefined | readonly Part[];

/** Fills a template; texts are escaped, between tags and in quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: Part[]): Html {
  return create(
    parts.map((part, at) => part + textOf(values[at])).join(""),
  );
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Html) return part.toString();
  if (typeof part === "number") return String(part);
  if (typeof part === "string") return escapeHtml(part);
  return part.map(textOf).join("");
}

/** HTML that another room of ours has made, which escapes what is foreign. */
export function trusted(text: string): Html {
  return create(text);
}
