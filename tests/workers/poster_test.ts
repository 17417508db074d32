import { type JsonObject, optional } from "../../lib/base/json.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  type Behaviour,
  rateLimited,
  refusal,
  type SlackStandIn,
  startSlack,
} from "../../deploy/standins/slack.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { JobElsewhere, JobError } from "../../lib/base/errors.ts";
import type {
  PostInput,
  PostResult,
  ReportedSeverity,
  Severity,
} from "../../lib/incident.ts";
import type { PostSeverity } from "../../lib/post/severity.ts";
import { encodeMessage, type Message } from "../../lib/message/message.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import type { JobContext } from "../../lib/platform/worker.ts";
import {
  type Claim,
  parseEvents,
  type PostEvent,
} from "../../lib/post/events.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { readHistory } from "../../lib/history.ts";
import { caution, post, SETTINGS } from "../../workers/poster.ts";
import {
  type FakeContext,
  fakeContext,
  type FakeOptions,
} from "../support/job_context.ts";
import { until } from "../support/until.ts";

const MESSAGE: Message = {
  text: "ERROR: Checkout is slow (checkout-api). p99 above 2 s",
  blocks: [
    {
      type: "header",
      text: { type: "plain_text", text: "Checkout is slow", emoji: false },
    },
    {
      type: "section",
      text: { type: "mrkdwn", text: "*p99* &gt; 2 s · ü ☃", verbatim: true },
    },
  ],
};
const APPROVED_AT = "2026-11-22T16:51:54.613Z";
const APPROVAL = {
  by: "ada <lovelace>",
  at: APPROVED_AT,
  rule_id: "incident-enricher-require-approval-post",
};
const KEY = "incident-enricher:posted:default:mock:INC-1:";
const SECRET = "standInSecret"; // The last part of the stand-in's webhooks.
const UNAPPROVED =
  "Posted without an approval, as POSTER_REQUIRE_APPROVAL=0 says";
const NO_COPY = "No copy of the payload could be kept";
const checkResult = compileCheck("PostResult");
const checkInput = compileCheck("PostInput");

type Context = JobContext<typeof SETTINGS>;

/** A post job that is ready to be done, unless a test spoils it. */
interface Scene extends FakeContext<typeof SETTINGS> {
  context: Context;
  input: PostInput;
  digest: string;
}

interface SceneOptions extends FakeOptions {
  /** Where Slack listens; without it the incident asks for an artifact. */
  slack?: SlackStandIn;
  /** The bytes that were approved, if not those of `MESSAGE`. */
  bytes?: Uint8Array;
  /** Changes to the job's record; `null` leaves the gateway without one. */
  record?: JsonObject | null;
}

async function setScene(options: SceneOptions = {}): Promise<Scene> {
  const { slack, bytes = encodeMessage(MESSAGE), record = {} } = options;
  const fake = fakeContext(SETTINGS, {
    ...options,
    env: {
      ...(slack === undefined
        ? {}
        : { SLACK_WEBHOOK_URL: slack.url, SLACK_ALLOWED_HOSTS: slack.host }),
      POST_TIMEOUT_MS: "1000",
      POST_SETTLE_MS: "0",
      ...options.env,
    },
  });
  const { id, topic, tenantId } = fake.context.job;
  if (record !== null) {
    fake.jobs.set(id, {
      id,
      topic,
      tenant: tenantId,
      context_ptr: `redis://ctx:${id}`,
      state: "RUNNING",
      safety_decision: "ALLOW",
      safety_reason: "approval granted",
      safety_rule_id: APPROVAL.rule_id,
      safety_job_hash: "5e3c6d079dc4eda6",
      approval_job_hash: "5e3c6d079dc4eda6",
      approval_at: Date.parse(APPROVED_AT) * 1000,
      approval_by: APPROVAL.by,
      ...record,
    });
  }
  const digest = await sha256Hex(bytes);
  const pointer = await fake.context.gateway.putArtifact({
    content: bytes,
    contentType: "application/json",
    retention: "audit",
  });
  const input: PostInput = {
    incident: {
      incident_id: "INC-1",
      destination: { mode: slack === undefined ? "artifact" : "slack" },
    },
    evidence: {
      incident_id: "INC-1",
      collected_at: new Date().toISOString(),
      evidence: [],
    },
    summary: {
      incident_id: "INC-1",
      summary_md: "# Checkout is slow",
      highlights: [],
      action_items: [],
      message_ptr: pointer,
      message_sha256: digest,
    },
  };
  assertEquals(checkInput(input), undefined);
  return { ...fake, input, digest };
}

async function postScene({ input, context }: Scene): Promise<PostResult> {
  const result = await post(input, context);
  assertEquals(checkResult(result), undefined);
  return result;
}

async function failScene(scene: Scene): Promise<JobError> {
  return await assertRejects(() => post(scene.input, scene.context), JobError);
}

/** The one record, by its key. */
function eventsOf({ lists }: Scene, destination?: string): PostEvent[] {
  const [key, ...more] = lists.keys();
  assertEquals(more, []);
  if (key === undefined) return [];
  if (destination !== undefined) assertEquals(key, KEY + destination);
  return parseEvents(lists.get(key)!);
}

function typesOf(scene: Scene): string[] {
  return eventsOf(scene).map(({ type }) => type);
}

/** That nothing was claimed, sent or stored. */
function assertUntouched(scene: Scene, slack?: SlackStandIn): void {
  assertEquals(scene.lists.size, 0);
  assertEquals(scene.artifacts.size, 1);
  assertEquals(slack?.connections() ?? 0, 0);
}

/** The payload that has to leave, byte for byte. */
function payloadOf(digest: string, released?: string): string {
  const who = released ??
    `◆ Approved by “ada &lt;lovelace&gt;” at ${APPROVED_AT}, asked for by rule ${APPROVAL.rule_id}`;
  const text = `${who} · run run-1 · message sha256 ${digest.slice(0, 16)}`;
  return JSON.stringify({
    text: MESSAGE.text,
    blocks: [
      ...MESSAGE.blocks,
      {
        type: "context",
        elements: [{ type: "mrkdwn", text, verbatim: true }],
      },
    ],
  });
}

function textOf({ artifacts }: Scene, pointer: string | undefined): string {
  return new TextDecoder().decode(artifacts.get(pointer ?? "")?.bytes);
}

/** A context with some of its parts replaced. */
function withParts(
  context: Context,
  parts: {
    gateway?: Partial<Context["gateway"]>;
    store?: Partial<Context["store"]>;
  },
): Context {
  return {
    ...context,
    gateway: { ...context.gateway, ...parts.gateway },
    store: { ...context.store, ...parts.store },
  };
}

