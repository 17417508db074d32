/**
 * Citations on a page. Pure.
 *
 * @module
 */
import { element, type Markup } from "./markup.ts";

/** Links to pieces on this page: `[E1, E3]`. */
export function cites(evidence: readonly string[]): Markup {
  const links = evidence.map((id, at) => [
    at === 0 ? "" : ", ",
    element("a", { href: `#${id}` }, id),
  ]);
  return element("span", { class: "faint" }, "[", links, "]");
}
