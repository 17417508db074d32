/**
 * The demo as a person runs it, and how it fails.
 *
 * One run as a task, one on a terminal and one that is kept; the others in this
 * process. Single steps share a stand.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type Faults, startDevcore } from "../../deploy/devcore/devcore.ts";
import { startSlack } from "../../deploy/standins/slack.ts";
import { delay } from "../../lib/base/time.ts";
import { toSubject } from "../../lib/evidence/subject.ts";
import { historyKey } from "../../lib/history.ts";
import { Platform } from "../../lib/operate/platform.ts";
import { openStore } from "../../lib/operate/reach.ts";
import { main } from "../../scripts/demo.ts";
import { decide, type Decision } from "../../scripts/demo/approval.ts";
import { notePast } from "../../scripts/demo/evidence.ts";
import { followRun } from "../../scripts/demo/incident.ts";
import { needPrograms } from "../../scripts/demo/monitoring.ts";
import { Transcript } from "../../scripts/demo/scene.ts";
import type { Permissions } from "../../scripts/launch/permissions.ts";
import { RunEndedError, startStand } from "../../scripts/launch/stand.ts";
import { CommandError, Stopped } from "../../scripts/terminal/command.ts";
import { call, type CallOptions, type CommandRun } from "../support/command.ts";
import { processesWith } from "../support/processes.ts";
import { isMissing, startRealRedis } from "../support/real_servers.ts";
import {
  HAS_TERMINALS,
  runTask,
  startTask,
  startTaskOnTerminal,
} from "../support/task.ts";
import { until } from "../support/until.ts";
import recorded from "../testdata/recorded/http/job-failed.json" with {
  type: "json",
};
import sample from "../../deploy/samples/sample_webhook.json" with {
  type: "json",
};

const gatewayOf = (stdout: string) =>
  new URL(/gateway (http:\/\/\S+)/.exec(stdout)![1]!).host;

/** Calls the demo on a devcore of its own, as if it had been named. */
async function demoOn(
  faults: Faults,
  args: string[] = [],
  options: CallOptions = {},
): Promise<CommandRun> {
  await using core = await startDevcore({ reloadMs: 200, faults });
  const run = await call(main, args, { env: core.env, ...options });
  assertEquals(await processesWith(new URL(core.gatewayUrl).host), []);
  return run;
}

/** Every way in which a look-up can end occurs, in these words. */
function assertStates(stdout: string): void {
  for (
    const state of [
      "found",
      "nothing there",
      "could not ask",
      "not set up",
      "not concerned",
    ]
  ) assertMatch(stdout, RegExp(` look-up +${state}  `), state);
}

