/**
 * The small print: as of when, and from what. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import type { Known, Rule } from "./rule.ts";

const NAME_CHARS_MAX = 60;
/** No webhook carries them. */
const NEVER = /^silences, inhibitions/;

export const small: Rule = (known) => {
  const { main, given, context } = known;
  const team = context.alerts?.team ?? given.get("teams");
  const urgency = given.get("urgency");
  return [{
    place: "small",
    text: [
      asOf(known),
      ...missing(known),
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
  const rest = others.length === 0 ? "" : ` and ${others.length} more`;
  return [`not got: ${quoted(`${first.what}: ${first.why}`, 90)}${rest}`];
}

function asOf({ asOf, isAsked, bundle, groups }: Known): string {
  const when = asOf === undefined
    ? "As of an unknown time"
    : `As of ${asOf.slice(0, 19).replace("T", " ")} UTC`;
  if (isAsked) return when;
  const nothing = groups.length > 0 || bundle.gaps === undefined
    ? ""
    : ": no alerts, logs or changes were read";
  return `${when}, from the webhook alone${nothing}`;
}
