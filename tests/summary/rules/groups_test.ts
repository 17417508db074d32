import { assertEquals } from "@std/assert";
import type { NormalizedContext } from "../../../lib/incident.ts";
import { groups } from "../../../lib/summary/rules/groups.ts";
import { alertsOf, fact, group, textsOf } from "./support.ts";

const NAMES = ["A", "B", "C", "D", "E", "F", "G"];

const TOLD: readonly [what: string, NormalizedContext, texts: string[]][] = [
  ["nothing of an incident without alerts", { title: "Slow" }, []],
  ["what a poor alert lacks", { title: "Slow", ...alertsOf([group()]) }, [
    "The alert says nothing more: it has no description, severity or runbook",
  ]],
  ["a single alert's name, and what its headline has no room for", {
    ...alertsOf([group({ says: "It is slow" })]),
    description: "It is slow. Nobody can pay.",
  }, ["Slow · “Nobody can pay.”"]],
  [
    "a sentence of the headline no second time",
    alertsOf([
      group({ says: "It is slow" }),
      group({ name: "Old", severity: "warning", says: "It ages" }),
    ]),
    ["Slow, from 08:00", "Old, from 08:00 · “It ages”"],
  ],
  [
    "neither start nor places that stand above a single name",
    alertsOf([group({ count: 2, where: ["a", "b"], says: "a is slow" })]),
    ["Slow ×2"],
  ],
  [
    "the places that the headline cuts",
    alertsOf([
      group({ count: 2, where: ["a".repeat(30), "b".repeat(30)] }),
    ]),
    [`Slow ×2 on “${"a".repeat(30)}, ${"b".repeat(30)}”`],
  ],
  [
    "the places of a service",
    {
      ...alertsOf([group({ count: 2, where: ["a", "b"], says: "a is slow" })]),
      service: "shop",
    },
    ["Slow ×2 on “a, b”"],
  ],
  [
    "one sentence of several names once",
    alertsOf([
      group({ says: "It is slow" }),
      group({ name: "Slower", says: "It is slow" }),
    ]),
    ["Slow, from 08:00 · “It is slow”", "Slower, from 08:00"],
  ],
  [
    "who was first each time",
    alertsOf([
      group({ count: 2, where: ["a", "b"], says: "a is slow" }),
      group({ name: "Full", count: 2, where: ["a", "c"], says: "c is full" }),
    ]),
    [
      "Slow ×2, from 08:00 · “a is slow”",
      "Full ×2, from 08:00 · “c is full”",
      "a was first each time",
    ],
  ],
  [
    "at most five names, and counts the others",
    alertsOf(
      NAMES.map((name) => group({ name, count: 2 })),
      { others: { groups: 3, alerts: 4, severity: "warning" } },
    ),
    [
      ...NAMES.slice(0, 5).map((name) => `${name} ×2, from 08:00`),
      "… 5 more names (8 alerts), at worst critical, 2 of them in the stored summary",
    ],
  ],
  [
    "all of a sentence that the headline cuts",
    alertsOf([group({ says: `It is ${"very ".repeat(26)}slow` })]),
    [`Slow · “It is ${"very ".repeat(26)}slow”`],
  ],
  [
    "no sentence that the headline has room for",
    alertsOf([group({ says: `It is ${"very ".repeat(25)}slow` })]),
    ["Slow"],
  ],
  [
    "no beginning of a sentence beside all of it",
    {
      ...alertsOf([group({ says: "It is a long stor…" })]),
      description: "It is a long story of woe. Then more.",
    },
    ["Slow · “Then more.”"],
  ],
  [
    "a pod, of which the headline tells the workload",
    {
      ...alertsOf([group({ says: "It is slow" })]),
      service: "cart-6c5f7d8b9c-4hx2z",
    },
    ["Slow on cart-6c5f7d8b9c-4hx2z"],
  ],
  [
    "one name more rather than that one is left",
    alertsOf(NAMES.slice(0, 6).map((name) => group({ name }))),
    NAMES.slice(0, 6).map((name) => `${name}, from 08:00`),
  ],
  [
    "fewer names beside what other systems tell",
    {
      ...alertsOf(NAMES.slice(0, 5).map((name) => group({ name }))),
      facts: [fact("log", "new error", "x")],
    },
    [
      ...NAMES.slice(0, 3).map((name) => `${name}, from 08:00`),
      "… 2 more names (2 alerts), at worst critical, in the stored summary",
    ],
  ],
];
for (const [what, context, texts] of TOLD) {
  Deno.test(`groups tells ${what}`, () => {
    assertEquals(textsOf(groups, context), texts);
  });
}
