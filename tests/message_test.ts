import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Block,
  decodeMessage,
  encodeMessage,
  escapeMrkdwn,
  fit,
  type Footer,
  type Message,
  type MessageView,
  renderMessage,
  withFooter,
} from "../lib/message.ts";

const POINTER = "redis://art:1";
const VIEW: MessageView = {
  incidentId: "mock:INC-1",
  context: {
    title: "Checkout is slow",
    severity: "critical",
    service: "checkout-api",
    source: { system: "mock" },
  },
  lead: "Checkout is slow on checkout-api.",
  highlights: [
    { text: "region: eu-west-1", evidence: ["E1"] },
    { text: "error rate: 8.3 %", evidence: ["E1", "E2"] },
  ],
  actionItems: [{ text: "Name who leads", evidence: ["E1"] }],
  evidence: [{
    kind: "incident.raw",
    title: "Payload",
    artifact_ptr: POINTER,
    content_type: "application/json",
    bytes: 1,
  }],
  gaps: [{ what: "the log", why: "status 403" }],
  summaryPtr: "redis://art:2",
};
const FOOTER: Footer = {
  approval: { by: "alice", at: "2026-01-15T09:40:00.000Z", ruleId: "post" },
  runId: "run-1",
  digest: "0123456789abcdef".repeat(4),
};

function render(view: Partial<MessageView> = {}): Message {
  return renderMessage({ ...VIEW, ...view });
}

/** Every text object of a block: what people read, and how it is read. */
function textsOf(block: Block): { type: string; text: string }[] {
  const { text, elements } = block as unknown as {
    text?: { type: string; text: string };
    elements?: { type: string; text: string }[];
  };
  return elements ?? [text!];
}

function textOf({ text }: { text: string }): string {
  return text;
}

/** The text of the first block of a type that begins in some way. */
function find(message: Message, type: string, start = ""): string {
  const texts = message.blocks.filter((block) => block.type === type)
    .flatMap(textsOf).map(({ text }) => text);
  return texts.find((text) => text.startsWith(start)) ?? "";
}

function section(text: string): Block {
  return { type: "section", text: { type: "mrkdwn", text } };
}

Deno.test("renderMessage() writes header, lead, lists, gaps and sources", () => {
  assertEquals(render(), {
    text: "CRITICAL: Checkout is slow (checkout-api). " +
      "Checkout is slow on checkout-api.",
    blocks: [
      {
        type: "header",
        text: {
          type: "plain_text",
          text: "CRITICAL: Checkout is slow (checkout-api)",
          emoji: false,
        },
      },
      section("Checkout is slow on checkout-api."),
      section(
        "*What we know*\n• region: eu-west-1 [E1]\n• error rate: 8.3 % [E1, E2]",
      ),
      section("*What to do*\n• Name who leads [E1]"),
      section("*What is missing*\n• the log: status 403"),
      {
        type: "context",
        elements: [{
          type: "mrkdwn",
          text: "Incident mock:INC-1 from mock · 1 piece of evidence · " +
            "full summary redis://art:2",
        }],
      },
    ],
  });
});

Deno.test("renderMessage() makes do with the least that is known", () => {
  const least = render({
    context: {},
    lead: " ",
    highlights: [],
    actionItems: [],
    evidence: [],
    gaps: [],
  });
  assertEquals(least, {
    text: "WARNING: mock:INC-1. Nothing is known yet.",
    blocks: [
      {
        type: "header",
        text: {
          type: "plain_text",
          text: "WARNING: mock:INC-1",
          emoji: false,
        },
      },
      section("Nothing is known yet."),
      {
        type: "context",
        elements: [{
          type: "mrkdwn",
          text:
            "Incident mock:INC-1 · 0 pieces of evidence · full summary redis://art:2",
        }],
      },
    ],
  });
});

for (
  const [severity, word] of [
    ["critical", "CRITICAL"],
    ["error", "ERROR"],
    ["warning", "WARNING"],
    ["info", "INFO"],
  ] as const
) {
  Deno.test(`renderMessage() begins with ${word} for ${severity}`, () => {
    const { text } = render({ context: { severity, title: "t" } });
    assert(text.startsWith(`${word}: t. `));
  });
}

Deno.test("renderMessage() says what it is about if the title is blank", () => {
  const message = render({ context: { title: " \n" } });
  assertEquals(find(message, "header"), "WARNING: mock:INC-1");
});

