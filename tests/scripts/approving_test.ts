/**
 * What an approver is shown, how they agree, and what they are told afterwards:
 * on devcore, without a terminal and on one.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { startGateway } from "../../deploy/standins/gateway.ts";
import { deadline } from "../../lib/base/deadline.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { header } from "../../lib/message/block_kit.ts";
import { encodeMessage } from "../../lib/message/message.ts";
import { openPosts } from "../../lib/operate/posts.ts";
import { readAddress } from "../../lib/operate/platform.ts";
import { POST_TOPIC, WORKFLOW_ID } from "../../lib/operate/pack.ts";
import { main as approveLatestPost } from "../../scripts/approve_latest_post.ts";
import { main as approvalsMain } from "../../scripts/approvals.ts";
import { bundlePack, readPackFolder } from "../../scripts/pack/pack.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};
import { startStand } from "../../scripts/launch/stand.ts";
import { main as posts } from "../../scripts/posts.ts";
import { main as uninstall } from "../../scripts/uninstall.ts";
import { claim } from "../support/post_events.ts";
import { call, type CallOptions } from "../support/command.ts";
import { screenOf } from "../support/screen.ts";
import { HAS_TERMINALS, startTaskOnTerminal } from "../support/task.ts";

const RULE = "incident-enricher-require-approval-post";
const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`;

Deno.test("an approver reads, agrees and is told", async (t) => {
  await using core = await startDevcore({ reloadMs: 200 });
  await using stand = await startStand({ platformEnv: core.env });
  const { signal } = stand.platform;
  const approvals = (args: string[], options: CallOptions = {}) =>
    call(approvalsMain, args, {
      ...options,
      env: { ...core.env, ...options.env },
    });
  /** @returns The job that waits. */
  const start = async (incident: string, severity: string) => {
    const input = {
      incident_id: incident,
      title: "Disk full on db-1",
      severity,
      service: "db",
    };
    const key = crypto.randomUUID();
    const { gateway } = stand.platform;
    return await stand.untilApproval(
      await gateway.startRun(WORKFLOW_ID, input, { key, signal }),
    );
  };
  const stateOf = async (jobId: string) => (await stand.job(jobId))["state"];
  const digestOf = async (jobId: string) => {
    const { context } = await stand.job(jobId) as {
      context: { summary: { message_sha256: string } };
    };
    return context.summary.message_sha256;
  };
  let decisions = 0;
  const countDecisions = (method: string, path: string) => {
    if (method === "POST" && path.includes("/approvals/")) decisions++;
    return undefined;
  };
  core.faults.onRoute = countDecisions;

  const first = await start("mock:disk", "warning");
  const digest = await digestOf(first);

  await t.step(
    "show prints the message and what decides about it",
    async () => {
      const { code, stdout, stderr } = await approvals(["show", first]);
      assertEquals([code, stderr], [0, ""]);
      assertMatch(
        stdout,
        new RegExp(
          `^WARNING {2}mock:disk {2}waiting for \\d+ s\\n` +
            ` {2}job {7}${first}\\n {2}rule {6}${RULE}\\n` +
            ` {2}because {3}Posting externally requires explicit approval\\n` +
            ` {2}since {5}${TIME}\\n\\n│ \u{1F7E1} WARNING · db: Disk full on db-1\\n`,
          "u",
        ),
      );
      assertStringIncludes(
        stdout,
        "│ ◆ Approved by “(the approver)” at “(the time)”",
      );
      assertStringIncludes(
        stdout,
        "\nNotification:\n│ \u{1F7E1} WARNING · db: Disk full on db-1\n",
      );
      assertMatch(
        stdout,
        new RegExp(
          `\\nMessage sha256 ${digest}\\n {2}E1 {2}.* {2}redis://art:\\S+\\n[^]*` +
            `\\n {2}page {2}all of it, quoted where it is cited {2}redis://art:\\S+` +
            `\\nApproving it\\n {2}effect {4}sends a new message\\n` +
            ` {2}to {8}an artifact on the platform\\n` +
            ` {2}until {5}${TIME}, in 11 h; later it is too old to be posted\\n` +
            ` {2}poster {4}up\\n$`,
        ),
      );
      const json = JSON.parse(
        (await approvals(["show", first, "--json"])).stdout,
      );
      assertEquals(
        [json.job_id, json.digest, json.effect, json.worker, json.problem],
        [first, digest, "new", true, ""],
      );
      assertEquals(json.message.blocks[0].type, "header");
      assertEquals(json.evidence[0].id, "E1");
      assertEquals(json.gaps, []);
    },
  );

  await t.step(
    "without a terminal it wants to be told what was read",
    async () => {
      for (const main of [approvalsMain, approveLatestPost]) {
        const args = main === approvalsMain ? ["approve", first] : [];
        const { code, stdout, stderr } = await call(main, args, {
          env: core.env,
        });
        assertStringIncludes(stdout, `\nMessage sha256 ${digest}\n`);
        assertEquals([code, stderr], [
          2,
          `error: An approval needs a terminal to ask on; --sha256 ${digest} approves what is shown above, --yes whatever it says\n`,
        ]);
      }
    },
  );

  await t.step("another digest than the message's is refused", async () => {
    const other = "0".repeat(64);
    const wrong = await approvals(["approve", first, "--sha256", other]);
    assertEquals([wrong.code, wrong.stderr], [
      1,
      `error: The message now has sha256 ${digest}, not the one that --sha256 names; read it again. Nothing was approved\n`,
    ]);
    const both = ["approve", first, "--sha256", other, "--yes"];
    assertEquals((await approvals(both)).code, 1);
    const short = await approvals([
      "approve",
      first,
      "--sha256",
      digest.slice(1),
    ]);
    assertEquals([short.code, short.stderr], [
      2,
      "error: --sha256 takes the 64 hex digits of a message; see --help\n",
    ]);
  });

  await t.step("anything but yes approves nothing", async () => {
    for (const answers of [["n"], [""], ["approve"], []]) {
      const run = await approvals(["approve", first], { answers });
      assertEquals([run.code, run.stderr], [
        1,
        "error: Nothing was approved\n",
      ]);
      assertStringIncludes(run.stdout, "\nApprove it as tester? [y/N] \n");
    }
  });

  await t.step("whoever decides has a name", async () => {
    const env = { USER: "", LOGNAME: "" };
    for (
      const args of [["approve", first, "--yes"], [
        "reject",
        first,
        "--reason",
        "x",
      ]]
    ) {
      const { code, stderr } = await approvals(args, { env });
      assertEquals([code, stderr], [
        2,
        "error: Say who you are with --as NAME; USER, LOGNAME and USERNAME are not set; see --help\n",
      ]);
    }
    assertEquals((await approvals(["show", first], { env })).code, 0);
  });

  await t.step("what changes while it is read is not approved", async () => {
    const asked = async (change: () => void) => {
      const run = await approvals(["approve", first], {
        answers: ["y"],
        onLine: (line) => line.includes("[y/N]") && change(),
      });
      core.faults.onRoute = countDecisions;
      return [run.code, run.stderr];
    };
    const message = { text: "x", blocks: [header("x")] };
    const other = encodeMessage(message).toBase64();
    const artifact = JSON.stringify({ content_base64: other, metadata: {} });
    const [code, stderr] = await asked(() => {
      core.faults.onRoute = (method, path) =>
        path.includes("/artifacts/")
          ? { status: 200, body: artifact }
          : countDecisions(method, path);
    });
    assertEquals(code, 1);
    assertStringIncludes(
      String(stderr),
      "is not the one that the summary names; the poster would refuse it",
    );
    // The job itself may have been changed, too.
    const record = await stand.job(first) as {
      context: { summary: Record<string, unknown> };
    };
    record.context.summary["message_sha256"] = await sha256Hex(
      Uint8Array.fromBase64(other),
    );
    const swapped = await asked(() => {
      core.faults.onRoute = (method, path) =>
        path.includes("/artifacts/")
          ? { status: 200, body: artifact }
          : path.includes("/jobs/")
          ? { status: 200, body: JSON.stringify(record) }
          : countDecisions(method, path);
    });
    assertEquals(swapped, [
      1,
      "error: The message changed while you read it; nothing was approved\n",
    ]);
    const changed = await asked(() => {
      core.faults.onRoute = (method, path) =>
        path.endsWith("/policy/snapshots")
          ? { status: 200, body: '{"snapshots":["another"]}' }
          : countDecisions(method, path);
    });
    assertEquals(changed[0], 1);
    assertStringIncludes(String(changed[1]), "the policy changed since");
  });

  await t.step("nothing of all that has approved it", async () => {
    assertEquals([decisions, await stateOf(first)], [0, "APPROVAL_REQUIRED"]);
  });

  await t.step(
    "the digest that was read approves without a question",
    async () => {
      const args = ["approve", first, "--sha256", digest.toUpperCase()];
      const { code, stdout, stderr } = await approvals(args, {
        answers: ["n"],
      });
      assertEquals([code, stderr], [0, ""]);
      assert(!stdout.includes("[y/N]"));
      assertMatch(
        stdout,
        new RegExp(
          `\\nApproved as tester\\nPosted as an artifact on ${TIME}\\n` +
            ` {2}approver {2}tester\\n {2}run {7}\\S+\\n {2}copy {6}redis://art:\\S+\\n$`,
        ),
      );
    },
  );

  await t.step("what is decided is said to be", async () => {
    for (const verb of [["show"], ["approve", "--yes"]]) {
      const { code, stderr } = await approvals([...verb, first]);
      assertEquals([code, stderr], [
        1,
        "error: Somebody already decided it: approved by tester (job state SUCCEEDED)\n",
      ]);
    }
    const cancelled = await start("mock:cancelled", "info");
    const run = cancelled.split(":")[0];
    const path = `/workflows/${WORKFLOW_ID}/runs/${run}/cancel`;
    await stand.platform.call("POST", path);
    const gone = await approvals(["show", cancelled]);
    assertEquals([gone.code, gone.stderr], [
      1,
      "error: It no longer waits for approval (job state CANCELLED)\n",
    ]);
    const none = await approvals(["show", "no-job"]);
    assertEquals([none.code, none.stderr], [
      1,
      "error: There is no job no-job\n",
    ]);
  });

  await t.step("what was posted before is said before and after", async () => {
    const again = await start("mock:disk", "warning");
    const words =
      `posted before on ${TIME} as warning, approving sends nothing`;
    const listed = await approvals([]);
    assertMatch(listed.stdout, new RegExp(`\\n {2}effect {4}${words}\\n`));
    assertMatch(
      (await approvals(["show", again])).stdout,
      new RegExp(`\\n {2}effect {4}${words}\\n`),
    );
    const [json] = JSON.parse((await approvals(["--json"])).stdout);
    assertEquals([json.effect, json.posted_as], ["nothing", "warning"]);
    assertMatch(json.note, new RegExp(`^${words}$`));
    assertEquals(new Date(json.posted_at).toISOString(), json.posted_at);

    const blind = await approvals([], { env: { REDIS_URL: "" } });
    assertEquals(
      [blind.stderr, blind.stdout.includes("effect")],
      [
        "What approving does is not known: set REDIS_URL to see what was posted before\n",
        false,
      ],
    );
    const { code, stderr } = await approvals(["approve", again, "--yes"]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      new RegExp(`^Not sent: posted before as warning on ${TIME}\\n$`),
    );
    assertEquals(await stateOf(again), "SUCCEEDED");
  });

  await t.step("a worse one is an update, before and after", async () => {
    const worse = await start("mock:disk", "critical");
    const shown = await approvals(["approve", worse], { answers: ["yes"] });
    assertEquals([shown.code, shown.stderr], [0, ""]);
    assertMatch(
      shown.stdout,
      new RegExp(
        `\\n│ \u{1F534} Update: now CRITICAL, was WARNING; first message at ${TIME}\\n[^]*` +
          `\\n {2}effect {4}sends an update, since it is worse now: posted before on ${TIME} as warning\\n[^]*` +
          `\\nPosted as an artifact on ${TIME}, an update of the warning of ${TIME}\\n`,
        "u",
      ),
    );
  });

  await t.step("what is in doubt is said, with who can settle it", async () => {
    const job = await start("mock:doubt", "critical");
    const key = "incident-enricher:posted:default:mock:doubt:artifact";
    const at = new Date(Date.now() - 3_600_000).toISOString();
    const { redis } = readAddress((name) => core.env[name]);
    await using records = await openPosts(redis!, signal);
    await records.append(key, JSON.stringify(claim("A", at)));
    const { stdout } = await approvals(["show", job]);
    assertStringIncludes(
      stdout,
      "\n  effect    in doubt: it may have been posted before, approving sends nothing; settle it first with deno task posts\n",
    );
    const listed = await call(posts, ["--json"], { env: core.env });
    assertEquals(
      JSON.parse(listed.stdout).find((post: { key: string }) =>
        post.key === key
      ).state,
      "in doubt",
    );
    const args = ["reject", job, "--reason", "in doubt"];
    assertEquals((await approvals(args)).code, 0);
  });

  for (
    const [typed, name, code, end] of [
      ["n\r", "no", 1, "error: Nothing was approved"],
      ["\x04", "the end of the input", 1, "error: Nothing was approved"],
      ["\x03", "Ctrl-C", 130, "stopped"],
      ["y\r", "yes", 0, "  copy      redis://art:"],
    ] as const
  ) {
    await t.step({
      name: `on a terminal, ${name} ends with ${code}`,
      ignore: !HAS_TERMINALS,
      async fn() {
        const job = await start(`mock:${name.replaceAll(" ", "-")}`, "info");
        const child = startTaskOnTerminal("approvals", [
          "approve",
          job,
        ], core.env);
        const screen = await typeAt(child, "[y/N] ", typed);
        assertEquals((await child.status).code, code, screen.join("\n"));
        const last = screen.findLast((line) => line !== "")!;
        assert(last.startsWith(end), last);
        assertEquals(
          await stateOf(job),
          code === 0 ? "SUCCEEDED" : "APPROVAL_REQUIRED",
        );
      },
    });
  }

  await t.step(
    "what waits under an earlier policy is refused beforehand",
    async () => {
      const job = await start("mock:stale", "critical");
      const { code } = await call(uninstall, ["--yes"], { env: core.env });
      assertEquals(code, 0);
      const why =
        "the policy changed since the approval was asked for, so the platform refuses it";
      const run = job.split(":")[0];
      const remedy =
        `Reject it (deno task approvals reject ${job} --reason TEXT), then start its run again (POST /api/v1/workflow-runs/${run}/rerun at the gateway)`;
      const listed = (await approvals([])).stdout;
      assertStringIncludes(
        listed,
        `  too late  it can no longer be approved: ${why}\n`,
      );
      assertStringIncludes(
        listed,
        "\nReject what can no longer be approved (deno task approvals reject ID --reason TEXT), then\n",
      );
      const shown = await approvals(["show", job]);
      assertStringIncludes(
        shown.stdout,
        `\nIt can no longer be approved: ${why}. ${remedy}\n`,
      );
      assert(!shown.stdout.includes("Approving it"));
      const [json] = JSON.parse((await approvals(["--json"])).stdout)
        .filter((post: { job_id: string }) => post.job_id === job);
      assertEquals([json.problem, json.remedy, json.until], [why, remedy, ""]);
      decisions = 0;
      const refused = await approvals(["approve", job, "--yes"]);
      assertEquals([refused.code, refused.stderr, decisions], [
        1,
        `error: It can no longer be approved: ${why}. ${remedy}\n`,
        0,
      ]);
      // A platform that does not tell its policy refuses it itself.
      core.faults.onRoute = (method, path) =>
        path.endsWith("/policy/snapshots")
          ? { status: 404, body: "404 page not found\n" }
          : countDecisions(method, path);
      assert(!(await approvals([])).stdout.includes("too late"));
      const conflict = await approvals(["approve", job, "--yes"]);
      assertEquals([conflict.code, conflict.stderr, decisions], [
        1,
        refused.stderr,
        1,
      ]);
    },
  );
});

