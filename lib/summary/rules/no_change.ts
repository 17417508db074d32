/**
 * That nothing was changed, by those that were asked and for the time that they
 * were asked about. Pure.
 *
 * @module
 */
import type { Lookup } from "../../incident.ts";
import { titleOf } from "../../lookups.ts";
import type { Told } from "../../message/told.ts";
import { between } from "./clock.ts";
import type { Known } from "./rule.ts";

const HOUR_MS = 60 * 60 * 1000;
/** Questions whose answer would be a change. */
const ASKED = /^(?:deployments of|rollouts of|annotations since|changes that) /;

/** `No change found: in the 24 h before, in GitHub and Kubernetes`. */
export function noChange(known: Known): Told[] {
  const { lookups, main, since } = known;
  const asked = lookups.filter(({ question = "" }) => ASKED.test(question));
  const answered = asked.filter(({ state }) =>
    state === "found" || state === "nothing"
  );
  if (answered.length === 0) return [];
  const spans = [
    ...Map.groupBy(answered, (lookup) => spanOf(lookup, since)),
  ].map(([span, some]) => `${span}in ${listOf(some)}`);
  const failed = asked.filter(({ state }) => state === "failed");
  const missing = failed.length === 0
    ? ""
    : `; ${listOf(failed)} could not be asked`;
  const cited = answered.flatMap(({ evidence = [] }) => evidence);
  return [{
    place: "changed",
    text: `No change found ${spans.join(", nor ")}${missing}`,
    evidence: cited.length > 0 ? cited : [...main],
    ...cited.length > 0 && { collected: true },
  }];
}

/** `in the 24 h before, `; empty where the question names no time. */
function spanOf(
  { question = "" }: Lookup,
  since: string | undefined,
): string {
  const [, day, time] = /since (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/
    .exec(question) ?? [];
  const [, hours] = /since (\d{1,3}) h before/.exec(question) ?? [];
  const span = hours ??
    (day === undefined || since === undefined
      ? NaN
      : Math.floor(between(`${day}T${time}Z`, since) / HOUR_MS));
  return Number(span) > 0 ? `in the ${span} h before, ` : "";
}

function listOf(lookups: readonly Lookup[]): string {
  const titles = [
    ...new Set(lookups.map(({ collector }) => titleOf(collector))),
  ];
  return titles.length < 2
    ? titles.join("")
    : `${titles.slice(0, -1).join(", ")} and ${titles.at(-1)}`;
}
