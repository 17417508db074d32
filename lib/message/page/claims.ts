/**
 * Claims with the lines of evidence that bear them. Pure.
 *
 * @module
 */
import { shorten } from "../../base/text.ts";
import type { Place, Told } from "../told.ts";
import { cites } from "./cites.ts";
import { type Line, linesFor } from "./excerpt.ts";
import { element, type Markup } from "./markup.ts";
import type { PageView, Room } from "./view.ts";

/** Pieces that are quoted beside one claim. */
const QUOTED_MAX = 2;

/** The lines of each cited piece, by claim: what costs time is done once. */
export type Quotes = ReadonlyMap<Told, readonly Quote[]>;
type Quote = readonly [id: string, lines: readonly Line[]];

/** Places of the page that quote evidence, and their headings. */
const PLACES: readonly (readonly [Place, string])[] = [
  ["happened", "What happened"],
  ["model", "A model's reading of the same evidence"],
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
          const lines = text === undefined
            ? []
            : linesFor(told.text, text, redact);
          return lines.length === 0 ? [] : [[id, lines] as const];
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
    const items = told.map((one) => claim(one, quotes.get(one) ?? [], room));
    return items.length === 0 ? [] : [
      element(
        "section",
        {},
        element("h2", {}, heading),
        element("ul", { class: "claims" }, items),
      ),
    ];
  });
}

function claim(
  { text, severity, evidence }: Told,
  quotes: readonly Quote[],
  room: Room,
): Markup {
  return element(
    "li",
    { class: severity },
    severity && [element("span", { class: "severity" }, severity), " "],
    shorten(text, room.chars),
    " ",
    cites(evidence),
    room.quotes ? quotes.map(quoteBlock) : undefined,
  );
}

function quoteBlock([id, lines]: Quote): Markup {
  return element(
    "details",
    {},
    element("summary", {}, `What ${id} says`),
    element(
      "pre",
      {},
      lines.map(({ text, marked }) =>
        // The mark is a block, so its line ends within.
        marked ? element("mark", {}, `${text}\n`) : `${text}\n`
      ),
    ),
  );
}