Deno.test("on Cordum 1.0 another fragment voids no approval, and the key is the approver", async () => {
  await using core = await startDevcore({ profile: "cordum-1.0" });
  await using stand = await startStand({ platformEnv: core.env });
  const { env } = core;
  const { answer } = await stand.send({ ...sample, id: "one" });
  const job = await stand.untilApproval(String(answer["run_id"]));
  const files = new Map(await readPackFolder("pack"));
  const fragment = "overlays/policy.fragment.yaml";
  files.set(fragment, `${files.get(fragment)}# another\n`);
  const before = await stand.platform.policySnapshot();
  await stand.install(await bundlePack(files));
  assert(await stand.platform.policySnapshot() !== before);

  const { stdout } = await call(approvalsMain, [], { env });
  assertStringIncludes(stdout, `\n  job       ${job}\n`);
  assert(!stdout.includes("too late"), stdout);
  const args = ["approve", job, "--yes", "--as", "ada"];
  const approved = await call(approvalsMain, args, { env });
  assertEquals([approved.code, approved.stderr], [0, ""]);
  assertMatch(
    approved.stdout,
    /\n {2}approver {2}static:[0-9a-f]{12}, as the platform goes by the API key\n/,
  );
  const again = await call(approvalsMain, args, { env });
  assertEquals(again.code, 1);
  assertMatch(
    again.stderr,
    /^error: Somebody already decided it: approved by static:/,
  );
});

