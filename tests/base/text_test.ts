import { assert, assertEquals } from "@std/assert";
import {
  ageOf,
  counted,
  printable,
  removeUnseen,
  shorten,
  visible,
  visibleJson,
} from "../../lib/base/text.ts";
import { UNSEEN } from "../support/unseen.ts";

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
  assertEquals(
    printable(" a\n\tb\x1b[31mc\u202ed\u200b\x9b "),
    "a b<U+001B>[31mc<U+202E>d<U+200B><U+009B>",
  );
  assertEquals(printable("abcdef", 4), "abc…");
});

Deno.test("visible(), visibleJson() and removeUnseen() leave nothing unseen", () => {
  for (const [name, unseen] of UNSEEN) {
    const text = `a${unseen}.`;
    assertEquals(visible(text), `a<${name}>.`);
    assertEquals(printable(text, 99).includes(unseen), false, name);
    const json = visibleJson(JSON.stringify({ text }));
    assertEquals(/[^ -~]/.test(json), false, name);
    assertEquals(JSON.parse(json), { text });
    const isBlank = /\s/.test(unseen) && unseen !== "\uFEFF";
    assertEquals(removeUnseen(text), isBlank ? text : "a.", name);
  }
});

Deno.test("visible(), visibleJson() and removeUnseen() leave what can be read", () => {
  const text = "ab ü \u00a0\u3000 e\u0301 日本 \u{1F525} ❤ → <b> & \uFFFD";
  assertEquals(visible(text), text);
  assertEquals(visibleJson(text), text);
  assertEquals(removeUnseen(text), text);
});

Deno.test("removeUnseen() takes a terminal's codes whole, and pictures apart", () => {
  const texts: [text: string, left: string][] = [
    ["\x1b[1;31mred\x1b[0m \x9b31mred\x9b0m", "red red"],
    ["\x1b]0;title\x07a\x1b]8;;https://a.example\x1b\\b", "ab"],
    ["\x1b[", "["],
    ["❤\uFE0F", "❤"],
    ["\u{1F468}\u200D\u{1F469}", "\u{1F468}\u{1F469}"],
    ["a\tb\r\nc", "a\tb\r\nc"],
  ];
  for (const [text, left] of texts) assertEquals(removeUnseen(text), left);
});

Deno.test("removeUnseen() takes no longer for what never ends", () => {
  const started = performance.now();
  for (
    const part of ["\x9d", "\x1b]", "\x1b[", "\x9b1;", "\x1b]\x9d", "\x9b "]
  ) {
    removeUnseen(part.repeat(200_000));
  }
  assert(performance.now() - started < 2_000);
});

Deno.test("shorten() cuts no placeholder of redaction", () => {
  const text = "a [secret:aws-key#1] b %5Bsecret%3Aaws-key%231%5D c";
  const kept = new Set(
    Array.from({ length: text.length }, (_, at) => shorten(text, at + 1)),
  );
  for (const cut of kept) {
    const rest = cut.replaceAll("[secret:aws-key#1]", "")
      .replaceAll("%5Bsecret%3Aaws-key%231%5D", "");
    assert(/^[ab ]*…?$/.test(rest) || cut === text, cut);
  }
});
