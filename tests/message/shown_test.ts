/**
 * A message as a terminal and a browser show it.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { escapeHtml, renderHtml } from "../../lib/message/html.ts";
import { readMrkdwn } from "../../lib/message/mrkdwn.ts";
import { renderNotification, renderText } from "../../lib/message/text.ts";

const SPANS: [line: string, spans: unknown[]][] = [
  ["", []],
  ["plain & simple_name 2 * 3", [{ text: "plain & simple_name 2 * 3" }]],
  ["*a b* `c`", [
    { text: "a b", style: "bold" },
    { text: " " },
    { text: "c", style: "code" },
  ]],
  ["_a_ ~b~", [
    { text: "a", style: "italic" },
    { text: " " },
    { text: "b", style: "strike" },
  ]],
  ["&lt;!channel&gt; &amp;amp;", [{ text: "<!channel> &amp;" }]],
  // What got through an escape would be seen for what it is.
  ["<!channel>", [{ text: "!channel", style: "mention" }]],
  ["<@U1> <https://a.example|Run>", [
    { text: "@U1", style: "mention" },
    { text: " " },
    { text: "Run", style: "link" },
  ]],
];
for (const [line, spans] of SPANS) {
  Deno.test(`readMrkdwn() reads ${JSON.stringify(line)} as Slack does`, () => {
    assertEquals(readMrkdwn(line), spans);
  });
}

const WIDE = { columns: 200, colour: false };

Deno.test("a malformed block is shown as far as it can be, and never throws", () => {
  const blocks = [
    { type: "context", elements: [null, "x", { text: "kept" }] },
    { type: "context", elements: { text: "lost" } },
    { type: "section", text: null },
    { type: "header", text: 7 },
    { type: "actions", elements: [null, { text: null, url: 7 }] },
  ];
  for (const block of blocks) {
    const shows = JSON.stringify(block).includes("kept");
    assertEquals(renderText([block], WIDE).join().includes("kept"), shows);
    const html = renderHtml([block], { title: "t", note: "n" });
    assertEquals(html.includes("kept"), shows);
  }
});
const SHOWN = [
  { type: "header", text: { type: "plain_text", text: "*Title*" } },
  { type: "section", text: { type: "mrkdwn", text: "*Bold*\n• a &lt;b&gt;" } },
  {
    type: "actions",
    elements: [{
      type: "button",
      text: { type: "plain_text", text: "Go" },
      url: "https://a.example/",
    }],
  },
  {
    type: "context",
    elements: [{ type: "mrkdwn", text: "one" }, {
      type: "mrkdwn",
      text: "two\x1b[31m\u202e",
    }],
  },
];

Deno.test("renderText() shows what a terminal can show", () => {
  assertEquals(renderText(SHOWN, WIDE), [
    "│ *Title*",
    "│",
    "│ Bold",
    "│ • a <b>",
    "│",
    "│ [Go] https://a.example/",
    "│",
    "│ one",
    "│ two<U+001B>[31m<U+202E>",
  ]);
  const [title, , bold] = renderText(SHOWN, { ...WIDE, colour: true });
  assertEquals(title, "│ \x1b[1m*Title*\x1b[0m");
  assertEquals(bold, "│ \x1b[1mBold\x1b[0m");
});

Deno.test("renderNotification() gives each line a line of its own", () => {
  assertEquals(
    renderNotification("a &lt;b&gt; cc\nd\x1b[1m", { columns: 9 }),
    ["Notification:", "│ a <b>", "│   cc", "│ d<U+001B>[1m"],
  );
});

Deno.test("renderText() breaks lines between words and loses none", () => {
  const text = "• aaa bbb ccc " + "d".repeat(30) + " e";
  const block = { type: "section", text: { type: "mrkdwn", text } };
  assertEquals(renderText([block], { columns: 12, colour: false }), [
    "│ • aaa bbb",
    "│   ccc",
    `│   ${"d".repeat(30)}`,
    "│   e",
  ]);
});

const NASTY = `"><script>alert(1)</script>'&amp;`;

Deno.test("renderHtml() escapes everything and runs and fetches nothing", () => {
  const element = { type: "mrkdwn", text: NASTY };
  const html = renderHtml([
    { type: "header", text: { type: "plain_text", text: NASTY } },
    { type: "section", text: element },
    { type: "context", elements: [element] },
    { type: NASTY },
    {
      type: "actions",
      elements: [`https://a.example/${NASTY}`, "javascript:alert(1)", NASTY]
        .map((url) => ({ type: "button", text: element, url })),
    },
  ], { title: NASTY, note: NASTY });
  // The parser's view: every tag is one of ours.
  const tags = new Set(
    [...html.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag),
  );
  const ours = "html head meta title style body main div svg path small time " +
    "h1 p span u a footer";
  assertEquals([...tags].filter((tag) => !ours.split(" ").includes(tag!)), []);
  assert(!/\b(src|on\w+|style)=/.test(html.replaceAll(escapeHtml(NASTY), "")));
  assertEquals([...html.matchAll(/href="([^"]*)"/g)].map(([, url]) => url), [
    "https://a.example/%22%3E%3Cscript%3Ealert(1)%3C/script%3E&#39;&amp;amp;",
  ]);
  assertStringIncludes(html, "default-src 'none'");
  assertStringIncludes(html, "prefers-color-scheme: dark");
});

Deno.test("renderHtml() draws the signs that a machine's fonts may lack", () => {
  const text = { type: "plain_text", text: "\u{1F534}\u{1F7E1} <b>" };
  assertStringIncludes(
    renderHtml([{ type: "header", text }], { title: "", note: "" }),
    '<h1><span class="sign red">\u{1F534}</span><span class="sign yellow">\u{1F7E1}</span> &lt;b&gt;</h1>',
  );
});
