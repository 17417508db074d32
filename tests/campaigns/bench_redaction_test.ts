/**
 * The benchmark of redaction: that it judges right. How fast anything is, no
 * test asks.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type Bench, benchRedaction } from "./bench_redaction.ts";

/** A bench whose time is what `cost` says of the characters read. */
function judge(cost: (length: number) => number): string[] {
  let now = 0;
  const bench: Bench = {
    redact: (value) => now += cost(String(value).length),
    clock: (call) => {
      const before = now;
      call();
      return now - before;
    },
    hostile: ["ab"],
    out: () => {},
  };
  return benchRedaction(bench);
}

Deno.test("benchRedaction() finds nothing if time is short and in proportion", () => {
  assertEquals(judge((length) => length * 1e-5), []);
});

Deno.test("benchRedaction() finds a time that grows with the square", () => {
  assertEquals(judge((length) => length ** 2 * 1e-8).slice(-1), [
    '"ab" took 2.7 ms, four times of it 42.9 ms',
  ]);
});

Deno.test("benchRedaction() finds what is in proportion and slow", () => {
  const hostile = (perCharacter: number) =>
    judge((length) => length * perCharacter)
      .filter((line) => line.endsWith("MiB"));
  assertEquals(hostile(1.9e-4), []);
  assertEquals(hostile(2e-4), ['"ab" took 210 ms per MiB']);
});
