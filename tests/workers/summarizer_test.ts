import { assert, assertEquals, assertRejects } from "@std/assert";
import { sha256Hex } from "../../lib/base/digest.ts";
import type { EvidenceBundle, IncidentInput } from "../../lib/incident.ts";
import { composeMessage } from "../../lib/message/compose.ts";
import { decodeMessage } from "../../lib/message/message.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { summarize } from "../../lib/summary/builtin.ts";
import { claimsOf } from "../../lib/summary/draft.ts";
import { toMarkdown } from "../../lib/summary/markdown.ts";
import { fetchEvidence, SETTINGS as FETCHER } from "../../workers/fetcher.ts";
import { SETTINGS, summarizeEvidence } from "../../workers/summarizer.ts";
import sample from "../../deploy/samples/sample_incident.json" with {
  type: "json",
};
import { fakeContext } from "../support/job_context.ts";

const INLINE_CHARS_MAX = 16_000;
const checkInput = compileCheck("SummarizeInput");
const checkOutput = compileCheck("Summary");

const GAPS = [{ what: "the log", why: "status 403" }];
const BUNDLE: EvidenceBundle = {
  ...await fetchEvidence(
    sample as IncidentInput,
    fakeContext(FETCHER).context,
  ),
  gaps: GAPS,
};

/** Summarizes a bundle, checks the summary and reads what was stored. */
async function run(evidence: EvidenceBundle) {
  const { context, artifacts } = fakeContext(SETTINGS);
  assertEquals(checkInput({ evidence }), undefined);
  const summary = await summarizeEvidence({ evidence }, context);
  assertEquals(checkOutput(summary), undefined);
  const markdown = artifacts.get(summary.artifact_ptr!);
  const message = artifacts.get(summary.message_ptr!);
  assert(markdown !== undefined && message !== undefined);
  return { summary, markdown, message, artifacts };
}

Deno.test("summarizeEvidence() stores the Markdown, the message and the page for a month", async () => {
  const { summary, markdown, message, artifacts } = await run(BUNDLE);
  assertEquals(artifacts.size, 3);
  const page = artifacts.get(summary.page_ptr!)!;
  assertEquals(
    [markdown, message, page].map(({ contentType, retention, labels }) => [
      contentType,
      retention,
      labels["kind"],
      labels["incident_id"],
    ]),
    [
      [
        "text/markdown; charset=utf-8",
        "audit",
        "incident.summary",
        "mock:INC-1042",
      ],
      ["application/json", "audit", "incident.message", "mock:INC-1042"],
      ["text/html; charset=utf-8", "audit", "incident.page", "mock:INC-1042"],
    ],
  );
  assertEquals(new TextDecoder().decode(markdown.bytes), summary.summary_md);
});

Deno.test("summarizeEvidence() names the digest of the stored message's bytes", async () => {
  const { summary, message } = await run(BUNDLE);
  assertEquals(summary.message_sha256, await sha256Hex(message.bytes));
});

Deno.test("summarizeEvidence() stores the message that its summary renders to", async () => {
  const { summary, message } = await run(BUNDLE);
  const draft = summarize(BUNDLE);
  assertEquals(
    decodeMessage(message.bytes),
    composeMessage(BUNDLE, draft.report, {
      runId: "",
      settings: {
        linkOrigins: undefined,
        dashboardRunUrl: undefined,
        evidenceUrl: undefined,
      },
    }),
  );
  assertEquals(summary.summary_md, toMarkdown(draft, BUNDLE));
  const { highlights, action_items, confidence } = summary;
  assertEquals(
    { highlights, action_items, confidence: confidence! },
    claimsOf(draft.report, BUNDLE.evidence) as unknown,
  );
  assertEquals([summary.incident_id, summary.model], [
    "mock:INC-1042",
    "builtin",
  ]);
});

Deno.test("summarizeEvidence() hands on the verdict, and stores it in words", async () => {
  const { summary } = await run(BUNDLE);
  assertEquals(summary.verdict, undefined);
  const pods = {
    name: "pods",
    value: "3 ready",
    kind: "state" as const,
    health: "well" as const,
    evidence: ["E1"],
  };
  const well = await run({
    ...BUNDLE,
    gaps: [],
    normalized_context: { title: "x", status: "resolved", facts: [pods] },
  });
  const verdict = "nothing is wrong now: “pods: 3 ready”";
  assertEquals(well.summary.verdict, verdict);
  assert(well.summary.summary_md.includes(`N${verdict.slice(1)}`));
  const { text } = decodeMessage(well.message.bytes);
  assert(text.includes(`N${verdict.slice(1)}`));
});

