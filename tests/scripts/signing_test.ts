/**
 * Signed approvals on the whole path: devcore, a poster as a process with keys,
 * and the commands that approve.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Faults, startDevcore } from "../../deploy/devcore/devcore.ts";
import { startSlack } from "../../deploy/standins/slack.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { createLog } from "../../lib/base/log.ts";
import { header } from "../../lib/message/block_kit.ts";
import { encodeMessage } from "../../lib/message/message.ts";
import { approve } from "../../lib/operate/approvals.ts";
import { WORKFLOW_ID } from "../../lib/operate/pack.ts";
import { readFacts } from "../../lib/operate/proposal.ts";
import { connectStore } from "../../lib/platform/store.ts";
import { writePublicKey, writeSigningKey } from "../../lib/post/keys.ts";
import { createKeys, sign, signaturesKey } from "../../lib/post/signature.ts";
import { main as approveLatestPost } from "../../scripts/approve_latest_post.ts";
import { main as approvalsMain } from "../../scripts/approvals.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import { callCommand } from "../../scripts/terminal/command.ts";
import { call } from "../support/command.ts";
import { runTask } from "../support/task.ts";
import { until } from "../support/until.ts";

/** A fault of the route that approves. */
function onApprove(
  fault: () => { status: number } | undefined,
): NonNullable<Faults["onRoute"]> {
  return (method, path) =>
    method === "POST" && path.endsWith("/approve") ? fault() : undefined;
}

const never = new AbortController().signal;
const ada = await createKeys({ id: "ada-1", name: "Ada Lovelace" });
const eve = await createKeys({ id: "eve" });

