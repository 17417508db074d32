/**
 * What to do next, only if it is concrete: look at the change just before, and
 * the first check of a well-known alert. Pure.
 *
 * @module
 */
import { named } from "../../base/foreign.ts";
import { FIRST_CHECKS } from "../first_checks.ts";
import { changesBefore } from "./changes.ts";
import { between, clock } from "./clock.ts";
import type { Rule } from "./rule.ts";

const NAME_CHARS_MAX = 80;
const CHECKS_MAX = 2;
/** An older change is told, but no more than that. */
const NEAR_MS = 60 * 60 * 1000;

export const next: Rule = (known) => {
  const { since, asOf, worst } = known;
  const [change] = changesBefore(known);
  const ms = change === undefined || since === undefined
    ? Infinity
    : between(change.at, since);
  const checks = worst.flatMap(
    ({ name, where = [], worst: place = where[0], evidence }) => {
      const check = FIRST_CHECKS.get(name)?.check;
      if (check === undefined) return [];
      if (place === undefined && check.includes("{where}")) return [];
      const what = check.replace(
        "{where}",
        () => named(place ?? "", NAME_CHARS_MAX),
      );
      return [{
        place: "next" as const,
        text: `For ${named(name, NAME_CHARS_MAX)}, ${what}`,
        evidence: [...evidence],
      }];
    },
  );
  return [
    // What it was stands above.
    ...change === undefined || ms > NEAR_MS ? [] : [{
      place: "next" as const,
      text: `See if the change of ${
        clock(change.at, asOf)
      } explains it; if so, roll it back`,
      evidence: [...change.evidence],
      ...change.kind !== undefined && { collected: true },
    }],
    ...checks.slice(0, CHECKS_MAX),
  ];
};