const AWAY = () =>
  Promise.reject(new GatewayError("Cannot call: away", 503, "away"));

Deno.test("post() stores the message and its footer when the incident wants an artifact", async () => {
  const scene = await setScene();
  const start = Date.now();
  const { posted_at, ...result } = await postScene(scene);
  assert(Date.parse(posted_at) >= start);
  assertEquals(result, {
    incident_id: "INC-1",
    mode: "artifact",
    artifact_ptr: "redis://art:2",
    message_sha256: scene.digest,
    job_id: "run-1:post@1",
    run_id: "run-1",
    approval: APPROVAL,
  });
  assertEquals(textOf(scene, result.artifact_ptr), payloadOf(scene.digest));
  const { contentType, retention, labels } = scene.artifacts.get(
    "redis://art:2",
  )!;
  assertEquals(
    [contentType, retention, labels["kind"]],
    ["application/json", "audit", "incident.post"],
  );
  const [claim, posted, ...more] = eventsOf(scene, "artifact");
  assertEquals(more, []);
  assert(claim?.type === "claim" && posted?.type === "posted");
  assertEquals(claim.token, posted.token);
  assertEquals([claim.digest, claim.host], [scene.digest, "artifact"]);
});

Deno.test("post() sends the message and its footer once when the incident wants Slack", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const { posted_at, ...result } = await postScene(scene);
  assertEquals(result, {
    incident_id: "INC-1",
    mode: "slack",
    slack: { ok: true },
    artifact_ptr: "redis://art:2",
    message_sha256: scene.digest,
    job_id: "run-1:post@1",
    run_id: "run-1",
    destination_host: slack.host,
    approval: APPROVAL,
  });
  assertEquals(slack.received.map(({ body }) => body), [
    payloadOf(scene.digest),
  ]);
  assertEquals(textOf(scene, result.artifact_ptr), slack.received[0]!.body);
  const id = `slack:${(await sha256Hex(slack.url)).slice(0, 16)}`;
  const [claim, posted, ...more] = eventsOf(scene, id);
  assertEquals(more, []);
  assert(claim?.type === "claim" && posted?.type === "posted");
  assertEquals(claim.host, slack.host);
  assertEquals(posted.result, {
    posted_at,
    slack: { ok: true },
    approval: APPROVAL,
    message_sha256: scene.digest,
    job_id: "run-1:post@1",
    run_id: "run-1",
  });
});

Deno.test("post() notes what it sent for the next incident of the same subject", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const subject_key = "b".repeat(64);
  const title = "Slow, password=hunter2-is-mine";
  scene.input.evidence = {
    ...scene.input.evidence,
    subject_key,
    normalized_context: { title, severity: "critical" },
  };
  const { posted_at, artifact_ptr } = await postScene(scene);
  const key = `incident-enricher:history:default:${subject_key}`;
  const [item, ...more] = scene.lists.get(key)!.map(readHistory);
  assertEquals(more, []);
  assertEquals(item, {
    at: posted_at,
    incidentId: "INC-1",
    severity: "critical",
    title: "Slow, password=[secret:named#1]",
    mode: "slack",
    runId: "run-1",
    artifact: artifact_ptr!,
  });
  // What is not sent is not noted.
  assertEquals((await postScene(scene)).repeat, true);
  assertEquals(scene.lists.get(key)!.length, 1);
});

Deno.test("post() is done even if it cannot note the post", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  scene.input.evidence = {
    ...scene.input.evidence,
    subject_key: "c".repeat(64),
  };
  const { append } = scene.context.store;
  const context = withParts(scene.context, {
    store: {
      append: (key, item) =>
        key.includes(":history:")
          ? Promise.reject(new Error("Redis is away"))
          : append(key, item),
    },
  });
  const result = await post(scene.input, context);
  assertEquals([result.slack, result.warnings], [{ ok: true }, undefined]);
  assertEquals(scene.log.map(({ msg }) => msg), [
    "Cannot note a post for later incidents",
  ]);
});

Deno.test("post() sends the approved text and blocks, however their bytes are laid out", async () => {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ blocks: MESSAGE.blocks, text: MESSAGE.text }, null, 2),
  );
  await using slack = await startSlack();
  const scene = await setScene({ slack, bytes });
  await postScene(scene);
  assertEquals(slack.received[0]!.body, payloadOf(await sha256Hex(bytes)));
});

// Nothing is claimed, sent or stored unless every check passes.

interface Spoiled {
  when: string;
  options?: SceneOptions;
  spoil?: (scene: Scene) => void;
  code: string;
  message: string | RegExp;
}

const NOT_APPROVED: Spoiled[] = Object.entries<[JsonObject | null, string]>({
  "nobody approved it": [
    {
      safety_reason: "",
      approval_at: undefined,
      approval_job_hash: undefined,
      labels: { approval_granted: "true" },
    },
    "the safety decision does not rest on an approval",
  ],
  "its approval bounced": [
    { safety_decision: "REQUIRE_APPROVAL" },
    "the safety decision is REQUIRE_APPROVAL, expected ALLOW",
  ],
  "its job is over": [
    { state: "SUCCEEDED" },
    "the job's state is SUCCEEDED, expected one of SCHEDULED, DISPATCHED, RUNNING",
  ],
  "its packet names another tenant than its record": [
    { tenant: "acme" },
    "the record belongs to another tenant",
  ],
  "something else was approved": [
    { approval_job_hash: "0" },
    "the job is not the one that was approved",
  ],
}).map(([when, [record, why]]) => ({
  when,
  options: { record },
  code: "NOT_APPROVED",
  message: `Cannot post without a recorded approval: ${why}`,
}));

const NO_MESSAGE: Spoiled[] = Object.entries({
  "no JSON": "top secret words",
  "cut off": '{"text":"top secret wo',
  "empty": "",
  "null": "null",
  "without text": JSON.stringify({ blocks: MESSAGE.blocks }),
  "with an empty text": JSON.stringify({ ...MESSAGE, text: "" }),
  "without blocks": JSON.stringify({ text: "top secret words" }),
  "with no block in its list": JSON.stringify({ ...MESSAGE, blocks: [] }),
  "with a block too many": JSON.stringify({
    ...MESSAGE,
    blocks: Array(50).fill(MESSAGE.blocks[1]),
  }),
  "with a block of no type": JSON.stringify({ ...MESSAGE, blocks: [{}] }),
  "with null for a block": JSON.stringify({ ...MESSAGE, blocks: [null] }),
  "with fields that nobody was shown": JSON.stringify({
    ...MESSAGE,
    blocks: [{
      ...MESSAGE.blocks[1],
      fields: [{ type: "mrkdwn", text: "top secret words" }],
    }],
  }),
  "with an attachment": JSON.stringify({ ...MESSAGE, attachments: [] }),
  "with bytes that are no UTF-8": "\xff",
}).map(([what, text]) => ({
  when: `the approved artifact is ${what}`,
  // A character is a byte here, so that a text can spell any.
  options: { bytes: Uint8Array.from(text, (letter) => letter.charCodeAt(0)) },
  code: "JOB_INVALID_INPUT",
  message:
    /^Cannot post: the message is not (?:one of this pack: |JSON in UTF-8$)/,
}));

