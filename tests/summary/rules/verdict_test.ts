import { assertEquals } from "@std/assert";
import type {
  EvidenceBundle,
  Fact,
  NormalizedContext,
} from "../../../lib/incident.ts";
import { readKnown } from "../../../lib/summary/rules/known.ts";
import { mentions } from "../../../lib/summary/rules/mentions.ts";
import { next } from "../../../lib/summary/rules/next.ts";
import { state } from "../../../lib/summary/rules/state.ts";
import { verdictOf } from "../../../lib/summary/rules/verdict.ts";
import { tell } from "../../../lib/summary/tell.ts";
import { alertsOf, group, textsOf } from "./support.ts";

function fact(
  name: string,
  value: string,
  more: Partial<Fact> = {},
): Fact {
  return { name, value, kind: "state", evidence: ["E2"], ...more };
}

const READY = fact("pods", "3 ready", { health: "well" });
const OVER = fact("BackOff", "cart, last at 09:40", { health: "recovered" });
const ILL = fact("pods", "2 of 3 ready", { health: "ill" });
const CRASH = alertsOf([group({ name: "KubePodCrashLooping" })]);
const SLOW = alertsOf([group({ name: "CartIsSlow", says: "p99 is 3 s" })]);

function verdict(
  context: NormalizedContext,
  facts: Fact[],
  bundle: Partial<EvidenceBundle> = {},
): string | undefined {
  return verdictOf(readKnown({
    incident_id: "mock:1",
    collected_at: "2026-03-04T09:00:00.000Z",
    evidence: [],
    normalized_context: { ...context, facts },
    ...bundle,
  }))?.text;
}

const PODS = "nothing is wrong now: “pods: 3 ready”";
const SAID: readonly [
  what: string,
  context: NormalizedContext,
  facts: Fact[],
  expected: string | undefined,
][] = [
  ["nothing where nothing was checked", CRASH, [], undefined],
  [
    "nothing where what was found proves nothing",
    CRASH,
    [fact("owner", "team shop", { kind: "people" })],
    undefined,
  ],
  ["that pods are ready, of an alert about pods", CRASH, [READY], PODS],
  ["nothing if one sign is ill", CRASH, [READY, ILL], undefined],
  ["nothing if all is only over", CRASH, [OVER], undefined],
  [
    "what was ill and is not any more",
    CRASH,
    [OVER, READY],
    `${PODS}, “BackOff: cart, last at 09:40” is over`,
  ],
  [
    "nothing of ready pods, of an alert about latency",
    SLOW,
    [READY],
    undefined,
  ],
  [
    "nothing of another number, of an alert about latency",
    SLOW,
    [fact("CPUUtilization of cart", "4 %", { kind: "metric", health: "well" })],
    undefined,
  ],
  [
    "that the alert's own number is within its limit",
    SLOW,
    [
      fact("now", "0.3, limit > 2", { kind: "metric", health: "recovered" }),
      READY,
    ],
    "nothing is wrong now: “now: 0.3, limit > 2”, “pods: 3 ready”",
  ],
  [
    "that the alert's own number is back, even alone",
    SLOW,
    [fact("now", "0.3, limit > 2", { kind: "metric", health: "recovered" })],
    "nothing is wrong now: “now: 0.3, limit > 2”",
  ],
  [
    "that a number which the alert names is well",
    alertsOf([group({ name: "RDSReplicationLagHigh" })]),
    [fact("ReplicaLag of db", "1 s", { kind: "metric", health: "well" })],
    "nothing is wrong now: “ReplicaLag of db: 1 s”",
  ],
  [
    "that all monitors are",
    SLOW,
    [fact("monitors", "2 of 2 OK", { kind: "alert", health: "well" })],
    "nothing is wrong now: “monitors: 2 of 2 OK”",
  ],
  [
    "that pods are ready once the alert itself is resolved",
    alertsOf([group({ name: "CartIsSlow" })], { firing: 0, resolved: 1 }),
    [READY],
    PODS,
  ],
  [
    "that pods are ready once the incident is",
    { status: "resolved" },
    [READY],
    PODS,
  ],
  [
    "nothing for a status that is not over",
    { status: "triggered" },
    [READY],
    undefined,
  ],
  [
    "nothing of pods, of an alert about nodes",
    alertsOf([group({ name: "NodeMemoryPressure" })]),
    [READY],
    undefined,
  ],
  [
    "that nodes are well, of an alert about nodes",
    alertsOf([group({ name: "NodeMemoryPressure" })]),
    [fact("nodes", "2 of 2 ready", { health: "well" })],
    "nothing is wrong now: “nodes: 2 of 2 ready”",
  ],
];
for (const [what, context, facts, expected] of SAID) {
  Deno.test(`verdictOf() says ${what}`, () => {
    assertEquals(verdict(context, facts), expected);
  });
}

