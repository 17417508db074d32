/**
 * An upgrade from 0.2.0 with runs in flight: the pack, the poster, the
 * summarizer, the fetcher. What 0.2.0 wrote was recorded from its own code;
 * what is new are real worker processes.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import { fullFormats } from "ajv-formats/dist/formats.js";
import { readArchive } from "../../deploy/devcore/archive.ts";
import { type SlackStandIn, startSlack } from "../../deploy/standins/slack.ts";
import { type JsonObject, optional } from "../../lib/base/json.ts";
import type {
  EvidenceBundle,
  PostResult,
  Summary,
} from "../../lib/incident.ts";
import { lostByInstall } from "../../lib/operate/install.ts";
import { WORKFLOW_ID } from "../../lib/operate/pack.ts";
import { foldPost } from "../../lib/operate/posts.ts";
import { createKeys } from "../../lib/post/signature.ts";
import { writePublicKey, writeSigningKey } from "../../lib/post/keys.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { main as approvals } from "../../scripts/approvals.ts";
import type { WorkerName } from "../../scripts/launch/permissions.ts";
import { cacheWorkers } from "../../scripts/launch/process.ts";
import { Stand } from "../../scripts/launch/stand.ts";
import {
  archivePack,
  bundlePack,
  readPackFolder,
} from "../../scripts/pack/pack.ts";
import { call } from "../support/command.ts";
import { type Stage, startStage, type TestWorker } from "../support/stage.ts";
import recorded from "../testdata/upgrade/0.2.0.json" with { type: "json" };

const ARCHIVE = new URL(
  "../testdata/upgrade/incident-enricher-0.2.0.tgz",
  import.meta.url,
);
const { results } = recorded;
const READY_MS = 30_000;
/** After this the scheduler has forgotten a worker. */
const FORGOTTEN_MS = 31_000;
const oldPack = await archivePack(
  await readArchive(await Deno.readFile(ARCHIVE)),
);
const newPack = await bundlePack(await readPackFolder("pack"));

/** A platform with 0.2.0 on it, and what its workers would say. */
interface Scene extends AsyncDisposable {
  stage: Stage;
  stand: Stand;
  slack: SlackStandIn;
  /** A fetcher or summarizer of 0.2.0. */
  old(worker: "fetcher" | "summarizer"): Promise<TestWorker>;
  /** Starts a worker of today. */
  start(worker: WorkerName): Promise<void>;
  /** Starts a run of the recorded incident, or of one with another id. */
  run(id?: string): Promise<string>;
}

async function setScene(env: Record<string, string> = {}): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(await startStage());
  const slack = stack.use(await startSlack());
  const stand = stack.use(
    await Stand.open({ platformEnv: stage.core.env, slack, env }),
  );
  await cacheWorkers(["fetcher", "summarizer", "poster"]);
  await stand.install(oldPack);
  const texts = await storeArtifacts(stage);
  const done = stack.move();
  return {
    stage,
    stand,
    slack,
    old: (worker) => {
      const [pool, value] = worker === "fetcher"
        ? ["fetch", results.fetch]
        : ["summarize", results.summarize];
      const text = texts(JSON.stringify(value));
      const id = `incident-enricher-${worker}`;
      const answer = () => ({ text });
      return stage.work({ id, pool: `incident-enricher-${pool}`, answer });
    },
    async start(worker) {
      const process = await stand.spawn(worker);
      await process.waitFor("Worker ready", READY_MS);
    },
    async run(id) {
      const input = {
        ...recorded.run_input,
        ...optional("incident_id", id),
      };
      const line = `POST /api/v1/workflows/${WORKFLOW_ID}/runs`;
      const { json, text } = await stage.call(line, { json: input });
      const { run_id: runId } = json as { run_id?: string };
      assert(runId !== undefined, text);
      return runId;
    },
    [Symbol.asyncDispose]: () => done.disposeAsync(),
  };
}

