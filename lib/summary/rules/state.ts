/**
 * Since when, how many, acknowledged or not, and who is on it. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { ageOf } from "../../base/text.ts";
import { between, clock } from "./clock.ts";
import type { Known, Rule } from "./rule.ts";

const NAME_CHARS_MAX = 80;
const SENTENCE_CHARS_MAX = 300;

/** `Since 09:20:00 UTC, newest 09:31:17, none resolved.` */
export const state: Rule = (known) => {
  const { groups, context, main } = known;
  const parts = groups.length > 0 ? ofAlerts(known) : ofIncident(known);
  const saying = context.alerts?.all_say;
  const count = context.alerts?.firing ?? 0;
  const all = saying === undefined
    ? ""
    : `${count === 2 ? "Both" : `All ${count}`} say: ${
      quoted(saying, SENTENCE_CHARS_MAX)
    }`;
  const text = [parts === "" ? "" : upper(parts), all]
    .filter((part) => part !== "").join(". ");
  return text === "" ? [] : [{
    place: "state",
    text,
    evidence: [...groups[0]?.evidence ?? main],
  }];
};

function ofAlerts(known: Known): string {
  const { context, since, asOf, groups } = known;
  const { firing = 0, resolved = 0 } = context.alerts ?? {};
  const newest = groups.flatMap(({ since, newest }) => newest ?? since ?? [])
    .sort().at(-1);
  const total = firing + resolved;
  const isOne = total === 1;
  return [
    sinceOf(known),
    ...ofWorst(known),
    ...newest === undefined || newest === since
      ? []
      : [`newest ${clock(newest, asOf)}`],
    ...firing === 0
      ? [isOne ? "resolved" : "all resolved"]
      : resolved > 0
      ? [`${resolved} of ${total} resolved`]
      : isOne
      ? []
      : ["none resolved"],
  ].filter((part) => part !== "").join(", ");
}

/** `9 of 12 critical`, where others are less so. */
function ofWorst({ context: { alerts }, worst, groups }: Known): string[] {
  const isAll = worst.length === groups.length && alerts?.others === undefined;
  if (isAll || alerts === undefined) return [];
  const count = worst.reduce((sum, { count }) => sum + count, 0) +
    (alerts.others?.severity === worst[0]!.severity ? alerts.others.alerts : 0);
  const all = alerts.firing || alerts.resolved;
  return count === all ? [] : [`${count} of ${all} ${worst[0]!.severity}`];
}

function sinceOf({ since, asOf, isAsked, context }: Known): string {
  if (since === undefined) {
    const { occurred_at } = context;
    return occurred_at === undefined ? "" : `since ${named(occurred_at, 40)}`;
  }
  const age = isAsked && asOf !== undefined
    ? ` (${ageOf(between(since, asOf))} ago)`
    : "";
  return `since ${clock(since, asOf)} UTC${age}`;
}

/** What a sender that tracks people says of an incident. */
function ofIncident(known: Known): string {
  const { context, since, asOf, given } = known;
  const { status = "", source } = context;
  const isPaged = source?.system === "pagerduty" && since !== undefined;
  const when = isPaged && status === "triggered"
    ? `triggered ${clock(since, asOf)} UTC, not acknowledged`
    : [
      sinceOf(known),
      status.trim() === "" ? "" : `now ${named(status, NAME_CHARS_MAX)}`,
    ].filter((part) => part !== "").join(", ");
  const people = given.get("assigned to");
  const policy = given.get("escalation policy");
  const who = people === undefined
    ? ""
    : `${named(people, NAME_CHARS_MAX)}${
      policy === undefined ? "" : ` (${named(policy, NAME_CHARS_MAX)})`
    } ${people.includes(",") ? "are" : "is"} assigned`;
  return [when, who].filter((part) => part !== "").join(" · ");
}

function upper(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}
