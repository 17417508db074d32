/**
 * What Slack takes, written down from its documentation and apart from the
 * code that must keep to it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import schema from "./block_kit_schema.json" with { type: "json" };
import type { Message } from "../../lib/message/message.ts";
import { assertNothingUnseen } from "./unseen.ts";

type Fields = Record<string, unknown>;

/** Above about 13,200 Slack says `msg_blocks_too_long`. */
const ALL_BLOCKS_CHARS_MAX = 13_000;

const isWithinLimits = new Ajv2020({ strict: true }).compile(schema);

/** Fails if Slack would refuse a message, or make something of its texts. */
export function assertSlackTakes({ text, blocks }: Message): void {
  assert(
    isWithinLimits({ text, blocks }),
    JSON.stringify(isWithinLimits.errors?.slice(0, 3)),
  );
  assert(text.trim() !== "" && text.length <= 4000, `text of ${text.length}`);
  assertInert(text);
  assertShown(text);
  assert(blocks.length >= 1 && blocks.length <= 50, `${blocks.length} blocks`);
  const length = JSON.stringify(blocks).length;
  assert(length <= ALL_BLOCKS_CHARS_MAX, `${length} characters of blocks`);
  for (const block of blocks) assertBlock(block);
  assertUnique(blocks.map(({ block_id }) => block_id));
  assertUnique(
    blocks.flatMap(({ elements = [] }) =>
      (elements as Fields[]).map(({ action_id }) => action_id)
    ),
  );
}

function assertBlock(block: Fields): void {
  const { type, text, elements, ...rest } = block;
  switch (type) {
    case "header":
      assertPlain(text as Fields, 150);
      assertEquals([elements, rest], [undefined, {}]);
      break;
    case "section":
      assertMrkdwn(text as Fields, IN_SECTIONS);
      assertEquals([elements, rest], [undefined, {}]);
      break;
    case "context":
      assert((elements as Fields[]).length >= 1);
      assert((elements as Fields[]).length <= 10);
      for (const element of elements as Fields[]) {
        assertMrkdwn(element, IN_SMALL_PRINT);
      }
      assertEquals([text, rest], [undefined, {}]);
      break;
    case "actions":
      assert((elements as Fields[]).length >= 1);
      assert((elements as Fields[]).length <= 25);
      (elements as Fields[]).forEach(assertButton);
      assertEquals([text, Object.keys(rest)], [undefined, ["block_id"]]);
      break;
    default:
      throw new Error(`a block of type ${type}`);
  }
}

/** The start in the reader's own time, and addresses that are their own text. */
const IN_SECTIONS: readonly RegExp[] = [
  /(?<=^◆ (?:Since|Triggered) )<!date\^\d{1,11}\^((?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d UTC) \(\{time\} your time\)\|\1>/,
  /(?<=^◆ [A-Z][a-z]+: )<https?:\/\/[^<>|\s]+>$/,
];
/** Citations that open evidence. */
const IN_SMALL_PRINT: readonly RegExp[] = [
  /<https:\/\/desk\.example\/[^<>|\s]*redis%3A%2F%2Fart%3A[\w.%-]+\|\[[A-Z]{1,2}\d+\]>/g,
];

function assertMrkdwn(
  { type, text, verbatim, ...rest }: Fields,
  ours: readonly RegExp[],
): void {
  assertEquals([type, verbatim, rest], ["mrkdwn", true, {}]);
  assert(typeof text === "string" && text.trim() !== "");
  assert(text.length <= 3000, `text of ${text.length} characters`);
  const others = text.split("\n").map((line) =>
    ours.reduce((left, our) => left.replace(our, ""), line)
  );
  assertInert(others.join("\n"));
  for (const line of others) {
    assertShown(line);
    assertPlainMarks(line);
  }
}

function assertPlain(
  { type, text, emoji, ...rest }: Fields,
  charsMax: number,
): void {
  assertEquals([type, emoji, rest], ["plain_text", false, {}]);
  assert(typeof text === "string" && text.trim() !== "");
  assert(text.length <= charsMax, `text of ${text.length} characters`);
  assertShown(text);
}

function assertButton({ type, text, url, action_id, ...rest }: Fields): void {
  assertEquals([type, rest], ["button", {}]);
  assertPlain(text as Fields, 75);
  assert(typeof url === "string" && url.length <= 3000);
  assertEquals(new URL(url).href, url);
  assert(/^https?:$/.test(new URL(url).protocol), url);
  assert(typeof action_id === "string" && action_id.length <= 255);
}

function assertUnique(ids: readonly unknown[]): void {
  const given = ids.filter((id) => id !== undefined);
  assertEquals(new Set(given).size, given.length);
  for (const id of given) assert(String(id).length <= 255);
}

/** Fails if Slack would see a mention, a link or an entity in a text. */
export function assertInert(text: string): void {
  if (/[<>]/.test(text)) fail("markup", text);
  if (/&(?!(amp|lt|gt);)/.test(text)) fail("a cut entity", text);
}

/** Fails if a text would steer the display instead of being shown. */
function assertShown(text: string): void {
  if (!text.isWellFormed()) fail("half a surrogate pair", text);
  assertNothingUnseen(text);
}

const OURS =
  /^\*◆ (?:(?:What we know|What to do|What is missing|Timeline[^*]*)\*$|(?:What changed|Seen before|Next)\*(?=$| · ))/;
const EMOJI = /:(?!\d\d?:)[\p{L}\p{N}_+'-]+:/u;
const PAIRS = ["\\*", "_", "~"].map((mark) =>
  RegExp(
    `(?<![\\p{L}\\p{N}])${mark}(?=\\S).*(?<=\\S)${mark}(?![\\p{L}\\p{N}])`,
    "u",
  )
);

/** Fails if a line is formatted but for a title in bold and what is code. */
function assertPlainMarks(line: string): void {
  const rest = line.replace(OURS, "")
    .replace(/(?<![\p{L}\p{N}])`[^`]+`(?![\p{L}\p{N}])/gu, "");
  if (rest.includes("`")) fail("code", line);
  if (EMOJI.test(rest)) fail("an emoji", line);
  if (rest.includes("://")) fail("an address", line);
  if (line.startsWith("&gt;")) fail("a quote", line);
  if (PAIRS.some((pair) => pair.test(rest))) fail("formatting", line);
}

/** Texts are long and many, so that only what fails is written down. */
function fail(what: string, text: string): never {
  throw new Error(`${what} in ${JSON.stringify(text)}`);
}
