/**
 * Lays out what the rules have told, in the order in which a reader at night
 * needs it: headline, state, links, what happened, what changed, seen before,
 * next, small print. Pure.
 *
 * Facts of the webhook need no citation here; what was collected has one. The
 * stored summary cites everything and holds what finds no room.
 *
 * @module
 */
import { oneLine, OWN_MARK, quoted } from "../base/foreign.ts";
import { counted, shorten } from "../base/text.ts";
import {
  type EvidenceItem,
  type NormalizedContext,
  withIds,
} from "../incident.ts";
import {
  type Block,
  contextBlock,
  fit,
  header,
  HEADER_CHARS_MAX,
  type Link,
  linkButtons,
  section,
} from "./block_kit.ts";
import { BADGES } from "./badges.ts";
import { citing, plainId } from "./cited.ts";
import { headlineOf } from "./headline.ts";
import type { Message } from "./message.ts";
import type { Place, Report, Told } from "./told.ts";

export interface ReportView extends Report {
  incidentId: string;
  context: NormalizedContext;
  evidence: readonly EvidenceItem[];
  /** What was looked up in vain or not at all; quotes what it repeats. */
  lookedUp?: string;
  /** What redaction has removed, in our own words. */
  removed?: string;
  links: readonly Link[];
}

/** Of a message as people read it, with the footer and without buttons. */
export const LINES_MAX = 15;
export const CHARS_MAX = 2000;
/** The headline's, the state's and the footer's share. */
const LINES_AROUND = 3;
const FOOTER_CHARS = 150;
const STATE_CHARS_MAX = 450;
const LINE_CHARS_MAX = 330;
const CITED_MAX = 5;
const SMALL_CHARS_MAX = 300;
const EVIDENCE_CHARS_MAX = 300;
const TITLE_CHARS_MAX = 60;

/** The parts in their order, and their titles. */
const PARTS: readonly (readonly [place: Place, title: string | undefined])[] = [
  ["happened", undefined],
  ["changed", "What changed"],
  ["seen", "Seen before"],
  ["next", "Next"],
];
/** What is dropped first, and how many lines of it are kept. */
const LEAST_FIRST: readonly (readonly [place: Place, least: number])[] = [
  ["happened", 6],
  ["seen", 1],
  ["next", 2],
  ["changed", 2],
  ["seen", 0],
  ["happened", 3],
  ["next", 1],
  ["changed", 1],
  ["happened", 1],
];

/** Renders a message; the same view always gives the same bytes. */
export function renderReport(view: ReportView): Message {
  const { claims, context, links } = view;
  const textOf = (place: Place) =>
    oneLine(claims.find((told) => told.place === place)?.text ?? "");
  const [sign] = BADGES[context.severity ?? "warning"];
  const title = shorten(
    `${sign} ${headlineOf(view, context.severity)}`,
    HEADER_CHARS_MAX,
  );
  const said = textOf("state");
  const state = said === "" ? "" : fit(`${OWN_MARK} ${said}`, STATE_CHARS_MAX);
  const lists = new Map(
    PARTS.map(([place]) => [
      place,
      claims.filter((told) => told.place === place).map(lineOf),
    ]),
  );
  const total = sum([...lists.values()].map((lines) => lines.length));
  const smallOf = () => {
    const left = total - sum([...lists.values()].map(({ length }) => length));
    return smallPrint(view, textOf("small"), left);
  };
  const fits = () => {
    const body = [...lists.values()].filter(({ length }) => length > 0);
    const titles =
      PARTS.filter(([place, title]) =>
        title !== undefined && lists.get(place)!.length > 0
      ).length;
    const shown = [...body.flat(), ...smallOf()];
    const chars = sum([title, state, ...shown].map(({ length }) => length));
    return shown.length + titles + LINES_AROUND <= LINES_MAX &&
      chars <= CHARS_MAX - FOOTER_CHARS;
  };
  for (const [place, least] of LEAST_FIRST) {
    const lines = lists.get(place)!;
    while (lines.length > least && !fits()) {
      // What counts others stays.
      const isCount = lines.at(-1)!.startsWith("… ") && lines.length > 1;
      lines.splice(isCount ? -2 : -1, 1);
    }
  }
  const blocks: Block[] = [
    header(title),
    ...state === "" ? [] : [section(state)],
    ...links.length === 0 ? [] : [linkButtons(links)],
    ...PARTS.flatMap(([place, title]) => {
      const lines = lists.get(place)!;
      if (lines.length === 0) return [];
      const first = title === undefined ? [] : [`*${OWN_MARK} ${title}*`];
      return [section([...first, ...lines].join("\n"))];
    }),
    contextBlock(...smallOf()),
  ];
  const notice = said === "" ? [] : [fit(said, STATE_CHARS_MAX)];
  return {
    // A line's end parts the sender's words from ours.
    text: [fit(title, CHARS_MAX), ...notice].join("\n"),
    blocks,
  };

  /** The sign of an alert's severity, else a bullet. */
  function lineOf({ text, severity, collected, evidence }: Told): string {
    const start = severity !== undefined
      ? `${BADGES[severity][0]} `
      : text.startsWith("… ")
      ? ""
      : "• ";
    const end = collected ? ` ${citing(evidence, CITED_MAX)}` : "";
    return start + fit(oneLine(text), LINE_CHARS_MAX) + end;
  }
}

function smallPrint(
  { incidentId, claims, evidence, lookedUp, removed }: ReportView,
  text: string,
  left: number,
): string[] {
  const rest = left === 0
    ? ""
    : ` · ${counted(left, "more line")} in the stored summary`;
  const own = `${text === "" ? "Incident" : `${text} · incident`} `;
  const id = /^[a-z]+:[\w.:-]{1,60}$/i.test(incidentId)
    ? incidentId
    : quoted(incidentId, 80);
  return [
    fit(`${OWN_MARK} ${own}${id}${rest}`, SMALL_CHARS_MAX),
    ...citedLine(claims, evidence),
    ...lookedUp === undefined
      ? []
      : [fit(`${OWN_MARK} ${upper(oneLine(lookedUp))}`, SMALL_CHARS_MAX)],
    ...removed === undefined ? [] : [`${OWN_MARK} ${removed}`],
  ];
}

/** Explains the citations. */
function citedLine(
  claims: readonly Told[],
  evidence: readonly EvidenceItem[],
): string[] {
  const cited = new Set(
    claims.flatMap(({ collected, evidence }) => collected ? evidence : []),
  );
  const items = withIds(evidence).filter(({ id }) => cited.has(id))
    .map(({ id, title }) =>
      `[${plainId(id)}] ${quoted(title, TITLE_CHARS_MAX)}`
    );
  return items.length === 0
    ? []
    : [fit(`${OWN_MARK} ${items.join(" · ")}`, EVIDENCE_CHARS_MAX)];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function upper(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}
