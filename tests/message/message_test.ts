import { type Block, escapeMrkdwn, fit } from "../../lib/message/block_kit.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  decodeMessage,
  encodeMessage,
  type Footer,
  type Message,
  type MessageView,
  renderMessage,
  type Update,
  withFooter,
} from "../../lib/message/render.ts";
import { assertInert, assertSlackTakes } from "../support/block_kit.ts";
import version2 from "../testdata/message_0_2_0.json" with { type: "json" };
import version3 from "../testdata/message_0_3_0.json" with { type: "json" };

const POINTER = "redis://art:1";
const VIEW: MessageView = {
  incidentId: "mock:INC-1",
  context: {
    title: "Checkout is slow",
    severity: "critical",
    service: "checkout-api",
    source: { system: "mock" },
    timeline: [
      { at: "2026-01-15T09:24:10Z", text: "Deployed", evidence: ["E1"] },
      { at: "2026-01-15T10:30:00+01:00", text: "Alarm", evidence: ["E2"] },
    ],
  },
  lead: "Since 09:30 UTC.",
  leadEvidence: ["E2"],
  highlights: [
    { text: "region: eu-west-1", evidence: ["E1"] },
    { text: "error rate: 8.3 %", evidence: ["E1", "E2"] },
  ],
  links: [
    { id: "incident", label: "Open the incident", url: "https://a.example/1" },
    { id: "run", label: "Open the run", url: "https://b.example/2" },
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
  type Text = { type: string; text: string };
  const { type, text, elements = [] } = block as unknown as {
    type: string;
    text?: Text;
    elements?: (Text | { text: Text })[];
  };
  if (type === "actions") return elements.map(({ text }) => text as Text);
  return text === undefined ? elements as Text[] : [text];
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

Deno.test("renderMessage() writes header, lead, lists, buttons and sources", () => {
  assertEquals(render(), {
    text: "CRITICAL on checkout-api: “Checkout is slow”. Since 09:30 UTC.",
    blocks: [
      headerBlock("\u{1F534} CRITICAL · checkout-api: Checkout is slow"),
      section("◆ Since 09:30 UTC. [E2]"),
      section(
        "*◆ What we know*\n• region: eu-west-1 [E1]\n• error rate: 8.3 % [E1, E2]",
      ),
      section("*◆ What to do*\n• Name who leads [E1]"),
      section(
        "*◆ Timeline of 2026-01-15, UTC*\n• `09:24:10` Deployed [E1]\n• `09:30:00` Alarm [E2]",
      ),
      section("*◆ What is missing*\n• “the log: status 403”"),
      {
        type: "actions",
        block_id: "links",
        elements: [
          button("Open the incident", "https://a.example/1", "open_incident"),
          button("Open the run", "https://b.example/2", "open_run"),
        ],
      },
      {
        type: "context",
        elements: [
          mrkdwn("◆ Incident mock:INC-1 from mock · 1 piece of evidence"),
          mrkdwn("◆ [E1] “Payload”"),
          mrkdwn("◆ Full summary `redis://art:2`"),
        ],
      },
    ],
  });
  assertSlackTakes(render());
});

Deno.test("renderMessage() says in small print what was looked up in vain", () => {
  const line = (lookedUp: string) =>
    find(render({ lookedUp }), "context", "◆ Not set up");
  assertEquals(line("not set up: Loki"), "◆ Not set up: Loki");
  const long = line(`not set up: ${"<x> ".repeat(200)}`);
  assert(long.length <= 300 && long.endsWith("…"), long);
  assertEquals(find(render(), "context", "◆ Not set up"), "");
});

Deno.test("renderMessage() makes do with the least that is known", () => {
  const least = render({
    context: {},
    lead: " ",
    leadEvidence: [],
    highlights: [],
    actionItems: [],
    evidence: [],
    gaps: [],
    links: [],
  });
  assertEquals(least, {
    text: "WARNING: “mock:INC-1”. Nothing is known yet.",
    blocks: [
      headerBlock("\u{1F7E1} WARNING: mock:INC-1"),
      section("◆ Nothing is known yet."),
      {
        type: "context",
        elements: [
          mrkdwn("◆ Incident mock:INC-1 · 0 pieces of evidence"),
          mrkdwn("◆ Full summary `redis://art:2`"),
        ],
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
    const message = render({ context: { severity, title: "t" } });
    assert(message.text.startsWith(`${word}: “t”. `));
    assert(find(message, "header").endsWith(` ${word}: t`));
  });
}

Deno.test("renderMessage() says what it is about if the title is blank", () => {
  const message = render({ context: { title: " \n" } });
  assertEquals(find(message, "header"), `${START}mock:INC-1`);
});

Deno.test("renderMessage() puts each thing on one line", () => {
  const broken = " a\r\n\n*What to do*\u2028b\tc ";
  const line = "a *What to do* b c";
  const inert = "a `*What` to `do*` b c";
  const message = render({
    context: { title: broken, service: broken },
    lead: broken,
    highlights: [{ text: `so ${broken}`, evidence: ["E1"] }],
    gaps: [{ what: broken, why: broken }],
  });
  assertEquals(
    find(message, "header"),
    `\u{1F7E1} WARNING · ${line}: ${line}`,
  );
  assertEquals(find(message, "section", "◆"), `◆ ${inert} [E2]`);
  assertEquals(
    find(message, "section", "*◆ What we"),
    `*◆ What we know*\n• so ${inert} [E1]`,
  );
  assertEquals(
    find(message, "section", "*◆ What is"),
    `*◆ What is missing*\n• “${inert} : ${inert}”`,
  );
  assertEquals(
    message.text,
    `WARNING on “${inert}”: “${inert}”. ${inert}`,
  );
});

const HEADER_CHARS_MAX = 150;
const START = "\u{1F7E1} WARNING: ";
Deno.test("renderMessage() cuts a header of more than 150 characters", async (t) => {
  const headerOf = (title: string) =>
    find(render({ context: { title } }), "header");
  const longest = "x".repeat(HEADER_CHARS_MAX - START.length);
  await t.step("not one that just fits", () => {
    assertEquals(headerOf(longest), START + longest);
  });
  await t.step("with a mark that says so", () => {
    assertEquals(
      headerOf(`${longest}y`),
      `${START}${longest.slice(0, -1)}…`,
    );
  });
  await t.step("before a pair that does not fit, and not around it", () => {
    const title = `${longest.slice(0, -2)}\u{1F525}yz`;
    assertEquals(headerOf(title), `${START}${longest.slice(0, -2)}…`);
  });
});

Deno.test("renderMessage() keeps the citations of a claim that it cuts", () => {
  const claim = { text: "&".repeat(1000), evidence: ["E1", "E22"] };
  const text = find(render({ highlights: [claim] }), "section", "*◆ What we");
  const [, item = ""] = text.split("\n");
  assert(/^• (&amp;)+… \[E1, E22\]$/.test(item));
  assert(item.length <= "• ".length + 600);
  assert(item.length > 590);
});

Deno.test("renderMessage() does not repeat what lead and timeline say", () => {
  const at = "2026-01-15T09:24:10.000Z";
  const lead = "Checkout is slow. One request in twelve fails.";
  const message = render({
    lead,
    context: { timeline: [{ at, text: "Deployed", evidence: ["E1"] }] },
    highlights: [
      { text: "One request in twelve fails.", evidence: ["E1"] },
      { text: `${at} “Deployed”`, evidence: ["E1"] },
      { text: "twelve", evidence: ["E1"] }, // Too short to be the same.
    ],
  });
  assertEquals(
    find(message, "section", "*◆ What we"),
    "*◆ What we know*\n• twelve [E1]",
  );
});

Deno.test("renderMessage() names the day once if there is one, else on each line", () => {
  const timelineOf = (...times: string[]) =>
    find(
      render({
        context: {
          timeline: times.map((at) => ({ at, text: "t", evidence: ["E1"] })),
        },
      }),
      "section",
      "*◆ Timeline",
    ).split("\n");
  assertEquals(
    timelineOf("2026-01-15T23:59:59.999Z", "2026-01-16T00:59:59+01:00"),
    [
      "*◆ Timeline of 2026-01-15, UTC*",
      "• `23:59:59` t [E1]",
      "• `23:59:59` t [E1]",
    ],
  );
  assertEquals(
    timelineOf("2026-01-15T23:59:59Z", "2026-01-16T00:00:00Z", "`*"),
    [
      "*◆ Timeline, UTC*",
      "• `2026-01-15 23:59:59` t [E1]",
      "• `2026-01-16 00:00:00` t [E1]",
      "• `?` t [E1]",
    ],
  );
});

Deno.test("renderMessage() loses what hurts least first, and says so", () => {
  /** The numbers of the items that a list shows, and what it says is left. */
  const listsOf = (fill: string, count: number) => {
    const claim = (at: number) => ({
      text: `#${at} `.padEnd(590, fill),
      evidence: ["E1"],
    });
    const claims = Array.from({ length: count }, (_, at) => claim(at));
    const message = render({
      context: {
        timeline: claims.map((claim) => ({
          at: "2026-01-15T09:00:00Z",
          ...claim,
        })),
      },
      lead: "",
      highlights: claims,
      actionItems: claims.slice(0, 4),
      gaps: claims.map(({ text }) => ({ what: text, why: "" })),
    });
    assertSlackTakes(withFooter(message, FOOTER));
    assert(
      textsOf(message.blocks.at(-1)!).at(-1)!.text.startsWith("◆ Shorten"),
    );
    return ["*◆ What to", "*◆ What we", "*◆ What is", "*◆ Timeline"].map(
      (start) => {
        const text = find(message, "section", start);
        const shown = [...text.matchAll(/#(\d+) /g)].map(([, at]) => at);
        const [, left = ""] = /\n… (\d+.*?) in the/.exec(text) ?? [];
        return `${shown.join(" ")}; ${left}`;
      },
    );
  };
  // A section holds so many; then the timeline alone makes room.
  assertEquals(listsOf("x", 5), [
    "0 1 2 3; ",
    "0 1 2 3; 1 more",
    "0 1 2 3 4; ",
    "2 3 4; 2 earlier",
  ]);
  // As JSON these are twice as long.
  assertEquals(listsOf('"', 5), [
    "0 1 2 3; ",
    "0 1 2 3; 1 more",
    "; 5",
    "; 5",
  ]);
});

Deno.test("renderMessage() counts the items that find no room", () => {
  const highlights = Array.from({ length: 20 }, (_, at) => ({
    text: `${at} `.padEnd(500, "x"),
    evidence: ["E1"],
  }));
  const text = find(render({ highlights }), "section", "*◆ What we");
  const lines = text.split("\n");
  const shown = lines.length - 2;
  assert(shown >= 3);
  assertEquals(
    lines.at(-1),
    `… ${20 - shown} more in the full summary`,
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
/** How the lines begin in which evidence, and who approved, has its say. */
const PLACES = [
  "\u{1F7E1} WARNING",
  "• a ",
  "• do ",
  "• `09:30:00` ",
  "• “missing ",
  "◆ Incident ",
  "◆ [E1] ",
  "◆ Full summary ",
  "◆ Approved by ",
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
        timeline: [{
          at: "2026-01-15T09:30:00Z",
          text: markup,
          evidence: [markup],
        }],
      },
      lead: markup,
      highlights: [{ text: `a ${markup}`, evidence: [markup] }],
      actionItems: [{ text: `do ${markup}`, evidence: [markup] }],
      evidence: [{ ...VIEW.evidence[0]!, title: markup }],
      gaps: [{ what: `missing ${markup}`, why: markup }],
      summaryPtr: markup,
    });
    const footed = withFooter(message, {
      approval: { by: markup, at: markup, ruleId: markup, signedBy: markup },
      runId: markup,
      digest: markup,
    });
    for (const { type, text } of footed.blocks.flatMap(textsOf)) {
      // Plain text is not read for markup, and would show the escapes.
      if (type === "mrkdwn") assertInert(text);
    }
    const shown = footed.blocks.flatMap(textsOf).map(textOf);
    for (const place of PLACES) {
      const line = shown.flatMap((text) => text.split("\n")).find((line) =>
        line.startsWith(place)
      );
      // Plain text is not read for markup, and would show the escapes.
      const expected = place.includes("WARNING")
        ? markup.replace("://", "[:]//")
        : escaped;
      assert(line?.includes(expected), `${place}: ${line}`);
    }
    assertInert(footed.text);
  });
}

/** A generator of numbers from 0 to 1; the same seed gives the same ones. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 4) / 2 ** 28;
  };
}

/** Draws texts of every length, with whatever could break out of one. */
function createDice(seed: number) {
  const random = seeded(seed);
  const upTo = (max: number) => Math.floor(random() * (max + 1));
  const pick = <T>(items: readonly T[]) => items[upTo(items.length - 1)]!;
  const pieces = [
    ...["&", "<", ">", "&amp;", "&lt", "<!channel>", "<@U1>", "<http://x|y>"],
    ...["\u{1F525}", "\u00e9", "\ud800", "\udc00", "e\u0301", "\u202e"],
    ...[
      "\u200b",
      "\uFE0F",
      "\u{E0041}",
      "\u2800",
      "\u3164",
      "\x1b[8m",
      "\x9b2J",
    ],
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
  return { random, upTo, pick, text };
}

/** Draws odd views. */
function createViews(seed: number): () => MessageView {
  const { random, upTo, pick, text } = createDice(seed);
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
  const entry = () => ({
    at: random() < 0.5 ? "2026-01-15T09:30:00Z" : text(40),
    ...claim(),
  });
  const longUrl = () =>
    new URL(`?${pick(["x", '"', "\\", "é"]).repeat(upTo(300))}`, URL_BASE).href;
  return () => ({
    incidentId: text(300),
    context: {
      ...maybe("title", 3000),
      ...maybe("service", 3000),
      ...(random() < 0.5 ? { severity: "info" as const } : {}),
      ...(random() < 0.5 ? { source: { system: text(2000) } } : {}),
      ...(random() < 0.7 ? { timeline: list(60, entry) } : {}),
    },
    lead: text(8000),
    leadEvidence: list(50, () => text(5)),
    highlights: list(60, claim),
    actionItems: list(60, claim),
    evidence: list(60, () => ({
      ...VIEW.evidence[0]!,
      title: text(400),
      ...(random() < 0.3 ? { id: text(50) } : {}),
    })),
    links: random() < 0.5 ? [] : ["incident" as const, "run" as const].map(
      (id) => ({ id, label: "Open it", url: longUrl() }),
    ),
    gaps: list(60, () => ({ what: text(1000), why: text(1000) })),
    summaryPtr: text(2000),
  });
}

const URL_BASE = "https://a.example/";
const VIEWS = 250;

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
      update: count % 3 === 0
        ? { ...UPDATE, firstAt: view.lead, isMarked: true }
        : undefined,
    });
    assertSlackTakes(footed);
    assertSlackTakes(message);
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
          links: [],
          highlights: claims,
          actionItems: claims,
          gaps: Array.from({ length: 50 }, () => ({ what: long, why: long })),
          summaryPtr: long,
          lookedUp: long,
          removed: "1 credential removed",
        }),
        {
          approval: {
            by: long,
            at: long,
            ruleId: long,
            signedBy: "(".repeat(80), // Names of keys hold no other signs.
          },
          runId: long,
          digest: FOOTER.digest,
          update: { ...UPDATE, firstAt: long, isMarked: true },
        },
      );
      assertSlackTakes(footed);
      const small = textsOf(footed.blocks.at(-1)!);
      const [, digest] = small.at(-1)!.text.split("sha256 ");
      assertEquals(digest, FOOTER.digest.slice(0, 16));
      const sources = textsOf(footed.blocks.at(-2)!).at(-1)!.text;
      assert(
        sources.startsWith("◆ Shortened to fit; all of it is the full summ"),
      );
      for (const text of footed.blocks.flatMap(textsOf).map(textOf)) {
        if (text.startsWith("*")) {
          assert(/\n… \d+ (more |earlier )?in the full summary/.test(text));
        }
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

Deno.test("withFooter() says who approved what, in one more block", () => {
  const message = render();
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
  const [line] = textsOf(signed.blocks.at(-1)!).map(textOf);
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
    const message = render();
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
  const footed = withFooter(render(), {
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
  // What would format stands as code, and all can be copied.
  ["*a b* _c_ ~d~", 99, "`*a b* _c_ ~d~`"],
  ["see *a b c* now", 99, "see `*a` b `c*` now"],
  ["(*a*) __init__ ~~x~~", 99, "(`*a*`) `__init__ ~~x~~`"],
  ["db_pool_size ~5 % of 2 * 3", 99, "db_pool_size ~5 % of 2 * 3"],
  ["rm *.log", 99, "rm *.log"],
  ["`a` ```b```", 99, "'a' '''b'''"],
  [
    ":fire: at 09:30:41 on fe80::a:1",
    99,
    "`:fire:` at 09:30:41 on `fe80::a:1`",
  ],
  [
    "10:00:00:8: 2026-01-15T09:30:41.000Z",
    99,
    "10:00:00:8: 2026-01-15T09:30:41.000Z",
  ],
  ["see “https://a.example/x_y_”", 99, "see “`https://a.example/x_y_`”"],
  ["(at https://a.example/x), then", 99, "(at `https://a.example/x`), then"],
  ["f(*a*), (*b*)", 99, "`f(*a*)`, (`*b*`)"],
  [
    "https://a.example/?k=[secret:named#1].",
    99,
    "`https://a.example/?k=[secret:named#1]`.",
  ],
  ["www.a.example <b>", 99, "`www.a.example` &lt;b&gt;"],
  // What is cut is closed.
  ["https://a.example/abc", 12, "`https://a`…"],
  ["b https://a.example", 3, "b …"],
  ["“abcdef” said", 6, "“abc…”"],
  ["“abc” said so", 8, "“abc” s…"],
  ["a [secret:aws-key#1] b", 20, "a …"],
  ["a [secret:aws-key#1] b", 21, "a [secret:aws-key#1]…"],
];
for (const [text, charsMax, fitted] of FITTED) {
  Deno.test(`fit() makes "${fitted}" of "${text}" in ${charsMax} characters`, () => {
    assertEquals(fit(text, charsMax), fitted);
  });
}

Deno.test("fit() never grows beyond its limit, nor cuts what belongs together", () => {
  const { text } = createDice(4);
  for (let count = 0; count < VIEWS; count++) {
    const lead = text(8000);
    const charsMax = 1 + count % 50;
    const fitted = fit(lead, charsMax);
    assert(fitted.length <= charsMax);
    assert(fitted.isWellFormed());
    assertInert(fitted);
    const whole = fit(lead, Infinity);
    const kept = fitted === whole ? fitted : fitted.replace(/`?…”?$/, "");
    assert(whole.startsWith(kept));
  }
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
