/**
 * Whether it was so before: the last time, how often, and how it ended, as far as
 * that is known. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { counted } from "../../base/text.ts";
import type { Fact } from "../../incident.ts";
import type { Told } from "../../message/told.ts";
import { clock } from "./clock.ts";
import type { Rule } from "./rule.ts";

const SHOWN = 2;
const NAME_CHARS_MAX = 80;
const TITLE_CHARS_MAX = 80;
const NOTE_CHARS_MAX = 160;

/**
 * `6 d before in PagerDuty: “Checkout is slow”, resolved after 41 min by ada;
 * last note: “Rolled back”`. Whoever can say how it ended comes first.
 */
export const seen: Rule = ({ facts, asOf }) => {
  const past = facts.filter(({ kind }) => kind === "history");
  const find = (name: string) => past.find((fact) => fact.name === name);
  const told = [
    ...similar(past, find),
    ...firings(find, asOf),
    ...posts(past, find),
  ];
  return told.slice(0, SHOWN);
};

type Find = (name: string) => Fact | undefined;

function tell(text: string, { evidence }: Fact): Told {
  return {
    place: "seen",
    text,
    evidence: [...evidence],
    collected: true,
  };
}

function similar(past: readonly Fact[], find: Find): Told[] {
  const fact = find("similar incidents");
  const [, , name = "", title = "", ago = ""] =
    /^(\d+), the last: ((.*), (\d+ \w+) before)$/s.exec(fact?.value ?? "") ??
      [];
  if (fact === undefined || name === "") return [];
  const [, how] =
    /^((?:resolved(?: after \d+ \w+)?)(?: by .*)?|not resolved, still \w+)$/s
      .exec(find("how the last one ended")?.value ?? "") ?? [];
  const notes = past.filter((one) =>
    one.name === "last note of a similar incident"
  );
  const start = `${name}: `;
  const note = notes.find(({ value }) => value.startsWith(start))?.value
    .slice(start.length);
  return [tell(
    [
      `${ago} before, in PagerDuty: ${quoted(title, TITLE_CHARS_MAX)}`,
      ...how === undefined ? [] : [endOf(how)],
      ...note === undefined
        ? []
        : [`last note: ${quoted(note, NOTE_CHARS_MAX)}`],
    ].join(", "),
    fact,
  )];
}

/** Who ended it is a name that others chose. */
function endOf(how: string): string {
  const [start, by] = how.split(/ by (.*)/s);
  return by === undefined ? how : `${start} by ${named(by, NAME_CHARS_MAX)}`;
}

function firings(find: Find, asOf: string | undefined): Told[] {
  const fact = find("last fired");
  const often = find("fired in 30 days");
  const [, at = "", length = ""] =
    /^(\S+) for (\d+ \w+)$/.exec(fact?.value ?? "") ?? [];
  const [, times = "", usual = ""] =
    /^(\d+) times? before, usually for (\d+ \w+)$/.exec(often?.value ?? "") ??
      [];
  if (fact === undefined || at === "") return [];
  const count = times === ""
    ? ""
    : times === "1"
    ? ", the only time in 30 days"
    : `; ${counted(Number(times), "time")} in 30 days${
      usual === length ? "" : `, usually for ${usual}`
    }`;
  return [tell(
    `It last fired ${
      clock(at, asOf, { seconds: false })
    } UTC for ${length}${count}`,
    fact,
  )];
}

function posts(past: readonly Fact[], find: Find): Told[] {
  const fact = find("last incident");
  const [, ago = "", severity = "", title = ""] =
    /^(\d+ \w+) ago: (critical|error|warning|info) \S+(?:, "(.*)")?$/s
      .exec(fact?.value ?? "") ?? [];
  if (fact === undefined || ago === "") return [];
  const often = countOf(past);
  return [tell(
    `Posted ${ago} ago as ${severity}${
      title === "" ? "" : `: ${quoted(title, TITLE_CHARS_MAX)}`
    }${often}`,
    fact,
  )];
}

/** How many incidents of the subject there were, if more than the last one. */
function countOf(past: readonly Fact[]): string {
  for (const { name, value } of past) {
    const [, days] = /^incidents in (\d{1,3}) days$/.exec(name) ?? [];
    const [, count] = /^(\d+) before this one$/.exec(value) ?? [];
    if (days !== undefined && count !== undefined && count !== "1") {
      return `; ${count} incidents in ${days} days`;
    }
  }
  return "";
}
