/**
 * What the poster adds below a message.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type Footer,
  type Update,
  withFooter,
} from "../../lib/message/footer.ts";
import { encodeMessage, type Message } from "../../lib/message/message.ts";
import { assertInert, assertSlackTakes } from "../support/block_kit.ts";
import { textsOf } from "../support/blocks.ts";

const MESSAGE: Message = {
  text: "Checkout is slow",
  blocks: [{ type: "section", text: mrkdwn("◆ Since 09:30:00 UTC") }],
};
const FOOTER: Footer = {
  approval: { by: "alice", at: "2026-01-15T09:40:00.000Z", ruleId: "post" },
  runId: "run-1",
  digest: "0123456789abcdef".repeat(4),
};

function mrkdwn(text: string) {
  return { type: "mrkdwn", text, verbatim: true };
}

Deno.test("withFooter() says who approved what, in one more block", () => {
  const message = MESSAGE;
  const before = encodeMessage(message);
  const footed = withFooter(message, FOOTER);
  assertEquals(footed.text, message.text);
  assertEquals(footed.blocks.slice(0, -1), message.blocks);
  assertEquals(footed.blocks.at(-1), {
    type: "context",
    elements: [mrkdwn(
      "◆ Approved by alice at 2026-01-15T09:40:00.000Z, asked for by " +
        "rule post · run run-1 · message sha256 0123456789abcdef",
    )],
  });
  // What was approved is not touched.
  assertEquals(encodeMessage(message), before);
  const approval = { ...FOOTER.approval!, signedBy: "ada-1" };
  const signed = withFooter(message, { ...FOOTER, approval });
  const [line] = textsOf(signed.blocks.at(-1)!).map(({ text }) => text);
  assert(line?.includes("asked for by rule post, signed by ada-1 · run run-1"));
});

const UPDATE: Update = {
  now: "critical",
  was: "warning",
  firstAt: "2026-01-15T09:31:07.250Z",
  isMarked: false,
};
const UPDATES: [update: Update, line: string][] = [
  [
    UPDATE,
    "\u{1F534} Update: now CRITICAL, was WARNING; first message at 2026-01-15 09:31:07 UTC",
  ],
  [
    { ...UPDATE, now: "error", was: "info", isMarked: true },
    "\u{1F7E0} Update: now ERROR, was INFO; first message marked as posted at 2026-01-15 09:31:07 UTC",
  ],
  [
    { ...UPDATE, firstAt: "<!channel>" },
    "\u{1F534} Update: now CRITICAL, was WARNING; first message at an unknown time",
  ],
];
for (const [update, line] of UPDATES) {
  Deno.test(`withFooter() says "${line}"`, () => {
    const message = MESSAGE;
    const footed = withFooter(message, { ...FOOTER, update });
    assertEquals(footed.text, message.text);
    assertEquals(footed.blocks.slice(0, -1), message.blocks);
    const [first, second, ...more] = textsOf(footed.blocks.at(-1)!);
    assertEquals([first, more], [mrkdwn(line), []]);
    assertEquals(
      [second],
      textsOf(withFooter(message, FOOTER).blocks.at(-1)!),
    );
  });
}

Deno.test("withFooter() says that no approval was needed, and that there is no run", () => {
  const footed = withFooter(MESSAGE, {
    ...FOOTER,
    approval: undefined,
    runId: "",
  });
  assertEquals(
    textsOf(footed.blocks.at(-1)!)[0]!.text,
    "◆ Posted without approval, as configured · run none · " +
      "message sha256 0123456789abcdef",
  );
});

Deno.test("withFooter() keeps within Slack's limits and its digest, whatever comes", () => {
  for (
    const long of ["x".repeat(5000), "&".repeat(5000), "xyz ".repeat(1250)]
  ) {
    const footed = withFooter(MESSAGE, {
      approval: {
        by: long,
        at: long,
        ruleId: long,
        signedBy: "(".repeat(80), // Names of keys hold no other signs.
      },
      runId: long,
      digest: FOOTER.digest,
      update: { ...UPDATE, firstAt: long, isMarked: true },
    });
    assertSlackTakes(footed);
    const small = textsOf(footed.blocks.at(-1)!);
    const [, digest] = small.at(-1)!.text.split("sha256 ");
    assertEquals(digest, FOOTER.digest.slice(0, 16));
    assert(JSON.stringify(footed.blocks.at(-1)).length <= 1850);
  }
});

const MARKUP = [
  "<!channel>",
  "<!here|here>",
  "<@U024BE7LH>",
  "<#C024BE7LR|general>",
  "<!subteam^S1>",
  "<https://evil.example|Runbook>",
  "<mailto:a@example.com|b>",
  "&lt;!channel&gt;",
  "&#60;!channel&#62;",
  "<<!channel>>",
  "> quote",
];
for (const markup of MARKUP) {
  Deno.test(`withFooter() makes ${markup} inert wherever it stands`, () => {
    const footed = withFooter(MESSAGE, {
      approval: { by: markup, at: markup, ruleId: markup, signedBy: markup },
      runId: markup,
      digest: markup,
    });
    for (const { text } of footed.blocks.flatMap(textsOf)) assertInert(text);
  });
}
