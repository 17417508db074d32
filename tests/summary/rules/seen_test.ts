import { assertEquals } from "@std/assert";
import type { Fact } from "../../../lib/incident.ts";
import { seen } from "../../../lib/summary/rules/seen.ts";
import { fact, textsOf } from "./support.ts";

const history = (name: string, value: string) => fact("history", name, value);
const SIMILAR = history(
  "similar incidents",
  "3, the last: Cart is slow, again, 6 d before",
);
const FIRINGS = [
  history("fired in 30 days", "3 times before, usually for 40 min"),
  history("last fired", "2026-03-01T10:00:00.000Z for 41 min"),
];

const TOLD: readonly [what: string, facts: Fact[], texts: string[]][] = [
  ["nothing without history", [fact("log", "last fired", "x")], []],
  ["nothing in another form", [history("last fired", "[E1] long ago")], []],
  ["how the last similar incident ended, and its note", [
    SIMILAR,
    history("how the last one ended", "resolved after 41 min by Ada Example"),
    history("last note of a similar incident", "Other, 9 d before: Bo: Waited"),
    history(
      "last note of a similar incident",
      "Cart is slow, again, 6 d before: Ada: Rolled back",
    ),
  ], [
    "6 d before, in PagerDuty: “Cart is slow, again”, resolved after 41 min by “Ada Example”, last note: “Ada: Rolled back”",
  ]],
  ["no end that nobody knows", [SIMILAR], [
    "6 d before, in PagerDuty: “Cart is slow, again”",
  ]],
  ["that the last one goes on", [
    SIMILAR,
    history("how the last one ended", "not resolved, still acknowledged"),
  ], [
    "6 d before, in PagerDuty: “Cart is slow, again”, not resolved, still acknowledged",
  ]],
  ["when it last fired, and how often", FIRINGS, [
    "It last fired 2026-03-01 10:00 UTC for 41 min; 3 times in 30 days, usually for 40 min",
  ]],
  ["a usual length only if the last was another", [
    history("fired in 30 days", "2 times before, usually for 41 min"),
    FIRINGS[1]!,
  ], ["It last fired 2026-03-01 10:00 UTC for 41 min; 2 times in 30 days"]],
  ["that it fired once", [
    history("fired in 30 days", "1 time before, usually for 40 min"),
    FIRINGS[1]!,
  ], [
    "It last fired 2026-03-01 10:00 UTC for 41 min, the only time in 30 days",
  ]],
  ["what was posted before", [
    history("incidents in 14 days", "4 before this one"),
    history(
      "last incident",
      '5 d ago: critical alertmanager:1, "Cart is "slow""',
    ),
  ], ['Posted 5 d ago as critical: “Cart is "slow"”; 4 incidents in 14 days']],
  ["two of them, those that know the end first", [
    history("last incident", "5 d ago: critical alertmanager:1"),
    ...FIRINGS,
    SIMILAR,
  ], [
    "6 d before, in PagerDuty: “Cart is slow, again”",
    "It last fired 2026-03-01 10:00 UTC for 41 min; 3 times in 30 days, usually for 40 min",
  ]],
];
for (const [what, facts, texts] of TOLD) {
  Deno.test(`seen tells ${what}`, () => {
    assertEquals(textsOf(seen, { facts }), texts);
  });
}
