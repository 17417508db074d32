/**
 * The small print: as of when, and from what. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { utcOf } from "../../base/text.ts";
import { type GapKind, withIds } from "../../incident.ts";
import { amount } from "./amount.ts";
import { priorityOf } from "./headline.ts";
import type { Known, Rule } from "./rule.ts";

const NAME_CHARS_MAX = 60;
const WHY_CHARS_MAX = 90;
/** A shorter text may end so by itself. */
const CUT_CHARS = 1000;
/** Why something is missing, in a word. */
const KINDS: Readonly<Record<GapKind, string>> = {
  off: "not set up",
  unconcerned: "not concerned",
  refused: "refused",
  absent: "not there",
  late: "too late",
  cut: "only a part",
  limited: "asked too often",
  broken: "no good answer",
};
/** No webhook carries them. */
const NEVER = /^silences, inhibitions/;

export const small: Rule = (known) => {
  const { main, given, context } = known;
  const team = context.alerts?.team ?? given.get("teams");
  const urgency = given.get("urgency");
  // One that is none of ours has no place in the headline.
  const priority = priorityOf(known) === undefined
    ? given.get("priority")
    : undefined;
  return [{
    place: "small",
    text: [
      asOf(known),
      ...missing(known),
      ...whole(known),
      ...priority === undefined
        ? []
        : [`priority ${named(priority, NAME_CHARS_MAX)}`],
      ...urgency === undefined ? [] : [`urgency ${named(urgency, 20)}`],
      ...team === undefined ? [] : [`team ${named(team, NAME_CHARS_MAX)}`],
    ].join(" · "),
    evidence: [...main],
  }];
};

/** What was looked for and not got; what nobody set up is no news. */
function missing({ bundle: { gaps = [] } }: Known): string[] {
  const told = gaps.filter(({ kind, what }) =>
    kind !== "off" && !NEVER.test(what)
  );
  const [first, ...others] = told;
  if (first === undefined) return [];
  const { what, why, kind } = first;
  const rest = others.length === 0 ? "" : ` and ${others.length} more`;
  // The stored summary and the page have the reason in full.
  const said = kind === undefined
    ? quoted(`${what}: ${why}`, WHY_CHARS_MAX)
    : `${named(what, NAME_CHARS_MAX)} (${KINDS[kind]})`;
  return [`not got: ${said}${rest}`];
}

/** Where all of a description is that was cut before anybody summarised it. */
function whole({ context, bundle, main: [id] }: Known): string[] {
  const { description = "" } = context;
  const item = withIds(bundle.evidence).find((item) => item.id === id);
  if (item === undefined || !/…$/.test(description)) return [];
  if (description.length < CUT_CHARS) return [];
  const size = amount(item.bytes, "B");
  return [`the whole description is in the payload, ${id} (${size})`];
}

function asOf({ asOf, isAsked, bundle, groups }: Known): string {
  const when = asOf === undefined
    ? "As of an unknown time"
    : `As of ${utcOf(asOf)}`;
  if (isAsked) return when;
  const nothing = groups.length > 0 || bundle.gaps === undefined
    ? ""
    : ": no alerts, logs or changes were read";
  return `${when}, from the webhook alone${nothing}`;
}