Deno.test("renderMessage() puts each thing on one line", () => {
  const broken = " a\r\n\n*What to do*\u2028b\tc ";
  const line = "a *What to do* b c";
  const message = render({
    context: { title: broken, service: broken },
    lead: broken,
    highlights: [{ text: broken, evidence: ["E1"] }],
    gaps: [{ what: broken, why: broken }],
  });
  assertEquals(find(message, "header"), `WARNING: ${line} (${line})`);
  assertEquals(find(message, "section", "a"), line);
  assertEquals(
    find(message, "section", "*What we"),
    `*What we know*\n• ${line} [E1]`,
  );
  assertEquals(
    find(message, "section", "*What is"),
    `*What is missing*\n• ${line} : ${line}`,
  );
  assertEquals(message.text, `WARNING: ${line} (${line}). ${line}`);
});

const HEADER_CHARS_MAX = 150;
const START = "WARNING: ".length;
Deno.test("renderMessage() cuts a header of more than 150 characters", async (t) => {
  const headerOf = (title: string) =>
    find(render({ context: { title } }), "header");
  const longest = "x".repeat(HEADER_CHARS_MAX - START);
  await t.step("not one that just fits", () => {
    assertEquals(headerOf(longest), `WARNING: ${longest}`);
  });
  await t.step("with a mark that says so", () => {
    assertEquals(
      headerOf(`${longest}y`),
      `WARNING: ${longest.slice(0, -1)}…`,
    );
  });
  await t.step("before a pair that does not fit, and not around it", () => {
    const title = `${longest.slice(0, -2)}\u{1F525}yz`;
    assertEquals(headerOf(title), `WARNING: ${longest.slice(0, -2)}…`);
  });
});

Deno.test("renderMessage() keeps the citations of a claim that it cuts", () => {
  const claim = { text: "&".repeat(1000), evidence: ["E1", "E22"] };
  const text = find(render({ highlights: [claim] }), "section", "*What we");
  const [, item = ""] = text.split("\n");
  assert(/^• (&amp;)+… \[E1, E22\]$/.test(item));
  assert(item.length <= "• ".length + 600);
  assert(item.length > 590);
});

