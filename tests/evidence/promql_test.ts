import { assertEquals } from "@std/assert";
import { splitComparison, unitOf } from "../../lib/evidence/promql.ts";

const ROWS: [expression: string, split: unknown][] = [
  ["x > 100", ["x", ">", "100", 100]],
  ["x > -2", ["x", ">", "-2", -2]],
  ["-1 < x", ["x", ">", "-1", -1]],
  ["100 >= (x)", ["x", "<=", "100", 100]],
  ["((x)) >= 1e3", ["x", ">=", "1e3", 1000]],
  ["x == 0", ["x", "==", "0", 0]],
  ["x != +Inf", ["x", "!=", "+Inf", Infinity]],
  ["x > 2 * 1024", ["x", ">", "2 * 1024", undefined]],
  ["x > on(job) group_left() y", ["x", ">", "y", undefined]],
  ["(x > bool 1) == 1", ["x > bool 1", "==", "1", 1]],
  [
    "(sum(rate(a[5m])) by (job) / b) > on(job) 0.5",
    ["sum(rate(a[5m])) by (job) / b", ">", "0.5", 0.5],
  ],
  ["a > 1 and b < 2", ["a", ">", "1", 1]],
  ["a and b < 2", ["b", "<", "2", 2]],
  ["(a > 1) and on() (b < 2) unless c", ["a", ">", "1", 1]],
  ['rate(x{a="> 5"}[5m])   >\n  0x10', [
    'rate(x{a="> 5"}[5m])',
    ">",
    "0x10",
    16,
  ]],
  ["# why\nx > 5 # because", ["x", ">", "5", 5]],
  ["a unless b > 1", undefined],
  ["x > 1 or y > 2", undefined],
  ['absent(up{job="x"})', undefined],
  ["x", undefined],
  ["1 > bool 2", undefined],
  ['x{a="b" > 1', undefined],
  ["", undefined],
  ["x".repeat(5000) + " > 1", undefined],
];

for (const [expression, split] of ROWS) {
  Deno.test(`splitComparison() of ${expression.slice(0, 60)}`, () => {
    const found = splitComparison(expression);
    assertEquals(
      found && [found.series, found.operator, found.limit, found.value],
      split,
    );
  });
}

const UNITS: readonly [expression: string, unit: string | undefined][] = [
  ["http_request_duration_seconds", "s"],
  ["job:latency_seconds:p99", undefined],
  ['node_memory_free_bytes{instance="a"}', "B"],
  ["max_over_time(wait_seconds[5m])", "s"],
  ["avg by (pod) (wait_seconds)", "s"],
  ["max without (pod) (wait_seconds offset 1h)", "s"],
  ["count(wait_seconds)", undefined],
  ["rate(cpu_seconds_total[5m])", undefined],
  ["rate(wait_seconds[5m])", undefined],
  ["histogram_quantile(0.99, sum by (le) (rate(a_seconds_bucket[5m])))", "s"],
  ["a_bytes / b_bytes", undefined],
  ["100 * a_seconds", undefined],
  ["a_bytes - b_bytes", "B"],
  ["a_bytes - b_seconds", undefined],
  ["time() - start_seconds", undefined],
  ["queue_length", undefined],
  ["room_celsius", "°C"],
  ["", undefined],
];
for (const [expression, unit] of UNITS) {
  Deno.test(`unitOf() of ${expression}`, () => {
    assertEquals(unitOf(expression), unit);
  });
}

Deno.test("splitComparison() takes time in proportion to the length", () => {
  const deep = `${"(".repeat(1900)}x${")".repeat(1900)} > 1`;
  assertEquals(splitComparison(deep)?.series, "x");
});
