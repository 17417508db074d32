import { assert, assertEquals } from "@std/assert";
import { ageOf, counted, printable, shorten } from "../../lib/base/text.ts";

const PAIR = "\u{1F525}"; // Two UTF-16 units.
const SHORTENED: [text: string, charsMax: number, expected: string][] = [
  ["", 1, ""],
  ["abc", 4, "abc"],
  ["abc", 3, "abc"],
  ["abcd", 3, "ab…"],
  ["ab", 1, "…"],
  [`ab${PAIR}`, 4, `ab${PAIR}`],
  [`ab${PAIR}c`, 4, "ab…"], // Not half of the pair.
  [`ab${PAIR}c`, 3, "ab…"],
  [`a${PAIR}cd`, 4, `a${PAIR}…`],
  [`${PAIR}${PAIR}`, 2, "…"],
];
for (const [text, charsMax, expected] of SHORTENED) {
  Deno.test(`shorten() makes "${expected}" of "${text}" in ${charsMax} characters`, () => {
    const shortened = shorten(text, charsMax);
    assertEquals(shortened, expected);
    assert(shortened.length <= charsMax && shortened.isWellFormed());
  });
}

Deno.test("counted() says one thing in the singular", () => {
  const words = [0, 1, 2].map((count) => counted(count, "piece"));
  assertEquals(words, ["0 pieces", "1 piece", "2 pieces"]);
});

Deno.test("ageOf() and printable() are fit for a line", () => {
  const ages = [-1, 119_000, 120_000, 7_199_000, 7_200_000, 172_800_000, NaN];
  assertEquals(ages.map(ageOf), [
    "0 s",
    "119 s",
    "2 min",
    "119 min",
    "2 h",
    "2 d",
    "unknown",
  ]);
  assertEquals(printable(" a\n\tb\x1b[31mc\u202ed\u200b\x9b "), "a b [31mcd");
  assertEquals(printable("abcdef", 4), "abc…");
});
