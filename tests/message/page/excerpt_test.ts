/**
 * Excerpts of evidence, and the lines that bear a claim.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  EXCERPT_BYTES_MAX,
  excerptOf,
  linesFor,
  shorterExcerpt,
} from "../../../lib/message/page/excerpt.ts";

const as = (text: string) => text;
const bytesOf = (text: string) => new TextEncoder().encode(text).length;

Deno.test("excerptOf() shows a short piece as it is", () => {
  const text = '{\n  "a": 1\n}';
  assertEquals(excerptOf(text, as), { text, cut: false });
  assertEquals(excerptOf("", as), { text: "", cut: false });
  assertEquals(
    excerptOf("a\tb\r\nc\u202ed\u0000", as).text,
    [
      "a  b",
      "c<U+202E>d<U+0000>",
    ].join("\n"),
  );
});

Deno.test("excerptOf() lays out JSON that stands on one line", () => {
  const value = { a: [1, { b: 'x, {y}: [z] \\ "q"' }], c: {}, d: [], e: null };
  assertEquals(
    excerptOf(JSON.stringify(value), as).text,
    JSON.stringify(value, null, 2),
  );
  // It need not be whole.
  assertEquals(excerptOf('[{"a":"b', as).text, '[\n  {\n    "a": "b');
});

Deno.test("excerptOf() has at most 4 KiB, and ends with a line or a character", () => {
  for (
    const text of [
      "é".repeat(9000),
      "a line of it\n".repeat(900),
      "\u{1F525}".repeat(3000),
    ]
  ) {
    const excerpt = excerptOf(text, as);
    assert(excerpt.cut);
    assert(excerpt.text.isWellFormed());
    const bytes = bytesOf(excerpt.text);
    assert(bytes <= EXCERPT_BYTES_MAX && bytes > EXCERPT_BYTES_MAX - 250);
    assert(!excerpt.text.includes("\n") || excerpt.text.endsWith("it"));
  }
  assertEquals(excerptOf("x".repeat(4096), as).cut, false);
  assertEquals(excerptOf("x".repeat(4097), as).cut, true);
  assertEquals(shorterExcerpt({ text: "abc", cut: false }, 2), {
    text: "ab",
    cut: true,
  });
});

Deno.test("excerptOf() lets redaction see what the cut divides, and no more", () => {
  const seen: string[] = [];
  const redact = (text: string) => {
    seen.push(text);
    return text.replaceAll(/token=\w+/g, "[gone]");
  };
  const { text } = excerptOf(
    `${"x".repeat(4085)} token=${"s".repeat(40)}${"y".repeat(250_000)}`,
    redact,
  );
  assert(!text.includes("sss"));
  assert(seen.every(({ length }) => length < 6 * 1024));
});

const LINES = Array.from(
  { length: 9000 },
  (_, at) => `2026-02-03 line ${at} level=info msg="step ${at * 7}"`,
);
LINES[6000] = '  "summary": "4210 mails wait, the limit is 1000."';
const LONG = LINES.join("\n");

Deno.test("linesFor() finds the line of a claim deep in a piece, with those around", () => {
  const lines = linesFor(
    "QueueLong ×1 on mail-out-1, from 04:02 · “4210 mails wait, the limit is 1000”",
    LONG,
    as,
  );
  assertEquals(
    lines.map(({ text, marked }) => `${marked ? ">" : " "}${text}`),
    [
      ` ${LINES[5998]}`,
      ` ${LINES[5999]}`,
      `>${LINES[6000]}`,
      ` ${LINES[6001]}`,
      ` ${LINES[6002]}`,
      ` ${LINES[6003]}`,
    ],
  );
});

Deno.test("linesFor() shows no part of what redaction knows only as a whole", () => {
  const redact = (text: string) => text.replaceAll(/<key-\d{30}>/g, "[gone]");
  const key = `<key-${"1234567890".repeat(3)}>`;
  const hit = "4210 mails wait";
  for (let chars = 900; chars < 2100; chars++) {
    const far = "a ".repeat(chars / 2) + "b".repeat(chars % 2);
    for (
      const text of [
        `${hit}\n\n${far}\n${key}\n${"c\n".repeat(9_000)}`,
        `${"c ".repeat(9_000)}${key} ${hit} ${far} ${hit} 77 names ${far}`,
      ]
    ) {
      const lines = linesFor(`“${hit}”, “77 names”`, text, redact);
      const shown = lines.map((line) => line.text).join("\n");
      assert(lines.length > 0 && !/key|\d{5}/.test(shown), shown);
    }
  }
});

Deno.test("linesFor() gives nothing where no line holds the claim's words", () => {
  assertEquals(linesFor("“Something else entirely”", LONG, as), []);
  assertEquals(linesFor("", LONG, as), []);
  assertEquals(linesFor("“4210 mails wait”", "", as), []);
});

Deno.test("linesFor() shows a long line around the words, and redacts what it shows", () => {
  const long = `${"a".repeat(90_000)} key=secretvalue 4210 mails wait ${
    "b".repeat(90_000)
  }`;
  const seen: string[] = [];
  const lines = linesFor("“4210 mails wait”", long, (text) => {
    seen.push(text);
    return text.replaceAll(/key=\w+/g, "[gone]");
  });
  assertEquals(lines.length, 1);
  const [{ text, marked } = { text: "", marked: false }] = lines;
  assert(marked && text.length <= 242, text);
  assert(text.includes("[gone] 4210 mails wait"), text);
  assert(seen.every(({ length }) => length < 4 * 1024));
  // What redaction takes away cannot be marked any more.
  assertEquals(linesFor("“4210 mails wait”", long, () => "[withheld]"), []);
});