Deno.test("deno task demo shows five of five goals and leaves nothing running", async () => {
  const { code, stdout, stderr } = await runTask("demo", ["--as", "ada"]);
  assertEquals([code, stderr], [0, ""], stdout);
  assert(stdout.endsWith("\ndemo: 5 of 5 goals shown\n"));
  assertMatch(stdout, /bundled dist\/incident-enricher-\d+\.\d+\.\d+\.tgz/);
  assertMatch(stdout, /sha256 [0-9a-f]{64}/);
  assertMatch(
    stdout,
    /simulation {2}require_approval_post +expected REQUIRE_APPROVAL +got REQUIRE_APPROVAL +ok/,
  );
  assertStringIncludes(
    stdout,
    "job.default has no pool until the scheduler restarts",
  );
  for (const worker of ["ingester", "fetcher", "summarizer", "poster"]) {
    assertMatch(
      stdout,
      new RegExp(`${worker} +pid \\d+ +--allow-net=127\\.0\\.0\\.1:\\d+`),
    );
  }
  assertMatch(
    stdout,
    /Alertmanager webhook with its token sent for alertmanager:\w+, answered 202 with run /,
  );
  assertStringIncludes(
    stdout,
    "the same webhook from anybody else: refused with 401",
  );
  assertMatch(stdout, /\d\.\d s {2}fetch +\d+ pieces of evidence/);
  assertMatch(
    stdout,
    /\[E1\] Alertmanager webhook as received \(incident\.raw, .*\) redis:\/\/art:/,
  );
  // What is missing is said, not left out.
  assertMatch(
    stdout,
    / missing: annotations since .*, Grafana answered 403/,
  );
  // The story that the stand-ins tell.
  for (
    const fact of [
      / change +last deployment +checkout v\S+ \(\w+\) to production by ada-example, 4 min before the start, success\n/,
      / metric +course over 6 h +rising \S+\n/,
      / metric +now +2\.\d+ at .* UTC, limit > 2\n/,
      / log +new error +.*timed out after 30000 ms .* ×10, first /,
      / history +last incident +5 d ago: critical alertmanager:/,
    ]
  ) assertMatch(stdout, fact);
  assertStates(stdout);
  assertStringIncludes(stdout, "    | ## What happened");
  assertStringIncludes(
    stdout,
    "waits for approval, demanded by rule incident-enricher-require-approval-post",
  );
  assertStringIncludes(stdout, "approved as ada, with an empty body");
  assertMatch(
    stdout,
    /approval +\{"by":"ada","at":"[^"]+","rule_id":"incident-enricher-require-approval-post"\}/,
  );
  const [, stored] = /(\d+) artifacts stored, read back/.exec(stdout)!;
  assertEquals(
    stdout.match(/ audit {2}digest ok/g)?.length,
    Number(stored),
  );
  assertStringIncludes(stdout, "ok     the fragment's key is the same");
  assertStringIncludes(stdout, "registry   the record stays, status DISABLED");
  assertEquals(await processesWith(gatewayOf(stdout)), []);
  // What the front page shows is what the demo prints.
  const readme = await Deno.readTextFile("README.md");
  assertStringIncludes(readme, stdout.slice(stdout.indexOf("Goals\n")));
});

Deno.test("demo --profile cordum-1.0 shows five of five goals, and what the licence limits", async () => {
  const args = ["--profile", "cordum-1.0", "--as", "ada"];
  const { code, stdout, stderr } = await call(main, args);
  assertEquals([code, stderr], [0, ""], stdout);
  assertStringIncludes(
    stdout,
    "Platform: devcore, a stand-in for Cordum 1.0 on this machine",
  );
  assertStringIncludes(stdout, "The platform's Community licence has limits");
  assertMatch(stdout, /recorded static:[0-9a-f]{12} as approver/);
  assertMatch(stdout, /routing +topics: none; out of force after \d\.\d s/);
  assertMatch(
    stdout,
    /stay, but empty: incident-enricher-fetch, /,
  );
  assertStates(stdout);
  // What is not so there is not said.
  assert(!/job\.default|no longer/.test(stdout), stdout);
  assert(stdout.endsWith("\ndemo: 5 of 5 goals shown\n"));
  assertEquals(await processesWith(gatewayOf(stdout)), []);
});

Deno.test("the demo does not begin what a licence would not let through", async () => {
  const job = { topic: "t", state: "APPROVAL_REQUIRED" };
  const waiting = JSON.stringify({
    items: [{ job: { ...job, id: "a" } }, { job: { ...job, id: "b" } }],
  });
  const workers = JSON.stringify({
    items: [{ worker_id: "alice", heartbeat_age_seconds: 1 }],
  });
  const cases: [path: string, body: string, why: string][] = [
    [
      "/api/v1/approvals",
      waiting,
      "The platform would run no job while so many are unfinished",
    ],
    [
      "/api/v1/workers",
      workers,
      "The platform would not let all three workers in",
    ],
  ];
  for (const [path, body, why] of cases) {
    await using core = await startDevcore({
      profile: "cordum-1.0",
      faults: {
        onRoute: (_, asked) =>
          asked === path ? { status: 200, body } : undefined,
      },
    });
    const { code, stdout, stderr } = await call(main, [], { env: core.env });
    assertEquals(code, 1);
    assertStringIncludes(stdout, "The platform's Community licence has limits");
    assertStringIncludes(stderr, `demo: failed at step "install": ${why}`);
  }
});

Deno.test("demo --profile is not for a platform that is named", async () => {
  const env = { CORDUM_GATEWAY_URL: "http://127.0.0.1:1" };
  const args = ["--profile", "cordum-1.0"];
  const { code, stderr } = await call(main, args, { env });
  assertEquals([code, stderr], [
    2,
    "error: Leave out --profile: CORDUM_GATEWAY_URL names a platform\n",
  ]);
});