const SPOILED: Spoiled[] = [
  ...NOT_APPROVED,
  ...NO_MESSAGE,
  {
    when: "one bit of the stored message changed",
    spoil: ({ artifacts, input }) => {
      const artifact = artifacts.get(input.summary.message_ptr!)!;
      const bytes = artifact.bytes.slice();
      bytes[12]! ^= 1;
      artifacts.set(input.summary.message_ptr!, { ...artifact, bytes });
    },
    code: "DIGEST_MISMATCH",
    message:
      /^Cannot post: the message's sha256 is [0-9a-f]{64}, approved was [0-9a-f]{64}$/,
  },
  {
    when: "another message was approved",
    spoil: ({ input }) => input.summary.message_sha256 = "0".repeat(64),
    code: "DIGEST_MISMATCH",
    message:
      /^Cannot post: the message's sha256 is [0-9a-f]{64}, approved was 0{64}$/,
  },
  {
    when: "the summary names no message",
    spoil: ({ input }) => {
      delete input.summary.message_ptr;
      delete input.summary.message_sha256;
    },
    code: "JOB_INVALID_INPUT",
    message: "Cannot post: the summary names no message",
  },
  {
    when: "the summary names a digest alone",
    spoil: ({ input }) => delete input.summary.message_ptr,
    code: "JOB_INVALID_INPUT",
    message: "Cannot post: the summary names no message",
  },
  {
    when: "the summary names a message without its digest",
    spoil: ({ input }) => delete input.summary.message_sha256,
    code: "JOB_INVALID_INPUT",
    message: "Cannot post: the summary names no message",
  },
  {
    when: "the host is not listed",
    options: { env: { SLACK_ALLOWED_HOSTS: "hooks.slack.com" } },
    code: "DESTINATION_REFUSED",
    message:
      /^Cannot post: host "127\.0\.0\.1:\d+" is not allowed; set SLACK_ALLOWED_HOSTS$/,
  },
  {
    when: "policy does not list the host",
    options: { constraints: { networkAllowlist: ["hooks.slack.com"] } },
    code: "DESTINATION_REFUSED",
    message: /^Cannot post: policy does not allow host "127\.0\.0\.1:\d+"$/,
  },
  {
    when: "the policy in the job's record does not list the host",
    options: {
      record: {
        safety_constraints: {
          sandbox: { network_allowlist: ["hooks.slack.com"] },
        },
      },
    },
    code: "DESTINATION_REFUSED",
    message: /^Cannot post: policy does not allow host "127\.0\.0\.1:\d+"$/,
  },
  {
    when: "the policy in the job's record cannot be read",
    options: { record: { safety_constraints: { budgets: "many" } } },
    code: "JOB_CONSTRAINTS_INVALID",
    message: "Cannot read the policy's constraint budgets: expected an object",
  },
  {
    when: "the evidence is older than a post may be",
    spoil: ({ input }) => {
      input.evidence.collected_at = "2026-01-15T09:30:00.000Z";
    },
    code: "POST_TOO_OLD",
    message:
      /^Cannot post: its evidence was collected \d+ d.* ago, and POST_MAX_AGE_S allows 12 h$/,
  },
  {
    when: "only the incident names a webhook",
    options: { env: { SLACK_WEBHOOK_URL: "" } },
    spoil: ({ input }) => {
      const url = `https://hooks.slack.com/services/${SECRET}`;
      input.incident.destination!.slack_webhook_url = url;
    },
    code: "DESTINATION_REFUSED",
    message: "Cannot post: no webhook is configured; set SLACK_WEBHOOK_URL",
  },
];

for (const { when, options, spoil, code, message } of SPOILED) {
  Deno.test(`post() throws ${code} and leaves no trace when ${when}`, async () => {
    await using slack = await startSlack();
    const scene = await setScene({ slack, ...options });
    spoil?.(scene);
    const error = await failScene(scene);
    assertEquals([error.code, error.retryable], [code, false]);
    if (typeof message === "string") assertEquals(error.message, message);
    else assertMatch(error.message, message);
    assert(!JSON.stringify(scene.log).includes("top secret"));
    assertUntouched(scene, slack);
    assertNoSecret(scene, error);
  });
}

Deno.test("post() leaves no trace when the gateway knows no such job", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack, record: null });
  await assertRejects(
    () => post(scene.input, scene.context),
    GatewayError,
    "404",
  );
  assertUntouched(scene, slack);
});

Deno.test("post() leaves no trace when the message is gone", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  scene.input.summary.message_ptr = "redis://art:other";
  await assertRejects(
    () => post(scene.input, scene.context),
    GatewayError,
    "404",
  );
  assertUntouched(scene, slack);
});

Deno.test("post() leaves no trace when the job was aborted during the checks", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const { readArtifact } = scene.context.gateway;
  const reason = new JobError("JOB_CANCELLED", "The job was cancelled");
  scene.context = withParts(scene.context, {
    gateway: {
      readArtifact: (...args) => {
        scene.abort.abort(reason);
        return readArtifact(...args);
      },
    },
  });
  assertEquals(await failScene(scene), reason);
  assertUntouched(scene, slack);
});

Deno.test("post() sends nothing and frees the record when the job is aborted as it claims", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const { append } = scene.context.store;
  scene.context = withParts(scene.context, {
    store: {
      append: (...args) => {
        scene.abort.abort(new JobError("JOB_CANCELLED", "Cancelled"));
        return append(...args);
      },
    },
  });
  const error = await failScene(scene);
  assertEquals(
    [error.code, error.message],
    ["POST_REFUSED", "Cannot post: the job was aborted"],
  );
  assertEquals(slack.connections(), 0);
  assertEquals(typesOf(scene), ["claim", "refused"]);
});

// What Slack says decides what the record says.

