/**
 * Text that stays text in Slack.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { escapeMrkdwn, fit } from "../../lib/message/block_kit.ts";
import { assertInert } from "../support/block_kit.ts";
import { createDice } from "../support/dice.ts";

const ROUNDS = 250;

const ESCAPES: [text: string, escaped: string][] = [
  ["", ""],
  ["a & b < c > d", "a &amp; b &lt; c &gt; d"],
  ["&amp;", "&amp;amp;"],
  ["*bold* _it_ `code`", "*bold* _it_ `code`"],
  ["a\ud800b\udc00c\u{1F525}", "a\ufffdb\ufffdc\u{1F525}"],
];
for (const [text, escaped] of ESCAPES) {
  Deno.test(`escapeMrkdwn() makes ${JSON.stringify(escaped)}`, () => {
    assertEquals(escapeMrkdwn(text), escaped);
  });
}

const FITTED: [text: string, charsMax: number, fitted: string][] = [
  ["abc", 3, "abc"],
  ["abcd", 3, "ab…"],
  ["&", 5, "&amp;"],
  ["&", 4, "…"],
  ["a&b", 7, "a&amp;b"],
  ["a&b", 6, "a…"], // Neither a&amp… nor a&am….
  ["&&", 6, "&amp;…"],
  ["\u{1F525}b", 3, "\u{1F525}b"],
  ["\u{1F525}bc", 3, "\u{1F525}…"],
  ["a\u{1F525}b", 3, "a…"],
  ["abc", 1, "…"],
  // What would format stands as code, and all can be copied.
  ["*a b* _c_ ~d~", 99, "`*a b* _c_ ~d~`"],
  ["see *a b c* now", 99, "see `*a` b `c*` now"],
  ["(*a*) __init__ ~~x~~", 99, "(`*a*`) `__init__ ~~x~~`"],
  ["db_pool_size ~5 % of 2 * 3", 99, "db_pool_size ~5 % of 2 * 3"],
  ["rm *.log", 99, "rm *.log"],
  ["`a` ```b```", 99, "'a' '''b'''"],
  [
    ":fire: at 09:30:41 on fe80::a:1",
    99,
    "`:fire:` at 09:30:41 on `fe80::a:1`",
  ],
  [
    "10:00:00:8: 2026-01-15T09:30:41.000Z",
    99,
    "10:00:00:8: 2026-01-15T09:30:41.000Z",
  ],
  ["see “https://a.example/x_y_”", 99, "see “`https://a.example/x_y_`”"],
  ["(at https://a.example/x), then", 99, "(at `https://a.example/x`), then"],
  ["f(*a*), (*b*)", 99, "`f(*a*)`, (`*b*`)"],
  [
    "https://a.example/?k=[secret:named#1].",
    99,
    "`https://a.example/?k=[secret:named#1]`.",
  ],
  ["www.a.example <b>", 99, "`www.a.example` &lt;b&gt;"],
  // What is cut is closed.
  ["https://a.example/abc", 12, "`https://a`…"],
  ["b https://a.example", 3, "b …"],
  ["“abcdef” said", 6, "“abc…”"],
  ["“abc” said so", 8, "“abc” s…"],
  ["a [secret:aws-key#1] b", 20, "a …"],
  ["a [secret:aws-key#1] b", 21, "a [secret:aws-key#1]…"],
];
for (const [text, charsMax, fitted] of FITTED) {
  Deno.test(`fit() makes "${fitted}" of "${text}" in ${charsMax} characters`, () => {
    assertEquals(fit(text, charsMax), fitted);
  });
}

Deno.test("fit() never grows beyond its limit, nor cuts what belongs together", () => {
  const { text } = createDice(4);
  for (let count = 0; count < ROUNDS; count++) {
    const lead = text(8000);
    const charsMax = 1 + count % 50;
    const fitted = fit(lead, charsMax);
    assert(fitted.length <= charsMax);
    assert(fitted.isWellFormed());
    assertInert(fitted);
    const whole = fit(lead, Infinity);
    const kept = fitted === whole ? fitted : fitted.replace(/`?…”?$/, "");
    assert(whole.startsWith(kept));
  }
});