Deno.test("demo --slack on a named platform posts what was approved to a stand-in and shows it", async () => {
  const args = ["--slack", "--as", "ada", "--id", "INC-8"];
  const { code, stdout, stderr } = await demoOn({}, args);
  assertEquals([code, stderr], [0, ""], stdout);
  assertStringIncludes(stdout, "Platform: version dev");
  assertStates(stdout);
  const [, host] = /Slack +a stand-in on this machine, (127\.0\.0\.1:\d+)/.exec(
    stdout,
  )!;
  assertMatch(stdout, RegExp(`poster +pid \\d+ +--allow-net=\\S+,${host}\n`));
  assertMatch(stdout, /destination_host +127\.0\.0\.1:\d+\n/);
  const [, digest] = /message to be posted has sha256 ([0-9a-f]{64})/.exec(
    stdout,
  )!;
  const shown = stdout.slice(
    stdout.indexOf("Slack received one message"),
    stdout.indexOf("Audit trail"),
  );
  for (
    const line of [
      "  │ \u{1F534} P1 · checkout-api: Checkout latency above 2 s in eu-west-1\n",
      "  │ ◆ As of ",
      "https://shop.pagerduty.com/incidents/INC-8\n",
      " · incident pagerduty:INC-8",
      "  │ ◆ Approved by ada at ",
    ]
  ) assertStringIncludes(shown, line);
  assertMatch(shown, RegExp(`sha256 ${digest!.slice(0, 16)}\n`));
  assertStringIncludes(stdout, "demo: 5 of 5 goals shown");
  // The webhook's secret is the poster's alone.
  assert(!stdout.includes("/services/"));
});

Deno.test("demo --source alertmanager --slack --reject shows that nothing was posted", async () => {
  const args = ["--source", "alertmanager", "--slack", "--reject"];
  const { code, stdout, stderr } = await call(main, args);
  assertEquals([code, stderr], [0, ""], stdout);
  assertStringIncludes(
    stdout,
    "Alertmanager webhook with its token sent for alertmanager:",
  );
  assertMatch(stdout, /fetch {6}\d+ pieces of evidence/);
  assertMatch(stdout, /rejected: job DENIED, run failed/);
  assertStringIncludes(
    stdout,
    "nothing was posted: the poster never got the job",
  );
  assert(!stdout.includes("message_sha256 "));
  assert(!stdout.includes("Slack received"));
  assert(stdout.endsWith("\ndemo: 5 of 5 goals shown\n"));
  assertEquals(await processesWith(gatewayOf(stdout)), []);
});

const HAS_PROMETHEUS = await needPrograms().then(() => true, () => false);

/** The servers that a demo says it has started. */
const serversOf = (stdout: string) =>
  [...stdout.matchAll(/(?:Prometheus|Alertmanager) at http:\/\/(\S+:\d+)/g)]
    .map(([, host]) => `--web.listen-address=${host}`);

Deno.test({
  name: "demo --real has a real rule fire, and its alert sent and looked up",
  ignore: !HAS_PROMETHEUS,
  async fn() {
    const { code, stdout, stderr } = await call(main, ["--real"]);
    assertEquals([code, stderr], [0, ""], stdout);
    assertMatch(stdout, /Prometheus: the alert is firing/);
    assertMatch(
      stdout,
      /Alertmanager webhook with its token came for alertmanager:\w+, answered 202/,
    );
    for (
      const fact of [
        / metric +now +2\.\d+ at .* UTC, limit > 2\n/,
        / metric +course over 6 h +rising \S+\n/,
        / history +fired in 30 days +2 times before/,
        / alert +other alerts firing +1, 1 of them here: CheckoutErrorRatio\n/,
      ]
    ) assertMatch(stdout, fact);
    assertStates(stdout);
    assert(stdout.endsWith("\ndemo: 5 of 5 goals shown\n"));
    const servers = serversOf(stdout);
    assertEquals(servers.length, 2);
    for (const one of servers) assertEquals(await processesWith(one), []);
    assertEquals(await leftFolders(), []);
  },
});

