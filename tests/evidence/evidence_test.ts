import { assert, assertEquals, assertRejects } from "@std/assert";
import { sha256Hex } from "../../lib/base/digest.ts";
import {
  buildBundle,
  PIECE_BYTES_MAX,
  PIECES_MAX,
} from "../../lib/evidence/bundle.ts";
import { collectFindings } from "../../lib/evidence/collect.ts";
import { collectMock } from "../../lib/sources/mock/evidence.ts";
import type { Findings, Piece } from "../../lib/sources/source.ts";
import type { IncidentInput } from "../../lib/incident.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { assertNothingUnseen, HOSTILE, UNSEEN } from "../support/unseen.ts";

const NOW = new Date("2026-01-15T09:31:00Z");
/** What a job's result may have. */
const RESULT_BYTES_MAX = 200 * 1024;
const checkBundle = compileCheck("EvidenceBundle");

function piece(name: string, content = "x"): Piece {
  return { name, kind: "k", title: "t", contentType: "text/plain", content };
}

/** Builds a bundle and keeps what it stores. */
async function build(findings: Partial<Findings>) {
  const stored: [name: string, content: Uint8Array][] = [];
  const bundle = await buildBundle(
    "mock:INC-1",
    { pieces: [], context: {}, gaps: [], ...findings },
    {
      now: NOW,
      put: ({ name }, content) => {
        stored.push([name, content]);
        return Promise.resolve(`redis://art:${name}`);
      },
    },
  );
  assertEquals(checkBundle(bundle), undefined);
  return { bundle, stored };
}

Deno.test("buildBundle() stores every piece, and the context, and describes what it stored", async () => {
  const { bundle, stored } = await build({
    pieces: [
      {
        name: "payload",
        kind: "incident.raw",
        title: "Payload",
        contentType: "application/json",
        content: '{"é":1}',
      },
      piece("log", ""),
    ],
    context: { title: "Slow", facts: [] },
  });
  const raw = new TextEncoder().encode('{"é":1}');
  const context = new TextEncoder().encode(
    '{\n  "title": "Slow",\n  "facts": []\n}',
  );
  assertEquals(stored, [
    ["payload", raw],
    ["log", new Uint8Array()],
    ["context", context],
  ]);
  assertEquals(bundle, {
    incident_id: "mock:INC-1",
    collected_at: "2026-01-15T09:31:00.000Z",
    evidence: [
      {
        id: "E1",
        kind: "incident.raw",
        title: "Payload",
        artifact_ptr: "redis://art:payload",
        content_type: "application/json",
        bytes: 8,
        sha256: await sha256Hex(raw),
      },
      {
        id: "E2",
        kind: "k",
        title: "t",
        artifact_ptr: "redis://art:log",
        content_type: "text/plain",
        bytes: 0,
        sha256: await sha256Hex(""),
      },
      {
        id: "E3",
        kind: "incident.context",
        title: "Incident in plain fields",
        artifact_ptr: "redis://art:context",
        content_type: "application/json",
        bytes: context.length,
        sha256: await sha256Hex(context),
      },
    ],
    normalized_context: { title: "Slow", facts: [] },
  });
});

Deno.test("buildBundle() numbers the pieces, and what cites them", async () => {
  const entry = { at: "2026-01-15T09:30:00.000Z", text: "t" };
  const { bundle } = await build({
    pieces: [piece("payload"), piece("alerts")],
    context: {
      facts: [
        { name: "a", value: "1", evidence: ["alerts", "payload"] },
        { name: "b", value: "2", evidence: ["gone", "payload"] },
        { name: "c", value: "3", evidence: ["gone"] },
      ],
      timeline: [
        { ...entry, evidence: ["alerts"] },
        { ...entry, evidence: ["gone"] },
      ],
    },
  });
  assertEquals(bundle.normalized_context, {
    facts: [
      { name: "a", value: "1", evidence: ["E2", "E1"] },
      { name: "b", value: "2", evidence: ["E1"] },
    ],
    timeline: [{ ...entry, evidence: ["E2"] }],
  });
});

Deno.test("buildBundle() passes gaps on, and has none if there are none", async () => {
  const gaps = [{ what: "the log", why: "status 403" }];
  assertEquals((await build({ gaps })).bundle.gaps, gaps);
  assertEquals("gaps" in (await build({})).bundle, false);
});

