/**
 * Pages that say what is wrong and what to do. Pure.
 *
 * @module
 */
import { type Html, html, type Part } from "../html.ts";
import { type Frame, layout } from "./layout.ts";

export function errorPage(
  { heading, text, person }: {
    heading: string;
    text: Part;
    person?: Frame["person"];
  },
): Html {
  return layout(
    { title: heading, person },
    html`<h1>${heading}</h1>
<p role="alert">${text}</p>
<p><a href="/">To what waits</a></p>`,
  );
}
