/**
 * What is known beside the claims: moments, gaps, look-ups, what redaction took.
 * Pure.
 *
 * @module
 */
import { foreignLine, quoted } from "../../base/foreign.ts";
import { capitalized, shorten } from "../../base/text.ts";
import { type Lookup, type LookupState, toMoment } from "../../incident.ts";
import { titleOf } from "../../lookups.ts";
import { describeRemoved } from "../../removed.ts";
import { cites } from "./cites.ts";
import { type Child, element, type Markup } from "./markup.ts";
import type { PageView, Room } from "./view.ts";

function section(heading: string, ...children: readonly Child[]): Markup {
  return element("section", {}, element("h2", {}, heading), ...children);
}

function list(items: readonly Child[]): Markup {
  return element(
    "ul",
    { class: "plain" },
    items.map((item) => element("li", {}, item)),
  );
}

/** Facts as the sources name them. */
export function factsSection({ bundle }: PageView, room: Room): Child {
  const { facts = [] } = bundle.normalized_context ?? {};
  if (facts.length === 0) return undefined;
  const text = (given: string) => shorten(foreignLine(given), room.chars);
  const rows = facts.map(({ name, value, evidence }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, text(name)),
      element("td", {}, text(value), " ", cites(evidence)),
    )
  );
  return section(
    "Facts",
    element("div", { class: "scroll" }, element("table", {}, rows)),
  );
}

/** What happened when, the oldest first. */
export function timelineSection({ bundle }: PageView, room: Room): Child {
  const { timeline = [] } = bundle.normalized_context ?? {};
  if (timeline.length === 0) return undefined;
  const items = timeline.map(({ at, text, kind, evidence }) =>
    element(
      "li",
      { class: kind === "change" ? kind : undefined },
      moment(at),
      element(
        "span",
        {},
        kind === "change" ? element("b", {}, "Change ") : undefined,
        shorten(foreignLine(text), room.chars),
        " ",
        cites(evidence),
      ),
    )
  );
  return section(
    "Timeline, in UTC",
    element("ol", { class: "moments" }, items),
  );
}

/** A time as people and programs read it. */
export function moment(at: string): Markup {
  const known = toMoment(at);
  if (known === undefined) return element("span", {}, quoted(at, 40));
  const text = known.slice(0, 19).replace("T", " ");
  return element("time", { datetime: known }, text);
}

/** What could not be collected. */
export function gapsSection({ bundle }: PageView, room: Room): Child {
  const { gaps = [] } = bundle;
  if (gaps.length === 0) return undefined;
  const items = gaps.map(({ what, why, got, of }) =>
    quoted(`${what}: ${why}`, room.chars) +
    (got === undefined || of === undefined ? "" : `, ${got} of ${of}`)
  );
  return section("What is missing", list(items));
}

const STATES: readonly (readonly [LookupState, string])[] = [
  ["found", "Asked and found"],
  ["nothing", "Asked, and there is nothing"],
  ["failed", "Could not be asked"],
  ["unconcerned", "Not asked: the incident names nothing to look up there"],
  ["off", "Not set up"],
];

/** What was looked up in other systems, by how it ended. */
export function lookupsSection({ bundle }: PageView, room: Room): Child {
  const { lookups = [] } = bundle;
  if (lookups.length === 0) return undefined;
  const groups = STATES.flatMap(([state, heading]): Child[] => {
    const items = lookups.filter((lookup) => lookup.state === state);
    if (items.length === 0) return [];
    const names = items.map(({ collector }) => titleOf(collector)).join(", ");
    return [
      element("h3", {}, heading),
      state === "off"
        ? element("p", {}, `${capitalized(names)}.`)
        : list(items.map((item) => lookupItem(item, room))),
    ];
  });
  return section("What was looked up", groups);
}

function lookupItem(
  { collector, question, why, evidence = [] }: Lookup,
  room: Room,
): Child {
  const what = question === undefined
    ? ""
    : `: ${quoted(question, room.chars)}`;
  const because = why === undefined ? "" : `, ${quoted(why, room.chars)}`;
  return [
    `${capitalized(titleOf(collector))}${what}${because} `,
    evidence.length === 0 ? undefined : cites(evidence),
  ];
}

/** What redaction removed, and where. */
export function removedSection({ bundle, level }: PageView): Child {
  const ledger = bundle.normalized_context?.redacted ?? {};
  const said = describeRemoved(ledger, level);
  if (said === undefined) return undefined;
  const items = Object.entries(ledger).map(([name, { count, where }]) => {
    // At full, a field's name is text that is withheld, too.
    const shown = level === "full" ? [] : where.map((at) => quoted(at, 120));
    const places = shown.length === 0 ? "" : `, in ${shown.join(", ")}`;
    return `${name}: ${count}${places}`;
  });
  return section(
    "What redaction removed",
    element("p", {}, `${capitalized(said)}.`),
    list(items),
  );
}
