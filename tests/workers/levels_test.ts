/**
 * Each worker obeys the redaction level that policy gives its step, whoever
 * wrote what it reads. The whole path is in tests/live/levels_test.ts.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { startAlertmanagerApi } from "../../deploy/standins/alertmanager.ts";
import { JobError } from "../../lib/base/errors.ts";
import type {
  EvidenceBundle,
  IncidentInput,
  PostInput,
} from "../../lib/incident.ts";
import { qualifiedId } from "../../lib/incident_id.ts";
import { findForbidden } from "../../lib/message/redact.ts";
import { decodeMessage } from "../../lib/message/message.ts";
import type { RedactionLevel } from "../../lib/platform/context.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { fetchEvidence, SETTINGS as FETCHER } from "../../workers/fetcher.ts";
import { post, SETTINGS as POSTER } from "../../workers/poster.ts";
import {
  SETTINGS as SUMMARIZER,
  summarizeEvidence,
} from "../../workers/summarizer.ts";
import { LOOK_ALIKES } from "../redact/corpus/look_alikes.ts";
import { plant } from "../redact/corpus/measure.ts";
import { PROSE } from "../redact/corpus/prose.ts";
import { type FakeContext, fakeContext } from "../support/job_context.ts";

const LEVELS = ["none", "standard", "strict", "full"] as const;
/** A credential, a person and a sentence, each of which a level takes. */
const SECRET = ["ghp", "7Zq".repeat(12)].join("_");
const PERSON = ["ada.lovelace", "example.com"].join("@");
const SENTENCE = "the northern replica lags behind";
const TAKEN_AT: readonly [text: string, from: RedactionLevel][] = [
  [SECRET, "standard"],
  [PERSON, "strict"],
  [SENTENCE, "full"],
];
const WORDS = `${SECRET} for ${PERSON}: ${SENTENCE}`;

/** Which of the three texts these hold. */
function found(...texts: string[]): string[] {
  const all = texts.join("\n");
  return TAKEN_AT.flatMap(([text]) => all.includes(text) ? [text] : []);
}

/** Which of the three a level lets through. */
function allowed(level: RedactionLevel): string[] {
  return TAKEN_AT.flatMap(([text, from]) =>
    LEVELS.indexOf(level) < LEVELS.indexOf(from) ? [text] : []
  );
}

function textsOf({ artifacts, lists, log }: FakeContext<never>): string {
  const stored = [...artifacts.values()].map(({ bytes, labels }) =>
    JSON.stringify(labels) + new TextDecoder().decode(bytes)
  );
  return JSON.stringify([stored, [...lists], log]);
}

const INCIDENT: IncidentInput = {
  incident_id: "mock:INC-7",
  title: "Checkout is slow",
  severity: "critical",
  severity_rule: WORDS,
  service: "checkout",
  priority: WORDS,
  dedup_key: WORDS,
  source: {
    system: "mock",
    url: `https://incidents.example.com/${encodeURIComponent(WORDS)}`,
  },
  raw: {
    description: WORDS,
    status: WORDS.slice(0, 90),
    [WORDS]: 1,
    facts: { note: WORDS, [WORDS]: "b", password: SECRET, e_mail: PERSON },
    timeline: [{ at: "2026-01-15T09:30:00Z", text: WORDS }],
    at: WORDS,
  },
};

/** A bundle that no fetcher of ours wrote. */
const BUNDLE: EvidenceBundle = {
  incident_id: "mock:INC-7",
  collected_at: new Date().toISOString(),
  evidence: [{
    kind: WORDS.slice(0, 100),
    title: WORDS,
    artifact_ptr: "redis://art:1",
    content_type: WORDS.slice(0, 100),
    bytes: 1,
  }],
  normalized_context: {
    title: "Checkout is slow",
    description: WORDS,
    severity: "critical",
    severity_rule: WORDS,
    service: "checkout",
    status: WORDS.slice(0, 90),
    source: {
      system: "mock",
      url: `https://incidents.example.com/${encodeURIComponent(WORDS)}`,
    },
    facts: [
      { name: "note", value: WORDS, evidence: ["E1"] },
      { name: WORDS.slice(0, 100), value: "x", evidence: ["E1"] },
      { name: "namespace", value: "shop", evidence: ["E1"] },
    ],
    timeline: [{ at: "2026-01-15T09:30:00Z", text: WORDS, evidence: ["E1"] }],
    redacted: { named: { count: 2, where: [WORDS.slice(0, 120)] } },
  },
  gaps: [{ what: WORDS, why: WORDS }],
  lookups: [
    { collector: "loki", question: WORDS, state: "nothing", why: WORDS },
    { collector: "github", question: WORDS, state: "failed", why: WORDS },
  ],
};

