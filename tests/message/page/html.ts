/**
 * HTML as a browser would read it.
 *
 * @module
 */
import { type DefaultTreeAdapterTypes, parse } from "parse5";

/** An element of a parsed page. */
export interface Element {
  name: string;
  attributes: ReadonlyMap<string, string>;
  /** Of it and all within. */
  text: string;
}

/** Every element of a page, in its order. */
export function elementsOf(page: string): Element[] {
  const elements: Element[] = [];
  const walk = (node: DefaultTreeAdapterTypes.Node): string => {
    if ("value" in node) return node.value;
    if (!("childNodes" in node)) return "";
    const found = "tagName" in node
      ? {
        name: node.tagName,
        attributes: new Map(
          node.attrs.map(({ name, value }) => [name, value]),
        ),
        text: "",
      }
      : undefined;
    if (found !== undefined) elements.push(found);
    const text = node.childNodes.map(walk).join("");
    if (found !== undefined) found.text = text;
    return text;
  };
  walk(parse(page));
  return elements;
}

/** What a parser had to put right. */
export function errorsOf(page: string): string[] {
  const errors: string[] = [];
  parse(page, { onParseError: ({ code }) => void errors.push(code) });
  return errors;
}
