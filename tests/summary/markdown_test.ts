/**
 * The stored summary holds everything, and says each sentence once.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type {
  AlertGroup,
  EvidenceBundle,
  EvidenceItem,
} from "../../lib/incident.ts";
import { summarize } from "../../lib/summary/builtin.ts";
import { toMarkdown } from "../../lib/summary/markdown.ts";
import { Said } from "../../lib/summary/said.ts";

const ITEM: EvidenceItem = {
  id: "E1",
  kind: "incident.raw",
  title: "Payload as received",
  artifact_ptr: "redis://art:1",
  content_type: "application/json",
  bytes: 12,
};

/** A name with a sentence of its own, and where the number is. */
function group(nth: number): AlertGroup {
  return {
    name: `Name${nth}`,
    severity: nth < 3 ? "critical" : "warning",
    count: 1 + nth % 3,
    since: `2026-03-04T08:${10 + nth}:00.000Z`,
    where: [`place-${nth}`],
    says: `The queue number ${nth} is full`,
    evidence: ["E1"],
  };
}

const LONG = `A long story without end ${"and more ".repeat(80)}`.trim();
const KINDS = [
  ...[
    "metric",
    "alert",
    "log",
    "change",
    "state",
    "people",
    "history",
  ] as const,
  undefined,
];
const BUNDLE: EvidenceBundle = {
  incident_id: "alertmanager:1",
  collected_at: "2026-03-04T09:00:00.000Z",
  evidence: [ITEM, { ...ITEM, id: "E2", artifact_ptr: "redis://art:2" }],
  gaps: [
    { what: "notes of the incident", why: "PagerDuty answered 403" },
    { what: "events", why: "Kubernetes answered 500" },
  ],
  lookups: [
    {
      collector: "kubernetes",
      question: "events",
      state: "failed",
      why: "Kubernetes answered 500",
    },
    { collector: "loki", state: "off", why: "not set up" },
  ],
  normalized_context: {
    title: "Queues",
    severity: "critical",
    service: "mail",
    source: { system: "alertmanager" },
    alerts: {
      firing: 60,
      resolved: 0,
      groups: Array.from({ length: 20 }, (_, nth) => group(nth)),
      others: { groups: 7, alerts: 22, severity: "info" },
    },
    facts: KINDS.flatMap((kind, at) =>
      [0, 1, 2].map((nth) => ({
        name: `fact ${at}.${nth}`,
        value: nth === 2 ? `${at} ${LONG}` : `value ${at}.${nth}`,
        ...kind !== undefined && { kind },
        evidence: ["E2"],
      }))
    ),
    timeline: Array.from({ length: 30 }, (_, nth) => ({
      at: `2026-03-04T08:${10 + nth}:00.000Z`,
      text: nth < 20
        ? `Name${nth} fired (pod=a): The queue number ${nth} is full`
        : `Moment ${nth}`,
      evidence: ["E1"],
    })),
  },
};

function write(bundle: EvidenceBundle, pattern?: string): string {
  return toMarkdown(summarize(bundle), bundle, pattern);
}

Deno.test("toMarkdown() holds every name, fact, moment, gap and piece of evidence", () => {
  const markdown = write(BUNDLE);
  const { alerts, facts, timeline } = BUNDLE.normalized_context!;
  for (const { name } of alerts!.groups) {
    assertStringIncludes(markdown, `: ${name}`);
  }
  assertStringIncludes(markdown, "7 more names (22 alerts), at worst info");
  for (const { value } of facts!) assertStringIncludes(markdown, value);
  for (const { at } of timeline!) {
    assertStringIncludes(
      markdown,
      `- ${at.slice(0, 19).replace("T", " ")} UTC`,
    );
  }
  for (const what of ["notes of the incident", "Loki: not set up"]) {
    assertStringIncludes(markdown, what);
  }
  for (const pointer of ["`redis://art:1`", "`redis://art:2`"]) {
    assertStringIncludes(markdown, pointer);
  }
  // What counts others for want of room stands in the message only.
  assert(!markdown.includes("in the stored summary"));
});

Deno.test("toMarkdown() says no sentence twice", () => {
  const markdown = write(BUNDLE);
  for (let nth = 0; nth < 20; nth++) {
    const times = markdown.split(`The queue number ${nth} is full`).length - 1;
    assertEquals(times, 1, `${nth}`);
  }
  assertEquals(markdown.split("Kubernetes answered 500").length - 1, 1);
  const long = markdown.split("\n").filter((line) => line.length > 60)
    .map((line) => line.replace(/^- /, ""));
  assertEquals(new Set(long).size, long.length);
});

Deno.test("toMarkdown() cites every claim, and opens evidence where it is told", () => {
  const pattern = "https://desk.example/open?p={pointer}&x=(y)";
  const plain = write(BUNDLE);
  const linked = write(BUNDLE, pattern);
  const lines = plain.split("\n## Not collected\n")[0]!.split("\n")
    .filter((line) => line.startsWith("- "));
  assert(lines.length > 60);
  for (const line of lines) {
    assert(/ \[E\d(?:, E\d)*\]$| in the payload$/.test(line), line);
  }
  assert(!plain.includes("]("));
  assertStringIncludes(
    linked,
    "[`redis://art:2`](<https://desk.example/open?p=redis%3A%2F%2Fart%3A2&x=(y)>)",
  );
  assertEquals(linked.split("](").length - 1, 2);
});

Deno.test("Said tells what stands already, and what is left of a text", () => {
  const said = new Said();
  said.addQuoted("Slow ×2 · “p99 is 2 s (limit 1 s)” on “db-1”");
  assert(said.has("p99 is 2 s (limit 1 s)."));
  assert(!said.has("p99 is 2 s"));
  assertEquals(
    said.rest("p99 is 2 s (limit 1 s). Nobody can pay."),
    "Nobody can pay.",
  );
  assertEquals(said.rest("Nobody can pay ."), "");
  assertEquals(
    said.rest("Slow fired (pod=a): p99 is 2 s (limit 1 s)."),
    "Slow fired (pod=a)",
  );
  assertEquals(
    said.rest("Slow fired (pod=b): p99 is 3 s."),
    "Slow fired (pod=b): p99 is 3 s.",
  );
  assertEquals(said.rest("p99 is 3 s"), "");
});
