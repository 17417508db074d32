/**
 * A message's bytes, and what passes for one.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import type { Block } from "../../lib/message/block_kit.ts";
import { decodeMessage, encodeMessage } from "../../lib/message/message.ts";
import version2 from "../testdata/message_0_2_0.json" with { type: "json" };
import version3 from "../testdata/message_0_3_0.json" with { type: "json" };

function section(text: string): Block {
  return { type: "section", text: mrkdwn(text) };
}

function mrkdwn(text: string) {
  return { type: "mrkdwn", text, verbatim: true };
}

function headerBlock(text: string): Block {
  return { type: "header", text: { type: "plain_text", text, emoji: false } };
}

function button(text: string, url: string, action_id: string) {
  return {
    type: "button",
    text: { type: "plain_text", text, emoji: false },
    url,
    action_id,
  };
}

Deno.test("encodeMessage() writes text and blocks in that order, and nothing else", () => {
  const message = { blocks: sections(1), text: "é", more: 1 };
  assertEquals(
    new TextDecoder().decode(encodeMessage(message)),
    '{"text":"é","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"s","verbatim":true}}]}',
  );
});

Deno.test("decodeMessage() takes a text whose switches are left to Slack", () => {
  const { verbatim: _, ...text } = mrkdwn("s");
  const message = { text: "s", blocks: [{ type: "section", text }] };
  assertEquals(decodeMessage(encodeMessage(message)), message);
});

function sections(count: number): Block[] {
  return Array.from({ length: count }, () => section("s"));
}

const NOT_JSON = "the message is not JSON in UTF-8";
const foreign = (what: string) =>
  `the message is not one of this pack: ${what}`;
const NO_BLOCKS = foreign('"blocks" is not a list of 1 to 49');
const NO_TEXT = foreign('"text" is not a text of 1 to 4000 characters');
const NO_BLOCK = "is no block of type header, section, context, actions";
const UNREADABLE: [what: string, content: unknown, message: string][] = [
  ["nothing", "", NOT_JSON],
  ["half of the JSON", '{"text":"s3cret', NOT_JSON],
  ["no JSON", "s3cret", NOT_JSON],
  ["bytes that are no UTF-8", new Uint8Array([0x22, 0xFF, 0x22]), NOT_JSON],
  ["null", null, foreign("is not an object")],
  ["an empty object", {}, foreign('has no "text"')],
  ["a list", [], foreign("is not an object")],
  ["no text", { blocks: sections(1) }, foreign('has no "text"')],
  ["an empty text", { text: "", blocks: sections(1) }, NO_TEXT],
  ["a blank text", { text: " ", blocks: sections(1) }, NO_TEXT],
  ["a text that is none", { text: 7, blocks: sections(1) }, NO_TEXT],
  ["no blocks", { text: "s3cret" }, foreign('has no "blocks"')],
  ["an empty list of blocks", { text: "t", blocks: [] }, NO_BLOCKS],
  ["50 blocks", { text: "t", blocks: sections(50) }, NO_BLOCKS],
  ...[null, {}, "s3cret", [section("s3cret")]].map((block): [
    string,
    unknown,
    string,
  ] => [
    `${JSON.stringify(block)} for a block`,
    { text: "t", blocks: [section("s"), block] },
    foreign(`"blocks", item 2 ${NO_BLOCK}`),
  ]),
];

/** What Slack would show and nobody was shown, and whatever else is foreign. */
const FOREIGN_BLOCKS: [what: string, block: unknown, problem: string][] = [
  ...["divider", "image", "rich_text", "input", "video", "markdown", "file"]
    .map((type): [string, unknown, string] => [
      `a block of type ${type}`,
      { type, text: mrkdwn("s3cret"), elements: [mrkdwn("s3cret")] },
      ` ${NO_BLOCK}`,
    ]),
  ...["__proto__", "constructor"].map((type): [string, unknown, string] => [
    `a block of type ${type}`,
    { type },
    ` ${NO_BLOCK}`,
  ]),
  ...Object.entries({
    fields: [mrkdwn("s3cret")],
    accessory: { type: "image", image_url: "https://s3cret.example/" },
    expand: true,
    block_id: "s3cret",
    s3cret: 1,
  }).map(([key, value]): [string, unknown, string] => [
    `a section with ${key}`,
    { ...section("s"), [key]: value },
    " has a part that is not known",
  ]),
  [
    "a section of fields alone",
    { type: "section", fields: [mrkdwn("s3cret")] },
    " has a part that is not known",
  ],
  ["a section without text", { type: "section" }, ' has no "text"'],
  [
    "a section of plain text",
    { type: "section", text: headerBlock("s")["text"] },
    ', "text" has a part that is not known',
  ],
  [
    "a section that Slack would link",
    { type: "section", text: { ...mrkdwn("s"), verbatim: false } },
    ', "text", "verbatim" is not true',
  ],
  [
    "a section without a text",
    { type: "section", text: { type: "mrkdwn", verbatim: true } },
    ', "text" has no "text"',
  ],
  ...["<!channel>", "<@U123>", "<https://s3cret.example|https://ok.example>"]
    .map((text): [string, unknown, string] => [
      `a section with ${text}`,
      section(text),
      ', "text", "text" has markup that is not escaped',
    ]),
  ...["", " \n", "x".repeat(3001)].map((text): [string, unknown, string] => [
    `a section of ${text.length} characters`,
    section(text),
    ', "text", "text" is not a text of 1 to 3000 characters',
  ]),
  [
    "a header with emoji",
    { type: "header", text: { type: "plain_text", text: "h", emoji: true } },
    ', "text", "emoji" is not false',
  ],
  [
    "a header of 151 characters",
    headerBlock("x".repeat(151)),
    ', "text", "text" is not a text of 1 to 150 characters',
  ],
  [
    "small print with an image",
    {
      type: "context",
      elements: [mrkdwn("a"), {
        type: "image",
        image_url: "https://s3cret.example/",
        alt_text: "s3cret",
      }],
    },
    ', "elements", item 2 has a part that is not known',
  ],
  [
    "small print of eleven texts",
    { type: "context", elements: Array(11).fill(mrkdwn("a")) },
    ', "elements" is not a list of 1 to 10',
  ],
  ...Object.entries({
    "with a value": [{ value: "s3cret" }, " has a part that is not known"],
    "with a confirmation": [{ confirm: {} }, " has a part that is not known"],
    "with a style": [{ style: "danger" }, " has a part that is not known"],
    "with a foreign action": [
      { action_id: "s3cret" },
      ', "action_id" is not known',
    ],
    "of another kind": [{ type: "static_select" }, ', "type" is not "button"'],
    "that runs something": [
      { url: "javascript:s3cret" },
      ', "url" is not a plain http or https address',
    ],
    "that signs in": [
      { url: "https://s3cret@a.example/" },
      ', "url" is not a plain http or https address',
    ],
    "whose address is not what it says": [
      { url: "https://a.example\\@s3cret.example/" },
      ', "url" is not a plain http or https address',
    ],
  } as Record<string, [Record<string, unknown>, string]>).map((
    [what, [part, problem]],
  ): [string, unknown, string] => [
    `a button ${what}`,
    {
      type: "actions",
      block_id: "links",
      elements: [{ ...button("b", "https://a.example/", "open_run"), ...part }],
    },
    `, "elements", item 1${problem}`,
  ]),
];