Deno.test("an approval binds the message, whoever writes Redis", async (t) => {
  await using core = await startDevcore({ reloadMs: 200 });
  await using slack = await startSlack();
  await using stand = await startStand({
    platformEnv: core.env,
    slack,
    env: { APPROVAL_PUBLIC_KEYS: writePublicKey(ada.public) },
  });
  await using store = await connectStore({
    url: core.redisUrl,
    name: "test",
    log: createLog({}, { write() {} }),
    signal: never,
  });
  const id = (await sha256Hex(slack.url)).slice(0, 16);
  const place = `Slack at ${slack.host}, webhook ${id.slice(0, 8)}`;
  const signing = { APPROVAL_SIGNING_KEY: writeSigningKey(ada.signing) };
  const run = (main: typeof approvalsMain, args: string[], env = {}) =>
    call(main, args, { env: { ...core.env, ...env } });
  let runs = 0;
  /** @returns The job that waits. */
  const start = async () => {
    const input = {
      incident_id: `mock:disk-${++runs}`,
      title: `Disk full on db-${runs}`,
      severity: "warning",
      destination: { mode: "slack" },
    };
    const key = crypto.randomUUID();
    const { gateway } = stand.platform;
    return await stand.untilApproval(
      await gateway.startRun(WORKFLOW_ID, input, { key, signal: never }),
    );
  };
  const ended = (jobId: string) =>
    until(`the end of ${jobId}`, async () => {
      const job = await stand.job(jobId);
      return /^(SUCCEEDED|FAILED)$/.test(String(job["state"]))
        ? job
        : undefined;
    }) as Promise<JsonObject>;
  const sent = () => slack.received.length;

  await t.step(
    "show says where it goes, with the id of the webhook",
    async () => {
      const jobId = await start();
      const { stdout } = await run(approvalsMain, ["show", jobId]);
      assertStringIncludes(stdout, `\n  to        ${place}\n`);
      const json = await run(approvalsMain, ["show", jobId, "--json"]);
      assertEquals(JSON.parse(json.stdout).whereto, {
        known: true,
        mode: "slack",
        id: `slack:${id}`,
        host: slack.host,
      });
      assert(!(stdout + json.stdout).includes(slack.url));
    },
  );

  await t.step("both commands sign before they approve", async () => {
    for (const main of [approvalsMain, approveLatestPost]) {
      const before = sent();
      const jobId = await start();
      const args = main === approvalsMain
        ? ["approve", jobId, "--yes", "--as", "ada"]
        : ["--run", jobId.split(":")[0]!, "--yes", "--as", "ada"];
      core.faults.onRoute = onApprove(() => ({ status: 403 }));
      const failed = await run(main, args, signing);
      assertEquals(failed.code, 1);
      assertEquals((await store.list(signaturesKey(jobId), never)).length, 1);
      core.faults.onRoute = () => undefined;
      const { code, stdout, stderr } = await run(main, args, signing);
      assertEquals([code, stderr], [0, ""], stdout);
      assertStringIncludes(
        stdout,
        ", signed by “(the key ada-1)” · run ",
      );
      assertStringIncludes(
        stdout,
        "\nSigned with the key ada-1\nApproved as ada",
      );
      assertStringIncludes(stdout, "\n  signed by Ada Lovelace\n");
      assertEquals(sent(), before + 1);
      assertStringIncludes(
        slack.received.at(-1)!.body,
        "signed by “Ada Lovelace”",
      );
      const result = (await stand.job(jobId))["result"] as JsonObject;
      assertEquals(
        (result["approval"] as JsonObject)["signed_by"],
        "Ada Lovelace",
      );
      const [item] = await store.list(signaturesKey(jobId), never);
      const { expires_at } = JSON.parse(item!);
      const leftMs = Date.parse(expires_at) - Date.now();
      assert(leftMs > 11 * 3_600_000 && leftMs <= 12 * 3_600_000, expires_at);
    }
  });

  await t.step("an approval by another tool sends nothing", async () => {
    const before = sent();
    const jobId = await start();
    assertEquals(await approve(stand.platform, jobId), true);
    const job = await ended(jobId);
    assertEquals(job["error_code"], "NOT_APPROVED");
    assertStringIncludes(String(job["error_message"]), "nobody signed it");
    assertEquals(sent(), before);
  });

  await t.step("without a key nothing is approved in vain", async () => {
    const jobId = await start();
    const { code, stderr } = await run(approvalsMain, [
      "approve",
      jobId,
      "--yes",
    ]);
    assertEquals([code, stderr], [
      1,
      "error: The poster incident-enricher-poster takes only signed approvals: set APPROVAL_SIGNING_KEY. Nothing was approved\n",
    ]);
    assertEquals((await stand.job(jobId))["state"], "APPROVAL_REQUIRED");
  });

  await t.step("a key that is not listed sends nothing", async () => {
    const before = sent();
    const jobId = await start();
    const { code, stderr } = await run(
      approvalsMain,
      ["approve", jobId, "--yes"],
      { APPROVAL_SIGNING_KEY: writeSigningKey(eve.signing) },
    );
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      "The poster incident-enricher-poster does not list the key eve;",
    );
    assertEquals((await stand.job(jobId))["state"], "APPROVAL_REQUIRED");
    // Nor does it help to do what the command does not.
    const facts = readFacts(await stand.job(jobId));
    const item = await sign(eve.signing, {
      tenant: facts.tenant,
      jobId,
      digest: facts.messageDigest,
      destination: `slack:${id}`,
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    });
    await store.append(signaturesKey(jobId), item, never);
    await approve(stand.platform, jobId);
    assertEquals((await ended(jobId))["error_code"], "NOT_APPROVED");
    assertEquals(sent(), before);
  });

  await t.step(
    "a job's input rewritten after the look sends nothing",
    async () => {
      const before = sent();
      const jobId = await start();
      const rewrite = async (jobId: string) => {
        const bytes = encodeMessage({
          text: "All is well",
          blocks: [header("All is well")],
        });
        const pointer = await stand.platform.gateway.putArtifact({
          content: bytes,
          contentType: "application/json",
          retention: "audit",
          labels: {},
        }, never);
        const key = `ctx:${jobId}`;
        const input = JSON.parse((await store.read(key, 1e6, never))!);
        input.summary.message_ptr = pointer;
        input.summary.message_sha256 = await sha256Hex(bytes);
        await store.write(key, JSON.stringify(input), 3_600, never);
      };
      // Signed and about to be approved, it waits until they are done.
      let rewritten: Promise<void> | undefined;
      let done = false;
      core.faults.onRoute = onApprove(() => {
        rewritten ??= rewrite(jobId).then(() => void (done = true));
        return done ? undefined : { status: 503 };
      });
      const { code, stderr } = await run(
        approvalsMain,
        ["approve", jobId, "--yes"],
        signing,
      );
      core.faults.onRoute = () => undefined;
      await rewritten;
      assertEquals(code, 1);
      assertStringIncludes(
        stderr,
        "the signature belongs to another message",
      );
      assertEquals(sent(), before);
    },
  );

  await t.step(
    "without Redis nothing is signed, and nothing approved",
    async () => {
      const jobId = await start();
      const { REDIS_URL: _, ...env } = core.env as Record<string, string>;
      const { code, stderr } = await call(
        approvalsMain,
        ["approve", jobId, "--yes"],
        { env: { ...env, ...signing } },
      );
      assertEquals([code, stderr], [
        1,
        "error: Cannot sign the approval: nobody can tell where the post will go (set REDIS_URL to see it). Nothing was approved\n",
      ]);
      assertEquals((await stand.job(jobId))["state"], "APPROVAL_REQUIRED");
      assertEquals(await store.list(signaturesKey(jobId), never), []);
    },
  );

  await t.step(
    "where posters differ, nothing is signed, and all are named",
    async () => {
      const jobId = await start();
      const key = "incident-enricher:destination:second";
      const webhook = { id: "slack:fedcba9876543210", host: "hooks.slack.com" };
      const second = { v: 1, worker_id: "second", modes: { slack: webhook } };
      await store.write(key, JSON.stringify(second), 60, never);
      const { code, stdout, stderr } = await run(
        approvalsMain,
        ["approve", jobId, "--yes"],
        signing,
      );
      await store.delete(key, never);
      const differ =
        `posters differ: incident-enricher-poster to ${place}; second to Slack at hooks.slack.com, webhook fedcba98`;
      assertStringIncludes(
        stdout,
        `\n  to        Slack; cannot tell where it will go: ${differ}\n`,
      );
      assertEquals(code, 1);
      assertStringIncludes(stderr, `go (${differ}). Nothing was approved`);
      assertEquals((await stand.job(jobId))["state"], "APPROVAL_REQUIRED");
    },
  );

  await t.step(
    "a destination that changes during the look is refused",
    async () => {
      const jobId = await start();
      const key = "incident-enricher:destination:incident-enricher-poster";
      const webhook = { id: "slack:fedcba9876543210", host: "hooks.slack.com" };
      const moved = {
        v: 1,
        worker_id: "incident-enricher-poster",
        modes: { slack: webhook },
      };
      for (const signs of [{}, signing]) {
        const before = (await store.read(key, 1e4, never))!;
        // Takes any approval, so that only the destination is wrong.
        const open = JSON.stringify({ ...JSON.parse(before), keys: [] });
        await store.write(key, open, 60, never);
        const said: string[] = [];
        const env: Record<string, string> = { ...core.env, ...signs };
        const code = await callCommand(approvalsMain, ["approve", jobId], {
          env: (name) => ({ USER: "ada", ...env })[name],
          out: () => {},
          raw: () => {},
          err: (line) => said.push(line),
          signal: never,
          screen: undefined,
          async ask() {
            await store.write(key, JSON.stringify(moved), 60, never);
            return "y";
          },
        });
        await store.write(key, before, 60, never);
        assertEquals([code, said], [1, [
          "error: Where it will go changed while you read it; nothing was approved",
        ]]);
      }
      assertEquals((await stand.job(jobId))["state"], "APPROVAL_REQUIRED");
      assertEquals(await store.list(signaturesKey(jobId), never), []);
    },
  );

  await t.step("a key is changed with runs in flight", async () => {
    const before = sent();
    const next = await createKeys({ id: "ada-2", name: "Ada Lovelace" });
    const jobs = [await start(), await start()];
    const keys = [ada, next].map((key) => writePublicKey(key.public)).join(",");
    await stand.workers.get("poster")!.stop();
    await using poster = stand.spawnBeside("poster", {
      APPROVAL_PUBLIC_KEYS: keys,
    });
    await poster.waitFor("Worker ready", 30_000);
    await stand.untilRoutable();
    for (const [at, { signing }] of [ada, next].entries()) {
      const { code, stderr } = await run(
        approvalsMain,
        ["approve", jobs[at]!, "--yes"],
        { APPROVAL_SIGNING_KEY: writeSigningKey(signing) },
      );
      assertEquals([code, stderr], [0, ""]);
    }
    assertEquals(sent(), before + 2);
    await poster.stop();
  });
});

Deno.test("a command refuses what is no private key, and does not repeat it", async () => {
  const { code, stderr } = await call(approvalsMain, [], {
    env: {
      CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
      CORETEX_API_KEY: "k",
      APPROVAL_SIGNING_KEY: "ed25519:notAKey",
    },
  });
  assertEquals([code, stderr], [
    2,
    "error: APPROVAL_SIGNING_KEY must be a private key as deno task keys makes it: ed25519-secret:ID:KEY\n",
  ]);
});

Deno.test("the tasks that approve may read the file of the private key", async () => {
  const file = await Deno.makeTempFile();
  try {
    const env = {
      CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
      CORETEX_API_KEY: "k",
      APPROVAL_SIGNING_KEY_FILE: file,
    };
    await Deno.writeTextFile(file, "not a key");
    const runs = await Promise.all(
      ["approvals", "approve_latest_post"].map((task) =>
        runTask(task, [], env)
      ),
    );
    for (const { code, stderr } of runs) {
      assertEquals(code, 2);
      assertStringIncludes(
        stderr,
        "error: APPROVAL_SIGNING_KEY must be a private key",
      );
    }
  } finally {
    await Deno.remove(file);
  }
});
