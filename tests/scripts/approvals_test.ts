/**
 * Approving and rejecting, by both commands, against devcore; and against a
 * gateway of our own where devcore cannot ask.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  type GatewayStandIn,
  plain,
  startGateway,
} from "../../deploy/standins/gateway.ts";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { createHook } from "../../lib/operate/hook.ts";
import { runHookProgram } from "../../scripts/launch/hook_program.ts";
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};
import { freePort } from "../../scripts/launch/free_port.ts";
import { startStand } from "../../scripts/launch/stand.ts";
import { readPackFolder } from "../../scripts/pack/pack.ts";
import { main as approveLatestPost } from "../../scripts/approve_latest_post.ts";
import { main as approvalsMain } from "../../scripts/approvals.ts";
import { Stopped } from "../../scripts/terminal/command.ts";
import { main as install } from "../../scripts/install.ts";
import { main as uninstall } from "../../scripts/uninstall.ts";
import { call } from "../support/command.ts";
import { processesWith } from "../support/processes.ts";
import { runTask, startTask } from "../support/task.ts";
import { until } from "../support/until.ts";

const RULE = "incident-enricher-require-approval-post";

/** Writes the pack with another policy. @returns Its folder. */
async function changedPack(): Promise<string> {
  await Deno.mkdir("dist", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: "dist" });
  for (let [path, text] of await readPackFolder("pack")) {
    if (path.endsWith("policy.fragment.yaml")) text += "# another\n";
    const file = `${folder}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  return folder;
}

/** A task that goes on running, with all that it has printed so far. */
class Running implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<[void, void, Deno.CommandStatus]>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = startTask("approvals", args, env);
    const read = async (
      stream: ReadableStream<Uint8Array<ArrayBuffer>>,
      add: (text: string) => void,
    ) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        add(text);
      }
    };
    this.#ended = Promise.all([
      read(this.#child.stdout, (text) => this.stdout += text),
      read(this.#child.stderr, (text) => this.stderr += text),
      this.#child.status,
    ]);
  }

  /** @returns The exit code. */
  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    const [, , { code }] = await this.#ended;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop();
    } catch {
      // It has ended already.
    }
  }
}

Deno.test("approvals and approve_latest_post on devcore", async (t) => {
  let aheadMs = 0;
  await using core = await startDevcore({
    reloadMs: 200,
    clock: () => Date.now() + aheadMs,
  });
  await using stand = await startStand({ platformEnv: core.env });
  const approvals = (args: string[], env: Record<string, string> = {}) =>
    call(approvalsMain, args, { env: { ...core.env, ...env } });
  const approveLatest = (...args: string[]) =>
    call(approveLatestPost, [...args, "--yes"], { env: core.env });
  const startRun = async () => {
    const { answer } = await stand.send({ ...sample, id: crypto.randomUUID() });
    const runId = String(answer["run_id"]);
    return { runId, jobId: await stand.untilApproval(runId) };
  };
  const start = async () => (await startRun()).jobId;
  const stateOf = async (jobId: string) => (await stand.job(jobId))["state"];

  await t.step("nothing waits", async () => {
    const { code, stdout, stderr } = await approvals([]);
    assertEquals([code, stdout, stderr], [
      0,
      "Nothing is waiting for approval\n",
      "",
    ]);
    assertEquals((await approvals(["--json"])).stdout, "[]\n");
  });

  let first = await start();
  await t.step("the list says what waits, in 100 columns", async () => {
    const { code, stdout } = await approvals([]);
    assertEquals(code, 0);
    for (const line of stdout.split("\n")) assert(line.length <= 100, line);
    const { context } = await stand.job(first) as {
      context: { summary: { message_sha256: string } };
    };
    const { message_sha256 } = context.summary;
    assertMatch(stdout, /^CRITICAL {2}mock:\S+ {2}waiting for \d+ s\n/);
    assertStringIncludes(
      stdout,
      "\n  │ \u{1F534} CRITICAL · checkout-api: Checkout latency above 2 s\n  │ ",
    );
    assertStringIncludes(
      stdout,
      `\n  job       ${first}\n  rule      ${RULE}\n  sha256    ${message_sha256}\n`,
    );
    assert(!stdout.includes("topic"));
    const [json, ...others] = JSON.parse((await approvals(["--json"])).stdout);
    const { incident_id, since, age_s, until, lines, ...rest } = json;
    assertMatch(incident_id, /^mock:/);
    assert(Math.abs(Date.now() - Date.parse(since)) < 60_000 && age_s < 60);
    const leftMs = Date.parse(until) - Date.now();
    assert(Math.abs(leftMs - 12 * 3_600_000) < 60_000, until);
    assert(lines.length > 0 && lines.length <= 3, lines);
    assertEquals([rest, others], [{
      job_id: first,
      run_id: first.split(":")[0],
      topic: "job.incident-enricher.post",
      title: "Checkout latency above 2 s",
      severity: "critical",
      destination: "artifact",
      headline: "\u{1F534} CRITICAL · checkout-api: Checkout latency above 2 s",
      rule_id: RULE,
      message_sha256,
      effect: "new",
      note: "",
      posted_as: "",
      posted_at: "",
      problem: "",
      remedy: "",
    }, []]);
  });

  await t.step(
    "a post that is too old is said to be, and not approved",
    async () => {
      const old = { POST_MAX_AGE_S: "1" };
      const askedAt = Date.now();
      await until("the evidence to be old", () => Date.now() > askedAt + 1_100);
      const [listed, approved, latest] = await Promise.all([
        approvals([], old),
        approvals(["approve", first], old),
        call(approveLatestPost, [], { env: { ...core.env, ...old } }),
      ]);
      assertMatch(
        listed.stdout,
        / {2}too late {2}it can no longer be approved: its evidence was collected \d+ s ago/,
      );
      for (const { code, stderr } of [approved, latest]) {
        assertEquals(code, 1);
        assertMatch(
          stderr,
          /^error: It can no longer be approved: its evidence was collected \d+ s ago, and POST_MAX_AGE_S allows 1 s\. Reject it \(deno task approvals reject \S+ --reason TEXT\), then start its run again/,
        );
      }
      assertEquals(await stateOf(first), "APPROVAL_REQUIRED");
    },
  );

  await t.step(
    "two people approve at once: one is told of the other",
    async () => {
      const both = await Promise.all(
        ["ada", "bob"].map((name) =>
          approvals(["approve", first, "--yes", "--as", name])
        ),
      );
      const lost = both.filter(({ stdout, stderr }) =>
        /Somebody already decided it/.test(stdout + stderr)
      );
      assertEquals(lost.length, 1);
      const { approval_by, approval_reason, state } = await stand.job(first);
      const winner = both.find(({ stdout }) => /^Approved as/m.test(stdout))!;
      assertStringIncludes(winner.stdout, `Approved as ${approval_by}\n`);
      assertStringIncludes(
        lost[0]!.stdout + lost[0]!.stderr,
        `approved by ${approval_by} (job state `,
      );
      assertMatch(
        winner.stdout,
        /^Posted as an artifact on \S+ \S+ UTC$/m,
      );
      assertEquals([winner.code, approval_reason, state], [
        0,
        undefined,
        "SUCCEEDED",
      ]);
    },
  );

  await t.step("what another decided is said, with who", async () => {
    const { code, stderr } = await approvals(["approve", first]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^error: Somebody already decided it: approved by (ada|bob) \(job state SUCCEEDED\)\n$/,
    );
    const none = await approvals(["approve", "no-job"]);
    assertEquals([none.code, none.stderr], [
      1,
      "error: There is no job no-job\n",
    ]);
    const args = ["reject", "no-job", "--reason", "x"];
    assertEquals((await approvals(args)).stderr, none.stderr);
  });

  await t.step(
    "one approves and one rejects at once: one of them counts",
    async () => {
      const job = await start();
      const [approved, rejected] = await Promise.all([
        approvals(["approve", job, "--yes", "--as", "ada"]),
        approvals(["reject", job, "--reason", "noise", "--as", "bob"]),
      ]);
      const state = await stateOf(job);
      assertEquals(
        [
          /^Approved as ada$/m.test(approved.stdout),
          rejected.stdout === `Rejected ${job}\n`,
        ],
        [state === "SUCCEEDED", state === "DENIED"],
      );
      assertEquals([approved.code, rejected.code].toSorted(), [0, 1]);
    },
  );

  await t.step("reject --all takes only what is older", async () => {
    first = await start();
    const second = await start();
    const args = [
      "reject",
      "--all",
      "--reason",
      "the night is over",
      "--older",
    ];
    const none = await approvals([...args, "1h"]);
    assertEquals([none.code, none.stdout], [0, "Rejected 0; 2 younger left\n"]);
    const all = await approvals([...args, "0s"]);
    assertEquals([all.code, all.stdout], [
      0,
      `Rejected ${first}\nRejected ${second}\nRejected 2; 0 younger left\n`,
    ]);
    const { state, approval_reason } = await stand.job(second);
    assertEquals([state, approval_reason], ["DENIED", "the night is over"]);
  });

  await t.step(
    "watch tells of each new one once, by program and URL",
    async () => {
      const folder = await Deno.makeTempDir();
      const program = `${folder}/hook`;
      await Deno.writeTextFile(
        program,
        `#!/bin/sh\ncat >> ${folder}/told; echo " key=$CORETEX_API_KEY." >> ${folder}/told; exit 3\n`,
      );
      await Deno.chmod(program, 0o700);
      const requests: string[] = [];
      await using server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen() {} },
        async (request) => {
          requests.push(await request.text());
          // The first is answered when it is asked again.
          return new Response(null, {
            status: requests.length === 1 ? 503 : 204,
          });
        },
      );
      const url = `http://127.0.0.1:${server.addr.port}/hook/s3cret`;
      const before = await start();
      const jobs = [before];
      let printed = "";
      {
        await using watching = new Running(["--watch", "--json"], {
          ...core.env,
          APPROVALS_HOOK: program,
          APPROVALS_HOOK_URL: url,
        });
        const told = () =>
          watching.stdout.trim().split("\n").filter(Boolean)
            .map((line) => JSON.parse(line).job_id);
        await until("the first", () => told().length === 1, 30_000);
        await until("the retry", () => requests.length === 2, 30_000);
        jobs.push(await start());
        await until("the next", () => told().length === jobs.length, 30_000);
        assertEquals(told(), jobs);
        // A stop cuts short what is still being told.
        await until("the URL told", () => requests.length === 3, 30_000);
        await until(
          "the program's end",
          () => watching.stderr.split("exit code 3").length === 3,
          30_000,
        );
        assertEquals(await watching.stop(), 143);
        printed = watching.stdout + watching.stderr;
      }
      const lines = (await Deno.readTextFile(`${folder}/told`)).trim().split(
        "\n",
      );
      assertEquals(lines.map((line) => line.split(" key=")[1]), [".", "."]);
      const ids = lines.map((line) =>
        JSON.parse(line.split(" key=")[0]!).job_id
      );
      assertEquals(ids, jobs);
      assertEquals(
        requests.map((body) => JSON.parse(body).job_id),
        [before, ...jobs],
      );
      const hooked = JSON.parse(requests[0]!);
      assertEquals(
        [hooked.headline, hooked.lines.length, hooked.effect],
        [
          "\u{1F534} CRITICAL · checkout-api: Checkout latency above 2 s",
          3,
          "new",
        ],
      );
      assertStringIncludes(
        printed,
        `APPROVALS_HOOK failed: exit code 3 (for ${before}); still watching`,
      );
      assert(!printed.includes("s3cret"));
      await Deno.remove(folder, { recursive: true });
    },
  );

  await t.step(
    "a hook or a platform that is not there is said, and not the hook's secret",
    async () => {
      const file = await Deno.makeTempFile();
      await Deno.writeTextFile(file, `http://127.0.0.1:${freePort()}/s3cret\n`);
      const stop = new AbortController();
      let printed = "";
      const watching = call(approvalsMain, ["--watch"], {
        env: {
          ...core.env,
          REDIS_URL: "",
          APPROVALS_HOOK: "/no/such/program",
          APPROVALS_HOOK_URL_FILE: file,
        },
        signal: stop.signal,
        onLine: (line) => printed += line,
      });
      await until(
        "both failures of both",
        () => printed.split("still watching").length === 5,
        30_000,
      );
      let looks = 0;
      core.faults.onRoute = (method, path) => {
        const isLook = method === "GET" && path.endsWith("/approvals");
        return isLook && ++looks <= 1 ? { status: 401 } : undefined;
      };
      await until(
        "the return",
        () => printed.endsWith("The platform is back"),
        30_000,
      );
      delete core.faults.onRoute;
      stop.abort(new Stopped("SIGINT"));
      const { code, stdout, stderr } = await watching;
      assertEquals(code, 130);
      assertStringIncludes(
        stderr,
        "APPROVALS_HOOK_URL failed: no connection (ECONNREFUSED) (for ",
      );
      assertStringIncludes(stderr, "APPROVALS_HOOK failed: ");
      assertStringIncludes(
        stderr,
        "Cannot reach the platform: Cannot call GET /approvals: got status 401, expected 2xx (fault); check CORETEX_API_KEY or CORDUM_API_KEY; still watching\nThe platform is back\n",
      );
      // Two jobs, and said once.
      const blind =
        "What approving does is not known: set REDIS_URL to see what was posted before\n";
      assertEquals(stderr.split(blind).length, 2, stderr);
      assert(!(stdout + stderr).includes("s3cret"));
      assert(stderr.endsWith("\nstopped\n"), stderr);
      assertMatch(stdout, /^Watching .*\nCRITICAL {2}mock:/);
      await Deno.remove(file);
    },
  );

  await t.step("approve_latest_post says that no post waits", async () => {
    const args = ["reject", "--all", "--older", "0s", "--reason", "done"];
    assertEquals((await approvals(args)).code, 0);
    const { code, stderr } = await approveLatest();
    assertEquals([code, stderr], [
      1,
      "error: No post is waiting for approval\n",
    ]);
  });

  await t.step(
    "it shows the message with its digest and evidence, approves and follows",
    async () => {
      const { runId, jobId } = await startRun();
      const { code, stdout } = await runTask("approve_latest_post", [
        "--yes",
        "--as",
        "ada",
      ], core.env);
      assertEquals(code, 0);
      assertStringIncludes(
        stdout,
        "│ \u{1F534} CRITICAL · checkout-api: Checkout latency above 2 s",
      );
      assertStringIncludes(stdout, "│ ◆ What changed · ");
      assertStringIncludes(
        stdout,
        "│ ◆ Approved by “(the approver)” at “(the time)”",
      );
      assertMatch(stdout, /Message sha256 [0-9a-f]{64}/);
      assertMatch(stdout, / {2}E1 {2}“Payload as received” {2}redis:\/\/art:/);
      assertStringIncludes(stdout, "Approved as ada");
      assertStringIncludes(stdout, `\n  run       ${runId}\n`);
      const job = await stand.job(jobId);
      assertEquals([job["state"], job["approval_by"], job["approval_reason"]], [
        "SUCCEEDED",
        "ada",
        undefined,
      ]);
    },
  );

  await t.step("several wait: it lists them and asks which", async () => {
    const [first, second] = [await startRun(), await startRun()];
    const undecided = await approveLatest();
    assertEquals(undecided.code, 1);
    assertStringIncludes(undecided.stdout, first.jobId);
    assertStringIncludes(undecided.stdout, second.jobId);
    assertStringIncludes(
      undecided.stderr,
      "2 posts are waiting; choose one with --run ID, or --newest",
    );
    assertEquals(await stateOf(second.jobId), "APPROVAL_REQUIRED");
    const chosen = await approveLatest("--run", first.runId);
    assertEquals([chosen.code, await stateOf(first.jobId)], [0, "SUCCEEDED"]);
    const third = await startRun();
    const newest = await approveLatest("--newest");
    assertEquals([
      newest.code,
      await stateOf(third.jobId),
      await stateOf(second.jobId),
    ], [
      0,
      "SUCCEEDED",
      "APPROVAL_REQUIRED",
    ]);
    const rest = await approveLatest();
    assertEquals([rest.code, await stateOf(second.jobId)], [0, "SUCCEEDED"]);
  });

  await t.step(
    "an approval that bounces is said to, and can be given again",
    async () => {
      const { jobId } = await startRun();
      core.faults.bounceApprovals = 1;
      const bounced = await approveLatest();
      assertEquals(bounced.code, 1);
      assertStringIncludes(
        bounced.stderr,
        "The job waits for approval again: no poster was free to take it at that moment. Approve it once more",
      );
      const { code } = await approveLatest();
      assertEquals([code, await stateOf(jobId)], [0, "SUCCEEDED"]);
    },
  );

  await t.step(
    "install and uninstall ask before they lose what waits",
    async () => {
      const { jobId } = await startRun();
      const pack = await changedPack();
      for (
        const [command, ...args] of [
          [install, "--upgrade", "--pack", pack],
          [uninstall],
        ] as const
      ) {
        const { code, stdout, stderr } = await call(command, args, {
          env: core.env,
        });
        assertEquals(code, 1);
        assertStringIncludes(
          stdout,
          "1 job waiting for approval would be lost by this policy change:",
        );
        assertStringIncludes(stdout, jobId);
        assertStringIncludes(
          stderr,
          "There is no terminal to ask on; --yes says yes",
        );
        const asked = await call(command, args, {
          env: core.env,
          answers: ["n"],
        });
        assertEquals([asked.code, asked.stderr], [
          1,
          "error: Nothing was changed; decide them first\n",
        ]);
        assertStringIncludes(asked.stdout, "Go on and lose them? [y/N] ");
      }
      await Deno.remove(pack, { recursive: true });
      assertEquals(await stateOf(jobId), "APPROVAL_REQUIRED");
    },
  );

  await t.step(
    "an upgrade with the same policy threatens nothing, and loses nothing",
    async () => {
      const { env } = core;
      const { code, stdout } = await call(install, ["--upgrade"], { env });
      assertEquals(code, 0);
      assert(!/lost|can no longer be given/.test(stdout), stdout);
      assertEquals((await approveLatest()).code, 0);
      await startRun();
    },
  );

  await t.step(
    "a message that is not the one named is not approved",
    async () => {
      core.faults.onRoute = (method, path) =>
        method === "GET" && path.includes("/artifacts/")
          ? {
            status: 200,
            body: JSON.stringify({
              content_base64: btoa('{"text":"x","blocks":[]}'),
              metadata: {},
            }),
          }
          : undefined;
      const { code, stderr } = await approveLatest();
      assertEquals(code, 1);
      assertStringIncludes(
        stderr,
        "is not the one that the summary names; the poster would refuse it. Reject it (",
      );
      delete core.faults.onRoute;
    },
  );

  await t.step("without a poster it does not approve", async () => {
    await stand.workers.get("poster")!.stop();
    aheadMs = 31_000; // The scheduler forgets a worker after 30 s.
    await until(
      "the poster to be forgotten",
      async () =>
        (await stand.platform.workers())?.topics["job.incident-enricher.post"]
          ?.available === false,
      45_000,
    );
    const { code, stderr } = await approveLatest();
    assertEquals(code, 1);
    assertStringIncludes(stderr, "No poster is up to take the job");
  });
});

