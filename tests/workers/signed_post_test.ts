/**
 * The poster where approvals must be signed: what somebody who writes Redis can
 * try, and what becomes of it.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type SlackStandIn, startSlack } from "../../deploy/standins/slack.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { ConfigError, JobError } from "../../lib/base/errors.ts";
import type { PostInput, PostResult } from "../../lib/incident.ts";
import { header } from "../../lib/message/block_kit.ts";
import { encodeMessage } from "../../lib/message/message.ts";
import { parseEvents, resultOf } from "../../lib/post/events.ts";
import { type SigningKey, writePublicKey } from "../../lib/post/keys.ts";
import {
  createKeys,
  sign,
  signaturesKey,
  type Statement,
} from "../../lib/post/signature.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { caution, post, SETTINGS } from "../../workers/poster.ts";
import {
  type FakeContext,
  fakeContext,
  type FakeOptions,
} from "../support/job_context.ts";

const HOUR_MS = 3_600_000;
const checkResult = compileCheck("PostResult");
const ada = await createKeys({ id: "ada-1", name: "Ada Lovelace" });
const bob = await createKeys({ id: "bob-1" });
const mallory = await createKeys({ id: "mallory" });
const KEYS = [ada, bob].map((keys) => writePublicKey(keys.public)).join(",");

interface Scene extends FakeContext<typeof SETTINGS> {
  input: PostInput;
  /** What an approver of this post signs. */
  statement: Statement;
}

interface SceneOptions extends FakeOptions {
  slack?: SlackStandIn;
  keys?: string;
  approvedBy?: string;
}

/** An approved post that nobody has signed. */
async function setScene(options: SceneOptions = {}): Promise<Scene> {
  const { slack, keys = KEYS, approvedBy = "ada" } = options;
  const fake = fakeContext(SETTINGS, {
    ...options,
    env: {
      APPROVAL_PUBLIC_KEYS: keys,
      POST_SETTLE_MS: "0",
      ...(slack === undefined
        ? {}
        : { SLACK_WEBHOOK_URL: slack.url, SLACK_ALLOWED_HOSTS: slack.host }),
      ...options.env,
    },
  });
  const { id, topic, tenantId } = fake.context.job;
  fake.jobs.set(id, {
    id,
    topic,
    tenant: tenantId,
    context_ptr: `redis://ctx:${id}`,
    state: "RUNNING",
    safety_decision: "ALLOW",
    safety_reason: "approval granted",
    safety_rule_id: "rule",
    safety_job_hash: "5e3c6d079dc4eda6",
    approval_job_hash: "5e3c6d079dc4eda6",
    approval_at: 1_764_417_600_000_000,
    approval_by: approvedBy,
  });
  const summary = await store(fake, "Disk full on db-1");
  const destination = slack === undefined
    ? "artifact"
    : `slack:${(await sha256Hex(slack.url)).slice(0, 16)}`;
  return {
    ...fake,
    input: {
      incident: {
        incident_id: "INC-1",
        destination: { mode: slack === undefined ? "artifact" : "slack" },
      },
      evidence: {
        incident_id: "INC-1",
        collected_at: new Date().toISOString(),
        evidence: [],
      },
      summary,
    },
    statement: {
      tenant: tenantId,
      jobId: id,
      digest: summary.message_sha256!,
      destination,
      expiresAt: new Date(Date.now() + HOUR_MS).toISOString(),
    },
  };
}

/** Stores a message, and names it as a summary does. */
async function store(
  { context }: FakeContext<typeof SETTINGS>,
  title: string,
): Promise<PostInput["summary"]> {
  const bytes = encodeMessage({ text: title, blocks: [header(title)] });
  return {
    incident_id: "INC-1",
    summary_md: `# ${title}`,
    highlights: [],
    action_items: [],
    message_ptr: await context.gateway.putArtifact({
      content: bytes,
      contentType: "application/json",
      retention: "audit",
    }),
    message_sha256: await sha256Hex(bytes),
  };
}

/** Puts a signature into the job's list. */
async function addSignature(
  { lists, context, statement }: Scene,
  key: SigningKey,
  changes: Partial<Statement> = {},
): Promise<void> {
  const list = signaturesKey(context.job.id);
  const item = await sign(key, { ...statement, ...changes });
  lists.set(list, [...lists.get(list) ?? [], item]);
}

