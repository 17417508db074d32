/**
 * The cases of our own, as the built-in summarizes them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { reachable, readCases } from "../../../scripts/eval/case.ts";
import { BUILTIN } from "../../../scripts/eval/columns.ts";
import { measureAll } from "../../../scripts/eval/run.ts";
import { findWorse } from "../../../scripts/eval/table.ts";

const CASES = await readCases("deploy/eval/cases");
const run = () =>
  measureAll(CASES, [BUILTIN], { signal: new AbortController().signal });
const RESULTS = await run();

Deno.test("there are at least twenty cases of all sorts", () => {
  assert(CASES.length >= 20);
  const count = (is: (one: typeof CASES[number]) => boolean) =>
    CASES.filter(is).length;
  assertEquals(count(({ answer }) => answer.category === "healthy"), 5);
  assertEquals(count(({ injections }) => injections.length > 0), 5);
  assertEquals(count(({ down }) => down.size > 0), 3);
  assert(count(({ secrets }) => secrets.length > 0) >= 1);
  for (const one of CASES) {
    assert(reachable(one).length >= one.answer.required.length, one.name);
    assert(reachable(one).length >= 1, one.name);
  }
});

Deno.test("two runs of the built-in give the same bytes", async () => {
  const timeless = ({ summary, cases }: typeof RESULTS) =>
    JSON.stringify([
      { ...summary["builtin"], ms: 0 },
      ...cases.map((one) => ({ ...one, ms: 0 })),
    ]);
  assertEquals(timeless(await run()), timeless(RESULTS));
});

Deno.test("no number of the built-in is below docs/evaluation.md", async () => {
  const document = await Deno.readTextFile("docs/evaluation.md");
  const worse = findWorse(document, RESULTS.summary)
    .filter((line) => line.startsWith("builtin"));
  assertEquals(worse, []);
});

Deno.test("no case of our own lets a secret or an order through, nor misses a false alarm", () => {
  for (const one of RESULTS.cases) {
    assertEquals(one.injected, [], one.case);
    assertEquals(one.leaked, [], one.case);
    assertEquals(one.verdict !== undefined, one.isHealthy, one.case);
  }
});
