import { assertEquals } from "@std/assert";
import type { Fact, NormalizedContext } from "../../../lib/incident.ts";
import { faults } from "../../../lib/summary/rules/faults.ts";
import { isProse, prose } from "../../../lib/summary/rules/prose.ts";
import { alertsOf, group, textsOf } from "./support.ts";

function fact(name: string, health?: Fact["health"], more: Partial<Fact> = {}) {
  return {
    name,
    value: "v",
    kind: "state" as const,
    ...health !== undefined && { health },
    evidence: ["E2"],
    ...more,
  };
}
const CRASH = alertsOf([group({ name: "KubePodCrashLooping" })]);
const LOG = { kind: "log" as const, evidence: ["E1"] };

const TOLD: readonly [what: string, facts: Fact[], texts: string[]][] = [
  ["nothing without a fault", [fact("a", "well"), fact("b")], []],
  ["what else is ill, behind the first of its kind", [
    fact("a", "ill"),
    fact("b", "ill"),
    fact("c", "well"),
    fact("d", "ill"),
  ], ["“b: v”", "“d: v”"]],
  ["one of each piece after the other", [
    fact("a", "ill"),
    fact("b", "ill"),
    fact("c", "ill"),
    fact("d", "ill", LOG),
    fact("e", "ill", LOG),
  ], ["“b: v”", "“e: v”", "“c: v”"]],
  ["numbers that explain it, then what is over", [
    fact("over", "recovered"),
    fact("a", "ill"),
    fact("m", "ill", { kind: "metric", evidence: ["E1"] }),
    fact("query", undefined, { kind: "metric", evidence: ["E1"] }),
  ], ["“a: v”", "“query: v”"]],
  ["only what is over where nothing is wrong", [
    fact("pods", "well"),
    fact("a", "recovered"),
    fact("query", undefined, { kind: "metric", evidence: ["E1"] }),
  ], ["“a: v”"]],
  [
    "at most six",
    [..."abcdefghij"].map((name) => fact(name, "ill")),
    [..."bcdefg"].map((name) => `“${name}: v”`),
  ],
];
for (const [what, facts, texts] of TOLD) {
  Deno.test(`faults tells ${what}`, () => {
    assertEquals(textsOf(faults, { ...CRASH, facts }), texts);
  });
}

Deno.test("faults leaves what a series tells to it", () => {
  const facts = [
    fact("now", "ill", { kind: "metric" }),
    fact("worst in 6 h", undefined, { kind: "metric" }),
  ];
  assertEquals(textsOf(faults, { ...CRASH, facts }), ["“worst in 6 h: v”"]);
  const series = [{ evidence: ["E2"] }] as NormalizedContext["series"] & object;
  assertEquals(textsOf(faults, { ...CRASH, facts, series }), []);
});

Deno.test("prose tells the first sentence beside description and summary", () => {
  const given = (name: string, value: string) => ({
    name,
    value,
    evidence: ["E1"],
  });
  const facts = [
    given("runbook", "read this page before you do it"),
    given("namespace", "shop"),
    given("impact", "Orders of the whole shop fail"),
    given("note", "This has been seen once before"),
  ];
  assertEquals(textsOf(prose, { ...CRASH, facts }), [
    "“Orders of the whole shop fail”",
  ]);
  assertEquals(textsOf(prose, { facts }), []);
});

Deno.test("isProse() takes five words for a sentence, and no address", () => {
  assertEquals(isProse("Orders of the shop fail"), true);
  assertEquals(isProse("Orders of shop fail"), false);
  assertEquals(isProse("read all of this https://shop.example/x y z"), false);
  assertEquals(isProse("1 2 3 4 5 6"), false);
});