Deno.test("approvals says what is wrong with its arguments, before it looks", async () => {
  const env = {
    CORETEX_GATEWAY_URL: "http://127.0.0.1:9",
    CORETEX_API_KEY: "k",
  };
  const rows: [args: string[], says: string, env?: Record<string, string>][] = [
    [
      ["deny", "x"],
      "Unknown command 'deny'; expected show, approve or reject; see --help",
    ],
    [["list", "x"], "a list takes no job; see --help"],
    [["--reason", "x"], "--reason does not go with a list; see --help"],
    [
      ["approve", "x", "--reason", "y"],
      "--reason does not go with approve; see --help",
    ],
    [["approve"], "approvals approve needs the id of a job; see --help"],
    [["approve", "x", "y"], "Unexpected argument 'y'; see --help"],
    [
      ["reject"],
      "approvals reject needs the id of a job, or --all; see --help",
    ],
    [["reject", "--all"], "--all and --older TIME go together; see --help"],
    [
      ["reject", "x", "--older", "1h"],
      "--all and --older TIME go together; see --help",
    ],
    [
      ["reject", "x"],
      "--reason is required, in at most 500 characters; see --help",
    ],
    [
      ["--watch"],
      "APPROVALS_HOOK must be the path of a program, without blanks and arguments",
      { APPROVALS_HOOK: "sh -c true" },
    ],
    [
      ["--watch"],
      "APPROVALS_HOOK_URL must be an http or https URL",
      { APPROVALS_HOOK_URL: "s3cret" },
    ],
  ];
  for (const [args, says, more] of rows) {
    const { code, stderr } = await call(approvalsMain, args, {
      env: { ...env, ...more },
    });
    assertEquals([code, stderr.trim()], [2, `error: ${says}`]);
  }
});