const CUTS: [what: string, end: string, keptBytes: number][] = [
  ["keeps a piece that just fits", "x", PIECE_BYTES_MAX],
  ["cuts one byte too many", "xy", PIECE_BYTES_MAX],
  ["keeps a character of two bytes that just fits", "", PIECE_BYTES_MAX - 1],
  ["does not cut a character of two bytes", "\u00e9", PIECE_BYTES_MAX - 1],
  ["does not cut one of three", "\u20ac", PIECE_BYTES_MAX - 1],
  ["does not cut one of four", "\u{1F525}", PIECE_BYTES_MAX - 1],
];
for (const [what, end, keptBytes] of CUTS) {
  Deno.test(`buildBundle() ${what}, and says when it did`, async () => {
    const content = "a".repeat(PIECE_BYTES_MAX - 1) + end;
    const { bundle, stored } = await build({ pieces: [piece("E1", content)] });
    const [[, bytes] = []] = stored;
    const [item] = bundle.evidence;
    assert(bytes !== undefined && item !== undefined);
    assertEquals([bytes.length, item.bytes], [keptBytes, keptBytes]);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    assert(content.startsWith(text));
    assertEquals(item.sha256, await sha256Hex(bytes));
    assertEquals("shortened" in item, text !== content);
  });
}

Deno.test("buildBundle() stores at most 50 pieces and counts the rest as a gap", async (t) => {
  const pieces = Array.from(
    { length: PIECES_MAX + 2 },
    (_, at) => piece(`E${at + 1}`),
  );
  await t.step("49 and the context", async () => {
    const { bundle, stored } = await build({
      pieces: pieces.slice(0, PIECES_MAX - 1),
    });
    assertEquals([bundle.evidence.length, stored.length], [50, 50]);
    assertEquals(bundle.gaps, undefined);
  });
  await t.step("52 and the context", async () => {
    const gaps = [{ what: "the log", why: "status 403" }];
    const { bundle, stored } = await build({ pieces, gaps });
    assertEquals([bundle.evidence.length, stored.length], [50, 50]);
    assertEquals(bundle.gaps, [
      { what: "the log", why: "status 403" },
      { what: "3 more pieces", why: "a bundle holds at most 50" },
    ]);
    assertEquals(gaps.length, 1);
  });
});

Deno.test("buildBundle() stores one piece after the other", async () => {
  let underWay = 0;
  let most = 0;
  await buildBundle(
    "mock:INC-1",
    { pieces: [piece("E1"), piece("E2")], context: {}, gaps: [] },
    {
      now: NOW,
      put: async () => {
        most = Math.max(most, ++underWay);
        await Promise.resolve();
        underWay--;
        return "redis://art:x";
      },
    },
  );
  assertEquals(most, 1);
});

Deno.test("buildBundle() passes on that a piece cannot be stored", async () => {
  const failing = buildBundle(
    "mock:INC-1",
    { pieces: [piece("E1")], context: {}, gaps: [] },
    { now: NOW, put: () => Promise.reject(new RangeError("too large")) },
  );
  await assertRejects(() => failing, RangeError, "too large");
});

const INCIDENT: IncidentInput = {
  incident_id: "mock:INC-1",
  title: "Slow",
  severity: "high",
  service: "checkout-api",
  occurred_at: "2026-01-15T09:30:00Z",
  source: { system: "mock", url: "https://example.com/1" },
};

/** What is read of a payload. */
function readRaw(raw: Record<string, unknown>): Findings {
  return collectMock({ ...INCIDENT, raw });
}

Deno.test("collectMock() puts the payload in plain fields", () => {
  const raw = {
    status: " triggered ",
    description: "p99 rose.",
    facts: { region: "eu-west-1", errors: 0, paged: false },
    timeline: [
      { at: "2026-01-15T10:24:10+01:00", text: "Deployed" },
      { at: "2026-01-15T09:20:00Z", text: "Merged" },
    ],
  };
  const { pieces, context, gaps } = readRaw(raw);
  assertEquals(context, {
    title: "Slow",
    description: "p99 rose.",
    severity: "error",
    severity_rule: "reported as high, so error",
    service: "checkout-api",
    status: "triggered",
    source: { system: "mock", url: "https://example.com/1" },
    occurred_at: "2026-01-15T09:30:00Z",
    facts: [
      { name: "region", value: "eu-west-1", evidence: ["payload"] },
      { name: "errors", value: "0", evidence: ["payload"] },
      { name: "paged", value: "false", evidence: ["payload"] },
    ],
    timeline: [
      { at: "2026-01-15T09:20:00.000Z", text: "Merged", evidence: ["payload"] },
      {
        at: "2026-01-15T09:24:10.000Z",
        text: "Deployed",
        evidence: ["payload"],
      },
    ],
  });
  assertEquals(gaps, []);
  assertEquals(pieces, [
    {
      name: "payload",
      kind: "incident.raw",
      title: "Payload as received",
      contentType: "application/json",
      content: JSON.stringify(raw, null, 2),
    },
  ]);
});