Deno.test("approve_latest_post leaves out what can no longer be approved", async () => {
  const bytes = encodeMessage({ text: "t", blocks: [header("Orders fail")] });
  const digest = await sha256Hex(bytes);
  const approved: string[] = [];
  const items = [["live", "now"], ["old", "before"]].map(([run, snapshot]) => ({
    job: {
      id: `${run}:post@1`,
      topic: POST_TOPIC,
      state: "APPROVAL_REQUIRED",
      updated_at: 1,
    },
    policy_snapshot: snapshot,
  }));
  await using server = startGateway(({ request: { method }, path }) => {
    const [kind, id = ""] = path.replace("/api/v1/", "").split("/")
      .map(decodeURIComponent);
    if (method === "POST") return Response.json({ at: approved.push(id) });
    switch (kind) {
      case "approvals":
        return Response.json({ items });
      case "policy":
        return Response.json({ snapshots: ["now"] });
      case "artifacts":
        return Response.json({ content_base64: bytes.toBase64() });
      case "jobs":
        return Response.json({
          id,
          topic: POST_TOPIC,
          state: approved.includes(id) ? "SUCCEEDED" : "APPROVAL_REQUIRED",
          result: { posted_at: "2026-11-28T09:30:00Z" },
          context: {
            incident: { incident_id: "mock:1" },
            evidence: { collected_at: new Date().toISOString() },
            summary: { message_ptr: "redis://art:1", message_sha256: digest },
          },
        });
      default:
        return Response.json({});
    }
  });
  const env = { CORETEX_GATEWAY_URL: server.url, CORETEX_API_KEY: "k" };
  const { code, stdout } = await call(approveLatestPost, ["--yes"], { env });
  assertEquals([code, approved], [0, ["live:post@1"]]);
  assertStringIncludes(
    stdout,
    "1 post can no longer be approved: see deno task approvals\n",
  );
  // Where nothing else waits, it is shown, and refused.
  items.shift();
  const old = await call(approveLatestPost, ["--yes"], { env });
  assertEquals([old.code, approved.length], [1, 1]);
  assertMatch(old.stderr, /^error: It can no longer be approved: the policy /);
});

/** Types keys after a prompt. @returns What is left on the screen. */
async function typeAt(
  child: Deno.ChildProcess,
  prompt: string,
  typed: string,
): Promise<string[]> {
  using end = deadline(60_000, new AbortController().signal);
  const stop = () => child.kill("SIGKILL");
  end.signal.addEventListener("abort", stop);
  const writer = child.stdin.getWriter();
  let printed = "";
  let isTyped = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (isTyped || !printed.includes(prompt)) continue;
    isTyped = true;
    await writer.write(new TextEncoder().encode(typed));
  }
  end.signal.removeEventListener("abort", stop);
  await writer.close().catch(() => {});
  assert(isTyped, printed);
  return screenOf(printed, 200);
}