Deno.test("a hook's program gets its time and no more", async () => {
  const hook = createHook(
    { program: "sh", hookUrl: undefined, hookSecrets: [] },
    (program, input, signal) => runHookProgram(program, input, signal, 200),
  );
  const { signal } = new AbortController();
  // What a shell makes of a JSON text: it runs what stands in it.
  const started = performance.now();
  assertEquals(await hook("$(sleep 5)", signal), [
    "APPROVALS_HOOK failed: it took longer than 0.2 s",
  ]);
  assert(performance.now() - started < 3_000);
  assertEquals(await hook("$(exit 0)", signal), [
    "APPROVALS_HOOK failed: exit code 127",
  ]);
});

Deno.test("a stop ends a hook's program that hangs", async () => {
  const file = await Deno.makeTempFile();
  const hook = createHook(
    { program: "sh", hookUrl: undefined, hookSecrets: [] },
    (program, _input, signal) =>
      runHookProgram(program, `echo $$ > ${file}; exec sleep 20\n`, signal),
  );
  const stop = new AbortController();
  const told = hook("a job", stop.signal);
  const pid = await until(
    "the program",
    async () => (await Deno.readTextFile(file)).trim(),
  );
  const started = performance.now();
  stop.abort(new Stopped("SIGTERM"));
  assertEquals(await told, ["APPROVALS_HOOK failed: Stopped"]);
  assert(performance.now() - started < 3_000);
  assert(!(await processesWith("sleep 20")).includes(Number(pid)));
  await Deno.remove(file);
});

