/**
 * HTML in which text stays text.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { element, Markup } from "../../../lib/message/page/markup.ts";

const text = (...given: Parameters<typeof element>) => element(...given).text;

Deno.test("element() escapes text and attributes, and removes what cannot be seen", () => {
  assertEquals(
    text(
      "b",
      { title: "a\"b'<>&\u0000\u202e\ud800", lang: undefined },
      '<&>"\u200b',
    ),
    '<b title="a&quot;b\'&lt;&gt;&amp;\ufffd">&lt;&amp;&gt;"</b>',
  );
});

Deno.test("element() takes elements, lists and nothing as children", () => {
  assertEquals(
    text("b", {}, 1, undefined, ["<", [element("br")]], new Markup("<i>")),
    "<b>1&lt;<br><i></b>",
  );
});
