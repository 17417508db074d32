import { assertEquals } from "@std/assert";
import { sentencesOf, withoutStop } from "../../lib/base/sentence.ts";

const SENTENCES: readonly [text: string, ...sentences: string[]][] = [
  ["", ...[]],
  ["One. Two", "One.", "Two"],
  ["One\nTwo", "One", "Two"],
  ["It is 2.4 s now. It was less.", "It is 2.4 s now.", "It was less."],
  [
    "No. of mails (e.g. Bounces) is 5 vs. 3. Stop.",
    "No. of mails (e.g. Bounces) is 5 vs. 3.",
    "Stop.",
  ],
  ["approx. Ten of max. Twenty.", "approx. Ten of max. Twenty."],
  ["ask J. Doe. Now!", "ask J. Doe.", "Now!"],
  [
    "It took 5 min. It took 3 ms. Now",
    "It took 5 min.",
    "It took 3 ms.",
    "Now",
  ],
  ["it ends. but not here", "it ends. but not here"],
  ['He said "no." Then left.', 'He said "no."', "Then left."],
];
for (const [text, ...sentences] of SENTENCES) {
  Deno.test(`sentencesOf() divides ${JSON.stringify(text)}`, () => {
    assertEquals(sentencesOf(text), sentences);
  });
}

Deno.test("withoutStop() takes one full stop, and no ellipsis", () => {
  assertEquals(
    ["a.", "a...", "a!", "a"].map(withoutStop),
    ["a", "a...", "a!", "a"],
  );
});
