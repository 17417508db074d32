/**
 * A bundle stays within its schema and within a job's result, whatever the
 * collectors find.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { url } from "../../lib/base/config.ts";
import { buildBundle } from "../../lib/evidence/bundle.ts";
import { collectFindings } from "../../lib/evidence/collect.ts";
import type {
  Collector,
  Finding,
  FoundEntry,
} from "../../lib/evidence/collector.ts";
import { addCollected } from "../../lib/evidence/gather.ts";
import { QUESTIONS_MAX } from "../../lib/evidence/run_collectors.ts";
import type { EvidenceBundle, IncidentInput } from "../../lib/incident.ts";
import { addLedgers } from "../../lib/redact/redaction.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { collect, INCIDENT, NOW } from "../support/collecting.ts";

/** As lib/platform/run_job.ts has it. */
const RESULT_BYTES_MAX = 200 * 1024;
const checkBundle = compileCheck("EvidenceBundle");

/** A collector that asks so many questions and gives one answer to all. */
function make(count: number, findings: readonly Finding[]): Collector {
  return {
    name: "prometheus",
    title: "Prometheus",
    settings: { base: url("BASE", { about: "where", fallback: "http://x" }) },
    isOn: () => true,
    reach: () => [],
    connect: () => undefined,
    questions: () =>
      Array.from({ length: count }, (_, at) => ({
        id: `q${at}`,
        what: `${at} ${"w".repeat(500)}`,
        rank: at,
        kind: "metric",
      })),
    async *ask() {
      yield* findings;
    },
    check: () => Promise.resolve({ says: "fine" }),
  };
}

/** Every step of the fetcher but the platform. */
async function bundleOf(
  collectors: readonly Collector[],
  incident: IncidentInput = INCIDENT,
): Promise<EvidenceBundle> {
  const findings = collectFindings(incident);
  const collected = await collect(collectors, { env: {}, incident });
  const merged = addCollected(findings, collected, {
    level: "standard",
    removed: addLedgers({}, {}),
  });
  const all = { ...merged, subjectKey: "a".repeat(64) };
  return await buildBundle("mock:1", all, {
    now: NOW,
    put: () => Promise.resolve(`redis://art:${"x".repeat(180)}`),
  });
}

function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

const AT = "2026-01-15T09:30:00Z";
const FILLS = {
  "three bytes each": "\u4e16",
  "escaped": '"\\\n',
  "half a pair": "\ud83d",
  "a pair": "\u{1F525}",
} as const;

/** An incident whose webhook alone nearly fills a bundle. */
function fullIncident(wide: string): IncidentInput {
  return {
    incident_id: "mock:INC-7",
    title: wide.slice(0, 1000),
    service: wide.slice(0, 200),
    source: { system: "mock" },
    raw: {
      description: wide,
      facts: Object.fromEntries(
        Array.from({ length: 60 }, (_, at) => [`${at}${wide}`, wide]),
      ),
      timeline: Array.from({ length: 60 }, () => ({ at: AT, text: wide })),
    },
  };
}

for (const [what, fill] of Object.entries(FILLS)) {
  Deno.test(`a bundle of the longest findings, ${what}, is valid and fits in a result`, async () => {
    const wide = fill.repeat(5000);
    const gap = { what: wide, why: wide, kind: "cut", got: 1, of: 2 } as const;
    const collector = make(40, [
      {
        piece: { title: wide, value: { wide } },
        facts: Array.from(
          { length: 50 },
          (_, at) => ({ name: `${at}${wide}`, value: wide }),
        ),
        timeline: Array.from({ length: 50 }, () => ({ at: AT, text: wide })),
      },
      ...Array.from({ length: 20 }, () => ({ gap })),
    ]);
    for (const incident of [INCIDENT, fullIncident(wide)]) {
      const bundle = await bundleOf([collector], incident);
      assertEquals(checkBundle(bundle), undefined);
      const bytes = bytesOf(bundle);
      assert(bytes <= RESULT_BYTES_MAX, `${bytes} bytes`);
      const { lookups = [], gaps = [], normalized_context } = bundle;
      const found = lookups.filter(({ state }) => state === "found");
      assertEquals(found.length, QUESTIONS_MAX);
      assert(gaps.length <= 50 && lookups.length <= 50);
      const { facts = [], timeline = [] } = normalized_context!;
      assertEquals([facts.length, timeline.length > 50], [100, true]);
    }
  });
}

Deno.test("texts of nothing that can be seen, and numbers that count nothing, give a valid bundle", async () => {
  for (const nothing of ["", " ", "\u200b", "\u202e\u200d", "\x1b[0m"]) {
    const collector = make(1, [
      {
        piece: { title: nothing, value: null },
        facts: [{ name: nothing, value: nothing }, { name: "a", value: "b" }],
        timeline: [{ at: AT, text: nothing }, { at: AT, text: "c" }],
      },
      { gap: { what: nothing, why: nothing, got: -1, of: 1.5 } },
      { gap: { what: "d", why: "e", got: Infinity, of: NaN } },
    ]);
    const silent = make(1, [{ nothing }]);
    const bundle = await bundleOf([
      collector,
      { ...silent, name: "loki", title: "Loki" },
      { ...silent, name: "github", questions: () => nothing },
    ]);
    assertEquals(checkBundle(bundle), undefined);
    const { lookups = [], gaps = [], normalized_context } = bundle;
    assertEquals(lookups.map(({ state }) => state), [
      "found",
      "nothing",
      "unconcerned",
    ]);
    assert(gaps.some(({ what, why }) => what === "d" && why === "e"));
    const { facts = [], timeline = [] } = normalized_context!;
    assert(facts.some(({ name, value }) => name === "a" && value === "b"));
    assert(timeline.some(({ text }) => text === "c"));
  }
});

Deno.test("of more facts and moments than fit, those of the best rank stay", async () => {
  const at = (minute: number) =>
    new Date(NOW.getTime() - minute * 60_000).toISOString();
  const best: FoundEntry = { at: at(500), text: "deployed", kind: "change" };
  const first = make(1, [{
    piece: { title: "first", value: 1 },
    facts: [{ name: "deployment", value: "12" }],
    timeline: [best],
  }]);
  const rest = make(11, [{
    piece: { title: "other", value: 1 },
    facts: Array.from({ length: 12 }, (_, at) => ({
      name: `f${at}`,
      value: "v",
    })),
    timeline: Array.from({ length: 20 }, (_, minute) => ({
      at: at(minute),
      text: "logged",
    })),
  }]);
  const bundle = await bundleOf([first, { ...rest, name: "loki" }]);
  const { facts = [], timeline = [] } = bundle.normalized_context!;
  assert(facts.some(({ name }) => name === "deployment"));
  assert(timeline.some(({ text }) => text === "deployed"));
  assert(facts.length <= 100 && timeline.length <= 100);
});