Deno.test("renderMessage() counts the items that find no room", () => {
  const highlights = Array.from({ length: 20 }, (_, at) => ({
    text: `${at} `.padEnd(500, "x"),
    evidence: ["E1"],
  }));
  const text = find(render({ highlights }), "section", "*What we");
  const lines = text.split("\n");
  const shown = lines.length - 2;
  assert(shown >= 3);
  assertEquals(
    lines.at(-1),
    `… and ${20 - shown} more, see the full summary`,
  );
  assert(lines[shown]!.startsWith(`• ${shown - 1} `));
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
  Deno.test(`renderMessage() makes ${markup} inert wherever it stands`, () => {
    const escaped = markup.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;");
    const message = render({
      incidentId: markup,
      context: {
        title: markup,
        service: markup,
        source: { system: markup },
      },
      lead: markup,
      highlights: [{ text: markup, evidence: [markup] }],
      actionItems: [{ text: markup, evidence: [markup] }],
      gaps: [{ what: markup, why: markup }],
      summaryPtr: markup,
    });
    const footed = withFooter(message, {
      approval: { by: markup, at: markup, ruleId: markup },
      runId: markup,
      digest: markup,
    });
    for (const { type, text } of footed.blocks.flatMap(textsOf)) {
      // Plain text is not read for markup, and would show the escapes.
      assertEquals(text.includes(type === "mrkdwn" ? escaped : markup), true);
      if (type === "mrkdwn") assertInert(text);
    }
    assertInert(footed.text);
  });
}

/** Fails if Slack would see a mention, a link or an entity in a text. */
function assertInert(text: string): void {
  assert(!/[<>]/.test(text), `markup in ${JSON.stringify(text)}`);
  const rest = text.replace(/&(amp|lt|gt);/g, "");
  assert(!rest.includes("&"), `a cut entity in ${JSON.stringify(text)}`);
}

/** A generator of numbers from 0 to 1; the same seed gives the same ones. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 4) / 2 ** 28;
  };
}

/** Makes odd views: every length, and whatever could break out of a text. */
function createViews(seed: number): () => MessageView {
  const random = seeded(seed);
  const upTo = (max: number) => Math.floor(random() * (max + 1));
  const pick = <T>(items: readonly T[]) => items[upTo(items.length - 1)]!;
  const pieces = [
    ...["&", "<", ">", "&amp;", "&lt", "<!channel>", "<@U1>", "<http://x|y>"],
    ...["\u{1F525}", "\u00e9", "\ud800", "\udc00", "e\u0301", "\u202e"],
    ...["\n", "\r\n", "\u2028", " ", "\t", "\u0000", "`", "```", "*", "_", "~"],
    ...["word", "a", "\\", '"', "[E9]", "…", "•", "x".repeat(149)],
  ];
  const text = (charsMax: number) => {
    const length = pick([0, 1, upTo(20), upTo(charsMax), charsMax]);
    if (random() < 0.3) return pick(pieces).repeat(length).slice(0, length);
    let made = "";
    while (made.length < length) made += pick(pieces);
    return made.slice(0, length); // Which also cuts pairs.
  };
  const list = <T>(countMax: number, make: () => T): T[] =>
    Array.from({ length: pick([0, 1, upTo(countMax), countMax]) }, make);
  const maybe = <K extends string>(key: K, charsMax: number) =>
    (random() < 0.7 ? { [key]: text(charsMax) } : {}) as { [P in K]?: string };
  const claim = () => ({
    text: text(2000),
    evidence: random() < 0.9
      ? list(50, () => `E${upTo(99)}`)
      : list(900, () => text(5)),
  });
  return () => ({
    incidentId: text(300),
    context: {
      ...maybe("title", 3000),
      ...maybe("service", 3000),
      ...(random() < 0.5 ? { severity: "info" as const } : {}),
      ...(random() < 0.5 ? { source: { system: text(2000) } } : {}),
    },
    lead: text(8000),
    highlights: list(60, claim),
    actionItems: list(60, claim),
    evidence: [],
    gaps: list(60, () => ({ what: text(1000), why: text(1000) })),
    summaryPtr: text(2000),
  });
}

const VIEWS = 250;

/** Slack's limits, as its documentation and its answers say. */
function assertWithinLimits({ text, blocks }: Message): void {
  assert(text.length >= 1 && text.length <= 4000, `text of ${text.length}`);
  assert(blocks.length >= 1 && blocks.length <= 50);
  let sum = 0;
  for (const block of blocks) {
    for (const { type, text } of textsOf(block)) {
      const max = type === "plain_text" ? 150 : 3000;
      assert(
        text.trim().length >= 1 && text.length <= max,
        `${block.type} of ${text.length} characters`,
      );
      assert(text.isWellFormed(), "half a surrogate pair");
      sum += text.length;
    }
  }
  assert(sum <= 12_000, `${sum} characters in all blocks`);
}

Deno.test("renderMessage() and withFooter() stay within Slack's limits, whatever comes", () => {
  const next = createViews(1);
  for (let count = 0; count < VIEWS; count++) {
    const view = next();
    const message = renderMessage(view);
    const footed = withFooter(message, {
      approval: count % 5 === 0 ? undefined : {
        by: view.lead,
        at: view.summaryPtr,
        ruleId: view.incidentId,
      },
      runId: view.summaryPtr,
      digest: view.incidentId,
    });
    assertWithinLimits(footed);
    assertInert(footed.text);
    for (const { type, text } of footed.blocks.flatMap(textsOf)) {
      if (type === "mrkdwn") assertInert(text);
    }
    assert(message.blocks.length <= 49);
  }
});

Deno.test("renderMessage() stays within Slack's limits with everything at its longest", () => {
  for (
    const long of ["x".repeat(5000), "&".repeat(5000), "xyz ".repeat(1250)]
  ) {
    for (const evidence of [["E1"], Array.from({ length: 50 }, () => "E50")]) {
      const claims = Array.from(
        { length: 20 },
        () => ({ text: long, evidence }),
      );
      const footed = withFooter(
        render({
          context: { title: long, service: long },
          lead: long,
          highlights: claims,
          actionItems: claims,
          gaps: Array.from({ length: 50 }, () => ({ what: long, why: long })),
          summaryPtr: long,
        }),
        { ...FOOTER, runId: long },
      );
      assertWithinLimits(footed);
      for (const text of footed.blocks.flatMap(textsOf).map(textOf)) {
        if (!text.startsWith("*")) continue;
        assert(text.length <= 2500 && text.length > 1800, `${text.length}`);
        assert(/\n… and \d+ more, see the full summary$/.test(text));
      }
    }
  }
});

Deno.test("renderMessage() gives the same bytes for the same view", () => {
  const next = createViews(2);
  for (let count = 0; count < 50; count++) {
    const view = next();
    const bytes = encodeMessage(renderMessage(view));
    const again = encodeMessage(renderMessage(structuredClone(view)));
    assertEquals(bytes, again);
  }
});

Deno.test("decodeMessage() gives back what encodeMessage() wrote, to the byte", () => {
  const next = createViews(3);
  for (let count = 0; count < 50; count++) {
    const message = renderMessage(next());
    const bytes = encodeMessage(message);
    const decoded = decodeMessage(bytes);
    assertEquals(decoded, message);
    assertEquals(encodeMessage(decoded), bytes);
  }
});

Deno.test("encodeMessage() writes text and blocks in that order, and nothing else", () => {
  const message = { blocks: [{ type: "divider" }], text: "é", more: 1 };
  assertEquals(
    new TextDecoder().decode(encodeMessage(message)),
    '{"text":"é","blocks":[{"type":"divider"}]}',
  );
});

function divider(count: number): Block[] {
  return Array.from({ length: count }, () => ({ type: "divider" }));
}

const NOT_JSON = "the message is not JSON in UTF-8";
const NOT_MESSAGE = "the message is not a text and 1 to 49 blocks";
const UNREADABLE: [what: string, content: unknown, message: string][] = [
  ["nothing", "", NOT_JSON],
  ["half of the JSON", '{"text":"s3cret', NOT_JSON],
  ["no JSON", "s3cret", NOT_JSON],
  ["bytes that are no UTF-8", new Uint8Array([0x22, 0xFF, 0x22]), NOT_JSON],
  ["null", null, NOT_MESSAGE],
  ["an empty object", {}, NOT_MESSAGE],
  ["a list", [], NOT_MESSAGE],
  ["no text", { blocks: divider(1) }, NOT_MESSAGE],
  ["an empty text", { text: "", blocks: divider(1) }, NOT_MESSAGE],
  ["a text that is none", { text: 7, blocks: divider(1) }, NOT_MESSAGE],
  ["no blocks", { text: "s3cret" }, NOT_MESSAGE],
  ["an empty list of blocks", { text: "t", blocks: [] }, NOT_MESSAGE],
  ["50 blocks", { text: "t", blocks: divider(50) }, NOT_MESSAGE],
  ["a block that is none", { text: "t", blocks: [null] }, NOT_MESSAGE],
  ["a block without a type", { text: "t", blocks: [{}] }, NOT_MESSAGE],
];
for (const [what, content, message] of UNREADABLE) {
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
  const message = { text: "t", blocks: divider(49) };
  assertEquals(decodeMessage(encodeMessage(message)), message);
});