const OUTCOMES: {
  when: string;
  behaviour: Behaviour;
  code: string;
  message: string;
  retryable?: boolean;
  types: string[];
}[] = [
  {
    when: "the webhook is gone",
    behaviour: refusal("no_service"),
    code: "POST_REFUSED",
    message: "Cannot post: Slack answered status 404 (no_service)",
    types: ["claim", "refused"],
  },
  {
    when: "Slack is too busy for the time there is",
    behaviour: rateLimited("60"),
    code: "POST_REFUSED",
    message: "Cannot post: Slack answered status 429",
    retryable: true,
    types: ["claim", "refused"],
  },
  {
    when: "Slack fails",
    behaviour: refusal("rollup_error"),
    code: "POST_IN_DOUBT",
    message:
      "Cannot tell whether it was posted: Slack answered status 500 (rollup_error); a person has to look",
    types: ["claim", "unknown"],
  },
  {
    when: "the connection is reset after Slack read it",
    behaviour: "reset after reading",
    code: "POST_IN_DOUBT",
    message:
      "Cannot tell whether it was posted: connection lost (ECONNRESET); a person has to look",
    types: ["claim", "unknown"],
  },
  {
    when: "no answer comes",
    behaviour: "never answer",
    code: "POST_IN_DOUBT",
    message:
      "Cannot tell whether it was posted: no answer in time; a person has to look",
    types: ["claim", "unknown"],
  },
];

for (
  const { when, behaviour, code, message, retryable = false, types } of OUTCOMES
) {
  Deno.test(`post() throws ${code} and writes ${types[1]} when ${when}`, async () => {
    await using slack = await startSlack({ behaviour: () => behaviour });
    const scene = await setScene({ slack });
    const error = await failScene(scene);
    assertEquals(
      [error.code, error.message, error.retryable],
      [code, message, retryable],
    );
    assertEquals(typesOf(scene), types);
    assertEquals(slack.connections(), 1);
    assertEquals(scene.artifacts.size, 1);
    assertNoSecret(scene, error);
  });
}

Deno.test("post() throws POST_REFUSED and writes refused when nobody listens", async () => {
  const slack = await startSlack();
  await slack[Symbol.asyncDispose]();
  const scene = await setScene({ slack });
  const error = await failScene(scene);
  assertEquals(
    [error.code, error.message, error.retryable],
    ["POST_REFUSED", "Cannot post: no connection (ECONNREFUSED)", true],
  );
  assertEquals(typesOf(scene), ["claim", "refused"]);
  assertNoSecret(scene, error);
});

Deno.test("post() warns when Slack takes the message in words of its own", async () => {
  await using slack = await startSlack({
    behaviour: () => ({ status: 200, body: "<html>ok</html>" }),
  });
  const scene = await setScene({ slack });
  const { warnings, slack: said } = await postScene(scene);
  assertEquals(said, { ok: true });
  assertEquals(warnings, [
    'Slack answered status 200 with a body other than "ok"',
  ]);
  assertEquals(typesOf(scene), ["claim", "posted"]);
});

// The second job for an incident.

/** Another job for the same incident, on the same record. */
async function secondScene(
  first: Scene,
  options: SceneOptions,
): Promise<Scene> {
  const job = { id: "run-2:post@1", runId: "run-2" };
  const second = await setScene({ job, ...options });
  const { append, list } = first.context.store;
  const context = withParts(second.context, { store: { append, list } });
  return { ...second, context, lists: first.lists };
}

Deno.test("post() repeats the first result and sends nothing when the incident was posted", async () => {
  await using slack = await startSlack();
  const first = await setScene({ slack });
  const { artifact_ptr: _, ...result } = await postScene(first);
  const bytes = encodeMessage({ ...MESSAGE, text: "Later, and worse" });
  const second = await secondScene(first, {
    slack,
    bytes,
    record: { approval_by: "bob" },
  });
  assertEquals(await postScene(second), {
    ...result,
    repeat: true,
    posted_as: "warning",
    warnings: [`Not sent: posted before as WARNING at ${result.posted_at}`],
  });
  assertEquals(slack.connections(), 1);
  assertEquals(typesOf(first), ["claim", "posted"]);
  assertEquals(second.artifacts.size, 1);
});

Deno.test("post() sends nothing when an earlier version posted an incident by an id that holds a secret", async () => {
  await using slack = await startSlack();
  const first = await setScene({ slack });
  await postScene(first);
  const [claim, posted] = first.lists.values().next().value!;
  const scene = await setScene({ slack });
  scene.input.incident.incident_id = "host-10.1.2.3";
  const id = `slack:${(await sha256Hex(slack.url)).slice(0, 16)}`;
  const former = KEY.replace("INC-1", "host-10.1.2.3") + id;
  scene.lists.set(former, [claim!, posted!]);
  const { repeat, incident_id } = await postScene(scene);
  assertEquals([repeat, slack.received.length], [true, 1]);
  assertMatch(incident_id, /^mock:[0-9a-f]{32}$|^host-/);
  // The former key is read, and nothing is written by it.
  assertEquals([...scene.lists], [[former, [claim!, posted!]]]);
});

Deno.test("post() repeats the pointer of the first artifact when the incident was stored", async () => {
  const first = await setScene();
  const result = await postScene(first);
  const second = await secondScene(first, {});
  const { artifact_ptr, posted_as } = await postScene(second);
  assertEquals([artifact_ptr, posted_as], [result.artifact_ptr, "warning"]);
  assertEquals(second.artifacts.size, 1);
});

Deno.test("post() repeats its own result when its job is delivered again", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const { artifact_ptr: _, ...result } = await postScene(scene);
  const posted_as = "warning";
  assertEquals(await postScene(scene), { ...result, repeat: true, posted_as });
  assertEquals(slack.connections(), 1);
});

Deno.test("post() needs an approval of its own to repeat a result", async () => {
  await using slack = await startSlack();
  const first = await setScene({ slack });
  await postScene(first);
  const second = await secondScene(first, {
    slack,
    record: { safety_decision: "REQUIRE_APPROVAL" },
  });
  assertEquals((await failScene(second)).code, "NOT_APPROVED");
});

Deno.test("post() sends again when the first was refused", async () => {
  await using slack = await startSlack({
    behaviour: (nth) => nth === 1 ? refusal("no_service") : "slack",
  });
  const first = await setScene({ slack });
  await failScene(first);
  const second = await secondScene(first, { slack });
  const result = await postScene(second);
  assertEquals([result.job_id, result.repeat], ["run-2:post@1", undefined]);
  assertEquals(slack.received.length, 2);
  assertEquals(typesOf(first), ["claim", "refused", "claim", "posted"]);
});

