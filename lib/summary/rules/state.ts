/**
 * Since when, how many, acknowledged or not, and who is on it. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import { ageOf, capitalized } from "../../base/text.ts";
import type { Fact } from "../../incident.ts";
import { between, clock } from "./clock.ts";
import type { Known, Rule } from "./rule.ts";
import { verdictOf } from "./verdict.ts";

const NAME_CHARS_MAX = 80;
const SENTENCE_CHARS_MAX = 300;

/** The states of a page, as PagerDuty's webhook names them. */
const PAGED: Readonly<Record<string, string>> = {
  triggered: "not acknowledged",
  acknowledged: "acknowledged",
  resolved: "resolved",
};

/** `Since 09:20:00 UTC, newest 09:31:17, none resolved.` */
export const state: Rule = (known) => {
  const { groups, context, main } = known;
  const parts = groups.length > 0 ? ofAlerts(known) : ofIncident(known);
  const cited = [
    ...groups[0]?.evidence ?? main,
    ...people(known).flatMap(({ evidence }) => evidence),
  ];
  const saying = context.alerts?.all_say;
  const count = context.alerts?.firing ?? 0;
  const all = saying === undefined
    ? ""
    : `${count === 2 ? "Both" : `All ${count}`} say: ${
      quoted(saying, SENTENCE_CHARS_MAX)
    }`;
  const verdict = verdictOf(known)?.text ?? "";
  const text = [verdict, parts, all].map(capitalized)
    .filter((part) => part !== "").join(". ");
  return text === "" ? [] : [{
    place: "state",
    text,
    evidence: cited,
  }];
};

/** What PagerDuty says now. */
function people({ facts }: Known): Fact[] {
  const names = ["PagerDuty status", "assigned now to", "next escalation"];
  return facts.filter(({ name, kind }) =>
    kind === "people" && names.includes(name)
  );
}

/** Whether somebody is known to work on it. */
export function isTaken(known: Known): boolean {
  const { context: { status = "" }, given } = known;
  const { how, who } = nowOf(known);
  return who !== undefined || given.has("assigned to") ||
    /^(?:acknowledged|resolved)/.test(how ?? status);
}

/** As it is when evidence was collected, which is after the webhook. */
function nowOf(known: Known) {
  const value = (name: string) =>
    people(known).find((fact) => fact.name === name)?.value;
  const [, how, by, when] =
    /^(triggered|acknowledged|resolved)(?: by (.+?))?(?:, (at the start|\d+ \w+ (?:before|after) the start))?$/s
      .exec(value("PagerDuty status") ?? "") ?? [];
  const said = [
    how === "triggered" ? "not acknowledged" : how,
    ...by === undefined ? [] : [`by ${named(by, NAME_CHARS_MAX)}`],
    ...when === undefined || how === "triggered"
      ? []
      : [when.replace(" the start", "")],
  ].join(" ");
  const escalation = /^\S+ (\d\d:\d\d):\d\d UTC$/
    .exec(value("next escalation") ?? "")?.[1];
  return {
    how,
    said,
    who: value("assigned now to"),
    escalation: how === "triggered" ? escalation : undefined,
  };
}

function ofAlerts(known: Known): string {
  const { context, since, asOf, groups } = known;
  const { firing = 0, resolved = 0, cut = 0 } = context.alerts ?? {};
  const newest = context.alerts?.newest ??
    groups.flatMap(({ since, newest }) => newest ?? since ?? []).sort().at(-1);
  const total = firing + resolved;
  const isOne = total === 1;
  return [
    sinceOf(known),
    ...ofWorst(known),
    ...newest === undefined || newest === since
      ? []
      : [`newest ${clock(newest, asOf)}`],
    ...isOver(known)
      ? ["Alertmanager has none of them now"]
      : firing === 0 && cut > 0
      // What was cut off may fire, as may what a count would leave out.
      ? [
        isOne
          ? "the one in the webhook is resolved"
          : "all in the webhook are resolved",
      ]
      : firing === 0
      ? [isOne ? "resolved" : "all resolved"]
      : resolved > 0
      ? [`${resolved} of ${total} resolved`]
      : isOne || cut > 0
      ? []
      : ["none resolved"],
  ].filter((part) => part !== "").join(", ");
}

/** What Alertmanager says after the webhook of alerts that still fired there. */
function isOver({ lookups, context: { alerts } }: Known): boolean {
  return (alerts?.firing ?? 0) > 0 && lookups.some((
    { collector, state, why },
  ) =>
    collector === "alertmanager" && state === "nothing" &&
    why === "Alertmanager has none of its alerts now"
  );
}

/**
 * `9 of 12 critical`, where others are less so; `3 alerts` of one name, whose
 * headline tells of the worst one.
 */
function ofWorst({ context: { alerts }, worst, groups }: Known): string[] {
  if (alerts === undefined) return [];
  if (worst.length === groups.length && alerts.others === undefined) {
    const { count = 1 } = groups.length === 1 ? groups[0]! : {};
    // `1 of 3 resolved` counts them, too.
    const isCounted = alerts.firing > 0 && alerts.resolved > 0;
    return count > 1 && !isCounted ? [`${count} alerts`] : [];
  }
  // Those without a group may be of several severities.
  const count = alerts.worst ??
    (alerts.others === undefined
      ? worst.reduce((sum, { count }) => sum + count, 0)
      : alerts.firing || alerts.resolved);
  const all = alerts.firing || alerts.resolved;
  return count === all ? [] : [`${count} of ${all} ${worst[0]!.severity}`];
}

function sinceOf({ since, asOf, isAsked, context }: Known): string {
  if (since === undefined) {
    const { occurred_at } = context;
    return occurred_at === undefined ? "" : `since ${named(occurred_at, 40)}`;
  }
  return `since ${clock(since, asOf)} UTC${ofAge({ since, asOf, isAsked })}`;
}

/** Of what a webhook alone tells, nobody knows how long ago it was. */
function ofAge(
  { since, asOf, isAsked }: Pick<Known, "since" | "asOf" | "isAsked">,
): string {
  return isAsked && asOf !== undefined && since !== undefined
    ? ` (${ageOf(between(since, asOf))} ago)`
    : "";
}

/** What a sender that tracks people says of an incident. */
function ofIncident(known: Known): string {
  const { context, since, asOf, given } = known;
  const { status = "", source } = context;
  const isPaged = source?.system === "pagerduty" && since !== undefined;
  const { how, said, who: assigned, escalation } = nowOf(known);
  const when = isPaged && how !== undefined
    ? `triggered ${clock(since, asOf)} UTC${ofAge(known)}, ${said}`
    : isPaged && Object.hasOwn(PAGED, status)
    ? `triggered ${clock(since, asOf)} UTC${ofAge(known)}, ${PAGED[status]}`
    : [
      sinceOf(known),
      status.trim() === "" ? "" : `now ${named(status, NAME_CHARS_MAX)}`,
    ].filter((part) => part !== "").join(", ");
  const names = assigned ?? given.get("assigned to");
  const policy = given.get("escalation policy");
  const who = names === undefined
    ? ""
    : `${named(names, NAME_CHARS_MAX)}${
      policy === undefined ? "" : ` (${named(policy, NAME_CHARS_MAX)})`
    } ${names.includes(",") ? "are" : "is"} assigned`;
  const escalates = escalation === undefined
    ? ""
    : `escalates at ${escalation} UTC`;
  return [when, who, escalates].filter((part) => part !== "").join(" · ");
}
