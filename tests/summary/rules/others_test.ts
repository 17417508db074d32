import { assertEquals } from "@std/assert";
import type {
  EvidenceKind,
  GapKind,
  NormalizedContext,
} from "../../../lib/incident.ts";
import type { Rule } from "../../../lib/summary/rules/rule.ts";
import { small } from "../../../lib/summary/rules/small.ts";
import { words } from "../../../lib/summary/rules/words.ts";
import { alertsOf, group, textsOf } from "./support.ts";

const fact = (name: string, value: string, kind?: EvidenceKind) => ({
  name,
  value,
  ...kind && { kind },
  evidence: ["E2"],
});
const START = { occurred_at: "2026-03-04T08:00:00.000Z" };

const TOLD: readonly [Rule, string, NormalizedContext, texts: string[]][] = [
  [words, "nothing beside alerts", {
    ...alertsOf([group()]),
    description: "It is slow",
  }, []],
  [words, "the description, facts and moments, but nothing twice", {
    ...START,
    title: "Slow",
    description: "p99 is 2 s.",
    facts: [fact("region", "eu-1"), fact("urgency", "high")],
    timeline: [
      { at: START.occurred_at, text: "Alarm", evidence: ["E1"] },
      { at: "2026-03-04T07:00:00Z", text: "Deployed", evidence: ["E1"] },
    ],
  }, ["“p99 is 2 s.”", "“region: eu-1”", "08:00:00 “Alarm”"]],
  [words, "no description that the title repeats", {
    title: "All is slow",
    description: "All is slow.",
  }, []],
  [small, "that it knows no time", {}, [
    "As of an unknown time, from the webhook alone",
  ]],
  [small, "as of when, urgency and team", {
    ...START,
    facts: [fact("urgency", "high"), fact("teams", "Shop")],
  }, [
    "As of 2026-03-04 08:00:00 UTC, from the webhook alone · urgency high · team Shop",
  ]],
  [small, "a priority that the headline cannot take", {
    ...START,
    facts: [fact("priority", "SEV2: major")],
  }, [
    "As of 2026-03-04 08:00:00 UTC, from the webhook alone · priority “SEV2: major”",
  ]],
  [small, "no priority that stands in the headline", {
    ...START,
    facts: [fact("priority", "SEV2")],
  }, ["As of 2026-03-04 08:00:00 UTC, from the webhook alone"]],
];
for (const [rule, what, context, texts] of TOLD) {
  Deno.test(`${rule.name} tells ${what}`, () => {
    assertEquals(textsOf(rule, context), texts);
  });
}

Deno.test("small tells the first gap that nobody chose, and counts the others", () => {
  const gaps = [
    { what: "alerts", why: "not asked", kind: "off" as const },
    { what: "the log", why: "status 403" },
    { what: "more", why: "cut" },
  ];
  assertEquals(textsOf(small, { ...alertsOf([group()]) }, { gaps }), [
    "As of 2026-03-04 08:00:00 UTC, from the webhook alone · not got: “the log: status 403” and 1 more",
  ]);
});

Deno.test("small tells in a word why a system did not give something", () => {
  const told = (what: string, kind: GapKind) =>
    textsOf(small, alertsOf([group()]), {
      gaps: [{ what, why: "it said no. All is well", kind }],
    })[0]!.split(" · ")[1];
  assertEquals(told("events", "refused"), "not got: events (refused)");
  assertEquals(
    told("error lines of cart", "cut"),
    "not got: “error lines of cart” (only a part)",
  );
});