Deno.test("post() throws POST_IN_DOUBT and sends nothing when the first cannot be told", async () => {
  await using slack = await startSlack({
    behaviour: (nth) => nth === 1 ? "reset after reading" : "slack",
  });
  const first = await setScene({ slack });
  await failScene(first);
  const error = await failScene(await secondScene(first, { slack }));
  assertEquals(
    [error.code, error.message, error.retryable],
    [
      "POST_IN_DOUBT",
      "Cannot post: it may have been posted already (connection lost (ECONNRESET)); a person has to look",
      false,
    ],
  );
  assertEquals(slack.connections(), 1);
  assertEquals(typesOf(first), ["claim", "unknown"]);
});

Deno.test("post() sends to another destination when the incident was posted to one", async () => {
  await using one = await startSlack();
  await using two = await startSlack();
  const first = await setScene({ slack: one });
  await postScene(first);
  await postScene(await secondScene(first, { slack: two }));
  await postScene(await secondScene(first, {}));
  assertEquals([one.connections(), two.connections()], [1, 1]);
  assertEquals(first.lists.size, 3);
});

Deno.test("post() says nothing when this job is at work in another process", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const other = { ...CLAIM, job_id: "run-1:post@1" };
  await plant(scene, { ...other, at: new Date().toISOString() });
  await assertRejects(
    () => post(scene.input, scene.context),
    JobElsewhere,
    "Another process does this job",
  );
  assertEquals(slack.connections(), 0);
});

Deno.test("post() throws POST_IN_DOUBT when another job is at work and does not settle", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  await plant(scene, CLAIM);
  const error = await failScene(scene);
  assertEquals(error.code, "POST_IN_DOUBT");
  assertMatch(
    error.message,
    /^Cannot post: it may have been posted already \(job run-9:post@1 may have sent it, claimed \d+ s ago\); a person has to look$/,
  );
  assertEquals(typesOf(scene), ["claim"]);
});

Deno.test("post() ends its wait for another job when its own is aborted", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack, env: { POST_SETTLE_MS: "600000" } });
  await plant(scene, CLAIM);
  const { list } = scene.context.store;
  let reads = 0;
  scene.context = withParts(scene.context, {
    store: { list: (key) => (reads++, list(key)) },
  });
  const failed = failScene(scene);
  await until("the first look at the record", () => reads > 0);
  scene.abort.abort(new JobError("JOB_CANCELLED", "Cancelled"));
  assertEquals((await failed).code, "JOB_CANCELLED");
  assertEquals(typesOf(scene), ["claim"]);
});

Deno.test("post() says who marked it when a person did", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const at = "2026-11-22T17:00:00.000Z";
  await plant(scene, { type: "marked", by: "bob", why: "saw it", at });
  const result = await postScene(scene);
  assertEquals(
    [result.repeat, result.posted_at, result.warnings, result.approval],
    [
      true,
      at,
      [
        `Not sent: posted before at ${at}`,
        "Marked as posted by bob",
      ],
      undefined,
    ],
  );
  assertEquals(slack.connections(), 0);
});

/** The same incident with a severity of its own, in the job of another run. */
async function withSeverity(
  first: Scene | undefined,
  severity: Severity | undefined,
  { run, dryRun = false, slack }: {
    run: number;
    dryRun?: boolean;
    slack?: SlackStandIn;
  },
): Promise<Scene> {
  const scene = await setScene({
    ...optional("slack", slack),
    job: { id: `run-${run}:post@1`, runId: `run-${run}`, dryRun },
  });
  if (first !== undefined) {
    const { store } = first.context;
    scene.context = withParts(scene.context, { store });
    scene.lists = first.lists;
  }
  Object.assign(scene.input.incident, { ...optional("severity", severity) });
  const context = optional("normalized_context", severity && { severity });
  Object.assign(scene.input.evidence, context);
  return scene;
}

/** What people read in the block that the poster adds. */
function footersOf({ received }: SlackStandIn): string[][] {
  return received.map(({ body }) => {
    const { blocks } = JSON.parse(body) as Message;
    const { elements } = blocks.at(-1) as unknown as {
      elements: { text: string }[];
    };
    return elements.map(({ text }) => text);
  });
}

Deno.test("post() sends one more message for each severity that is worse, worded as an update", async (t) => {
  await using slack = await startSlack();
  const first = await withSeverity(undefined, "warning", {
    slack,
    run: 1,
  });
  const warned = await postScene(first);
  const clock = (at: string) => `${at.slice(0, 19).replace("T", " ")} UTC`;
  const follow = (severity: Severity | undefined, run: number) =>
    withSeverity(first, severity, { slack, run });
  await t.step("an equal one, and one nobody knows, are not sent", async () => {
    for (const severity of ["warning", "info", undefined] as const) {
      const result = await postScene(await follow(severity, 2));
      assertEquals(
        [result.repeat, result.posted_as, result.job_id, result.posted_at],
        [true, "warning", "run-1:post@1", warned.posted_at],
      );
      assertEquals(result.warnings, [
        `Not sent: posted before as WARNING at ${warned.posted_at}`,
      ]);
    }
    assertEquals(slack.connections(), 1);
  });
  await t.step(
    "a worse one is, byte for byte and with its update",
    async () => {
      const result = await postScene(await follow("critical", 3));
      assertEquals(
        [result.repeat, result.posted_as, result.update_of],
        [
          undefined,
          undefined,
          { severity: "warning", posted_at: warned.posted_at },
        ],
      );
      const [, sent, ...more] = slack.received.map(({ body }) =>
        JSON.parse(body) as Message
      );
      assertEquals(more, []);
      assertEquals(sent!.text, MESSAGE.text);
      assertEquals(sent!.blocks.slice(0, -1), MESSAGE.blocks);
      const [plain, update] = footersOf(slack);
      assertEquals(plain!.length, 1);
      assertEquals(
        update![0],
        `\u{1F534} Update: now CRITICAL, was WARNING; first message at ${
          clock(warned.posted_at)
        }`,
      );
    },
  );
  await t.step("then nothing more is", async () => {
    for (const severity of ["critical", "error", "warning"] as const) {
      const result = await postScene(await follow(severity, 4));
      assertEquals(
        [result.repeat, result.posted_as, result.job_id],
        [true, "critical", "run-3:post@1"],
      );
    }
    assertEquals(slack.connections(), 2);
  });
  await t.step("the first job still answers for its own message", async () => {
    const result = await postScene(first);
    assertEquals(
      [result.repeat, result.posted_as, result.job_id, result.warnings],
      [true, "warning", "run-1:post@1", undefined],
    );
  });
});