const BUTTONS: [what: string, env: Record<string, string>, ids: string[]][] = [
  ["no button unless it is told where one may lead", {}, []],
  ["a button to an origin that the operator named", {
    LINK_ORIGINS: "https://a.example, https://incidents.example.com/",
  }, ["open_incident"]],
  ["a button to the run where a dashboard is named", {
    DASHBOARD_RUN_URL: "https://dashboard.example.com/runs/{run_id}",
  }, ["open_run"]],
];
for (const [what, env, expected] of BUTTONS) {
  Deno.test(`summarizeEvidence() gives the message ${what}`, async () => {
    const { context, artifacts } = fakeContext(SETTINGS, { env });
    const summary = await summarizeEvidence({ evidence: BUNDLE }, context);
    const { blocks } = decodeMessage(
      artifacts.get(summary.message_ptr!)!.bytes,
    );
    const buttons = blocks.filter(({ type }) => type === "actions")
      .flatMap(({ elements }) => elements as Record<string, string>[]);
    assertEquals(buttons.map(({ action_id }) => action_id), expected);
    assert(buttons.every(({ url }) =>
      url!.endsWith("/INC-1042") ||
      url === "https://dashboard.example.com/runs/run-1"
    ));
  });
}

Deno.test("summarizeEvidence() gives the same bytes for the same bundle", async () => {
  const [first, second] = [
    await run(BUNDLE),
    await run(structuredClone(BUNDLE)),
  ];
  assertEquals(first.summary, second.summary);
  assertEquals(first.message.bytes, second.message.bytes);
});

Deno.test("summarizeEvidence() reports progress before each artifact", async () => {
  const { context, artifacts } = fakeContext(SETTINGS);
  const notes: unknown[] = [];
  await summarizeEvidence({ evidence: BUNDLE }, {
    ...context,
    progress: (percent, message) =>
      notes.push([percent, message, artifacts.size]),
  });
  assertEquals(notes, [
    [40, "storing the summary", 0],
    [70, "storing the message to be approved", 1],
    [80, "storing the page", 2],
  ]);
});

const EMPTY: EvidenceBundle = {
  incident_id: "mock:INC-1",
  collected_at: "2026-01-15T09:31:00Z",
  evidence: [],
};
const WIDE = "\u{1F525}"; // One character in a schema, two in JavaScript.
const ODD: [what: string, EvidenceBundle][] = [
  ["without evidence", EMPTY],
  ["with the longest id", { ...EMPTY, incident_id: "x".repeat(220) }],
  ["with gaps only", {
    ...EMPTY,
    gaps: Array.from({ length: 50 }, () => ({
      what: WIDE.repeat(200),
      why: "&".repeat(500),
    })),
  }],
  ["with empty texts", {
    ...BUNDLE,
    normalized_context: {
      title: "",
      description: "",
      severity_rule: "",
      service: "",
      status: "",
      facts: [{ name: "n", value: "", evidence: ["E1"] }],
    },
  }],
  ["with the most that a bundle may hold", {
    ...EMPTY,
    evidence: Array.from({ length: 50 }, () => ({
      ...BUNDLE.evidence[0]!,
      id: "E1",
      kind: WIDE.repeat(100),
      title: WIDE.repeat(300),
    })),
    normalized_context: {
      title: WIDE.repeat(1000),
      description: WIDE.repeat(4000),
      severity: "critical",
      severity_rule: WIDE.repeat(200),
      service: WIDE.repeat(200),
      status: WIDE.repeat(100),
      source: {
        system: WIDE.repeat(100),
        url: `https://example.com/${"x".repeat(1980)}`,
      },
      facts: Array.from({ length: 100 }, () => ({
        name: WIDE.repeat(100),
        value: WIDE.repeat(1000),
        evidence: ["E1"],
      })),
      timeline: Array.from({ length: 100 }, () => ({
        at: "2026-01-15T09:30:00Z",
        text: `deploy ${WIDE.repeat(400)}`,
        evidence: ["E1"],
      })),
    },
  }],
];
for (const [what, bundle] of ODD) {
  Deno.test(`summarizeEvidence() gives a valid summary of a bundle ${what}`, async () => {
    const { summary, message } = await run(bundle);
    assertEquals(summary.incident_id, bundle.incident_id);
    const { text, blocks } = decodeMessage(message.bytes);
    assert(text.isWellFormed() && blocks.length <= 49);
  });
}

/** A bundle whose Markdown is long, and grows a character with each `x`. */
function padded(length: number): EvidenceBundle {
  return {
    ...EMPTY,
    gaps: Array.from({ length: 40 }, (_, at) => ({
      what: "w",
      why: "x".repeat(1 + Math.max(0, Math.min(499, length - at * 499))),
    })),
  };
}

