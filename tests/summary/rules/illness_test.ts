import { assertEquals } from "@std/assert";
import type { Fact } from "../../../lib/incident.ts";
import { errors } from "../../../lib/summary/rules/errors.ts";
import { illness } from "../../../lib/summary/rules/illness.ts";
import type { Rule } from "../../../lib/summary/rules/rule.ts";
import { workload } from "../../../lib/summary/rules/workload.ts";
import { fact, foundBy, textsOf } from "./support.ts";

const DAY = "2026-03-04";
const TOLD: readonly [Rule, string, facts: Fact[], texts: string[]][] = [
  [illness, "nothing of the webhook's own facts", [
    { name: "other alerts firing", value: "none", evidence: ["E1"] },
  ], []],
  [illness, "other alerts here, the worst first, and counts the others", [
    fact("alert", "other alerts firing", "6, 4 of them here: A, B"),
    fact(
      "alert",
      "also firing",
      `CartDown ×2, critical, since ${DAY} 08:05:00 UTC: no cart answers`,
    ),
    fact(
      "alert",
      "also firing",
      `Odd one, of no severity, since ${DAY} 08:07:10 UTC`,
    ),
    fact("alert", "also firing", `Slow, info, since ${DAY} 08:09:00 UTC: slow`),
  ], [
    "4 other alerts fire here: CartDown ×2 (critical, from 08:05): “no cart answers”, “Odd one” (from 08:07) and 1 more name; 2 elsewhere",
  ]],
  [illness, "a single other alert", [
    fact("alert", "other alerts firing", "1, 1 of them here: A"),
    fact("alert", "also firing", `A, warning, since ${DAY} 08:05:00 UTC`),
  ], ["1 other alert fires here: A (warning, from 08:05)"]],
  [illness, "nothing of a few alerts elsewhere", [
    fact("alert", "other alerts firing", "9, 0 of them here"),
  ], []],
  [illness, "that many alerts fire elsewhere", [
    fact("alert", "other alerts firing", "10, 0 of them here"),
  ], ["10 other alerts fire, none of them here"]],
  [illness, "what ails a dependency, before anything else", [
    fact("alert", "other alerts firing", "1, 1 of them here: A"),
    fact(
      "alert",
      "dependency firing",
      `DbDown, critical, since ${DAY} 07:59:00 UTC: no answer`,
    ),
    fact("state", "dependencies down", "postgres db-1:9187"),
  ], [
    "A dependency is ill: DbDown (critical, from 07:59): “no answer”",
    "Down, and it depends on it: “postgres db-1:9187”",
    "1 other alert fires here",
  ]],
  [illness, "targets here that are down, and none elsewhere", [
    fact("state", "targets down", "3, 1 of them here: cart 10.0.0.1:80"),
  ], ["Prometheus cannot reach 1 target here: “cart 10.0.0.1:80”"]],
  [illness, "no target that is down elsewhere", [
    fact("state", "targets down", "3, 0 of them here"),
  ], []],
  [illness, "what is silenced until when, and what holds it back", [
    fact(
      "state",
      "silenced",
      `until ${DAY}T11:00:00.000Z by Ada: load test: phase 2`,
    ),
    fact("state", "inhibited by", "ClusterDown"),
    fact("state", "inhibited by", "ClusterDown"),
  ], [
    "Silenced until 11:00 UTC by Ada: “load test: phase 2”",
    "Held back by ClusterDown",
  ]],
  [illness, "nothing in another form than a collector writes", [
    fact("alert", "other alerts firing", "Ignore this [E1]"),
    fact("state", "silenced", "always"),
    fact("alert", "dependency firing", "what?"),
  ], []],
  [errors, "nothing without logs", [fact("state", "new error", "x")], []],
  [errors, "the first new error, and counts the others", [
    fact(
      "log",
      "error lines",
      "12 of 3 kinds, 2 of them new against the hour before",
    ),
    fact("log", "new error", "pool ×2 is full ×10, first 07:59:10 UTC"),
    fact("log", "new error", "no answer ×1, first 08:00:10 UTC"),
    fact("log", "error as before", "cart is empty ×1, first 08:00:10 UTC"),
  ], [
    "New in the logs since 07:59:10, 10 times: “pool ×2 is full”; 1 more kind",
  ]],
  [errors, "nothing of errors as before", [
    fact("log", "error as before", "cart is empty ×1, first 08:00:10 UTC"),
  ], []],
  [errors, "that nobody knows if an error is new", [
    fact("log", "error", "no answer ×1, first 08:00:10 UTC"),
  ], ["In the logs since 08:00:10, new or not, 1 time: “no answer”"]],
  [workload, "nothing of a workload that is well", [
    fact("state", "Deployment cart", "3 of 3 ready"),
    fact("state", "pods", "3: 3 Running; 3 ready; 0 restarts"),
  ], []],
  [workload, "what ails a Deployment, with each pod's own reason", [
    fact(
      "state",
      "Deployment cart",
      "1 of 3 ready, 2 updated, not Available (MinimumReplicasUnavailable)",
    ),
    fact("state", "pods", "3: 3 Running; 1 ready; 8 restarts"),
    fact(
      "state",
      "CrashLoopBackOff",
      "2 pods of cart, container app, back-off 40s",
    ),
    fact(
      "state",
      "OOMKilled",
      `2 pods of cart, container cart, exit code 137, last at ${DAY} 08:44:00 UTC`,
    ),
    fact(
      "state",
      "Error",
      `1 pod of cart, exit code 1, last at ${DAY} 08:40:00 UTC`,
    ),
    fact("state", "Evicted", "1 pod of mail, low on memory"),
    fact("state", "BackOff", `cart ×12, last at ${DAY} 08:59:00 UTC: back-off`),
  ], [
    "cart: 1 of 3 ready, 2 updated, not Available (MinimumReplicasUnavailable); 2 pods in CrashLoopBackOff (container app); 2 pods OOMKilled (exit code 137, last 08:44:00); 1 more reason; 8 restarts; 1 more workload ill",
  ]],
  [workload, "that a Deployment is missing", [
    fact("state", "Deployment cart", "none of that name"),
  ], ["cart: no such Deployment"]],
  [workload, "a warning where nothing else is known", [
    fact("state", "Deployment cart", "3 of 3 ready"),
    fact("state", "BackOff", `cart ×2, last at ${DAY} 08:59:00 UTC: back-off`),
    fact(
      "state",
      "Unhealthy",
      `cart ×12, last at ${DAY} 08:59:00 UTC: Readiness probe failed: 503`,
    ),
  ], [
    "cart warns Unhealthy ×12, last 08:59:00: “Readiness probe failed: 503”",
  ]],
];
for (const [rule, what, facts, texts] of TOLD) {
  Deno.test(`${rule.name} tells ${what}`, () => {
    const lookups = [foundBy("kubernetes")];
    assertEquals(textsOf(rule, { facts }, { lookups }), texts);
  });
}

Deno.test("workload tells what Kubernetes says, and no other system", () => {
  const facts = [fact("state", "Deployment cart", "1 of 3 ready")];
  const lookups = [foundBy("grafana")];
  assertEquals(textsOf(workload, { facts }, { lookups }), []);
});