Deno.test({
  name: "after a Ctrl-C demo --real stops its servers too",
  ignore: !HAS_PROMETHEUS,
  async fn() {
    const stop = new AbortController();
    const { code, stdout, stderr } = await call(main, ["--real"], {
      signal: stop.signal,
      onLine(line) {
        if (line.includes(" rises: ")) stop.abort(new Stopped("SIGINT"));
      },
    });
    assertEquals([code, stderr], [130, "stopped\n"]);
    const servers = serversOf(stdout);
    assertEquals(servers.length, 2);
    for (const one of servers) assertEquals(await processesWith(one), []);
    assertEquals(await leftFolders(), []);
  },
});

async function leftFolders(): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir("dist"));
  return entries.map(({ name }) => name).filter((name) =>
    name.startsWith("monitoring-")
  );
}

Deno.test("demo --real names the packages of programs that are missing", async () => {
  const error = await assertRejects(
    () =>
      needPrograms([
        ["prometheus-of-nobody", "prometheus"],
        ["promtool-of-nobody", "prometheus"],
      ]),
    CommandError,
  );
  assertEquals(
    error.message,
    "--real needs prometheus-of-nobody and promtool-of-nobody in /usr/bin; on Debian and Ubuntu: apt install prometheus",
  );
});

const REFUSED: [args: string[], why: string][] = [
  [
    ["--source", "opsgenie"],
    'There is no source "opsgenie"; there are alertmanager, pagerduty, mock; see --help',
  ],
  [
    ["--profile", "cordum-2"],
    'There is no profile "cordum-2"; there are cordum-2026-01, cordum-1.0; see --help',
  ],
  [
    ["--source", "alertmanager", "--id", "INC-1"],
    "Leave out --id: Alertmanager names an incident by its group and when it began",
  ],
  [
    ["--interactive"],
    "--interactive needs a terminal to ask on; without it the demo approves by itself, and --reject rejects",
  ],
  [
    ["--real", "--source", "mock"],
    "Leave out --source and --id: with --real, Alertmanager sends the incident",
  ],
  [
    ["--interactive", "--reject"],
    "Choose one of --reject and --interactive",
  ],
];
Deno.test("demo --interactive wants to know who approves", async () => {
  const { code, stderr } = await call(main, ["--interactive"], {
    env: { USER: "" },
    answers: ["y"],
  });
  assertEquals([code, stderr], [
    2,
    "error: Say who you are with --as NAME; USER, LOGNAME and USERNAME are not set; see --help\n",
  ]);
});

for (const [args, why] of REFUSED) {
  Deno.test(`demo ${args.join(" ")} is refused at once`, async () => {
    const { code, stdout, stderr } = await call(main, args);
    assertEquals([code, stdout, stderr], [2, "", `error: ${why}\n`]);
  });
}

Deno.test({
  name: "deno task demo --interactive asks on a terminal until it is told",
  ignore: !HAS_TERMINALS,
  async fn() {
    const args = ["--interactive", "--slack", "--as", "ada"];
    const child = startTaskOnTerminal("demo", args);
    await using output = collect(child);
    const keyboard = child.stdin.getWriter();
    for (const [at, answer] of ["maybe", "y"].entries()) {
      await until(
        "the question",
        () => output.text.split("Post this as ada? [y/n] ").length === at + 2,
        60_000,
      );
      await keyboard.write(new TextEncoder().encode(`${answer}\n`));
    }
    const { code } = await child.status;
    await keyboard.close().catch(() => {});
    await output.ended;
    const stdout = output.text;
    assertEquals(code, 0, stdout);
    // What is asked about was shown before.
    const asked = stdout.slice(0, stdout.indexOf("Post this as ada?"));
    assertStringIncludes(asked, "CRITICAL · checkout-api, eu-west-1-prod: p99");
    assert(!asked.includes("Slack received"));
    assertMatch(stdout, /approved as ada[\s\S]*Slack received one message/);
    assertStringIncludes(stdout, "demo: 5 of 5 goals shown");
    assertEquals(await processesWith(gatewayOf(stdout)), []);
  },
});

