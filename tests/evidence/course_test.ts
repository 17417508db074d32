import { assertEquals } from "@std/assert";
import { courseOf, type Sample } from "../../lib/evidence/course.ts";

/** 120 samples, one every 3 minutes. */
const samples = (valueAt: (nth: number) => number): Sample[] =>
  Array.from({ length: 120 }, (_, nth) => [nth * 180, valueAt(nth)]);
/** The same at each run, and without a trend. */
const noise = (nth: number) => Math.sin(nth * 12.9898) * 43758.5453 % 1;

const TRENDS: [
  what: string,
  valueAt: (nth: number) => number,
  trend: "rising" | "falling" | "flat",
][] = [
  ["one value", () => 3, "flat"],
  ["noise", noise, "flat"],
  ["a slow rise", (nth) => nth / 10, "rising"],
  ["a slow fall", (nth) => -nth / 10, "falling"],
  ["a peak two hours ago", (nth) => nth > 70 && nth < 80 ? 5 : 1, "flat"],
  // An alert that is 3 minutes old.
  ["a jump of two samples", (nth) => nth >= 118 ? 2.4 : 0.3, "rising"],
  ["a jump down", (nth) => nth >= 118 ? 0 : 40 + noise(nth), "falling"],
  ["one sample of a jump", (nth) => nth >= 119 ? 2.4 : 0.3, "rising"],
  ["a small jump", (nth) => nth >= 118 ? 1.3 : nth === 9 ? 5 : 1, "flat"],
];

for (const [what, valueAt, trend] of TRENDS) {
  Deno.test(`courseOf() calls ${what} ${trend}`, () => {
    assertEquals(courseOf(samples(valueAt))?.trend, trend);
  });
}
