import { assert, assertEquals } from "@std/assert";
import type { Change } from "../../../lib/collected.ts";
import type { NormalizedContext } from "../../../lib/incident.ts";
import { FIRST_CHECKS } from "../../../lib/summary/first_checks.ts";
import { next } from "../../../lib/summary/rules/next.ts";
import { alertsOf, fact, group, textsOf } from "./support.ts";

const change = (at: string) => ({
  at,
  text: "Deployed cart 2",
  kind: "change" as const,
  evidence: ["E2"],
});
const START = { occurred_at: "2026-03-04T08:00:00.000Z" };

const TOLD: readonly [what: string, NormalizedContext, texts: string[]][] = [
  ["nothing where nothing is known", START, []],
  ["nothing for an alert that only its team knows", alertsOf([group()]), []],
  ["to see if the change just before explains it", {
    ...START,
    timeline: [change("2026-03-04T07:00:00Z"), change("2026-03-04T07:56:00Z")],
  }, [
    "See if the change of 07:56:00, 4 min before, explains it; if so, roll it back",
  ]],
  ["nothing of a change more than an hour before", {
    ...START,
    timeline: [change("2026-03-04T06:59:59Z")],
  }, []],
  [
    "the first check of a well-known alert, by its worst place",
    alertsOf([
      group({ name: "KubePodCrashLooping", where: ["a", "b"], worst: "b" }),
    ]),
    [
      "For KubePodCrashLooping, read the log of the last run of b, and its exit code",
    ],
  ],
  [
    "no check that names no place",
    alertsOf([
      group({ name: "KubePodCrashLooping" }),
    ]),
    [],
  ],
];
for (const [what, context, texts] of TOLD) {
  Deno.test(`next tells ${what}`, () => {
    assertEquals(textsOf(next, context), texts);
  });
}

const NEAR = "2026-03-04T07:56:00.000Z";
const CHANGED: readonly [Change, text: string][] = [
  [
    { what: "deployment", of: "cart", version: "v2.1", where: "prod" },
    "See if the deployment of cart v2.1, 4 min before, explains it; if so, roll it back",
  ],
  [
    { what: "rollout", of: "cart", version: "cart 2 → 3" },
    "See if the rollout of cart, 4 min before, explains it; if so, roll it back",
  ],
  [
    { what: "flag", says: "new-cart on" },
    "See if the flag change of 07:56:00, 4 min before, explains it; if so, switch it back",
  ],
  [
    { what: "maintenance", of: "cart" },
    "See if the maintenance of cart, 4 min before, explains it; if so, ask who does it to stop",
  ],
];
for (const [made, text] of CHANGED) {
  Deno.test(`next tells what undoes a change: ${made.what}`, () => {
    const timeline = [{ ...change(NEAR), change: made }];
    assertEquals(textsOf(next, { ...START, timeline }), [text]);
  });
}

const STEPS = [
  fact("state", "runbook, step 1", "Look at the pool"),
  fact("state", "runbook, step 2", "Drain it [E1]"),
  fact("state", "runbook, step 3", "Wait"),
];

Deno.test("next tells a runbook's first steps in its words, before any table", () => {
  const known = alertsOf([
    group({ name: "KubePodCrashLooping", where: ["a"] }),
  ]);
  assertEquals(textsOf(next, { ...known, facts: STEPS }), [
    "Runbook, step 1: “Look at the pool”",
    "Runbook, step 2: “Drain it (E1)”",
  ]);
  // A webhook's own fact of that name is no runbook's.
  const facts = STEPS.map(({ kind: _, ...plain }) => plain);
  assertEquals(textsOf(next, { ...START, facts }), []);
});

Deno.test("next tells whom to page while it is urgent and nobody is on it", () => {
  const facts = [fact("people", "owner", "payments")];
  const urgent = { ...START, severity: "critical" as const, facts };
  assertEquals(textsOf(next, urgent), [
    "Page payments, the owner in the catalogue",
  ]);
  for (
    const calm of [
      { ...urgent, severity: "warning" as const },
      { ...urgent, status: "acknowledged" },
      {
        ...urgent,
        facts: [...facts, {
          name: "assigned to",
          value: "Ada",
          evidence: ["E1"],
        }],
      },
      {
        ...urgent,
        facts: [...facts, fact("people", "PagerDuty status", "acknowledged")],
      },
      {
        ...urgent,
        facts: [...facts, fact("people", "assigned now to", "Ada")],
      },
    ]
  ) {
    assertEquals(textsOf(next, calm), []);
  }
});

Deno.test("FIRST_CHECKS has one check and one source for at least 40 names", () => {
  assert(FIRST_CHECKS.size >= 40, `${FIRST_CHECKS.size}`);
  for (const [name, { check, source }] of FIRST_CHECKS) {
    assert(/^[A-Za-z]\w+$/.test(name), name);
    assert(
      /^[a-z][^.{}]*(?:\{where\}[^.{}]*)?$/.test(check.replace("/readyz", "")),
      check,
    );
    assert(check.length <= 110, check);
    assertEquals(new URL(source).protocol, "https:");
  }
});

Deno.test("next suspects no change from after the number had crossed its limit", () => {
  const told = (crossed: string, alert = "Slow") =>
    textsOf(next, {
      ...alertsOf([group()]),
      timeline: [change("2026-03-04T07:40:00Z"), change(NEAR)],
      series: [{
        alert,
        expression: "p99",
        now: 3,
        at: "2026-03-04T08:59:00.000Z",
        limit: 2,
        crossed,
        worst: 3,
        worst_at: "2026-03-04T08:59:00.000Z",
        trend: "rising",
        spark: "▁█",
        start: "2026-03-04T03:00:00.000Z",
        step_s: 60,
        values: [1, 3],
        evidence: ["E2"],
      }],
    }).map((text) => /change of (\S+),/.exec(text)?.[1]);
  assertEquals(told("2026-03-04T07:55:00.000Z"), ["07:56:00"]);
  assertEquals(told("2026-03-04T07:54:59.000Z"), ["07:40:00"]);
  assertEquals(told("2026-03-04T07:30:00.000Z"), []);
  assertEquals(told("2026-03-04T07:30:00.000Z", "Other"), ["07:56:00"]);
});