/** Reads what a demo prints; stops it, if nothing else has. */
function collect(demo: Deno.ChildProcess) {
  const output = {
    text: "",
    ended: Promise.resolve(),
    async [Symbol.asyncDispose]() {
      try {
        demo.kill("SIGINT");
      } catch {
        // It has ended already.
      }
      await output.ended;
    },
  };
  output.ended = (async () => {
    for await (const text of demo.stdout.pipeThrough(new TextDecoderStream())) {
      output.text += text;
    }
    await demo.status;
  })();
  return output;
}

Deno.test("deno task demo --keep leaves everything running until it is stopped", async () => {
  const child = startTask("demo", ["--keep", "--source", "mock"]);
  await using output = collect(child);
  await until(
    "the addresses",
    () => output.text.includes("deno task uninstall --purge"),
    60_000,
  );
  const stdout = output.text;
  assertStringIncludes(stdout, "mock webhook sent for mock:DEMO");
  assertMatch(stdout, /fetch {6}\d+ pieces of evidence/);
  assertStates(stdout);
  assertStringIncludes(stdout, "demo: 5 of 5 goals shown");
  const env = Object.fromEntries(
    [...stdout.matchAll(
      /export (\w+)=(\S+)/g,
    )].map(([, name, value]) => [name!, value!]),
  );
  const [, desk] = /^desk (http:\/\/127\.0\.0\.1:\d+\/)$/m.exec(stdout)!;
  const page = await fetch(desk!, { headers: { Cookie: "desk-name=Ana" } });
  assertStringIncludes(await page.text(), "Nothing waits");
  const [, webhook] = /curl -d @\S+ (\S+)/.exec(stdout)!;
  const answer = await fetch(webhook!, {
    method: "POST",
    body: JSON.stringify(sample),
  });
  assertEquals(answer.status, 202);
  await answer.body?.cancel();
  const approved = await until("a post to approve", async () => {
    const run = await runTask("approve_latest_post", ["--yes"], env);
    return run.code === 0 ? run : undefined;
  }, 30_000);
  assertStringIncludes(approved.stdout, "Posted as an artifact on ");
  const host = gatewayOf(stdout);
  assertEquals((await processesWith(host)).length >= 4, true);
  if (Deno.build.os === "linux") await assertFlagsAreDerived(stdout, env);
  const second = await call(main, [], { env });
  assertEquals(second.code, 1);
  assertStringIncludes(
    second.stderr,
    'demo: failed at step "install": Workers of this pack run on that platform already',
  );
  child.kill("SIGINT");
  assertEquals((await child.status).code, 130);
  await output.ended;
  await child.stderr.cancel();
  assertEquals(await processesWith(host), []);
});

/** What the system says of the running workers is what the command prints. */
async function assertFlagsAreDerived(
  printed: string,
  env: Record<string, string>,
): Promise<void> {
  const { stdout } = await runTask("permissions", ["--json"], env);
  const derived: Record<string, Permissions> = JSON.parse(stdout);
  const workers = [...printed.matchAll(/(\w+) +pid (\d+) +--allow-net/g)];
  assertEquals(workers.length, 4);
  for (const [, worker, pid] of workers) {
    const output = await new Deno.Command("sh", {
      args: ["-c", `cat /proc/${pid}/cmdline`],
    }).output();
    const [, ...args] = new TextDecoder().decode(output.stdout).split("\0");
    assertEquals(args, [
      "run",
      ...derived[worker!]!.flags,
      `workers/${worker}.ts`,
      "",
    ]);
  }
}

Deno.test({
  name: "notePast() notes one incident at most, and none where it may not",
  ignore: await isMissing(startRealRedis),
  async fn(t) {
    const lines: string[] = [];
    const say = new Transcript({
      env: () => undefined,
      out: (line = "") => lines.push(line),
      raw: (text) => lines.push(text),
      err: (line) => lines.push(line),
      signal: new AbortController().signal,
      screen: undefined,
      ask: undefined,
    });
    const startedAt = new Date();
    const incident = { incident_id: "mock:x", title: "x", service: "checkout" };
    const items = async (url: string) => {
      await using store = await openStore({ url }, 5_000, say.context.signal);
      const { key = "" } = toSubject(incident, startedAt);
      const list = historyKey("default", key)!;
      return await store.latest(list, 10, say.context.signal);
    };

    await t.step("twice is once", async () => {
      await using redis = await startRealRedis();
      const { url } = redis!;
      for (let i = 0; i < 2; i++) {
        await notePast({ redis: { url }, say }, { startedAt, incident });
      }
      assertEquals((await items(url)).length, 1);
      assertEquals(lines, []);
    });

    await t.step("a user that may not append is no failure", async () => {
      const rights = ["on", "nopass", "~*", "&*", "+@all", "-rpush"];
      await using redis = await startRealRedis([
        "--user",
        "default",
        ...rights,
      ]);
      const { url } = redis!;
      await notePast({ redis: { url }, say }, { startedAt, incident });
      assertEquals(await items(url), []);
      assertEquals(lines.length, 1);
      assertStringIncludes(lines[0]!, "no earlier incident: ");
    });
  },
});