Deno.test("withFooter() says who approved what, in one more block", () => {
  const message = render();
  const before = encodeMessage(message);
  const footed = withFooter(message, FOOTER);
  assertEquals(footed.text, message.text);
  assertEquals(footed.blocks.slice(0, -1), message.blocks);
  assertEquals(footed.blocks.at(-1), {
    type: "context",
    elements: [{
      type: "mrkdwn",
      text: "Approved by alice at 2026-01-15T09:40:00.000Z, asked for by " +
        "rule post · run run-1 · message sha256 0123456789abcdef",
    }],
  });
  // What was approved is not touched.
  assertEquals(encodeMessage(message), before);
});

Deno.test("withFooter() says that no approval was needed, and that there is no run", () => {
  const footed = withFooter(render(), {
    ...FOOTER,
    approval: undefined,
    runId: "",
  });
  assertEquals(
    textsOf(footed.blocks.at(-1)!)[0]!.text,
    "Posted without approval, as configured · run none · " +
      "message sha256 0123456789abcdef",
  );
});

const ESCAPES: [text: string, escaped: string][] = [
  ["", ""],
  ["a & b < c > d", "a &amp; b &lt; c &gt; d"],
  ["&amp;", "&amp;amp;"],
  ["*bold* _it_ `code`", "*bold* _it_ `code`"],
  ["a\ud800b\udc00c\u{1F525}", "a\ufffdb\ufffdc\u{1F525}"],
];
for (const [text, escaped] of ESCAPES) {
  Deno.test(`escapeMrkdwn() makes ${JSON.stringify(escaped)}`, () => {
    assertEquals(escapeMrkdwn(text), escaped);
  });
}

const FITTED: [text: string, charsMax: number, fitted: string][] = [
  ["abc", 3, "abc"],
  ["abcd", 3, "ab…"],
  ["&", 5, "&amp;"],
  ["&", 4, "…"],
  ["a&b", 7, "a&amp;b"],
  ["a&b", 6, "a…"], // Neither a&amp… nor a&am….
  ["&&", 6, "&amp;…"],
  ["\u{1F525}b", 3, "\u{1F525}b"],
  ["\u{1F525}bc", 3, "\u{1F525}…"],
  ["a\u{1F525}b", 3, "a…"],
  ["abc", 1, "…"],
];
for (const [text, charsMax, fitted] of FITTED) {
  Deno.test(`fit() makes "${fitted}" of "${text}" in ${charsMax} characters`, () => {
    assertEquals(fit(text, charsMax), fitted);
  });
}

Deno.test("fit() never grows beyond its limit, nor cuts what belongs together", () => {
  const next = createViews(4);
  for (let count = 0; count < VIEWS; count++) {
    const { lead } = next();
    const charsMax = 1 + count % 50;
    const fitted = fit(lead, charsMax);
    assert(fitted.length <= charsMax);
    assert(fitted.isWellFormed());
    assertInert(fitted);
    const whole = escapeMrkdwn(lead);
    const kept = fitted === whole ? fitted : fitted.slice(0, -1);
    assert(whole.startsWith(kept));
  }
});