/** A gateway with these jobs waiting, as Cordum 1.0 may have them. */
function serveWaiting(
  jobs: readonly Record<string, unknown>[],
  calls: string[],
): GatewayStandIn {
  return startGateway(({ request: { method }, path, body }) => {
    const parts = path.replace("/api/v1/", "").split("/")
      .map(decodeURIComponent);
    const job = jobs.find(({ id }) => id === parts[1]);
    if (method === "POST") {
      calls.push(`${parts.join(" ")} ${body}`.trim());
      if (job !== undefined) job["state"] = "SUCCEEDED";
      return Response.json({});
    }
    if (parts[0] === "approvals") {
      const items = jobs.map((job) => ({ job, policy_rule_id: "input" }));
      return Response.json({ items });
    }
    if (parts[0] === "workers") return Response.json([]);
    if (parts[0] === "policy") return plain(404, "404 page not found\n");
    return job ? Response.json(job) : plain(404, "job not found");
  });
}

Deno.test("approvals shows the topic of what is no post, and leaves other packs alone", async () => {
  const job = (id: string, topic: string, context: unknown) => ({
    id,
    topic,
    context,
    state: "APPROVAL_REQUIRED",
    updated_at: (Date.now() - 7_200_000) * 1000,
  });
  const calls: string[] = [];
  await using server = serveWaiting([
    job("r1:fetch@1", "job.incident-enricher.fetch", {
      incident_id: "mock:1",
      title: "Slow\x1b[2J \u202echeckout",
      severity: "high",
    }),
    job("r2:x@1", "job.other.x", {}),
    job("r3:post@1", "job.incident-enricher.post", null),
    job("r4:summarize@1", "job.incident-enricher.summarize", {
      evidence: { incident_id: "mock:4" },
    }),
  ], calls);
  const env = {
    CORETEX_GATEWAY_URL: server.url,
    CORETEX_API_KEY: "k",
  };
  const { stdout } = await call(approvalsMain, [], { env });
  assertStringIncludes(
    stdout,
    "HIGH  mock:1  waiting for 2 h\n  │ “Slow<U+001B>[2J <U+202E>checkout”\n  job       r1:fetch@1\n" +
      "  topic     job.incident-enricher.fetch, not a post\n  rule      input\n",
  );
  assertStringIncludes(stdout, "NO SEVERITY  no incident  waiting for 2 h\n");
  assertStringIncludes(
    stdout,
    "  too late  it can no longer be approved: its input has expired: the platform keeps it for 24 h\n",
  );

  const expired = await call(approvalsMain, ["approve", "r3:post@1"], { env });
  assertEquals(expired.code, 1);
  assertStringIncludes(expired.stderr, "its input has expired");
  assertEquals(calls, []);

  const digest = ["approve", "r1:fetch@1", "--sha256", "0".repeat(64)];
  const asked = [
    await call(approvalsMain, digest, { env }),
    await call(approvalsMain, ["approve", "r1:fetch@1"], { env }),
  ];
  assertEquals(asked.map(({ code, stderr }) => [code, lastLine(stderr)]), [
    [
      1,
      "error: The job is no post, so it has no message for --sha256. Nothing was approved",
    ],
    [2, "error: An approval needs a terminal to ask on; --yes approves it"],
  ]);
  assertEquals(calls, []);

  const step = await call(approvalsMain, ["approve", "r1:fetch@1", "--yes"], {
    env,
  });
  assertEquals(step.code, 0);
  assertStringIncludes(
    step.stdout,
    "topic     job.incident-enricher.fetch, not a post",
  );
  assertStringIncludes(step.stdout, "Done: {}");
  assertStringIncludes(
    step.stderr,
    "Cannot tell whether a worker of that topic is up",
  );
  assertEquals(calls.splice(0), ["approvals r1:fetch@1 approve"]);

  const args = ["reject", "--all", "--older", "1h", "--reason", "stale"];
  const all = await call(approvalsMain, args, { env });
  assertStringIncludes(
    all.stdout,
    "Rejected 2; 0 younger left, 1 of other packs not touched\n",
  );
  assertEquals(calls, [
    'approvals r3:post@1 reject {"reason":"stale"}',
    'approvals r4:summarize@1 reject {"reason":"stale"}',
  ]);
});

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").at(-1);
}

Deno.test("approvals lists no more than the gateway bears", async () => {
  const jobs = Array.from({ length: 53 }, (_, at) => ({
    id: `r${at}:post@1`,
    topic: "job.incident-enricher.post",
    state: "APPROVAL_REQUIRED",
    updated_at: Date.now() * 1000,
    context: { incident: { incident_id: `mock:${at}` } },
  }));
  let calls = 0;
  await using inner = serveWaiting(jobs, []);
  await using server = startGateway(async ({ request, path }) => {
    calls++;
    return await fetch(`${inner.url}${path}${new URL(request.url).search}`);
  });
  const env = { CORETEX_GATEWAY_URL: server.url, CORETEX_API_KEY: "k" };
  const { stdout } = await call(approvalsMain, [], { env });
  assertStringIncludes(stdout, "\nNO SEVERITY  mock:49  waiting for ");
  assert(!stdout.includes("mock:50"));
  assertStringIncludes(
    stdout,
    "and 3 newer ones; decide some of these first\n",
  );
  // The list, the policy, and fifty jobs, which have no message here.
  assertEquals(calls, 52);
});