for (
  const [what, content, message] of [
    ...UNREADABLE,
    ...FOREIGN_BLOCKS.map(([what, block, problem]) =>
      [
        what,
        { text: "t", blocks: [section("s"), block] },
        foreign(`"blocks", item 2${problem}`),
      ] as const
    ),
    [
      "attachments",
      { text: "t", blocks: sections(1), attachments: [{ text: "s3cret" }] },
      foreign("has a part that is not known"),
    ] as const,
    [
      "a mention in the notification",
      { text: "<!here> s3cret", blocks: sections(1) },
      foreign('"text" has markup that is not escaped'),
    ] as const,
  ]
) {
  Deno.test(`decodeMessage() refuses ${what}, and quotes nothing`, () => {
    const bytes = content instanceof Uint8Array
      ? content
      : new TextEncoder().encode(
        typeof content === "string" ? content : JSON.stringify(content),
      );
    const error = assertThrows(() => decodeMessage(bytes), SyntaxError);
    assertEquals(error.message, message);
    assertEquals(error.cause, undefined);
  });
}

Deno.test("decodeMessage() takes 49 blocks", () => {
  const message = { text: "t", blocks: sections(49) };
  assertEquals(decodeMessage(encodeMessage(message)), message);
});

for (
  const [version, recorded] of [["0.2.0", version2], [
    "0.3.0",
    version3,
  ]] as const
) {
  Deno.test(`decodeMessage() takes what ${version} wrote, byte for byte`, () => {
    const bytes = new TextEncoder().encode(JSON.stringify(recorded));
    assertEquals(encodeMessage(decodeMessage(bytes)), bytes);
  });
}
