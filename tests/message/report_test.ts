/**
 * How a report is laid out: within every limit, and inert whatever it says.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { withFooter } from "../../lib/message/footer.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
} from "../../lib/message/message.ts";
import { evidenceUrl } from "../../lib/message/evidence_url.ts";
import { renderReport } from "../../lib/message/report.ts";
import type { ReportView } from "../../lib/message/view.ts";
import { renderText } from "../../lib/message/text.ts";
import type { Place, Told } from "../../lib/message/told.ts";
import { assertInert, assertSlackTakes } from "../support/block_kit.ts";
import { textsOf } from "../support/blocks.ts";
import { createDice } from "../support/dice.ts";

const ITEM = {
  kind: "incident.raw",
  title: "Payload",
  artifact_ptr: "redis://art:1",
  content_type: "application/json",
  bytes: 1,
};
const VIEW: ReportView = {
  incidentId: "mock:INC-1",
  context: { severity: "critical" },
  priority: "P1",
  subject: "checkout-api",
  claims: [
    told("headline", "Checkout is slow"),
    told("state", "Since 09:30:00 UTC"),
    { ...told("happened", "Slow ×2, from 09:30"), severity: "critical" },
    { ...told("happened", "“p99: 2.4 s”"), evidence: ["E2"], collected: true },
    { ...told("changed", "6 min before: “Deployed”"), collected: true },
    told("next", "For Slow, look at the database"),
    told("small", "As of 2026-01-15 09:31:00 UTC"),
  ],
  evidence: [ITEM, { ...ITEM, title: "Latency" }],
  links: [
    { id: "incident", label: "Open the incident", url: "https://a.example/1" },
    { id: "run", label: "Open the run", url: "https://b.example/2" },
  ],
  addresses: [],
  openUrl: () => undefined,
};

function told(place: Place, text: string): Told {
  return { place, text, evidence: ["E1"] };
}

function render(view: Partial<ReportView> = {}): Message {
  return renderReport({ ...VIEW, ...view });
}

function section(text: string) {
  return { type: "section", text: mrkdwn(text) };
}

function mrkdwn(text: string) {
  return { type: "mrkdwn", text, verbatim: true };
}

function plain(text: string) {
  return { type: "plain_text", text, emoji: false };
}

/** The lines as people read them. */
function linesOf({ blocks }: Message): string[] {
  return renderText(blocks, { columns: 1e9, colour: false })
    .map((line) => line.slice(2)).filter((line) => line !== "");
}

Deno.test("renderReport() writes headline, state, buttons, parts and small print", () => {
  assertEquals(render(), {
    text: "\u{1F534} P1 · checkout-api: Checkout is slow\nSince 09:30:00 UTC",
    blocks: [
      {
        type: "header",
        text: plain("\u{1F534} P1 · checkout-api: Checkout is slow"),
      },
      section("◆ Since 09:30:00 UTC"),
      {
        type: "actions",
        block_id: "links",
        elements: [
          {
            type: "button",
            text: plain("Open the incident"),
            url: "https://a.example/1",
            action_id: "open_incident",
          },
          {
            type: "button",
            text: plain("Open the run"),
            url: "https://b.example/2",
            action_id: "open_run",
          },
        ],
      },
      section("\u{1F534} Slow ×2, from 09:30\n• “p99: 2.4 s” [E2]"),
      section("*◆ What changed* · 6 min before: “Deployed” [E1]"),
      section("*◆ Next* · For Slow, look at the database"),
      {
        type: "context",
        elements: [
          mrkdwn("◆ As of 2026-01-15 09:31:00 UTC · incident mock:INC-1"),
          mrkdwn("◆ [E1] “Payload” · [E2] “Latency”"),
        ],
      },
    ],
  });
  assertSlackTakes(render());
});

Deno.test("renderReport() makes do with the least that is known", () => {
  const least = render({
    context: {},
    priority: undefined as never,
    subject: undefined as never,
    claims: [told("headline", "an incident without a name")],
    evidence: [],
    links: [],
  });
  assertEquals(least, {
    text: "\u{1F7E1} WARNING: an incident without a name",
    blocks: [
      {
        type: "header",
        text: plain("\u{1F7E1} WARNING: an incident without a name"),
      },
      { type: "context", elements: [mrkdwn("◆ Incident mock:INC-1")] },
    ],
  });
});

for (
  const [severity, word] of [
    ["critical", "\u{1F534} CRITICAL"],
    ["error", "\u{1F7E0} ERROR"],
    ["warning", "\u{1F7E1} WARNING"],
    ["info", "\u{1F535} INFO"],
  ] as const
) {
  Deno.test(`renderReport() begins with ${word} for ${severity}`, () => {
    const { priority: _, ...view } = VIEW;
    const message = renderReport({ ...view, context: { severity } });
    const start = `${word} · checkout-api: `;
    assert(message.text.startsWith(start));
    assert(linesOf(message)[0]!.startsWith(start));
  });
}

Deno.test("renderReport() says in small print what was looked up in vain, and what was removed", () => {
  const smallOf = (view: Partial<ReportView>) =>
    textsOf(render(view).blocks.at(-1)!).map(({ text }) => text).slice(2);
  assertEquals(smallOf({}), []);
  assertEquals(
    smallOf({ lookedUp: "not set up: Loki", removed: "1 credential removed" }),
    ["◆ Not set up: Loki", "◆ 1 credential removed"],
  );
  const [long] = smallOf({ lookedUp: `not set up: ${"<x> ".repeat(200)}` });
  assert(long!.length <= 300 && long!.endsWith("…"), long);
});

