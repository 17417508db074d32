import { assertEquals } from "@std/assert";
import type { Fact } from "../../../lib/incident.ts";
import { checked } from "../../../lib/summary/rules/checked.ts";
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
  ["what is ill", [
    fact("a", "ill"),
    fact("b", "ill"),
    fact("c", "well"),
    fact("d", "ill"),
  ], ["“a: v”", "“b: v”", "“d: v”"]],
  ["one of each piece after the other", [
    fact("a", "ill"),
    fact("b", "ill"),
    fact("c", "ill"),
    fact("d", "ill", LOG),
    fact("e", "ill", LOG),
  ], ["“a: v”", "“d: v”", "“b: v”", "“e: v”", "“c: v”"]],
  ["numbers that explain it, then what is over", [
    fact("over", "recovered"),
    fact("a", "ill"),
    fact("m", "ill", { kind: "metric", evidence: ["E1"] }),
    fact("query", undefined, { kind: "metric", evidence: ["E1"] }),
    fact("back", "recovered", { kind: "metric" }),
  ], [
    "“a: v”",
    "“query: v”",
    "“over: v”, which is over",
    "“back: v”",
  ]],
  ["nothing that other rules tell", [
    fact("Deployment cart", "ill", { value: "1 of 2 ready" }),
    fact("pods", "ill"),
    fact("other alerts firing", "ill"),
    fact("targets down", "ill"),
    fact("now", "ill", { kind: "metric" }),
  ], []],
  ["what a pod says, and no more than that", [
    fact("ImagePullBackOff", "ill", {
      value: "2 pods of cart, container app, no such tag",
    }),
    fact("CrashLoopBackOff", "ill", {
      value:
        "1 pod of cart, container app, back-off 40s restarting failed container",
    }),
    fact("BackOff", "ill", {
      value: "1 pod of cart, container app, back-off 20s",
    }),
    fact("OOMKilled", "ill", {
      value:
        "1 pod of cart, container app, exit code 137, last at 2026-03-04 08:58:00 UTC",
    }),
  ], ["ImagePullBackOff: “no such tag”"]],
  ["what events warn of, each sentence once", [
    fact("Unhealthy", "ill", {
      value: "cart ×9, last at 2026-03-04 08:58:00 UTC: Probe failed: 500",
    }),
    fact("Killing", "recovered", {
      value: "cart ×2, last at 2026-03-04 08:40:00 UTC: Probe failed",
    }),
    fact("FailedMount", "recovered", {
      value: "cart ×1, last at 2026-03-04 08:30:00 UTC: no volume",
    }),
  ], [
    "cart warns Unhealthy ×9: “Probe failed: 500”",
    "cart warns FailedMount ×1, which is over: “no volume”",
  ]],
  ["errors that the rule for errors leaves out", [
    fact("error", "ill", {
      kind: "log",
      value: "no key ×3, first 08:00:00 UTC",
    }),
    fact("error", "ill", {
      kind: "log",
      value: "no lock ×2, first 08:01:00 UTC",
    }),
  ], ["Error: “no lock”"]],
  ["only what is over where nothing is wrong", [
    fact("pods", "well"),
    fact("a", "recovered"),
    fact("query", undefined, { kind: "metric", evidence: ["E1"] }),
    fact("clients", undefined, { kind: "metric", evidence: ["E1"] }),
  ], ["“a: v”, which is over"]],
  [
    "at most six",
    [..."abcdefghij"].map((name) => fact(name, "ill")),
    [..."abcdef"].map((name) => `“${name}: v”`),
  ],
];
for (const [what, facts, texts] of TOLD) {
  Deno.test(`faults tells ${what}`, () => {
    assertEquals(textsOf(faults, { ...CRASH, facts }), texts);
  });
}

Deno.test("faults leaves what a series tells to it", () => {
  const facts = [
    fact("pods", "ill"),
    fact("m", "ill", { kind: "metric", evidence: ["E1"] }),
    fact("seldom", undefined, { kind: "metric" }),
  ];
  assertEquals(textsOf(faults, { ...CRASH, facts }), ["“seldom: v”"]);
  const series = [{
    alert: "Slow",
    expression: "x",
    now: 1,
    at: "2026-03-04T08:59:00.000Z",
    worst: 1,
    worst_at: "2026-03-04T08:59:00.000Z",
    trend: "flat" as const,
    spark: "",
    start: "2026-03-04T08:59:00.000Z",
    step_s: 60,
    values: [1],
    evidence: ["E2"],
  }];
  assertEquals(textsOf(faults, { ...CRASH, facts, series }), ["“m: v”"]);
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

Deno.test("checked tells what is well beside what is not", () => {
  const well = [..."abcd"].map((name) => fact(name, "well"));
  const facts = [fact("pods", "well"), ...well, fact("e", "ill")];
  assertEquals(textsOf(checked, { ...CRASH, facts }), [
    "Well: “a: v”, “b: v”, “c: v”",
  ]);
  assertEquals(textsOf(checked, { ...CRASH, facts: [fact("e", "ill")] }), []);
  // The verdict says so.
  assertEquals(textsOf(checked, { ...CRASH, facts: well }), []);
});