/** @returns Puts the pointers of this platform in place of the recorded ones. */
async function storeArtifacts(
  stage: Stage,
): Promise<(text: string) => string> {
  const pointers = new Map<string, string>();
  const put = (text: string) => {
    for (const [old, pointer] of pointers) text = text.replaceAll(old, pointer);
    return text;
  };
  for (
    const [old, { text, content_type }] of Object.entries(recorded.artifacts)
  ) {
    const { json, text: answer } = await stage.call("POST /api/v1/artifacts", {
      json: {
        content_base64: new TextEncoder().encode(text).toBase64(),
        content_type,
        retention: "audit",
      },
    });
    const pointer = (json as JsonObject)["artifact_ptr"];
    assert(typeof pointer === "string", answer);
    pointers.set(old, pointer);
  }
  return put;
}

/** Approves as people do. @returns The run once it has ended. */
async function approveRun(
  { stage, stand }: Scene,
  runId: string,
  more: Record<string, string> = {},
): Promise<JsonObject> {
  const jobId = await stand.untilApproval(runId);
  const env = { ...stage.core.env, ...more };
  await call(approvals, ["approve", jobId, "--yes"], { env });
  return await stand.untilEnded(runId);
}

function outputOf<T>(run: JsonObject, step: string): T {
  const { steps } = run["context"] as { steps: Record<string, { output: T }> };
  return steps[step]!.output;
}

Deno.test("what 0.2.0 wrote is valid today", () => {
  const checks = [
    ["IncidentInput", recorded.run_input],
    ["EvidenceBundle", results.fetch],
    ["Summary", results.summarize],
    ["PostInput", recorded.post_input],
    ["PostResult", results.post],
  ] as const;
  for (const [name, value] of checks) {
    assertEquals(compileCheck(name)(value), undefined, name);
  }
  for (const [key, items] of Object.entries(recorded.record)) {
    const { state } = foldPost(key, items, Date.now());
    assertEquals(state, "posted");
  }
});

Deno.test("the schema of 0.2.0 refuses each field that a bundle has since, and no other", async () => {
  const files = await readArchive(await Deno.readFile(ARCHIVE));
  const ajv = new Ajv2020({ strict: false, formats: fullFormats });
  const check = ajv.compile(
    JSON.parse(files.get("schemas/EvidenceBundle.json")!),
  );
  const old = results.fetch as EvidenceBundle;
  assertEquals(check(old), true);
  const evidence = ["E1"];
  const fields: readonly [at: string, bundle: EvidenceBundle][] = [
    ["", { ...old, lookups: [{ collector: "loki", state: "off" }] }],
    ["", { ...old, subject_key: "a".repeat(64) }],
    ["/gaps/0", { ...old, gaps: [{ what: "a", why: "b", kind: "late" }] }],
    ["/gaps/0", { ...old, gaps: [{ what: "a", why: "b", got: 1 }] }],
    ["/gaps/0", { ...old, gaps: [{ what: "a", why: "b", of: 1 }] }],
    ["/normalized_context/facts/0", {
      ...old,
      normalized_context: {
        facts: [{ name: "a", value: "b", kind: "metric", evidence }],
      },
    }],
    ["/normalized_context/timeline/0", {
      ...old,
      normalized_context: {
        timeline: [{
          at: "2026-01-15T09:30:00Z",
          text: "a",
          kind: "change",
          evidence,
        }],
      },
    }],
  ];
  for (const [at, bundle] of fields) {
    assertEquals(compileCheck("EvidenceBundle")(bundle), undefined, at);
    assertEquals(check(bundle), false, at);
    assertEquals(
      check.errors!.map(({ instancePath, keyword }) => [instancePath, keyword]),
      [[at, "additionalProperties"]],
    );
  }
});

