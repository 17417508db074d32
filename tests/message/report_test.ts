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

Deno.test("renderReport() shows the start in the reader's own time, in the state line alone", () => {
  const since = "2026-01-15T09:30:00.000Z";
  const dated = (text: string) =>
    render({ since, claims: [told("state", text)] });
  const control =
    "<!date^1768469400^09:30:00 UTC ({time} your time)|09:30:00 UTC>";
  for (const word of ["Since", "Triggered"]) {
    const message = dated(`${word} 09:30:00 UTC, not acknowledged`);
    assertEquals(
      textsOf(message.blocks[1]!)[0]!.text,
      `◆ ${word} ${control}, not acknowledged`,
    );
    assertEquals(
      message.text.split("\n")[1],
      `${word} 09:30:00 UTC, not acknowledged`,
    );
    assertSlackTakes(message);
  }
  // Another moment, or one that others wrote.
  for (const text of ["Since 09:31:00 UTC", "“Since 09:30:00 UTC”"]) {
    assertEquals(textsOf(dated(text).blocks[1]!)[0]!.text, `◆ ${text}`);
  }
});

Deno.test("renderReport() shows whole addresses below the buttons", () => {
  const message = render({
    addresses: [
      { label: "Runbook", url: "https://a.example/x?y=1&z=2" },
      { label: "Graph", url: "http://b.example/" },
    ],
  });
  assertEquals(
    textsOf(message.blocks[3]!)[0]!.text,
    "◆ Runbook: <https://a.example/x?y=1&amp;z=2>\n◆ Graph: <http://b.example/>",
  );
  assertSlackTakes(message);
});

Deno.test("renderReport() says how much it leaves out, and where that is", () => {
  const many = (place: Place, count: number, more: Partial<Told> = {}) =>
    Array.from({ length: count }, (_, at) => ({
      ...told(place, `${place} ${at} ${"of many words ".repeat(6)}`),
      ...more,
    }));
  const alert = (at: number): Told => ({
    ...told("happened", `Name${at} ×${at + 2}`),
    severity: at === 0 ? "critical" : "warning",
    of: { names: 1, alerts: at + 2, worst: at === 0 ? "critical" : "warning" },
  });
  const claims = [
    told("headline", "Checkout is slow"),
    told("state", "Since 09:30:00 UTC"),
    ...[0, 1, 2, 3, 4].map(alert),
    {
      ...told(
        "happened",
        "… 2 more names (9 alerts), at worst info, in the stored summary",
      ),
      of: { names: 2, alerts: 9, worst: "info" as const },
    },
    ...many("happened", 4, { collected: true, evidence: ["E2"] }),
    ...many("changed", 4, { collected: true, evidence: ["E3"] }),
    ...many("seen", 2, { collected: true, evidence: ["E4"] }),
    ...many("next", 4),
  ];
  const evidence = ["E1", "E2", "E3", "E4"].map((id) => ({
    ...ITEM,
    id,
    title: id,
  }));
  const lines = linesOf(render({ claims, evidence, links: [] }));
  assert(lines.length < 15);
  // A single line stands beside its title.
  const shown = (place: Place) =>
    lines.filter((line) => RegExp(`(?:^• | · )${place} \\d`).test(line)).length;
  // Names are counted in their own line, with their alerts and the worst.
  const names = lines.filter((line) => / Name\d /.test(line)).length;
  const alerts = [0, 1, 2, 3, 4].slice(names).reduce(
    (sum, at) => sum + at + 2,
    9,
  );
  assertEquals(
    lines.find((line) => line.startsWith("… ")),
    `… ${7 - names} more names (${alerts} alerts), at worst ${
      names < 5 ? "warning" : "info"
    }, in the stored summary`,
  );
  const left = [
    [4 - shown("happened"), "more finding"],
    [4 - shown("changed"), "more change"],
    [2 - shown("seen"), "earlier time"],
    [4 - shown("next"), "more step"],
  ] as const;
  assert(left.every(([count]) => count > 0), lines.join("\n"));
  assertEquals(
    lines.find((line) => line.includes("in the stored summary: ")),
    `◆ Incident mock:INC-1 · in the stored summary: ${
      left.map(([count, noun]) => `${count} ${noun}${count === 1 ? "" : "s"}`)
        .join(", ")
    }`,
  );
  // The citations of what is not shown are not explained.
  const cited = lines.find((line) => line.startsWith("◆ [E"))!;
  assertEquals(cited.includes("[E4]"), shown("seen") > 0);
});

Deno.test("renderReport() counts texts that are cut, by a rule or by itself", () => {
  const cut = `“${"a long text ".repeat(10)}…”`;
  const restOf = (...texts: string[]) =>
    linesOf(render({
      claims: texts.map((text) => ({
        ...told("happened", text),
        collected: true,
      })),
    })).find((line) => line.startsWith("◆ Incident "))!
      .split(" · ")[1];
  assertEquals(restOf("whole", "“short…”"), undefined);
  assertEquals(
    restOf(cut, "whole"),
    "in the stored summary: 1 text that is cut here",
  );
  assertEquals(
    restOf(cut, "word ".repeat(100)),
    "in the stored summary: 2 texts that are cut here",
  );
});

Deno.test("renderReport() explains as many citations as find room, and opens each", () => {
  const ids = Array.from({ length: 9 }, (_, at) => `E${at + 1}`);
  const evidence = ids.map((id) => ({
    ...ITEM,
    id,
    title: `Piece ${"x".repeat(50)}`,
  }));
  const claims = ids.slice(0, 5).map((id, at) => ({
    ...told("happened", "a"),
    evidence: at === 4 ? ids.slice(4) : [id],
    collected: true,
  }));
  const message = render({
    claims,
    evidence,
    openUrl: (pointer) =>
      evidenceUrl("https://desk.example/{pointer}", pointer),
  });
  assertSlackTakes(message);
  const line = textsOf(message.blocks.at(-1)!)[1]!.text;
  const links = line.match(/<[^>]*\|\[E\d\]>/g)!;
  assertEquals(links[0], "<https://desk.example/redis%3A%2F%2Fart%3A1|[E1]>");
  assert(
    line.endsWith(` · and ${9 - links.length} more in the stored summary`),
    line,
  );
});

Deno.test("renderReport() drops buttons before Slack's limit for all blocks is passed", () => {
  const links = ["incident", "bridge", "runbook", "graph", "run"].map((id) => ({
    id: id as "run",
    label: "Open it",
    url: `https://a.example/?${"x".repeat(2400)}`,
  }));
  const message = render({ links });
  const shown = message.blocks.find(({ type }) => type === "actions");
  assertEquals((shown?.["elements"] as unknown[]).length, 4);
  assert(JSON.stringify(message.blocks).length <= 11_150);
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
