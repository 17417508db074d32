/**
 * Claims with the lines of evidence that bear them. Pure.
 *
 * @module
 */
import { shorten } from "../../base/text.ts";
import type { Place, Told } from "../told.ts";
import { type Line, linesFor } from "./excerpt.ts";
import { between, html, type Markup } from "./markup.ts";
import type { PageView, Room } from "./view.ts";

/** Pieces that are quoted beside one claim. */
const QUOTED_MAX = 3;

/** The lines of each cited piece, by claim: what costs time is done once. */
export type Quotes = ReadonlyMap<Told, readonly (readonly [string, Line[]])[]>;

/** Places of the page that quote evidence, and their headings. */
const PLACES: readonly (readonly [Place, string])[] = [
  ["happened", "What happened"],
  ["changed", "What changed before it began"],
  ["seen", "Seen before"],
  ["next", "Next"],
];

/** Finds what each claim rests on. */
export function findQuotes(
  { report, texts, redact }: PageView,
  claimsMax: number,
): Quotes {
  return new Map(
    report.claims.filter(({ place }) => PLACES.some(([one]) => one === place))
      .slice(0, claimsMax).map((told) => [
        told,
        told.evidence.slice(0, QUOTED_MAX).flatMap((id) => {
          const text = texts.get(id)?.text;
          return text === undefined
            ? []
            : [[id, linesFor(told.text, text, redact)] as const];
        }),
      ]),
  );
}

/** A section for each place that has claims. */
export function claimSections(
  { report }: PageView,
  quotes: Quotes,
  room: Room,
): Markup[] {
  return PLACES.flatMap(([place, heading]) => {
    const told = report.claims.filter((told) => told.place === place);
    return told.length === 0 ? [] : [html`
      <section>
        <h2>${heading}</h2>
        <ul class="claims">
      ${told.map((one) => claim(one, quotes.get(one) ?? [], room))}</ul>
      </section>
    `];
  });
}

function claim(
  { text, severity, evidence }: Told,
  quotes: readonly (readonly [string, Line[]])[],
  room: Room,
): Markup {
  return html`
    <li${severity === undefined ? undefined : html`
      class="${severity}"
    `}>${severity === undefined ? undefined : html`
      <span class="severity">${severity}</span>
    `}${shorten(text, room.chars)} ${cites(evidence)}${room.quotes === 0
      ? undefined
      : quotes.map(([id, lines]) => quote(id, lines))}</li>
  `;
}

/** Links to pieces on this page. */
export function cites(evidence: readonly string[]): Markup {
  return html`<span class="faint">[${
    evidence.map((id, at) =>
      html`${at === 0 ? "" : ", "}<a href="#${id}">${id}</a>`
    )
  }]</span>`;
}

function quote(id: string, lines: readonly Line[]): Markup {
  if (lines.length === 0) return html``;
  return html`
    <details>
      <summary>The lines of ${id} that say so</summary>
      <pre>${lines.map(({ text, marked }) =>
        marked ? html`<mark>${between(text)}</mark>` : html`
          ${between(text)}
        `
      )}</pre>
    </details>
  `;
}
