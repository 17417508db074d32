/**
 * The second reading of a text: what it says, and where each character of it
 * stands in the text.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { plainView } from "../../lib/redact/normalize.ts";

/** Text, what it reads as, and the place of each character and of the end. */
const VIEWS: readonly [text: string, reads: string, places: number[]][] = [
  ["", "", [0]],
  ["ab", "ab", [0, 1, 2]],
  ['\\"a', '"a', [0, 2, 3]],
  ['a\\\\\\"b', 'a\\"b', [0, 1, 3, 5, 6]],
  ["a\\nb\\T", "a\nb\t", [0, 1, 3, 4, 6]],
  ["%3da%30%", "=a0%", [0, 3, 4, 7, 8]],
  ["\\u003D\\x7Ex", "=~x", [0, 6, 10, 11]],
  ["&lt;&#65;&#x42;", "<AB", [0, 4, 9, 15]],
  ["&AMP;;", "&;", [0, 5, 6]],
  ["\u200ba\u200b", "a", [1, 3]],
  ["é\u{1d429}ﬀ", "épff", [0, 1, 3, 4, 4]],
  ["\ud800x\u{1f600}", "\ud800x\u{1f600}", [0, 1, 2, 3, 4]],
  // No escapes.
  ["\\q%1f&lt &nbsp;\\u0141%", "\\q%1f&lt &nbsp;\\u0141%", [
    ...Array(23).keys(),
  ]],
];

for (const [text, reads, places] of VIEWS) {
  Deno.test(`plainView() of ${JSON.stringify(text)} knows the place of each character`, () => {
    const view = plainView(text);
    assertEquals(view.text, reads);
    const found = Array.from({ length: reads.length + 1 }, (_, at) => at);
    assertEquals(found.map((at) => view.at(at)), places);
  });
}