for (const level of LEVELS) {
  const constraints = { redactionLevel: level };

  Deno.test(`fetchEvidence() lets through what ${level} allows`, async () => {
    const fake = fakeContext(FETCHER, { constraints });
    const bundle = await fetchEvidence(INCIDENT, fake.context);
    assertEquals(compileCheck("EvidenceBundle")(bundle), undefined);
    assertEquals(
      found(JSON.stringify(bundle), textsOf(fake as never)),
      allowed(level),
    );
    const { title, service, severity } = bundle.normalized_context!;
    assertEquals([title, service, severity], [
      "Checkout is slow",
      "checkout",
      "critical",
    ]);
  });

  Deno.test(`summarizeEvidence() lets through what ${level} allows of a foreign bundle`, async () => {
    const fake = fakeContext(SUMMARIZER, { constraints });
    assertEquals(compileCheck("EvidenceBundle")(BUNDLE), undefined);
    const summary = await summarizeEvidence({ evidence: BUNDLE }, fake.context);
    assertEquals(compileCheck("Summary")(summary), undefined);
    assertEquals(
      found(JSON.stringify(summary), textsOf(fake as never)),
      allowed(level),
    );
    const message = new TextDecoder().decode(
      fake.artifacts.get(summary.message_ptr!)!.bytes,
    );
    assert(message.includes("CRITICAL · checkout: Checkout is slow"));
  });
}

Deno.test("at full, look-ups keep their collector and their end", async () => {
  const constraints = { redactionLevel: "full" } as const;
  await using api = startAlertmanagerApi();
  api.fault = "403";
  const fetcher = fakeContext(FETCHER, {
    constraints,
    env: { ALERTMANAGER_URL: api.url },
  });
  const evidence = await fetchEvidence({
    ...INCIDENT,
    source: { system: "alertmanager" },
    raw: { alerts: [{ labels: { alertname: WORDS } }] },
  }, fetcher.context);
  assert(evidence.lookups!.some(({ state }) => state === "failed"));
  assertEquals(
    evidence.lookups!.filter((one) => "question" in one || "why" in one),
    [],
  );
  const foreign = {
    ...evidence,
    lookups: [...evidence.lookups!, {
      collector: SENTENCE.replaceAll(" ", "-"),
      question: SENTENCE,
      state: "failed" as const,
      why: SENTENCE,
    }],
  };
  assertEquals(compileCheck("EvidenceBundle")(foreign), undefined);
  const { context, artifacts } = fakeContext(SUMMARIZER, { constraints });
  await summarizeEvidence({ evidence: foreign }, context);
  const texts = [...artifacts.values()].map(({ bytes }) =>
    new TextDecoder().decode(bytes)
  );
  assert(!texts.join("").includes("northern"), texts.join("\n"));
  const [markdown = "", message = ""] = texts;
  assertStringIncludes(markdown, "- Alertmanager: could not ask\n");
  assertStringIncludes(markdown, "- “other”: could not ask\n");
  assertStringIncludes(message, "could not ask: Alertmanager, “other” ·");
});

/** Posts the message that a summarizer at one level made, at another one. */
async function postAt(made: RedactionLevel, posted: RedactionLevel) {
  const maker = fakeContext(SUMMARIZER, {
    constraints: { redactionLevel: made },
  });
  const summary = await summarizeEvidence({ evidence: BUNDLE }, maker.context);
  const poster = fakeContext(POSTER, {
    env: { POSTER_REQUIRE_APPROVAL: "0", POST_SETTLE_MS: "0" },
    constraints: { redactionLevel: "none" },
  });
  for (const [pointer, artifact] of maker.artifacts) {
    poster.artifacts.set(pointer, artifact);
  }
  const { id } = poster.context.job;
  poster.jobs.set(id, {
    id,
    state: "RUNNING",
    safety_constraints: { redaction_level: posted },
  });
  const input: PostInput = {
    incident: { incident_id: "mock:INC-7" },
    evidence: BUNDLE,
    summary,
  };
  return await post(input, poster.context);
}

for (
  const [made, posted] of [
    ["none", "none"],
    ["standard", "none"],
    ["standard", "standard"],
    ["strict", "standard"],
    ["strict", "strict"],
    ["full", "strict"],
    ["full", "full"],
  ] as const
) {
  Deno.test(`post() at ${posted} sends a message made at ${made}`, async () => {
    assertEquals((await postAt(made, posted)).mode, "artifact");
  });
}