async function postScene({ input, context }: Scene): Promise<PostResult> {
  const result = await post(input, context);
  assertEquals(checkResult(result), undefined);
  return result;
}

/** That it is refused, and nothing is claimed or sent. */
async function assertRefused(
  scene: Scene,
  problem: string,
  slack?: SlackStandIn,
): Promise<void> {
  const error = await assertRejects(
    () => post(scene.input, scene.context),
    JobError,
  );
  assertEquals([error.code, error.message, error.retryable], [
    "NOT_APPROVED",
    `Cannot post without a signed approval: ${problem}`,
    false,
  ]);
  assertEquals(recordOf(scene), []);
  assertEquals(slack?.connections() ?? 0, 0);
}

/** The events of the post's record. */
function recordOf({ lists }: Scene) {
  const items = [...lists].find(([key]) => key.includes(":posted:"));
  return parseEvents(items?.[1] ?? []);
}

Deno.test("post() sends what a listed key signed, and says who signed", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  await addSignature(scene, ada.signing);
  const result = await postScene(scene);
  assertEquals(result.approval?.signed_by, "Ada Lovelace");
  assertEquals(slack.received.length, 1);
  assertEquals(
    JSON.stringify(slack.received[0]?.body).includes(
      "signed by “Ada Lovelace”",
    ),
    true,
  );
});

Deno.test("post() signs for an artifact just so, and names a key without a name by its id", async () => {
  const scene = await setScene();
  await addSignature(scene, bob.signing);
  assertEquals((await postScene(scene)).approval?.signed_by, "bob-1");
});

Deno.test("post() of two who signed names the one whose approval counted, else the first", async () => {
  const named = await createKeys({ id: "g", name: "grace" });
  const keys = `${KEYS},${writePublicKey(named.public)}`;
  for (const [approvedBy, signer] of [["grace", "grace"], ["x", "bob-1"]]) {
    const scene = await setScene({ keys, approvedBy: approvedBy! });
    await addSignature(scene, bob.signing);
    await addSignature(scene, named.signing);
    const { approval } = await postScene(scene);
    assertEquals([approval?.by, approval?.signed_by], [approvedBy, signer]);
  }
});

Deno.test("post() refuses an approval that nobody signed, as another tool gives it", async () => {
  await using slack = await startSlack();
  await assertRefused(await setScene({ slack }), "nobody signed it", slack);
});

Deno.test("post() refuses a job whose input was rewritten after the look", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  await addSignature(scene, ada.signing);
  // Whole and valid in itself: the summary names the digest of its message.
  scene.input.summary = await store(scene, "All is well");
  await assertRefused(
    scene,
    "the signature belongs to another message",
    slack,
  );
});

Deno.test("post() refuses a destination that is not the one that was signed", async () => {
  await using slack = await startSlack();
  await using other = await startSlack();
  const scene = await setScene({ slack });
  const { url, host } = other;
  const env = { SLACK_WEBHOOK_URL: url, SLACK_ALLOWED_HOSTS: host };
  const swapped = await setScene({ slack, env });
  await addSignature(swapped, ada.signing, scene.statement);
  const problem = "the signature belongs to another destination";
  await assertRefused(swapped, problem, other);
  const redirected = await setScene();
  redirected.input.incident.destination = { mode: "artifact" };
  await addSignature(redirected, ada.signing, {
    destination: scene.statement.destination,
  });
  await assertRefused(redirected, problem);
});

Deno.test("post() refuses a signature of another job, tenant or time, or by another key", async () => {
  const wrong: [Partial<Statement>, SigningKey, string][] = [
    [{ jobId: "run-0:post@1" }, ada.signing, "belongs to another job"],
    [{ tenant: "other" }, ada.signing, "belongs to another tenant"],
    [
      { expiresAt: new Date(Date.now() - 1).toISOString() },
      ada.signing,
      "has expired",
    ],
  ];
  for (const [changes, key, problem] of wrong) {
    const scene = await setScene();
    await addSignature(scene, key, changes);
    await assertRefused(scene, `the signature ${problem}`);
  }
  const forged = await setScene();
  await addSignature(forged, mallory.signing);
  await assertRefused(
    forged,
    "the key that signed it is not in APPROVAL_PUBLIC_KEYS",
  );
  const posing = await setScene();
  await addSignature(posing, { ...mallory.signing, id: "ada-1" });
  await assertRefused(posing, "its signature is false");
});