Deno.test("post() says when the first message was when the severity rises twice", async () => {
  await using slack = await startSlack();
  const first = await withSeverity(undefined, "info", {
    slack,
    run: 1,
  });
  const { posted_at } = await postScene(first);
  await postScene(await withSeverity(first, "warning", { slack, run: 2 }));
  await postScene(await withSeverity(first, "error", { slack, run: 3 }));
  const since = `first message at ${
    posted_at.slice(0, 19).replace("T", " ")
  } UTC`;
  assertEquals(footersOf(slack).map((texts) => texts.slice(0, -1)), [
    [],
    [`\u{1F7E1} Update: now WARNING, was INFO; ${since}`],
    [`\u{1F7E0} Update: now ERROR, was WARNING; ${since}`],
  ]);
});

Deno.test("post() keeps what was posted when an update is refused or in doubt", async () => {
  await using slack = await startSlack({
    behaviour: (nth) =>
      ["slack" as const, refusal("no_service"), refusal("rollup_error")][
        nth - 1
      ]!,
  });
  const first = await withSeverity(undefined, "warning", {
    slack,
    run: 1,
  });
  await postScene(first);
  const follow = (severity: Severity, run: number) =>
    withSeverity(first, severity, { slack, run });
  const refused = await failScene(await follow("critical", 2));
  assertEquals(refused.code, "POST_REFUSED");
  assertEquals((await postScene(await follow("warning", 3))).repeat, true);
  const doubtful = await failScene(await follow("critical", 4));
  assertEquals(doubtful.code, "POST_IN_DOUBT");
  // A worse one waits for a person; what was posted is answered for.
  assertEquals(
    (await failScene(await follow("critical", 5))).code,
    "POST_IN_DOUBT",
  );
  assertEquals((await postScene(await follow("warning", 6))).repeat, true);
  assertEquals(slack.connections(), 3);
});

Deno.test("post() counts severities for each destination, artifacts too", async () => {
  await using slack = await startSlack();
  const first = await withSeverity(undefined, "warning", { run: 1 });
  await postScene(first);
  const update = await postScene(
    await withSeverity(first, "error", { run: 2 }),
  );
  assertEquals(update.update_of?.severity, "warning");
  const elsewhere = await postScene(
    await withSeverity(first, "warning", { slack, run: 3 }),
  );
  assertEquals([elsewhere.repeat, elsewhere.update_of], [undefined, undefined]);
  assertEquals(slack.connections(), 1);
});

Deno.test("post() says what a post would do when the run is dry", async () => {
  const first = await withSeverity(undefined, "warning", { run: 1 });
  const { posted_at } = await postScene(first);
  const rehearse = async (severity: Severity) => {
    const scene = await withSeverity(first, severity, {
      run: 2,
      dryRun: true,
    });
    const result = await postScene(scene);
    assertEquals(result.dry_run, true);
    const isUpdate = textOf(scene, result.artifact_ptr).includes(
      "Update: now ",
    );
    return [result.update_of?.severity, isUpdate, result.warnings];
  };
  const before = `posted before as WARNING at ${posted_at}`;
  assertEquals(await rehearse("error"), ["warning", true, undefined]);
  assertEquals(await rehearse("info"), [
    undefined,
    false,
    [`Would not be sent: ${before}`],
  ]);
  const { lists } = first;
  const [key] = lists.keys();
  const claim = { ...CLAIM, token: "B", severity: "error" };
  lists.get(key!)!.push(JSON.stringify(claim));
  assertEquals(await rehearse("critical"), [
    undefined,
    true,
    ["Would not be sent: an earlier message is in doubt; a person has to look"],
  ]);
  lists.get(key!)!.splice(
    -1,
    1,
    JSON.stringify({ ...claim, at: new Date().toISOString() }),
  );
  assertEquals(await rehearse("critical"), [
    undefined,
    true,
    ["Would wait: another job is posting"],
  ]);
  assertEquals(lists.get(key!)!.length, 3);
});

Deno.test("post() does not say a severity that 0.1.0 did not record", async () => {
  await using slack = await startSlack();
  const scene = await withSeverity(undefined, "critical", { run: 1, slack });
  const at = "2026-11-22T17:00:00.000Z";
  const { token, digest, job_id, run_id } = CLAIM;
  const result = { posted_at: at, message_sha256: digest, job_id, run_id };
  await plant(scene, CLAIM);
  await plant(scene, { type: "posted", token, result, at });
  const { repeat, posted_as, warnings } = await postScene(scene);
  assertEquals([repeat, posted_as], [true, undefined]);
  assertEquals(warnings, [`Not sent: posted before at ${at}`]);
});

const CLAIMED: [
  reported: ReportedSeverity | undefined,
  shown: Severity | undefined,
  claimed: PostSeverity,
][] = [
  ["warning", "critical", "critical"],
  ["unknown", "warning", "unknown"],
  ["critical", undefined, "unknown"],
];
for (const [reported, shown, claimed] of CLAIMED) {
  Deno.test(`post() claims as ${claimed} when ${reported} is reported and ${shown} shown`, async () => {
    const scene = await withSeverity(undefined, shown, { run: 1 });
    Object.assign(scene.input.incident, { severity: reported });
    await postScene(scene);
    const [claim] = eventsOf(scene);
    assert(claim?.type === "claim");
    assertEquals(claim.severity, claimed);
  });
}

Deno.test("post() repeats a mark whose claim was no message's", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const forget = { job_id: "posts forget", run_id: "", digest: "" };
  await plant(scene, { ...CLAIM, ...forget, severity: "critical" });
  const { token, at } = CLAIM;
  await plant(scene, { type: "marked", token, by: "bob", why: "saw it", at });
  const result = await postScene(scene);
  assertEquals(
    [result.repeat, result.job_id, result.message_sha256],
    [true, "posts forget", undefined],
  );
});

for (
  const link of [
    "javascript:alert(1)",
    "https://acme.test/a b",
    "https://acme.test/%zz",
    `https://acme.test/${"x".repeat(2000)}`,
  ]
) {
  Deno.test(`post() leaves out a mark's link to ${link.slice(0, 40)}`, async () => {
    await using slack = await startSlack();
    const scene = await setScene({ slack });
    const at = "2026-11-22T17:00:00.000Z";
    await plant(scene, { type: "marked", by: "bob", why: "saw it", link, at });
    const result = await postScene(scene);
    assertEquals([result.repeat, result.slack], [true, undefined]);
  });
}