/** That platform does not say which build it is, and releases no approved job. */
const CORETEX_06: Faults = {
  bounceApprovals: Infinity,
  onRoute: (_, path) =>
    path === "/api/v1/status"
      ? { status: 200, body: '{"uptime_seconds":1}' }
      : undefined,
};

Deno.test("on coretexOS 0.6 the demo says that no approval is released, rejects, and exits 1", async () => {
  const { code, stdout } = await demoOn(CORETEX_06);
  assertEquals(code, 1);
  assertStringIncludes(stdout, "Platform: coretexOS 0.6 or older");
  assertStringIncludes(stdout, "it bounced: the job waits for approval again");
  assertEquals(stdout.match(/approved as/g)?.length, 1, "one bounce is enough");
  assertStringIncludes(
    stdout,
    "rejected, since this platform is coretexOS 0.6, which never releases an approved job",
  );
  assertStringIncludes(stdout, "installed over 0.4.0, version 0.5.0");
  assertStringIncludes(stdout, "the record stays, status DISABLED");
  assertStringIncludes(
    stdout,
    "demo: this platform is coretexOS 0.6, which never releases an approved job\n",
  );
  assertMatch(stdout, /demo: [34] of 5 goals shown\n$/);
});

Deno.test("decide()", async (t) => {
  await using core = await startDevcore({ reloadMs: 200 });
  await using slack = await startSlack();
  await using stand = await startStand({ platformEnv: core.env, slack });
  /** Sends an incident and decides about its post. */
  const play = async (decision: Decision, answers: string[] = []) => {
    const lines: string[] = [];
    const rest = answers.values();
    const say = new Transcript({
      env: () => undefined,
      out: (line = "") => lines.push(line),
      raw: (text) => lines.push(text),
      err: (line) => lines.push(line),
      signal: stand.signal,
      screen: undefined,
      ask(question) {
        lines.push(question);
        return Promise.resolve(rest.next().value);
      },
    });
    const scene = { stand, core, say, redis: { url: core.redisUrl } };
    const id = crypto.randomUUID();
    const { answer } = await stand.send({ ...sample, id });
    const runId = String(answer["run_id"]);
    const { jobId } = await followRun(scene, runId);
    const options = { decision, principal: "ada" };
    const decided = await decide(scene, { runId, jobId }, options);
    return { decided, stdout: lines.join("\n") };
  };

  await t.step("asks until the answer is a no, and posts nothing", async () => {
    const { decided, stdout } = await play("ask", ["maybe", "no"]);
    assertEquals(decided, { end: "rejected" });
    const [shown, ...asked] = stdout.split("  Post this as ada? [y/n] ");
    assertEquals(asked.length, 2);
    assertStringIncludes(shown!, "CRITICAL · checkout-api: Checkout latency");
    assertMatch(
      stdout,
      /rejected: job DENIED, run failed[\s\S]*nothing was posted/,
    );
    assertEquals(slack.connections(), 0);
  });

  await t.step("shows what was summed up between two looks", async () => {
    const { platform } = stand;
    // What waits is told late, so that the run was read before its summary.
    platform.waiting = async () => {
      const jobs = await Platform.prototype.waiting.call(platform);
      if (jobs.length > 0) return jobs;
      await delay(50);
      return await platform.waiting();
    };
    const { stdout } = await play("reject");
    platform.waiting = Platform.prototype.waiting;
    assertMatch(stdout, /\n {4}\| ## What happened\n[\s\S]*waits for approval/);
  });

  await t.step("gives an approval again that bounced once", async () => {
    core.faults.bounceApprovals = 1;
    const { decided, stdout } = await play("approve");
    assertEquals(decided.end, "posted");
    assertEquals(stdout.match(/approved as ada/g)?.length, 2);
    assertStringIncludes(stdout, "Slack received one message");
  });

  await t.step("gives up when every approval bounces", async () => {
    core.faults.bounceApprovals = Infinity;
    const { decided, stdout } = await play("approve");
    assertEquals(decided, { end: "refused", cause: "every approval bounced" });
    assertEquals(stdout.match(/approved as ada/g)?.length, 3);
    assertStringIncludes(stdout, "rejected, since every approval bounced");
  });
});

const BROKEN: [string, Faults["onRoute"], string, RegExp][] = [
  [
    "the gateway takes no artifact",
    (method, path) =>
      method === "POST" && path === "/api/v1/artifacts"
        ? { status: 400, body: "artifacts are off\n" }
        : undefined,
    "run",
    /The run is failed: step fetch failed with .*got status 400, expected 2xx \(artifacts are off\)[\s\S]*The last lines of the fetcher:\n {2}\{/,
  ],
  [
    "the gateway takes no pack",
    (_, path) =>
      path === "/api/v1/packs/install"
        ? { status: 400, body: "no more packs\n" }
        : undefined,
    "install",
    /The platform refused the pack: no more packs/,
  ],
  [
    "the gateway refuses the key",
    (_, path) =>
      path.startsWith("/api/")
        ? { status: 401, body: "unauthorized\n" }
        : undefined,
    "platform",
    /got status 401, expected 2xx \(unauthorized\)/,
  ],
];
for (const [what, onRoute, step, expected] of BROKEN) {
  Deno.test(`the demo says what failed, cleans up and exits 1 when ${what}`, async () => {
    const { code, stdout, stderr } = await demoOn({ onRoute: onRoute! });
    assertEquals(code, 1);
    assertStringIncludes(stderr, `demo: failed at step "${step}": `);
    assertMatch(stderr, expected);
    assert(!stdout.includes("goals shown"));
  });
}

Deno.test("the demo says so when a worker ends, and stops the others", async () => {
  let kill = Promise.resolve();
  const { code, stdout, stderr } = await demoOn({}, [], {
    onLine(line) {
      const [, pid] = /poster +pid (\d+)/.exec(line) ?? [];
      if (pid === undefined) return;
      const command = new Deno.Command("sh", {
        args: ["-c", `kill -9 ${pid}`],
      });
      kill = command.output().then(() => {});
    },
  });
  await kill;
  assertEquals(code, 1);
  assertMatch(stderr, /demo: failed at step "\w+": The poster ended with exit/);
  assertMatch(stderr, /The last lines of the fetcher:\n {2}\{/);
  assert(!stdout.includes("goals shown"));
});

Deno.test("after a Ctrl-C the demo stops its workers and exits with 130", async () => {
  const stop = new AbortController();
  const { code, stdout, stderr } = await demoOn({}, [], {
    signal: stop.signal,
    onLine(line) {
      if (line === "Incident") stop.abort(new Stopped("SIGINT"));
    },
  });
  assertEquals([code, stderr], [130, "stopped\n"]);
  assertEquals(stdout.match(/pid \d+/g)?.length, 4);
});

Deno.test("the demo says which variable is missing when only a gateway is named", async () => {
  const { code, stderr } = await call(main, [], {
    env: { CORETEX_GATEWAY_URL: "http://127.0.0.1:1" },
  });
  assertEquals(code, 1);
  assertStringIncludes(stderr, "CORETEX_API_KEY is required");
});

Deno.test("RunEndedError says which step failed and why, or that nothing was started", () => {
  const { body } = recorded.requests[15]!.answer as { body: object };
  const failed = new RunEndedError({ ...body });
  assertEquals(
    failed.message,
    "The run is failed: step a failed with it broke",
  );
  assertEquals(
    new RunEndedError({ status: "succeeded" }).message,
    "The run is succeeded already: an incident with this id was sent before, and nothing new was started",
  );
});