for (
  const [made, posted, what] of [
    ["none", "standard", "still holds credentials"],
    ["standard", "strict", "still holds e-mail addresses"],
    ["none", "strict", "still holds credentials and e-mail addresses"],
    ["strict", "full", "was made at another"],
  ] as const
) {
  Deno.test(`post() at ${posted} refuses a message made at ${made}`, async () => {
    const error = await assertRejects(() => postAt(made, posted), JobError);
    assertEquals(error.code, "REDACTION_INCOMPLETE");
    assertEquals(
      error.message,
      `Cannot post: policy wants redaction level "${posted}" of the post step, and the approved message ${what}; give the steps before it the same level, then start the run again`,
    );
  });
}

Deno.test("an incident's id keeps no secret, and two stay two", () => {
  const ids = [SECRET, `${SECRET}x`, PERSON].map((id) =>
    qualifiedId({ incident_id: id })
  );
  for (const id of ids) {
    assert(/^mock:[0-9a-f]{32}$/.test(id), id);
    assertEquals(qualifiedId({ incident_id: id }), id);
  }
  assertEquals(new Set(ids).size, 3);
  assertEquals(
    qualifiedId({ incident_id: `mock:${SECRET}` }),
    qualifiedId({ incident_id: SECRET }),
  );
});

Deno.test("the fetcher and the message keep words and names, and no credential of a command", async () => {
  const secret = (at: number) => `Qx${at}${"7vK".repeat(5)}${at}`;
  const [a, b, c, d, e, f] = [1, 2, 3, 4, 5, 6].map(secret);
  const stays = [
    "Basic reachability of search below 95 %",
    "bearer of bad news",
    "token: unexpected end of input",
    "mail/relay-tls",
    "mutate.gatekeeper.svc",
  ];
  const alert = {
    status: "firing",
    labels: {
      alertname: "RelayTlsMissing",
      severity: "critical",
      secret: "mail/relay-tls",
      webhook: "mutate.gatekeeper.svc",
    },
    annotations: {
      summary: stays[0],
      description: `${stays[1]}, ${stays[2]}`,
      ran: `SMTP_PASS=${a} curl -u relay:${b} https://api.example.com`,
      then: `sshpass -p ${c} ssh relay; mysql --password ${d}`,
      last: `AccountKey=${e}${e}${e}==;EndpointSuffix=x Cookie: sid=${f}`,
    },
    startsAt: "2026-01-15T09:30:00Z",
  };
  const fetcher = fakeContext(FETCHER);
  const evidence = await fetchEvidence({
    incident_id: "alertmanager:1",
    source: { system: "alertmanager" },
    title: stays[0]!,
    raw: { alerts: [alert] },
  }, fetcher.context);
  const summarizer = fakeContext(SUMMARIZER);
  const summary = await summarizeEvidence({ evidence }, summarizer.context);
  const artifacts = [...fetcher.artifacts, ...summarizer.artifacts];
  const texts = artifacts.map(([, { bytes }]) =>
    new TextDecoder().decode(bytes)
  );
  for (const gone of [a, b, c, d, e, f]) {
    assert(!texts.some((text) => text.includes(gone!)), gone);
  }
  const message = summarizer.artifacts.get(summary.message_ptr!)!;
  const shown = new TextDecoder().decode(message.bytes);
  for (const text of stays) assert(shown.includes(text), `${text}: ${shown}`);
  assert(shown.includes("6 credentials removed"), shown);
});

for (const redactionLevel of ["standard", "strict"] as const) {
  Deno.test(`the poster takes whatever the summarizer makes of a text at ${redactionLevel}`, async () => {
    const constraints = { redactionLevel };
    const texts = [...plant().map(({ text }) => text), ...LOOK_ALIKES, ...PROSE]
      .filter((_, at) => at % 23 === 0);
    assert(texts.length > 200);
    for (const text of texts) {
      const fetcher = fakeContext(FETCHER, { constraints });
      const evidence = await fetchEvidence({
        ...INCIDENT,
        title: `Failed: ${text}`.slice(0, 1000),
        raw: {
          description: text,
          facts: { note: text, secret: text },
          timeline: [{ at: "2026-01-15T09:30:00Z", text }],
        },
      }, fetcher.context);
      const { context, artifacts } = fakeContext(SUMMARIZER, { constraints });
      const summary = await summarizeEvidence({ evidence }, context);
      const { bytes } = artifacts.get(summary.message_ptr!)!;
      const found = findForbidden(decodeMessage(bytes), redactionLevel);
      assertEquals([text, found], [text, undefined]);
    }
  });
}