Deno.test("post() sends an update after what a person marked, and says so", async () => {
  await using slack = await startSlack();
  const first = await withSeverity(undefined, "warning", {
    slack,
    run: 1,
  });
  const at = "2026-11-22T17:00:00.000Z";
  const link = "https://acme.slack.com/archives/C1/p1";
  const by = "b".repeat(500);
  await plant(first, { ...CLAIM, severity: "warning" });
  await plant(first, {
    type: "marked",
    token: CLAIM.token,
    by,
    why: "saw it",
    link,
    at,
  });
  const follow = (severity: Severity, run: number) =>
    withSeverity(first, severity, { slack, run });
  const result = await postScene(await follow("warning", 2));
  assertEquals(
    [result.posted_as, result.posted_at, result.job_id, result.slack],
    ["warning", at, CLAIM.job_id, {
      ok: true,
      permalink: link,
    }],
  );
  assertEquals(
    result.warnings?.[0],
    `Not sent: posted before as WARNING at ${at}`,
  );
  await postScene(await follow("critical", 3));
  assertEquals(footersOf(slack).map(([update]) => update), [
    "\u{1F534} Update: now CRITICAL, was WARNING; first message marked as posted at 2026-11-22 17:00:00 UTC",
  ]);
});

Deno.test("post() throws POST_IN_DOUBT when the record cannot be read", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  await plant(scene, "not ours");
  const error = await failScene(scene);
  assertEquals(
    [error.code, error.message],
    [
      "POST_IN_DOUBT",
      "Cannot read the post's record: item 0 is not one of our events",
    ],
  );
  assertEquals(slack.connections(), 0);
});

const CLAIM: Claim = {
  type: "claim",
  token: "other",
  job_id: "run-9:post@1",
  run_id: "run-9",
  digest: "0".repeat(64),
  host: "hooks.slack.com",
  at: "2026-01-01T00:00:00.000Z",
};

/** Puts something into the record before the poster looks. */
async function plant(scene: Scene, item: PostEvent | string): Promise<void> {
  const url = scene.context.settings.slackWebhookUrl!;
  const key = `${KEY}slack:${(await sha256Hex(url)).slice(0, 16)}`;
  const text = typeof item === "string" ? item : JSON.stringify(item);
  await scene.context.store.append(key, text);
}

for (
  const [incident, id] of [
    [{ incident_id: "INC-1" }, "mock:INC-1"],
    [{ incident_id: "mock:INC-1" }, "mock:INC-1"],
    [
      { incident_id: "PT4KHLK", source: { system: "pagerduty" } },
      "pagerduty:PT4KHLK",
    ],
  ] as const
) {
  Deno.test(`post() keeps its record under ${id} when the incident is ${JSON.stringify(incident)}`, async () => {
    const scene = await setScene({ job: { tenantId: "acme" } });
    scene.input.incident = incident;
    await postScene(scene);
    assertEquals([...scene.lists.keys()], [
      `incident-enricher:posted:acme:${id}:artifact`,
    ]);
  });
}

// What fails after the message is out is a warning, never a second message.

Deno.test("post() only warns when no copy can be kept", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  scene.context = withParts(scene.context, { gateway: { putArtifact: AWAY } });
  const result = await postScene(scene);
  assertEquals(
    [result.slack, result.artifact_ptr, result.warnings],
    [{ ok: true }, undefined, [NO_COPY]],
  );
  assertEquals(slack.connections(), 1);
  assertEquals(typesOf(scene), ["claim", "posted"]);
  assertEquals(scene.log.map(({ level, msg }) => [level, msg]), [
    ["warn", "Cannot keep a copy of the post"],
  ]);
  assertNoSecret(scene, result);
});

/** A store that takes the claim and loses everything after it. */
function losingStore({ append }: Context["store"]): Partial<Context["store"]> {
  return {
    append: (key, item) =>
      JSON.parse(item).type === "claim"
        ? append(key, item)
        : Promise.reject(new Error("Redis is away")),
  };
}

const NO_RECORD =
  "The outcome of the post could not be recorded; its claim stays until a person frees it";

Deno.test("post() only warns when its success cannot be written down, and the claim stays", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const { context } = scene;
  scene.context = withParts(context, { store: losingStore(context.store) });
  const result = await postScene(scene);
  assertEquals(
    [result.slack, result.artifact_ptr, result.warnings],
    [{ ok: true }, "redis://art:2", [NO_RECORD]],
  );
  assertEquals(typesOf(scene), ["claim"]);
  assertEquals(
    scene.log.map(({ level, msg, outcome }) => [level, msg, outcome]),
    [
      ["error", "Cannot record the outcome of a post", "posted"],
    ],
  );
  const error = await failScene(await secondScene(scene, { slack }));
  assertEquals(error.code, "POST_IN_DOUBT");
  assertEquals(slack.connections(), 1);
});

Deno.test("post() gives both warnings when neither record nor copy can be kept", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const { context } = scene;
  scene.context = withParts(context, {
    gateway: { putArtifact: AWAY },
    store: losingStore(context.store),
  });
  assertEquals((await postScene(scene)).warnings, [NO_RECORD, NO_COPY]);
});

for (
  const [behaviour, code] of [
    [refusal("no_service"), "POST_REFUSED"],
    ["reset after reading", "POST_IN_DOUBT"],
  ] as const
) {
  Deno.test(`post() throws ${code} and the claim stays when that cannot be written down`, async () => {
    await using slack = await startSlack({ behaviour: () => behaviour });
    const scene = await setScene({ slack });
    const { context } = scene;
    scene.context = withParts(context, { store: losingStore(context.store) });
    assertEquals((await failScene(scene)).code, code);
    assertEquals(typesOf(scene), ["claim"]);
    assertEquals(scene.log.length, 1);
  });
}

Deno.test("post() keeps policy's limits when a proxy answers 404 for the job's record", async () => {
  await using slack = await startSlack();
  const scene = await setScene({
    slack,
    env: { POSTER_REQUIRE_APPROVAL: "0" },
  });
  const proxy = new GatewayError(
    "Cannot call",
    404,
    "404 page not found",
    { foreign: true },
  );
  scene.context = withParts(scene.context, {
    gateway: { readJob: () => Promise.reject(proxy) },
  });
  await assertRejects(() => post(scene.input, scene.context), GatewayError);
  assertUntouched(scene, slack);
});

Deno.test("post() sends nothing when its approval is gone after the claim", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const { readJob } = scene.context.gateway;
  let reads = 0;
  scene.context = withParts(scene.context, {
    gateway: {
      readJob: (jobId) =>
        ++reads === 1
          ? readJob(jobId)
          : Promise.reject(new GatewayError("Cannot call", 404, "not found")),
    },
  });
  await assertRejects(() => post(scene.input, scene.context), GatewayError);
  assertEquals(reads, 2);
  assertEquals(slack.connections(), 0);
  assertEquals(typesOf(scene), ["claim", "refused"]);
});

