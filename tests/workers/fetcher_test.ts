import { assert, assertEquals, assertRejects } from "@std/assert";
import { startAlertmanagerApi } from "../../deploy/standins/alertmanager.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { COLLECTORS } from "../../lib/evidence/collectors.ts";
import type { IncidentInput, SourceSystem } from "../../lib/incident.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { fetchEvidence, SETTINGS } from "../../workers/fetcher.ts";
import sample from "../../deploy/samples/sample_incident.json" with {
  type: "json",
};
import { fakeContext } from "../support/job_context.ts";

const checkInput = compileCheck("IncidentInput");
const checkOutput = compileCheck("EvidenceBundle");
const INCIDENT = sample as IncidentInput;

Deno.test("fetchEvidence() stores each piece for a month and describes it", async () => {
  const { context, artifacts } = fakeContext(SETTINGS);
  assertEquals(checkInput(INCIDENT), undefined);
  const bundle = await fetchEvidence(INCIDENT, context);
  assertEquals(checkOutput(bundle), undefined);
  assertEquals(bundle.incident_id, "mock:INC-1042");
  assertEquals(bundle.evidence.map(({ id, kind }) => [id, kind]), [
    ["E1", "incident.raw"],
    ["E2", "incident.context"],
  ]);
  assertEquals(artifacts.size, 2);
  for (const item of bundle.evidence) {
    const artifact = artifacts.get(item.artifact_ptr);
    assert(artifact !== undefined);
    const { bytes, contentType, retention, labels } = artifact;
    assertEquals(retention, "audit");
    assertEquals(contentType, item.content_type);
    assertEquals(bytes.length, item.bytes);
    assertEquals(await sha256Hex(bytes), item.sha256);
    assertEquals([labels["kind"], labels["incident_id"]], [
      item.kind,
      "mock:INC-1042",
    ]);
  }
});

Deno.test("fetchEvidence() keeps the payload whole, and its fields as context", async () => {
  const { context, artifacts } = fakeContext(SETTINGS);
  const bundle = await fetchEvidence(INCIDENT, context);
  const contents = bundle.evidence.map(({ artifact_ptr }) =>
    JSON.parse(new TextDecoder().decode(artifacts.get(artifact_ptr)?.bytes))
  );
  assertEquals(contents, [INCIDENT.raw, bundle.normalized_context]);
  const { title, severity, facts, timeline } = bundle.normalized_context ?? {};
  assertEquals([title, severity], ["Checkout latency above 2 s", "critical"]);
  assertEquals([facts?.length, timeline?.length], [1, 1]);
});

for (
  const [redactionLevel, stays] of [["standard", false], [
    "none",
    true,
  ]] as const
) {
  Deno.test(`fetchEvidence() of a run with a credential, at level ${redactionLevel}`, async () => {
    const { context, artifacts } = fakeContext(SETTINGS, {
      constraints: { redactionLevel },
    });
    const secret = ["hunter", "7".repeat(12)].join("");
    const bundle = await fetchEvidence({
      ...INCIDENT,
      title: `login with password=${secret} fails`,
      raw: { text: `password=${secret}`, nested: [{ api_key: secret }] },
    }, context);
    const stored = [...artifacts.values()].map(({ bytes }) =>
      new TextDecoder().decode(bytes)
    );
    const found = [JSON.stringify(bundle), ...stored].map((text) =>
      text.includes(secret)
    );
    assertEquals(found, found.map(() => stays));
    assertEquals(checkOutput(bundle), undefined);
  });
}

Deno.test("fetchEvidence() says when it collected", async () => {
  const { context } = fakeContext(SETTINGS);
  const before = Date.now();
  const { collected_at } = await fetchEvidence(INCIDENT, context);
  const at = Date.parse(collected_at);
  assert(at >= before && at <= Date.now());
});

Deno.test("fetchEvidence() counts how each look-up ended", async () => {
  const labels = { alertname: "Slow", service: "checkout" };
  const status = { state: "suppressed", silencedBy: ["s"], inhibitedBy: [] };
  await using api = startAlertmanagerApi({ alerts: [{ labels, status }] });
  api.fault = "403";
  api.faultOn = (path) => path.includes("silences");
  const { context, counts } = fakeContext(SETTINGS, {
    env: { ALERTMANAGER_URL: api.url },
  });
  await fetchEvidence({
    ...INCIDENT,
    raw: { alerts: [{ labels }] },
    source: { system: "alertmanager" },
  }, context);
  const lookups = Object.entries(counts.counts()).filter(([name]) =>
    name.startsWith("lookup ")
  );
  const ended = new Map<string, number>(lookups);
  assertEquals(ended.get("lookup alertmanager: failed"), 1);
  assertEquals(ended.get("lookup history: nothing"), 1);
  assertEquals(ended.get("lookup loki: off"), 1);
  assert(ended.size >= COLLECTORS.length);
});