Deno.test("post() finds a signature behind 10,000 items of garbage", async () => {
  const scene = await setScene();
  const key = signaturesKey(scene.context.job.id);
  const garbage = Array.from({ length: 10_000 }, (_, at) => `{"v":${at % 3}}`);
  scene.lists.set(key, [...garbage]);
  await addSignature(scene, ada.signing);
  assertEquals((await postScene(scene)).approval?.signed_by, "Ada Lovelace");

  const buried = await setScene();
  await addSignature(buried, ada.signing);
  buried.lists.get(key)!.push(...garbage);
  await assertRefused(buried, "its signature cannot be read");
});

Deno.test("post() accepts a key's predecessor as long as both are listed", async () => {
  const next = await createKeys({ id: "ada-2", name: "Ada Lovelace" });
  const both = `${KEYS},${writePublicKey(next.public)}`;
  for (const key of [ada.signing, next.signing]) {
    const scene = await setScene({ keys: both });
    await addSignature(scene, key);
    assertEquals((await postScene(scene)).approval?.signed_by, "Ada Lovelace");
  }
  const late = await setScene({ keys: writePublicKey(next.public) });
  await addSignature(late, ada.signing);
  await assertRefused(
    late,
    "the key that signed it is not in APPROVAL_PUBLIC_KEYS",
  );
});

Deno.test("post() gives its claim back when the signature is gone after it", async () => {
  await using slack = await startSlack();
  const scene = await setScene({ slack });
  await addSignature(scene, ada.signing);
  const { store } = scene.context;
  const context = {
    ...scene.context,
    store: {
      ...store,
      append(key: string, item: string) {
        scene.lists.delete(signaturesKey(scene.context.job.id));
        return store.append(key, item);
      },
    },
  };
  const error = await assertRejects(
    () => post(scene.input, context),
    JobError,
    "nobody signed it",
  );
  assertEquals(error.code, "NOT_APPROVED");
  assertEquals(recordOf(scene).map(({ type }) => type), ["claim", "refused"]);
  assertEquals(slack.connections(), 0);
});

Deno.test("post() repeats who signed, and writes it where 0.2.0 passes over it", async () => {
  const scene = await setScene();
  await addSignature(scene, ada.signing);
  const first = await postScene(scene);
  const posted = recordOf(scene).find((event) => event.type === "posted")!;
  // 0.2.0 hands the result on and checks it by a schema without `signed_by`.
  assertEquals(Object.keys(posted.result.approval!), ["by", "at", "rule_id"]);
  assertEquals(resultOf(posted).approval, first.approval);
  const { repeat, approval } = await postScene(scene);
  assertEquals([repeat, approval], [true, first.approval]);
});

Deno.test("post() of a dry run needs no signature and says what a post would need", async () => {
  const scene = await setScene({ job: { dryRun: true } });
  const result = await postScene(scene);
  assertEquals(
    [result.dry_run, result.approval?.signed_by, result.warnings],
    [true, undefined, ["A post would be refused: nobody signed it"]],
  );
  await addSignature(scene, ada.signing);
  const signed = await postScene(scene);
  assertEquals(
    [signed.approval?.signed_by, signed.warnings],
    ["Ada Lovelace", undefined],
  );
});

Deno.test("post() reads no signature unless keys are set", async () => {
  const scene = await setScene({ keys: "" });
  const store = {
    ...scene.context.store,
    latest: () => Promise.reject(new Error("read")),
  };
  const result = await post(scene.input, { ...scene.context, store });
  assertEquals(result.approval?.signed_by, undefined);
});

Deno.test("a poster that needs no approval cannot need a signature", async () => {
  const { context: { settings } } = await setScene({
    env: { POSTER_REQUIRE_APPROVAL: "0" },
  });
  assertThrows(
    () => caution(settings),
    ConfigError,
    "POSTER_REQUIRE_APPROVAL=0 contradicts APPROVAL_PUBLIC_KEYS",
  );
  await assertRejects(
    () => setScene({ keys: "ed25519:ada:short" }),
    ConfigError,
    "APPROVAL_PUBLIC_KEYS must be public keys as deno task keys prints them",
  );
});