Deno.test("post() sends nothing when the claim cannot be written", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  const away = () => Promise.reject(new Error("Redis is away"));
  scene.context = withParts(scene.context, { store: { append: away } });
  await assertRejects(
    () => post(scene.input, scene.context),
    Error,
    "Redis is away",
  );
  assertUntouched(scene, slack);
});

Deno.test("post() throws POST_REFUSED and frees the record when the artifact cannot be stored", async () => {
  const scene = await setScene();
  const { context } = scene;
  scene.context = withParts(context, { gateway: { putArtifact: AWAY } });
  const error = await failScene(scene);
  assertEquals(
    [error.code, error.message, error.retryable],
    ["POST_REFUSED", "Cannot post: Cannot call: away", true],
  );
  // By its cause, the worker knows that the post is not at fault.
  assert(error.cause instanceof GatewayError);
  assertEquals(typesOf(scene), ["claim", "refused"]);
  assertEquals((await postScene({ ...scene, context })).mode, "artifact");
});

// Settings that change what it does.

for (const wanted of ["slack", "artifact"] as const) {
  Deno.test(`post() keeps the payload for a day and sends nothing when a run for ${wanted} is dry`, async () => {
    await using slack = await startSlack();
    const scene = await setScene({
      ...(wanted === "slack" ? { slack } : {}),
      job: { dryRun: true },
    });
    const result = await postScene(scene);
    assertEquals(
      [result.mode, result.dry_run, result.artifact_ptr, result.slack],
      [wanted, true, "redis://art:2", undefined],
    );
    assertEquals(result.approval, APPROVAL);
    assertEquals(textOf(scene, result.artifact_ptr), payloadOf(scene.digest));
    assertEquals(scene.artifacts.get("redis://art:2")!.retention, "short");
    assertEquals([scene.lists.size, slack.connections()], [0, 0]);
  });
}

Deno.test("post() runs every check when the run is dry", async () => {
  const job = { dryRun: true };
  const unapproved = await setScene({ job, record: { safety_reason: "" } });
  assertEquals((await failScene(unapproved)).code, "NOT_APPROVED");
  assertUntouched(unapproved);
  const changed = await setScene({ job });
  changed.input.summary.message_sha256 = "0".repeat(64);
  assertEquals((await failScene(changed)).code, "DIGEST_MISMATCH");
  assertUntouched(changed);
});

Deno.test("poster cautions its operator only when it needs no approval", () => {
  const read = (value: string) =>
    fakeContext(SETTINGS, { env: { POSTER_REQUIRE_APPROVAL: value } }).context;
  assertEquals(caution(read("1").settings), undefined);
  assertEquals(
    caution(read("0").settings),
    "POSTER_REQUIRE_APPROVAL=0: posts are sent without an approval",
  );
});

for (const mode of ["slack", "artifact"] as const) {
  Deno.test(`post() shows that nobody approved a post of mode ${mode} when it needs no approval`, async () => {
    await using slack = await startSlack();
    const scene = await setScene({
      ...(mode === "slack" ? { slack } : {}),
      env: { POSTER_REQUIRE_APPROVAL: "0" },
      record: null, // The gateway is not even asked.
    });
    const result = await postScene(scene);
    assertEquals([result.warnings, result.approval], [[UNAPPROVED], undefined]);
    assertEquals(
      textOf(scene, result.artifact_ptr),
      payloadOf(scene.digest, "◆ Posted without approval, as configured"),
    );
    assertEquals(slack.connections(), mode === "slack" ? 1 : 0);
  });
}

Deno.test("post() names the approver as not recorded when the platform keeps none", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack, record: { approval_by: undefined } });
  assertEquals((await postScene(scene)).approval?.by, "not recorded");
  const released =
    `◆ Approved by “not recorded” at ${APPROVED_AT}, asked for by rule ${APPROVAL.rule_id}`;
  assertEquals(slack.received[0]!.body, payloadOf(scene.digest, released));
});

Deno.test("post() sends to the incident's own webhook only when it is told to trust it", async () => {
  await using configured = await startSlack();
  await using given = await startSlack();
  const hosts = { SLACK_ALLOWED_HOSTS: `${configured.host},${given.host}` };
  for (const trusting of ["0", "1"]) {
    const scene = await setScene({
      slack: configured,
      env: { ...hosts, POSTER_ALLOW_INPUT_URL: trusting },
    });
    scene.input.incident.destination!.slack_webhook_url = given.url;
    const result = await postScene(scene);
    assertNoSecret(scene, result);
  }
  assertEquals([configured.connections(), given.connections()], [1, 1]);
});

// The URL is a credential.

/** That the webhook's URL is nowhere in what a job leaves behind. */
function assertNoSecret(scene: Scene, outcome: unknown): void {
  const artifacts = [...scene.artifacts].map(([pointer, artifact]) => [
    pointer,
    { ...artifact, bytes: new TextDecoder().decode(artifact.bytes) },
  ]);
  const places = {
    artifacts: JSON.stringify(artifacts),
    record: JSON.stringify([...scene.lists]),
    log: JSON.stringify(scene.log),
    result: JSON.stringify(outcome) ?? "",
    // With stack and causes.
    error: Deno.inspect(outcome, { depth: 20, strAbbreviateSize: Infinity }),
  };
  for (const [place, text] of Object.entries(places)) {
    assert(!text.includes(SECRET), `the secret is in the ${place}`);
    assert(!text.includes("/services/"), `the path is in the ${place}`);
  }
}

Deno.test("post() leaves the webhook's URL nowhere, whatever becomes of the post", async () => {
  const behaviours: Behaviour[] = [
    "slack",
    "never answer",
    "reset before reading",
    "reset after reading",
    rateLimited("60"),
    refusal("invalid_token"),
    { status: 500, body: `no route for /services/${SECRET}` },
    { status: 404, body: SECRET },
    { status: 200, body: `sent to ${SECRET}` },
    { status: 302, headers: { Location: `/services/${SECRET}/2` } },
  ];
  let posted = 0;
  await Promise.all(behaviours.map(async (behaviour) => {
    await using slack = await startSlack({ behaviour: () => behaviour });
    const scene = await setScene({ slack });
    assert(slack.url.endsWith(`/${SECRET}`));
    const outcome = await post(scene.input, scene.context).catch((error) =>
      error
    );
    posted += Number(!(outcome instanceof Error));
    assertNoSecret(scene, outcome);
    assertEquals(slack.connections(), 1);
  }));
  assertEquals(posted, 2);
});
