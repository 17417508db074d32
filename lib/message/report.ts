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
import { oneLine, OWN_MARK } from "../base/foreign.ts";
import { shorten } from "../base/text.ts";
import { BADGES } from "./badges.ts";
import {
  type Block,
  contextBlock,
  fit,
  header,
  HEADER_CHARS_MAX,
  linkButtons,
  section,
  tryFit,
} from "./block_kit.ts";
import { citing } from "./cited.ts";
import { addressLink, localTime, withoutControls } from "./controls.ts";
import { headlineOf } from "./headline.ts";
import type { Message } from "./message.ts";
import { addMore, type More, moreNames } from "./more.ts";
import { type Left, smallPrint } from "./small_print.ts";
import type { Place, Report, Told } from "./told.ts";
import type { ReportView } from "./view.ts";

/** Of a message as people read it, with the footer and without buttons. */
export const LINES_MAX = 15;
export const CHARS_MAX = 2000;
/**
 * Of all blocks as JSON: Slack documents no limit on the sum, but refuses
 * messages above about 13,200 characters with `msg_blocks_too_long`.
 */
const JSON_CHARS_MAX = 13_000 - 1850;
/** The headline's, the state's and the footer's share. */
const LINES_AROUND = 3;
const FOOTER_CHARS = 150;
const STATE_CHARS_MAX = 450;
const LINE_CHARS_MAX = 330;
const CITED_MAX = 5;

/** The parts in their order, and their titles. */
const PARTS: readonly (readonly [place: Place, title: string | undefined])[] = [
  ["happened", undefined],
  ["model", "A model's reading of the same evidence"],
  ["changed", "What changed"],
  ["seen", "Seen before"],
  ["next", "Next"],
];
/** What is dropped first, and how many lines of it are kept. */
const LEAST_FIRST: readonly (readonly [Place | "addresses", number])[] = [
  ["addresses", 1],
  ["model", 0],
  ["happened", 6],
  ["seen", 1],
  ["next", 2],
  ["changed", 1],
  ["happened", 4],
  ["next", 1],
  ["addresses", 0],
  ["happened", 3],
  ["seen", 0],
  ["happened", 1],
];

/** A claim as it stands: bulleted, cited and inert. */
interface Line {
  told: Told;
  text: string;
  /** Whether it leaves out words. */
  cut: boolean;
}

/** What a message shows, which shrinks until it fits. */
interface Shown {
  addresses: string[];
  lists: Map<Place, Line[]>;
  /** What has no line of its own. */
  more: More | undefined;
  left: Left;
}

/** Renders a message; the same view always gives the same bytes. */
export function renderReport(view: ReportView): Message {
  const [sign] = BADGES[view.context.severity ?? "warning"];
  const title = shorten(
    `${sign} ${headlineOf(view, view.context.severity)}`,
    HEADER_CHARS_MAX,
  );
  const said = textIn(view, "state");
  const shown = shownOf(view);
  const linesAround = LINES_AROUND - (said === "" ? 1 : 0);
  const fits = () => {
    const lines = linesOf(view, shown);
    const chars = [title, said, ...lines].join("\n").length;
    return lines.length + linesAround <= LINES_MAX &&
      chars <= CHARS_MAX - FOOTER_CHARS;
  };
  for (const [place, least] of LEAST_FIRST) {
    while (countIn(shown, place) > least && !fits()) drop(shown, place);
  }
  const notice = said === "" ? [] : [fit(said, STATE_CHARS_MAX)];
  return {
    // A line's end parts the sender's words from ours.
    text: [fit(title, CHARS_MAX), ...notice].join("\n"),
    blocks: blocksOf(view, shown, [
      header(title),
      ...said === "" ? [] : [section(stateLine(said, view.since))],
    ]),
  };
}

function shownOf({ claims, addresses }: ReportView): Shown {
  const count = claims.find(isCount)?.of;
  return {
    addresses: addresses.map(({ label, url }) =>
      `${OWN_MARK} ${label}: ${addressLink(url)}`
    ),
    lists: new Map(
      PARTS.map(([place]) => [
        place,
        claims.filter((told) => told.place === place && !isCount(told))
          .map(lineOf),
      ]),
    ),
    more: count,
    left: { happened: 0, model: 0, changed: 0, seen: 0, next: 0 },
  };
}

