import { assertEquals } from "@std/assert";
import type { NormalizedContext } from "../../../lib/incident.ts";
import { headline } from "../../../lib/summary/rules/headline.ts";
import { alertsOf, group, textsOf } from "./support.ts";

const TOLD: readonly [what: string, NormalizedContext, text: string][] = [
  [
    "the title of an incident without alerts",
    { title: "It is slow" },
    "It is slow",
  ],
  ["the id where there is no title", { title: " " }, "mock:1"],
  [
    "the worst alert's words",
    alertsOf([
      group({ says: "p99 is 2.4 s" }),
      group({ name: "Old", severity: "warning", says: "It ages" }),
    ]),
    "p99 is 2.4 s",
  ],
  ["the name of an alert that says nothing", alertsOf([group()]), "Slow"],
  [
    "what all of one name share, and the worst value",
    alertsOf([
      group({
        count: 3,
        says: "a is 97 % full",
        shared: "A disk fills up",
        value: "97 %",
        limit: "80 %",
      }),
    ]),
    "A disk fills up (worst 97 %, limit 80 %)",
  ],
  [
    "no second limit beside the one that the sentence states",
    alertsOf([
      group({
        count: 3,
        says: "p99 of a is 3 s; its objective is 0.5 s",
        shared: "p99 is above 2 s",
        value: "3 s",
        limit: "0.5 s",
      }),
    ]),
    "p99 is above 2 s (worst 3 s)",
  ],
  [
    "a limit beside a name with a digit",
    alertsOf([
      group({
        count: 3,
        shared: "p99 is high",
        value: "3 s",
        limit: "2 s",
      }),
    ]),
    "p99 is high (worst 3 s, limit 2 s)",
  ],
  [
    "no value without a limit",
    alertsOf([
      group({ count: 2, says: "x", shared: "It waits", value: "15 min" }),
    ]),
    "It waits",
  ],
  [
    "how many of several names are where",
    alertsOf([
      group({ count: 3, where: ["a", "b", "c"] }),
      group({ name: "Full", count: 2, where: ["a", "d"] }),
    ]),
    "5 alerts on a, b, c and 1 more",
  ],
  [
    "no place if all names are withheld",
    alertsOf([
      group({ places: 6 }),
      group({ name: "Full", places: 7 }),
    ], { places: 90 }),
    "2 alerts",
  ],
  [
    "how many places there are that no group names",
    alertsOf([
      group({ count: 2, where: ["a", "b"] }),
      group({ name: "Full", where: ["c"] }),
    ], { places: 90 }),
    "3 alerts on a, b, c and 87 more",
  ],
];
for (const [what, context, text] of TOLD) {
  Deno.test(`headline tells ${what}`, () => {
    assertEquals(textsOf(headline, context), [text]);
  });
}