Deno.test("collectMock() takes the incident itself if it has no payload", () => {
  const { pieces, context } = collectMock({
    ...INCIDENT,
    destination: { mode: "slack", slack_webhook_url: "https://example.com/x" },
  });
  assertEquals(JSON.parse(pieces[0]!.content), INCIDENT);
  assertEquals([context.facts, context.timeline], [[], []]);
});

Deno.test("collectMock() makes do with an id", () => {
  const { context, gaps } = collectMock({ incident_id: "INC-1" });
  assertEquals(context, {
    severity: "warning",
    severity_rule: "none reported, so warning",
    source: { system: "mock" },
    facts: [],
    timeline: [],
  });
  assertEquals(gaps, []);
});

Deno.test("collectMock() keeps a rule that came with the severity", () => {
  const { context } = collectMock({
    ...INCIDENT,
    severity_rule: "urgency is high",
  });
  assertEquals(context.severity_rule, "urgency is high");
});

const FACTS_WHY =
  "each needs a name and a text, number or boolean, and at most 50 are read";
const FACTS: [what: string, unknown, names: string[], gap?: string][] = [
  ["none", undefined, []],
  ["no object", "facts", []],
  ["null", null, []],
  ["an empty object", {}, []],
  ["a list", ["a"], ["0"]],
  ["a name that is none", { "": 1, a: 1 }, ["a"], "1 of 2 facts"],
  [
    "values that are none",
    { a: null, b: {}, c: " ", d: [1], e: "e" },
    ["e"],
    "4 of 5 facts",
  ],
];
for (const [what, facts, names, gap] of FACTS) {
  Deno.test(`collectMock() reads the facts of ${what}, and says what it left out`, () => {
    const { context, gaps } = readRaw({ facts });
    assertEquals(context.facts?.map(({ name }) => name), names);
    assertEquals(
      gaps,
      gap === undefined ? [] : [{ what: gap, why: FACTS_WHY }],
    );
  });
}

const TIMELINE_WHY =
  'each needs a date-time "at" and a "text", and the newest 50 are read';
const AT = "2026-01-15T09:30:00Z";
const TIMELINES: [what: string, unknown, count: number, gap?: string][] = [
  ["none", undefined, 0],
  ["no list", { at: AT, text: "t" }, 0],
  ["an empty list", [], 0],
  ["two at the same moment", [{ at: AT, text: "a" }, { at: AT, text: 1 }], 2],
  ["no objects", [null, "t", 7, []], 0, "4 of 4 timeline entries"],
  [
    "no text",
    [{ at: AT }, { at: AT, text: " " }],
    0,
    "2 of 2 timeline entries",
  ],
  [
    "no moment",
    [
      { at: "5", text: "t" },
      { at: 12345, text: "t" },
      { at: "2026-01-15 09:30", text: "t" },
      { at: "9999-12-31T23:59:59-01:00", text: "t" },
      { at: AT, text: "t" },
    ],
    1,
    "4 of 5 timeline entries",
  ],
];
for (const [what, timeline, count, gap] of TIMELINES) {
  Deno.test(`collectMock() reads a timeline of ${what}, and says what it left out`, async () => {
    const findings = readRaw({ timeline });
    assertEquals(findings.context.timeline?.length, count);
    assertEquals(
      findings.gaps,
      gap === undefined ? [] : [{ what: gap, why: TIMELINE_WHY }],
    );
    await build(findings); // Which checks the schema.
  });
}

Deno.test("collectMock() reads at most 50 facts", () => {
  const some = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`fact ${at}`, at]),
    );
  const inside = readRaw({ facts: some(50) });
  assertEquals([inside.context.facts?.length, inside.gaps.length], [50, 0]);
  const outside = readRaw({ facts: some(51) });
  assertEquals(outside.context.facts?.length, 50);
  assertEquals(outside.gaps, [{ what: "1 of 51 facts", why: FACTS_WHY }]);
});

Deno.test("collectMock() reads the newest 50 entries of a timeline", () => {
  const some = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      at: `2026-01-15T09:${String(at).padStart(2, "0")}:00Z`,
      text: `entry ${at}`,
    }));
  const inside = readRaw({ timeline: some(50).toReversed() });
  assertEquals([inside.context.timeline?.length, inside.gaps.length], [50, 0]);
  const { context, gaps } = readRaw({ timeline: some(52).toReversed() });
  const texts = context.timeline?.map(({ text }) => text) ?? [];
  assertEquals([texts.length, texts[0], texts[49]], [
    50,
    "entry 2",
    "entry 51",
  ]);
  assertEquals(gaps, [
    { what: "2 of 52 timeline entries", why: TIMELINE_WHY },
  ]);
});