/** Counts what has no line, so that it is no line to be dropped. */
function isCount({ text, of }: Told): boolean {
  return of !== undefined && text.startsWith("… ");
}

function countIn({ lists, addresses, more }: Shown, place: string): number {
  if (place === "addresses") return addresses.length;
  const isCounted = place === "happened" && more !== undefined;
  return lists.get(place as Place)!.length + (isCounted ? 1 : 0);
}

/** Drops the last line of a place, and counts it. */
function drop(shown: Shown, place: Place | "addresses"): void {
  if (place === "addresses") return void shown.addresses.pop();
  const of = shown.lists.get(place)!.pop()?.told.of;
  if (of !== undefined) shown.more = addMore(shown.more, of);
  else shown.left[place as keyof Left]++;
}

/** Each part with its title, as lines of mrkdwn. */
function partsOf({ lists, more }: Shown): string[][] {
  return PARTS.flatMap(([place, title]) => {
    const lines = [
      ...lists.get(place)!.map(({ text }) => text),
      ...place === "happened" && more !== undefined ? [moreNames(more)] : [],
    ];
    if (lines.length === 0) return [];
    if (title === undefined) return [lines];
    const first = `*${OWN_MARK} ${title}*`;
    // A single line stands beside its title: there are few lines.
    return lines.length === 1
      ? [[`${first} · ${lines[0]!.replace(/^• /, "")}`]]
      : [[first, ...lines]];
  });
}

/** All lines but headline and state, as people read them. */
function linesOf(view: ReportView, shown: Shown): string[] {
  const body = [...shown.addresses, ...partsOf(shown).flat()];
  return [...body, ...smallOf(view, shown)].map(withoutControls);
}

function smallOf(view: ReportView, { lists, left }: Shown): string[] {
  const lines = [...lists.values()].flat();
  return smallPrint(view, {
    text: textIn(view, "small"),
    left,
    shown: lines.map(({ told }) => told),
    cut: lines.filter(({ cut }) => cut).length,
  });
}

/** The blocks below `head`, with as many buttons as Slack takes. */
function blocksOf(view: ReportView, shown: Shown, head: Block[]): Block[] {
  const links = [...view.links];
  while (true) {
    const blocks = [
      ...head,
      ...links.length === 0 ? [] : [linkButtons(links)],
      ...shown.addresses.length === 0
        ? []
        : [section(shown.addresses.join("\n"))],
      ...partsOf(shown).map((lines) => section(lines.join("\n"))),
      contextBlock(...smallOf(view, shown)),
    ];
    const isFit = JSON.stringify(blocks).length <= JSON_CHARS_MAX;
    if (isFit || links.length === 0) return blocks;
    links.pop();
  }
}

/** The sign of an alert's severity, else a bullet. */
function lineOf(told: Told): Line {
  const { severity, collected, evidence } = told;
  const start = severity !== undefined ? BADGES[severity][0] : "•";
  const end = collected ? ` ${citing(evidence, CITED_MAX)}` : "";
  const { text, cut } = tryFit(oneLine(told.text), LINE_CHARS_MAX);
  return {
    told,
    text: `${start} ${text}${end}`,
    cut: cut || CUT_QUOTE.test(told.text),
  };
}

/** A rule cuts quotes that are long; a short one was written so. */
const CUT_QUOTE = /“[^“”]{60,}…”/;

/** Slack shows the reader's own time beside that of the start. */
function stateLine(said: string, since: string | undefined): string {
  const line = fit(`${OWN_MARK} ${said}`, STATE_CHARS_MAX);
  return since === undefined ? line : line.replace(
    START,
    (_, start: string, shown: string) => start + localTime(since, shown),
  );
}

const START =
  /^(◆ (?:Since|Triggered) )((?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d UTC)/;

function textIn({ claims }: Report, place: Place): string {
  return oneLine(claims.find((told) => told.place === place)?.text ?? "");
}
