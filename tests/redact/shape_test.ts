import { assert, assertEquals, assertThrows } from "@std/assert";
import { AnchorTable } from "../../lib/redact/anchors.ts";
import { FORMS, URLS } from "../../lib/redact/forms.ts";
import { CLASSES, parseShape, startsWord } from "../../lib/redact/shape.ts";
import { startRedaction } from "../../lib/redact/redaction.ts";

Deno.test("parseShape() reads text, alternatives, classes and counts", () => {
  assertEquals(
    parseShape("a(b|c)_{h4}.{d2-3}").map((parts) =>
      parts.map((part) =>
        "literal" in part
          ? part.literal
          : `${part.name} ${part.min} ${part.max}`
      )
    ),
    [["ab_", "h 4 4", ".", "d 2 3"], ["ac_", "h 4 4", ".", "d 2 3"]],
  );
  assertEquals(parseShape("{uuid}")[0]?.length, 9);
});

Deno.test("parseShape() refuses what it does not know", () => {
  assertThrows(() => parseShape("x{q3}"), SyntaxError);
  assertThrows(() => parseShape("x{h}"), SyntaxError);
});

Deno.test("startsWord() knows boundaries and escapes", () => {
  const rows: [front: string, starts: boolean][] = [
    ["", true],
    [" ", true],
    ["_", true],
    ["a", false],
    ["aa", false],
    ["\\n", true],
    ["\\q", false],
    ["%3D", true],
    ["%3G", false],
    ["3D", false],
    ["\\x3d", true],
    ["\\u003d", true],
    ["\\u00zd", false],
    ["u003d", false],
  ];
  for (const [front, starts] of rows) {
    assertEquals(startsWord(`${front}x`, front.length), starts, front);
  }
});

Deno.test("every form has a shape, a vendor and a document", () => {
  assert(new Set(FORMS.map(({ vendor }) => vendor)).size >= 150);
  for (const { vendor, what, shape, source, group } of FORMS) {
    assert(vendor !== "" && what !== "" && group !== "", shape);
    assert(parseShape(shape).length > 0);
    assertEquals(new URL(source).protocol, "https:", shape);
    assert(!source.includes("|"), shape);
  }
  for (const { vendor, what, path, source } of URLS) {
    assert(
      vendor !== "" && what !== "" && path.startsWith("/") ||
        path.startsWith(":"),
      path,
    );
    assertEquals(new URL(source).protocol, "https:", path);
  }
  assertEquals(new Set(FORMS.map(({ shape }) => shape)).size, FORMS.length);
});

Deno.test("every class is used, and nothing backtracks", () => {
  const used = [
    ...FORMS.map(({ shape }) => shape),
    ...URLS.map(({ path }) => path),
  ]
    .join(" ");
  for (const name of Object.keys(CLASSES)) {
    assert(name === "L" || used.includes(`{${name}`), name);
  }
});

Deno.test("a form's length decides: one character less or more is another thing", () => {
  const take = (text: string) => startRedaction().text(text) !== text;
  const key = (length: number) => "AKIA" + "Q".repeat(length);
  assert(!take(key(15)) && take(key(16)) && !take(key(17)));
  assert(!take(`x${key(16)}`) && take(`\\n${key(16)}`) && take(`/${key(16)}`));
  const token = (length: number) => "glpat-" + "Q1".repeat(length / 2);
  assert(!take(token(16)) && take(token(18)) && take(`x${token(18)}`));
});

Deno.test("AnchorTable refuses an anchor that is too short", () => {
  const anchor = { text: "ab", folded: false, bounded: false, target: 1 };
  assertThrows(() => new AnchorTable([anchor]), RangeError);
});