Deno.test("collectMock() cuts long texts with a mark that says so", async (t) => {
  const cuts: [string, number, (text: string) => string | undefined][] = [
    [
      "description",
      4000,
      (text) => readRaw({ description: text }).context.description,
    ],
    ["status", 100, (text) => readRaw({ status: text }).context.status],
    [
      "a fact's name",
      100,
      (text) => readRaw({ facts: { [text]: 1 } }).context.facts?.[0]?.name,
    ],
    [
      "a fact's value",
      500,
      (text) => readRaw({ facts: { a: text } }).context.facts?.[0]?.value,
    ],
    [
      "an entry's text",
      500,
      (text) =>
        readRaw({ timeline: [{ at: AT, text }] }).context.timeline?.[0]?.text,
    ],
  ];
  for (const [what, charsMax, read] of cuts) {
    await t.step(`${what} above ${charsMax} characters`, () => {
      const longest = "x".repeat(charsMax);
      assertEquals(read(longest), longest);
      assertEquals(read(`${longest}x`), `${longest.slice(0, -1)}…`);
    });
  }
});

Deno.test("collectMock() gives no more than a job's result may hold", async () => {
  const wide = "\u4e16".repeat(5000); // Three bytes each.
  const { bundle } = await build(collectMock({
    incident_id: "x".repeat(200),
    title: wide.slice(0, 1000),
    service: wide.slice(0, 200),
    severity_rule: wide.slice(0, 200),
    raw: {
      description: wide,
      status: wide,
      facts: Object.fromEntries(
        Array.from({ length: 60 }, (_, at) => [`${at}${wide}`, wide]),
      ),
      timeline: Array.from({ length: 60 }, () => ({ at: AT, text: wide })),
    },
  }));
  const { length } = new TextEncoder().encode(JSON.stringify(bundle));
  assert(length < RESULT_BYTES_MAX, `${length} bytes`);
});

Deno.test("collectMock() gives the same for the same incident", () => {
  const raw = { facts: { b: 1, a: 2 }, timeline: [{ at: AT, text: "t" }] };
  assertEquals(readRaw(raw), readRaw(structuredClone(raw)));
});

const UNSEEN_TEXT = [...UNSEEN.values(), HOSTILE].join("");
for (const system of ["mock", "pagerduty", "alertmanager"] as const) {
  Deno.test(`collectFindings() removes what cannot be seen from ${system}`, () => {
    const odd = (text: string) => `${text}${UNSEEN_TEXT}.`;
    const alert = {
      labels: { alertname: odd("name"), [odd("key")]: odd("value") },
      annotations: { summary: odd("summary"), [odd("key")]: odd("value") },
      status: "firing",
      startsAt: "2026-01-15T09:30:00Z",
    };
    const incident: IncidentInput = {
      incident_id: "1",
      title: odd("title"),
      service: odd("service"),
      severity: "high",
      source: { system },
      raw: {
        [odd("key")]: [odd("value"), { [odd("key")]: odd("value") }],
        groupKey: odd("group"),
        receiver: odd("receiver"),
        alerts: [alert],
        commonLabels: alert.labels,
        commonAnnotations: alert.annotations,
        event: {
          event_type: "incident.triggered",
          occurred_at: "2026-01-15T09:30:00Z",
          data: { title: odd("title"), status: odd("status") },
        },
      },
    };
    const findings = collectFindings(incident);
    const found: string[] = [];
    JSON.stringify(findings, (key, value) => {
      found.push(key, ...typeof value === "string" ? [value] : []);
      return value;
    });
    assert(found.includes("title") && found.length > 20);
    for (const text of found) {
      // Blanks of any kind are seen as such.
      const lines = text.replace(/(?!\uFEFF)\s/g, " ");
      assertNothingUnseen(lines.replaceAll(/\\[nrtfbv]|\\u00../g, ""), system);
      assert(!/\\u001b|\\u0000/.test(text), text);
    }
  });
}

Deno.test("collectFindings() keeps the exact of two names that become one", () => {
  const labels = {
    "a\u200b": "forged",
    a: "true",
    "b\u200b": "only",
    c: "true",
    "c\u200b": "forged",
  };
  const { pieces } = collectFindings({ incident_id: "1", raw: { labels } });
  const { content } = pieces.find(({ name }) => name === "payload")!;
  assertEquals(JSON.parse(content), {
    labels: { a: "true", b: "only", c: "true" },
  });
});

Deno.test("collectFindings() takes a credential out although something unseen splits it", () => {
  for (const unseen of [...UNSEEN.values(), "\x1b[0m", "\x1b]8;;x\x07"]) {
    // A blank ends a key for every reader.
    if (/\s/.test(unseen) && unseen !== "\uFEFF") continue;
    const title = `key AKIA${unseen}Q3EGRJ5T7YHN2WKD failed`;
    const findings = collectFindings({
      incident_id: "1",
      title,
      raw: { title },
    });
    assert(!JSON.stringify(findings).includes("Q3EGRJ5T7YHN2WKD"), title);
  }
});
