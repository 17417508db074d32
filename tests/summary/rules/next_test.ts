import { assert, assertEquals } from "@std/assert";
import type { NormalizedContext } from "../../../lib/incident.ts";
import { FIRST_CHECKS } from "../../../lib/summary/first_checks.ts";
import { next } from "../../../lib/summary/rules/next.ts";
import { alertsOf, group, textsOf } from "./support.ts";

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
  }, ["See if the change of 07:56:00 explains it; if so, roll it back"]],
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
