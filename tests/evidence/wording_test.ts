import { assert, assertEquals } from "@std/assert";
import type { Subject } from "../../lib/evidence/subject.ts";
import {
  byTime,
  changeKindOf,
  freeOf,
  fromStart,
  wordsOf,
} from "../../lib/evidence/wording.ts";

Deno.test("wordsOf() trims, shortens between words, and takes texts alone", () => {
  assertEquals(wordsOf("  a b \n", 10), "a b");
  assertEquals(wordsOf("one two three", 13), "one two three");
  assertEquals(wordsOf("one two three", 12), "one two …");
  assertEquals(wordsOf("onetwothree", 5), "…");
  assertEquals(wordsOf("データベース", 4), "データ…");
  for (const none of ["", " \n", undefined, null, 1, {}, ["a"]]) {
    assertEquals(wordsOf(none, 10), undefined);
  }
});

Deno.test("wordsOf() leaves no part of a credential that it cuts", () => {
  const secret = `ghp_${"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2"}`;
  const text = `${"x ".repeat(90)}${secret}`;
  for (let charsMax = 180; charsMax < text.length; charsMax++) {
    assert(!wordsOf(text, charsMax)!.includes("gh"), `${charsMax}`);
  }
});

Deno.test("wordsOf() keeps no e-mail address, however long the text", () => {
  for (
    const [text, expected] of [
      ["mail ada@shop.example now", "mail (e-mail) now"],
      ["<ada.b+c@mail.shop.example>", "<(e-mail)>"],
      ["checkout@1.2.3 and @ada stay", "checkout@1.2.3 and @ada stay"],
    ] as const
  ) assertEquals(wordsOf(text, 100), expected);
  const started = performance.now();
  wordsOf("a@".repeat(1_000_000), 100);
  wordsOf("a".repeat(1_000_000), 100);
  wordsOf(`a@${"b.".repeat(1_000_000)}`, 100);
  assert(performance.now() - started < 1000);
});

Deno.test("freeOf() keeps a short value as it is, and the beginning of a long one", () => {
  const value = { by: "ada@shop.example", tries: 3, deep: [{ ok: true }] };
  assertEquals(freeOf(value, 200), { ...value, by: "(e-mail)" });
  assertEquals(freeOf("text", 200), "text");
  assertEquals(freeOf(undefined, 200), undefined);
  assertEquals(
    freeOf({ list: [1, 2, 3, 4, 5, 6] }, 20),
    '{\n "list": [\n  1,\n …',
  );
});

Deno.test("fromStart() tells before from after", () => {
  const subject = { startedAt: "2026-01-15T09:30:00.000Z" } as Subject;
  assertEquals(
    fromStart("2026-01-15T09:26:00Z", subject),
    "4 min before the start",
  );
  assertEquals(fromStart("2026-01-15T09:30:00.500Z", subject), "at the start");
  assertEquals(
    fromStart("2026-01-15T09:31:30Z", subject),
    "90 s after the start",
  );
});

Deno.test("byTime() puts what has no moment first", () => {
  const list = [{ at: "2026-02" }, { at: undefined }, { at: "2026-01" }];
  assertEquals(list.toSorted(byTime).map(({ at }) => at), [
    undefined,
    "2026-01",
    "2026-02",
  ]);
});

const KINDS: readonly [text: string, what: string | undefined][] = [
  ["Deployed cart 1.2", "deployment"],
  ["release rolled back", "rollback"],
  ["Revert of #12", "rollback"],
  ["Feature flag new-cart on", "flag"],
  ["flagged as odd", undefined],
  ["Network maintenance until ten", "maintenance"],
  ["Configuration of the proxy", "config"],
  ["scaled cart from 3 to 9", "scale"],
  ["a scalable idea", undefined],
  ["restarted all workers", "restart"],
  ["merged #12", "merge"],
  ["lunch", undefined],
];
for (const [text, what] of KINDS) {
  Deno.test(`changeKindOf() takes ${text} for ${what ?? "no change"}`, () => {
    assertEquals(changeKindOf(text), what);
  });
}