Deno.test("an upgrade from 0.2.0 in order loses no run in flight", async (t) => {
  await using scene = await setScene();
  const { stage, stand, slack } = scene;
  let waiting = "", fetched = "";
  const fetcher = await scene.old("fetcher");

  await t.step(
    "a run of 0.2.0 waits for approval, another for a summarizer",
    async () => {
      const summarizer = await scene.old("summarizer");
      waiting = await scene.run();
      await stand.untilApproval(waiting);
      summarizer.leave();
      stage.leap(FORGOTTEN_MS);
      await fetcher.beat();
      fetched = await scene.run("mock:later");
    },
  );

  await t.step("the pack: no approval is lost", async () => {
    assertEquals(await lostByInstall(stand.platform, newPack), []);
    const { record, policyChanged } = await stand.install(newPack);
    assertEquals([record["version"], policyChanged], [newPack.version, false]);
  });

  await t.step(
    "the poster: it posts the message that 0.2.0 composed",
    async () => {
      await scene.start("poster");
      const run = await approveRun(scene, waiting);
      assertEquals(run["status"], "succeeded");
      const result = outputOf<PostResult>(run, "post");
      assertEquals(result.message_sha256, results.summarize.message_sha256);
      assertEquals(slack.received.length, 1);
    },
  );

  await t.step(
    "the summarizer: it takes the evidence that 0.2.0 collected",
    async () => {
      await scene.start("summarizer");
      const run = await approveRun(scene, fetched);
      assertEquals(run["status"], "succeeded");
      const { summary_md } = outputOf<Summary>(run, "summarize");
      assertStringIncludes(summary_md, "p99 latency");
      assertEquals(slack.received.length, 2);
    },
  );

  await t.step("the fetcher: the whole path is of today", async () => {
    fetcher.leave();
    await scene.start("fetcher");
    const run = await approveRun(scene, await scene.run("mock:last"));
    assertEquals(run["status"], "succeeded");
    assertEquals(slack.received.length, 3);
    const { lookups = [] } = outputOf<EvidenceBundle>(run, "fetch");
    const history = lookups.find(({ collector }) => collector === "history");
    assertEquals(history?.state, "nothing");
  });

  await t.step("what was posted is history to the next run", async () => {
    const run = await approveRun(scene, await scene.run("mock:next"));
    const { lookups = [] } = outputOf<EvidenceBundle>(run, "fetch");
    const history = lookups.find(({ collector }) => collector === "history");
    assertEquals(history?.state, "found");
  });
});

Deno.test("a fetcher of today over the pack of 0.2.0 fails its runs, until the pack is there", async () => {
  await using scene = await setScene();
  const { stand } = scene;
  await scene.start("fetcher");
  const failed = await stand.untilEnded(await scene.run());
  assertEquals(failed["status"], "failed");
  const { fetch } = failed["steps"] as Record<string, { error: JsonObject }>;
  assertMatch(
    String(fetch!.error["message"]),
    /^schema validation failed: .*additionalProperties/,
  );
  await stand.install(newPack);
  await scene.start("poster");
  await scene.start("summarizer");
  const run = await approveRun(scene, await scene.run("mock:again"));
  assertEquals(run["status"], "succeeded");
});

Deno.test("a poster of today over the pack of 0.2.0 posts, but the platform fails the run", async (t) => {
  const ada = await createKeys({ id: "ada-1", name: "Ada Lovelace" });
  const keys = writePublicKey(ada.public);
  await using scene = await setScene({ APPROVAL_PUBLIC_KEYS: keys });
  const { stand, slack } = scene;
  await scene.old("fetcher");
  await scene.old("summarizer");
  await scene.start("poster");
  const key = { APPROVAL_SIGNING_KEY: writeSigningKey(ada.signing) };
  const approveSigned = async () =>
    await approveRun(scene, await scene.run(), key);

  await t.step("its schema does not know who signed", async () => {
    const run = await approveSigned();
    assertEquals([slack.received.length, run["status"]], [1, "failed"]);
    const { post } = run["steps"] as Record<string, { error: JsonObject }>;
    assertMatch(
      String(post!.error["message"]),
      /^schema validation failed: .*'\/approval' .*additionalProperties/,
    );
  });

  await t.step(
    "with the new pack it goes on, and sends nothing twice",
    async () => {
      await stand.install(newPack);
      const run = await approveSigned();
      assertEquals(run["status"], "succeeded");
      const result = outputOf<PostResult>(run, "post");
      assertEquals([result.repeat, result.approval?.signed_by], [
        true,
        "Ada Lovelace",
      ]);
      assertEquals(slack.received.length, 1);
    },
  );
});
