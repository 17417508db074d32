/**
 * How collectors' facts say that something is well.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { factsOf } from "../../lib/evidence/prometheus/facts.ts";
import type { Sample } from "../../lib/evidence/course.ts";

Deno.test("factsOf() says how a number stands to its limit", () => {
  const health = (values: number[], operator = ">") =>
    factsOf(
      values.map((value, at): Sample => [1_768_469_400 + 60 * at, value]),
      { operator, value: 2 },
    ).map(({ name, health }) => [name, health])[0];
  assertEquals(health([1, 1, 2]), ["now", "well"]);
  assertEquals(health([1, 3, 2]), ["now", "recovered"]);
  assertEquals(health([1, 1, 2.1]), ["now", "ill"]);
  assertEquals(health([3, 1], "<"), ["now", "ill"]);
  const [now] = factsOf([[1_768_469_400, 5]], undefined);
  assertEquals([now?.name, now?.health], ["now", undefined]);
});