Deno.test("renderReport() keeps the citations of a claim that it cuts", () => {
  const text = "&".repeat(1000);
  const claim = {
    ...told("happened", text),
    evidence: ["E1", "E22"],
    collected: true,
  };
  const [line] = linesOf(render({ claims: [claim] }))
    .filter((line) => line.startsWith("• "));
  assert(/^• &+… \[E1, E22\]$/.test(line!), line);
});

const MARKUP = [
  "<!channel>",
  "<!here|here>",
  "<@U024BE7LH>",
  "<#C024BE7LR|general>",
  "<!subteam^S1>",
  "<!date^1700000000^{date}|now>",
  "<https://evil.example|Runbook>",
  "<https://evil.example|[E1]>",
  "<mailto:a@example.com|b>",
  "&lt;!channel&gt;",
  "&#60;!channel&#62;",
  "<<!channel>>",
  "> quote",
];
for (const markup of MARKUP) {
  Deno.test(`renderReport() makes ${markup} inert wherever it stands`, () => {
    const places: Place[] = [
      ...["headline", "state", "happened", "changed", "seen", "next"] as const,
      "small",
    ];
    const message = render({
      incidentId: markup,
      subject: markup,
      claims: places.map((place) => ({
        ...told(place, `${place} ${markup}`),
        evidence: [markup],
        collected: true,
      })),
      evidence: [{ ...ITEM, id: markup, title: markup }],
    });
    const escaped = markup.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;");
    const shown = message.blocks.flatMap(textsOf);
    for (const { type, text } of shown) {
      // Plain text is not read for markup, and would show the escapes.
      if (type === "mrkdwn") assertInert(text);
    }
    assertInert(message.text);
    const lines = shown.flatMap(({ text }) => text.split("\n"));
    for (const place of places.slice(1)) {
      const line = lines.find((line) => line.includes(`${place} `));
      assert(line?.replaceAll("`", "").includes(escaped), `${place}: ${line}`);
    }
  });
}

/** Draws odd views. */
function createViews(seed: number): () => ReportView {
  const { random, upTo, pick, text } = createDice(seed);
  const list = <T>(countMax: number, make: () => T): T[] =>
    Array.from({ length: pick([0, 1, upTo(countMax), countMax]) }, make);
  const claim = (): Told => ({
    place: pick(["happened", "changed", "seen", "next", "happened"]),
    text: text(2000),
    evidence: random() < 0.9
      ? list(50, () => `E${upTo(99)}`)
      : list(900, () => text(5)),
    ...random() < 0.5 ? { collected: true } : {},
    ...random() < 0.3 ? { severity: pick(["critical", "info"]) } : {},
  });
  const longUrl = () =>
    new URL(`?${pick(["x", '"', "\\", "é"]).repeat(upTo(300))}`, URL_BASE).href;
  return () => ({
    incidentId: text(300),
    context: random() < 0.5 ? { severity: "info" } : {},
    ...random() < 0.5 ? { priority: "P3" } : {},
    ...random() < 0.7 ? { subject: text(3000) } : {},
    claims: [
      told("headline", text(3000)),
      ...random() < 0.8 ? [told("state", text(3000))] : [],
      ...list(60, claim),
      told("small", text(2000)),
    ],
    evidence: list(60, () => ({
      ...ITEM,
      title: text(400),
      ...random() < 0.3 ? { id: text(50) } : {},
    })),
    ...random() < 0.5 ? { lookedUp: `asked ${text(2000)}` } : {},
    ...random() < 0.5 ? { removed: "1 credential removed" } : {},
    links: random() < 0.5 ? [] : ["incident" as const, "run" as const].map(
      (id) => ({ id, label: "Open it", url: longUrl() }),
    ),
    addresses: list(2, () => ({ label: "Runbook", url: longUrl() })),
    openUrl: random() < 0.5
      ? () => undefined
      : (pointer) => evidenceUrl("https://desk.example/{pointer}", pointer),
  });
}

const URL_BASE = "https://a.example/";
const VIEWS = 250;

Deno.test("renderReport() stays within every limit, whatever comes", () => {
  const next = createViews(1);
  for (let count = 0; count < VIEWS; count++) {
    const view = next();
    const message = renderReport(view);
    assertSlackTakes(message);
    const footed = withFooter(message, {
      approval: {
        by: view.incidentId,
        at: view.incidentId,
        ruleId: view.incidentId,
      },
      runId: view.incidentId,
      digest: view.incidentId,
    });
    assertSlackTakes(footed);
    const lines = linesOf(message)
      .filter((line) => !/^\[(?:Open it|E\d+)\] https:/.test(line));
    assert(lines.length < 15, lines.join("\n"));
    assert(lines.join("\n").length < 1900, lines.join("\n"));
  }
});

Deno.test("renderReport() gives the same bytes for the same view, and they are read back", () => {
  const next = createViews(2);
  for (let count = 0; count < 50; count++) {
    const view = next();
    const message = renderReport(view);
    const bytes = encodeMessage(message);
    const { openUrl, ...rest } = view;
    const copy = { ...structuredClone(rest), openUrl };
    assertEquals(encodeMessage(renderReport(copy)), bytes);
    assertEquals(decodeMessage(bytes), message);
  }
});
