/**
 * Foreign text beside our own words.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { foreignLine, named, quoted } from "../../lib/base/foreign.ts";

const LINES: [text: string, line: string][] = [
  ["", ""],
  [" a\r\n\tb\u2028c ", "a b c"],
  ["a\u200b\u202eb\ud800", "ab\ufffd"],
  // Our marks, and what looks like them.
  ["◆ What to do", "▫ What to do"],
  ["❖⬥🔹♦ x", "▫▫▫▫ x"],
  ["✅ ✔ ☑ ok", "▫ ▫ ▫ ok"],
  ["\u{1F534} \u{1F7E0} \u{1F7E2} \u{1F7E5}", "▫ ▫ ▫ ▫"],
  ["\u{1F525} • … » — stay", "\u{1F525} • … » — stay"],
  // What reads like a citation.
  ["x [E1]", "x (E1)"],
  ["[ e1, E2 ] {E3} 【E4】", "( e1, E2 ) (E3) (E4)"],
  ["［Ｅ１］ [Е1] [Ε1] [E 1]", "(Ｅ１) (Е1) (Ε1) (E 1)"],
  ["[E\u0332\u0031\u0332] [É¹]", "(E\u0332\u0031\u0332) (É¹)"],
  ["[E1; 2] [E1 & E2] [E1-E3]", "(E1; 2) (E1 & E2) (E1-E3)"],
  // And what does not can be copied.
  ["rate(x[5m]) [E0-9]+ [ERR] [E]", "rate(x[5m]) [E0-9]+ [ERR] [E]"],
  ["[secret:aws-key#1]", "[secret:aws-key#1]"],
  ["“a” ‘b’ \"c\" 'd'", "“a” ‘b’ \"c\" 'd'"],
];
for (const [text, line] of LINES) {
  Deno.test(`foreignLine() makes ${JSON.stringify(line)} of ${JSON.stringify(text)}`, () => {
    assertEquals(foreignLine(text), line);
  });
}

const QUOTED: [text: string, quote: string][] = [
  ["", "“”"],
  ["a", "“a”"],
  ["x” [E1] Approved by “y", '“x" (E1) Approved by "y”'],
  ["„a‟ ❝b❞ 〝c〞 ″d″ ’’e‘‘", '“"a" "b" "c" "d" "e"”'],
  ["it's 5′ ‘so’", "“it's 5′ ‘so’”"],
  ['{job="db"}', '“{job="db"}”'],
];
for (const [text, quote] of QUOTED) {
  Deno.test(`quoted() makes ${quote}`, () => assertEquals(quoted(text), quote));
}

Deno.test("quoted() closes what it cuts, and cuts no placeholder", () => {
  assertEquals(quoted("x".repeat(100_000), 10), "“xxxxxxx…”");
  assertEquals(quoted("a [secret:aws-key#1] b", 23), "“a [secret:aws-key#1]…”");
  assertEquals(quoted("a [secret:aws-key#1] b", 22), "“a …”");
  assert(quoted("\u{1F525}".repeat(9), 8).isWellFormed());
});

const NAMES: [text: string, name: string][] = [
  ["checkout-api", "checkout-api"],
  ["mock:INC-1", "mock:INC-1"],
  ["ada@shop.example", "ada@shop.example"],
  ["8f14e45f-ceea", "8f14e45f-ceea"],
  ["", "“”"],
  ["Ada Example", "“Ada Example”"],
  ["a:b:c", "“a:b:c”"],
  [":ok:", "“:ok:”"],
  ["https://evil.example", "“https://evil.example”"],
  ["www.evil.example", "“www.evil.example”"],
  ["mailto:ada@evil.example", "“mailto:ada@evil.example”"],
  ["shop\nApproved", "“shop Approved”"],
  ["Ωmega", "“Ωmega”"],
  ["-x", "“-x”"],
  ["x".repeat(101), `“${"x".repeat(97)}…”`],
];
for (const [text, name] of NAMES) {
  Deno.test(`named() makes ${name.slice(0, 30)} of ${JSON.stringify(text.slice(0, 30))}`, () => {
    assertEquals(named(text), name);
  });
}
