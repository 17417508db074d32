/**
 * A message shown without being sent: as text, as a picture, as JSON.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { IncidentInput } from "../../lib/incident.ts";
import { encodeMessage } from "../../lib/message/render.ts";
import { escapeHtml, renderHtml } from "../../lib/message/html.ts";
import { renderBlocks, renderText } from "../../lib/message/text.ts";
import { readMrkdwn } from "../../lib/message/mrkdwn.ts";
import { previewMessage } from "../../scripts/preview.ts";
import sample from "../../deploy/samples/sample_incident.json" with {
  type: "json",
};
import { assertSlackTakes } from "../support/block_kit.ts";
import { runTask } from "../support/task.ts";

const SAMPLE = "deploy/samples/sample_incident.json";
const NO_LINKS = { linkOrigins: undefined, dashboardRunUrl: undefined };
const WIDE = { columns: 200, colour: false };

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

Deno.test("renderBlocks() gives plain lines, buttons with their address", () => {
  assertEquals(renderBlocks(SHOWN), [
    "*Title*",
    "*Bold*",
    "• a <b>",
    "[Go] https://a.example/",
    "one",
    "two\uFFFD[31m\uFFFD",
  ]);
});

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
    "│ two\uFFFD[31m\uFFFD",
  ]);
  const [title, , bold] = renderText(SHOWN, { ...WIDE, colour: true });
  assertEquals(title, "│ \x1b[1m*Title*\x1b[0m");
  assertEquals(bold, "│ \x1b[1mBold\x1b[0m");
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

Deno.test("previewMessage() gives what Slack takes, the same for the same incident", async () => {
  const incident = sample as IncidentInput;
  const settings = {
    linkOrigins: ["https://incidents.example.com"],
    dashboardRunUrl: "https://dashboard.example.com",
  };
  const { message, digest } = await previewMessage(incident, settings);
  assertSlackTakes(message);
  assertMatch(digest, /^[0-9a-f]{64}$/);
  const again = await previewMessage(incident, settings);
  assertEquals(encodeMessage(again.message), encodeMessage(message));
  const bare = await previewMessage(incident, NO_LINKS);
  assert(!JSON.stringify(bare.message).includes('"actions"'));
  const nasty = `${NASTY} <!channel>`;
  const odd = await previewMessage({
    ...incident,
    title: nasty,
    raw: { description: nasty, timeline: [{ at: "1", text: nasty }] },
  }, NO_LINKS);
  assertSlackTakes(odd.message);
});

Deno.test("deno task preview shows text, a picture and the payload", async (t) => {
  const env = {
    LINK_ORIGINS: "https://incidents.example.com",
    DASHBOARD_RUN_URL: "https://dashboard.example.com/runs",
  };
  await t.step("text, with the digest", async () => {
    const { code, stdout, stderr } = await runTask("preview", [SAMPLE], env);
    assertEquals([code, stderr], [0, ""]);
    for (
      const line of [
        "│ \u{1F534} CRITICAL · checkout-api: Checkout latency above 2 s",
        "│ What we know",
        "│ • 09:24:10 Deployed checkout-api 2026.3.1 [E1]",
        "│ [Open the incident] https://incidents.example.com/INC-1042",
        "│ [Open the run] https://dashboard.example.com/runs/preview",
        "│ [E1] Payload as received · [E2] Incident in plain fields",
      ]
    ) assert(stdout.split("\n").includes(line), `${line}\n${stdout}`);
    assertMatch(stdout, /\nMessage sha256 [0-9a-f]{64}; nothing was sent\n$/);
  });
  await t.step("the payload, byte for byte what would be posted", async () => {
    const { code, stdout } = await runTask("preview", [SAMPLE, "--json"], env);
    assertEquals(code, 0);
    const payload = JSON.parse(stdout);
    assertEquals(Object.keys(payload), ["text", "blocks"]);
    assertSlackTakes(payload);
  });
  await t.step("a picture", async () => {
    const path = await Deno.makeTempFile({ dir: "/tmp", suffix: ".html" });
    try {
      const args = [SAMPLE, "--html", path];
      const { code, stdout } = await runTask("preview", args, env);
      assertEquals([code, stdout], [0, `${path} written; nothing was sent\n`]);
      const html = await Deno.readTextFile(path);
      assertStringIncludes(html, "CRITICAL · checkout-api: Checkout latency");
      assertStringIncludes(
        html,
        '<a href="https://incidents.example.com/INC-1042" rel="noreferrer">Open the incident</a>',
      );
    } finally {
      await Deno.remove(path);
    }
  });
});

const REFUSED: [args: string[], code: number, error: string][] = [
  [[], 2, "error: Name one file; see --help"],
  [[SAMPLE, "x"], 2, "error: Unexpected argument 'x'; see --help"],
  [
    ["nowhere.json"],
    1,
    "error: Cannot preview nowhere.json: there is no such file",
  ],
  [["README.md"], 1, "error: Cannot preview README.md: it is not JSON"],
  [
    ["deploy/samples/sample_webhook.json"],
    1,
    "error: Cannot preview deploy/samples/sample_webhook.json: it is no incident, " +
    "/ must have required property 'incident_id'",
  ],
  [
    [SAMPLE, "--html", "/etc/preview.html"],
    1,
    "error: Cannot write /etc/preview.html: it may write below dist/ and /tmp only",
  ],
];
for (const [args, code, error] of REFUSED) {
  Deno.test(`deno task preview ${args.join(" ")} says what is wrong`, async () => {
    const run = await runTask("preview", args);
    assertEquals([run.code, run.stdout, run.stderr.trim()], [code, "", error]);
  });
}

Deno.test("deno task preview says which setting is wrong", async () => {
  const { code, stderr } = await runTask("preview", [SAMPLE], {
    LINK_ORIGINS: "incidents.example.com",
  });
  assertEquals([code, stderr.trim()], [
    2,
    "error: LINK_ORIGINS must be origins such as https://wiki.example.com",
  ]);
});