Deno.test("verdictOf() says nothing while somebody has not answered", () => {
  const lookup = { collector: "loki", state: "failed" as const, why: "late" };
  assertEquals(verdict(CRASH, [READY], { lookups: [lookup] }), undefined);
  const gap = { what: "events", why: "answered 403" };
  for (const kind of ["refused", "late", "limited", "broken"] as const) {
    const gaps = [{ ...gap, kind }];
    assertEquals(verdict(CRASH, [READY], { gaps }), undefined, kind);
  }
  const gaps = [{ ...gap, kind: "off" as const }, gap];
  assertEquals(verdict(CRASH, [READY], { gaps }), PODS);
});

Deno.test("a verdict stands in the state, and nothing is to be rolled back", () => {
  const context = { ...CRASH, facts: [READY] };
  assertEquals(
    textsOf(state, context)[0]?.startsWith("Nothing is wrong now: “pods"),
    true,
  );
  const changed = {
    ...context,
    timeline: [{
      at: "2026-03-04T07:56:00Z",
      text: "Deployed cart 2",
      kind: "change" as const,
      evidence: ["E2"],
    }],
  };
  assertEquals(textsOf(next, changed), []);
  assertEquals(textsOf(next, { ...changed, facts: [ILL] }).length, 1);
});

Deno.test("tell() hands on the verdict, if there is one", () => {
  const bundle = {
    incident_id: "mock:1",
    collected_at: "2026-03-04T09:00:00.000Z",
    evidence: [],
  };
  const of = (facts: Fact[]) =>
    tell({ ...bundle, normalized_context: { ...CRASH, facts } }).verdict;
  assertEquals(of([READY]), PODS);
  assertEquals(of([ILL]), undefined);
});

Deno.test("mentions() finds a measure by its name and by its words", () => {
  const cases: [text: string, name: string, expected: boolean][] = [
    ["ReplicaLag is 900 s", "ReplicaLag", true],
    ["the replication lag grows", "ReplicaLag", true],
    ["replica_lag_seconds", "ReplicaLag", true],
    ["the replica is gone", "ReplicaLag", false],
    ["too many connections", "DatabaseConnections", true],
    ["the database is slow", "DatabaseConnections", false],
    ["storage is full", "FreeStorageSpace", true],
    ["free seats", "FreeStorageSpace", false],
    ["CPU is high", "CPUUtilization", true],
    ["latency is high", "CPUUtilization", false],
    ["anything", "total count", false],
  ];
  for (const [text, name, expected] of cases) {
    assertEquals(mentions(text, name), expected, `${text}: ${name}`);
  }
});

Deno.test("verdictOf() says nothing while what was not read may hold the fault", () => {
  for (
    const gap of [
      { what: "pods of shop", why: "only 50 are read", kind: "cut" as const },
      { what: "series of p99", why: "there is none", kind: "absent" as const },
      { what: "3 more alerts", why: "the webhook left them out" },
    ]
  ) {
    assertEquals(verdict(CRASH, [READY], { gaps: [gap] }), undefined, gap.what);
  }
  const held = fact("other alerts silenced or inhibited", "2", {
    kind: "alert",
  });
  assertEquals(verdict(CRASH, [READY, held]), undefined);
});

Deno.test("verdictOf() wants a sign about each of several alerts", () => {
  const both = alertsOf([
    group({ name: "KubePodCrashLooping" }),
    group({ name: "CartIsSlow", says: "p99 is 3 s" }),
  ]);
  assertEquals(verdict(both, [READY]), undefined);
  const back = fact("now", "0.3, limit > 2", {
    kind: "metric",
    health: "recovered",
  });
  // Whose number it is has to be known.
  assertEquals(verdict(both, [READY, back]), undefined);
});
