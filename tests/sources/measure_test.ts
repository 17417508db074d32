import { assertEquals } from "@std/assert";
import { measureOf } from "../../lib/sources/measure.ts";

const STATED: readonly [sentence: string, value?: string, limit?: string][] = [
  [
    "CPU on db-1.prod is 97.4 %; it was 31 % an hour ago, the limit is 90 %",
    "97.4 %",
    "90 %",
  ],
  ["db-1.prod has 2.1 % of its memory left (limit 5 %)", "2.1 %", "5 %"],
  ["db-1.prod uses 398 of 400 connections (limit 360)", "398", "360"],
  ["Lag is 3 min, above 30s", "3 min", "30 s"],
  ["52 000 mails wait vs. a limit of 5 000", "52 000", "5 000"],
  [
    "p99 of POST /pay is 2.1 s over 5 minutes; the objective is 500 ms",
    "2.1 s",
    "500 ms",
  ],
  ["For 90 min now p99 is 2.1 s (limit 2 s)", "2.1 s", "2 s"],
  ["p99 above 2s"],
  ["Disk is 91% full", "91 %"],
  ["v1.2.3 of db-1 failed"],
  ["All is lost"],
];
for (const [sentence, value, limit] of STATED) {
  Deno.test(`measureOf() reads ${JSON.stringify(sentence)}`, () => {
    const measure = measureOf(sentence);
    assertEquals([measure?.value, measure?.limit], [value, limit]);
  });
}

Deno.test("measureOf() compares across units, past the limit either way", () => {
  const past = (sentence: string) => measureOf(sentence)?.past;
  assertEquals(past("It took 4 min (limit 60 s)"), 2);
  assertEquals(past("It has 1 GiB left (limit 4 GiB)"), 2);
});