Deno.test("summarizeEvidence() carries at most 16000 characters of Markdown", async (t) => {
  const lengthOf = (bundle: EvidenceBundle) =>
    toMarkdown(summarize(bundle), bundle).length;
  const most = 10_000 + INLINE_CHARS_MAX - lengthOf(padded(10_000));
  await t.step("all of it if it just fits", async () => {
    const { summary, markdown } = await run(padded(most));
    const whole = new TextDecoder().decode(markdown.bytes);
    assertEquals(whole.length, INLINE_CHARS_MAX);
    assertEquals(summary.summary_md, whole);
  });
  await t.step("else the beginning, and where the rest is", async () => {
    const { summary, markdown } = await run(padded(most + 1));
    const whole = new TextDecoder().decode(markdown.bytes);
    assertEquals(whole.length, INLINE_CHARS_MAX + 1);
    assertEquals(
      summary.summary_md,
      `${whole.slice(0, INLINE_CHARS_MAX - 1)}…\n\n` +
        `Shortened; the whole summary is ${summary.artifact_ptr}.\n`,
    );
  });
});

Deno.test("summarizeEvidence() passes on that the gateway refuses an artifact", async () => {
  for (const refusedAt of [1, 2]) {
    const { context } = fakeContext(SETTINGS);
    const refused = new GatewayError("Cannot call POST /artifacts", 503, "");
    let calls = 0;
    const error = await assertRejects(
      () =>
        summarizeEvidence({ evidence: BUNDLE }, {
          ...context,
          gateway: {
            ...context.gateway,
            putArtifact: (artifact) =>
              ++calls === refusedAt
                ? Promise.reject(refused)
                : context.gateway.putArtifact(artifact),
          },
        }),
      GatewayError,
    );
    assertEquals([error, calls], [refused, refusedAt]);
  }
});

Deno.test("summarizeEvidence() stands without its page if that cannot be stored", async () => {
  const { context, log } = fakeContext(SETTINGS);
  const refused = new GatewayError("Cannot call POST /artifacts", 503, "");
  const summary = await summarizeEvidence({ evidence: BUNDLE }, {
    ...context,
    gateway: {
      ...context.gateway,
      putArtifact: (artifact) =>
        artifact.contentType.startsWith("text/html")
          ? Promise.reject(refused)
          : context.gateway.putArtifact(artifact),
    },
  });
  assertEquals(checkOutput(summary), undefined);
  assert(!("page_ptr" in summary));
  assert(summary.message_ptr !== undefined);
  assertEquals(log.map(({ level, msg, why }) => [level, msg, why]), [
    ["warn", "Page not stored", "Cannot call POST /artifacts"],
  ]);
});

Deno.test("summarizeEvidence() reads the evidence that its page quotes, after all else is stored", async () => {
  const { context, artifacts } = fakeContext(SETTINGS);
  const { evidence } = BUNDLE;
  const stored = fakeContext(FETCHER);
  await fetchEvidence(sample as IncidentInput, stored.context);
  const calls: string[] = [];
  const summary = await summarizeEvidence({ evidence: BUNDLE }, {
    ...context,
    gateway: {
      ...context.gateway,
      putArtifact(artifact) {
        calls.push(artifact.labels!["kind"]!);
        return context.gateway.putArtifact(artifact);
      },
      readArtifact(pointer, bytesMax) {
        calls.push(pointer);
        return stored.context.gateway.readArtifact(pointer, bytesMax);
      },
    },
  });
  // The context piece says what the bundle itself says.
  assertEquals(evidence.map(({ kind }) => kind), [
    "incident.raw",
    "incident.context",
  ]);
  assertEquals(calls, [
    "incident.summary",
    "incident.message",
    evidence[0]!.artifact_ptr,
    "incident.page",
  ]);
  const { bytes } = artifacts.get(summary.page_ptr!)!;
  const page = new TextDecoder().decode(bytes);
  assert(page.includes("What E1 says"), page);
});

Deno.test("summarizeEvidence() says on its page what could not be read", async () => {
  const { summary, artifacts } = await run(BUNDLE);
  const { bytes } = artifacts.get(summary.page_ptr!)!;
  const page = new TextDecoder().decode(bytes);
  assert(page.includes("Could not be read: its bytes have another digest."));
});

Deno.test("summarizeEvidence() ends with its job while it makes the page", async () => {
  const { context, abort } = fakeContext(SETTINGS);
  const reason = new Error("the job's deadline has passed");
  const error = await assertRejects(() =>
    summarizeEvidence({ evidence: BUNDLE }, {
      ...context,
      gateway: {
        ...context.gateway,
        readArtifact() {
          abort.abort(reason);
          return Promise.reject(reason);
        },
      },
    })
  );
  assertEquals(error, reason);
});
