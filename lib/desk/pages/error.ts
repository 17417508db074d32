/**
 * Pages that say what is wrong and what to do. Pure.
 *
 * @module
 */
import { h, type Markup, type Part } from "../html.ts";
import { type Frame, layout } from "./layout.ts";

export function errorPage(
  { heading, text, person, back }: {
    heading: string;
    text: Part;
    person: Frame["person"];
    /** Where to go on. */
    back: { path: string; text: string };
  },
): Markup {
  return layout(
    { title: heading, person },
    h`<h1>${heading}</h1>
<p role="alert">${text}</p>
<p><a href="${back.path}">${back.text}</a></p>`,
  );
}
