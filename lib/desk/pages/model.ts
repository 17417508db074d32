/**
 * What became of a model's claims: those that no check let through, and why. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { h, type Part } from "../html.ts";
import type { LeftOut } from "../reading.ts";

const TEXT_CHARS_MAX = 400;

export function modelPart(leftOut: LeftOut | undefined): Part {
  if (leftOut === undefined) return "";
  const { model, note, claims, recordPtr } = leftOut;
  return h`<section aria-labelledby="model">
<h2 id="model">What was left out of the model's answer</h2>
<p>${
    named(model, 200)
  } read the same evidence. Each of its claims was checked against what it cites${
    note === "" ? "; all of them passed" : `: ${quoted(note, 500)}`
  }.</p>
${
    claims.length === 0
      ? ""
      : h`<ul>${
        claims.map(({ text, why }) =>
          h`<li>${quoted(text, TEXT_CHARS_MAX)} <span class="faint">${
            named(why, 200)
          }</span></li>`
        )
      }</ul>`
  }
${
    recordPtr === ""
      ? ""
      : h`<p class="faint">What was sent to it and what came back: <code>${recordPtr}</code></p>`
  }</section>`;
}