Deno.test("fetchEvidence() reports progress before it stores", async () => {
  const { context, artifacts } = fakeContext(SETTINGS);
  const notes: unknown[] = [];
  await fetchEvidence(INCIDENT, {
    ...context,
    progress: (percent, message) =>
      notes.push([percent, message, artifacts.size]),
  });
  assertEquals(notes, [[50, "storing 2 pieces of evidence", 0]]);
});

Deno.test("fetchEvidence() puts the source in front of an id that has none", async () => {
  const { context, artifacts } = fakeContext(SETTINGS);
  const bundle = await fetchEvidence({ incident_id: "INC-1" }, context);
  assertEquals(bundle.incident_id, "mock:INC-1");
  const [artifact] = artifacts.values();
  assertEquals(artifact?.labels["incident_id"], "mock:INC-1");
});

const ODD: [what: string, IncidentInput][] = [
  ["an id and nothing else", { incident_id: "INC-1" }],
  ["the longest id, without its source", { incident_id: "x".repeat(200) }],
  ["an empty payload", { incident_id: "x", raw: {} }],
  ["texts that are blank", {
    incident_id: "x",
    title: "",
    service: " ",
    raw: { description: " ", status: "", facts: "none", timeline: {} },
  }],
  ["texts of the greatest length", {
    incident_id: "x",
    title: "\u{1F525}".repeat(1000),
    service: "\u{1F525}".repeat(200),
    severity_rule: "\u{1F525}".repeat(200),
    raw: { description: "\u{1F525}".repeat(5000), status: "x".repeat(5000) },
  }],
  ["moments that are none", {
    incident_id: "x",
    raw: { timeline: [{ at: "12345", text: "t" }, { at: {}, text: "t" }] },
  }],
  ["more of everything than is read", {
    incident_id: "x",
    raw: {
      facts: Object.fromEntries(
        Array.from(
          { length: 200 },
          (_, at) => [`${at} ${"n".repeat(200)}`, at],
        ),
      ),
      timeline: Array.from({ length: 200 }, () => ({
        at: "2026-01-15T09:30:00Z",
        text: "t".repeat(1000),
      })),
    },
  }],
  ["a payload above an artifact's bound", {
    incident_id: "x",
    raw: { text: "\u20ac".repeat(100_000) },
  }],
];
for (const [what, incident] of ODD) {
  Deno.test(`fetchEvidence() gives a valid bundle for ${what}`, async () => {
    const { context } = fakeContext(SETTINGS);
    assertEquals(checkInput(incident), undefined);
    assertEquals(
      checkOutput(await fetchEvidence(incident, context)),
      undefined,
    );
  });
}

Deno.test("fetchEvidence() says what was cut and what is missing", async () => {
  const { context } = fakeContext(SETTINGS);
  const { evidence, gaps } = await fetchEvidence({
    incident_id: "x",
    raw: {
      text: "t".repeat(300_000),
      facts: { a: null },
      timeline: [{ at: "soon", text: "t" }],
    },
  }, context);
  assertEquals(evidence.map(({ shortened = false }) => shortened), [
    true,
    false,
  ]);
  assertEquals(gaps?.map(({ what }) => what), [
    "1 of 1 facts",
    "1 of 1 timeline entries",
  ]);
});

const KINDS: [SourceSystem, kinds: string[]][] = [
  ["mock", ["incident.raw", "incident.context"]],
  ["pagerduty", ["incident.raw", "incident.context"]],
  ["alertmanager", ["incident.raw", "alertmanager.alerts", "incident.context"]],
];
for (const [system, kinds] of KINDS) {
  Deno.test(`fetchEvidence() asks the reader of source ${system}`, async () => {
    const { context, artifacts } = fakeContext(SETTINGS);
    const incident: IncidentInput = {
      incident_id: "x",
      source: { system },
      raw: { alerts: [{}] },
    };
    assertEquals(checkInput(incident), undefined);
    const bundle = await fetchEvidence(incident, context);
    assertEquals(checkOutput(bundle), undefined);
    assertEquals(bundle.incident_id, `${system}:x`);
    assertEquals(bundle.evidence.map(({ kind }) => kind), kinds);
    assertEquals(artifacts.size, kinds.length);
  });
}

Deno.test("fetchEvidence() passes on that the gateway refuses an artifact", async () => {
  const { context } = fakeContext(SETTINGS);
  const refused = new GatewayError("Cannot call POST /artifacts", 503, "");
  const error = await assertRejects(
    () =>
      fetchEvidence(INCIDENT, {
        ...context,
        gateway: {
          ...context.gateway,
          putArtifact: () => Promise.reject(refused),
        },
      }),
    GatewayError,
  );
  assertEquals(error, refused);
});
