/**
 * What commands print of hostile names: nothing hidden, no style of a terminal,
 * no line of ours forged.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startRedisServer } from "../../deploy/devcore/redis_server.ts";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { createLog } from "../../lib/base/log.ts";
import { header, section } from "../../lib/message/block_kit.ts";
import { encodeMessage } from "../../lib/message/message.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import { connectStore } from "../../lib/platform/store.ts";
import { recordKey } from "../../lib/post/events.ts";
import { Transcript } from "../../scripts/demo/scene.ts";
import { main as approvals } from "../../scripts/approvals.ts";
import { main as approveLatestPost } from "../../scripts/approve_latest_post.ts";
import { main as install } from "../../scripts/install.ts";
import { main as posts } from "../../scripts/posts.ts";
import { main as preview } from "../../scripts/preview.ts";
import { LinesError, type Main } from "../../scripts/terminal/command.ts";
import { reportEnd } from "../../scripts/terminal/following.ts";
import { heading, table } from "../../scripts/terminal/format.ts";
import {
  confirmLoss,
  describeLicence,
  describeUninstalled,
  sideEffects,
  simulationRow,
} from "../../scripts/terminal/installation.ts";
import { showProgress } from "../../scripts/terminal/progress.ts";
import { main as uninstall } from "../../scripts/uninstall.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import { call, type CommandRun } from "../support/command.ts";
import { assertNothingUnseen, HOSTILE } from "../support/unseen.ts";

/** Hidden, in a style of ours, and on a line that could be ours. */
const ODD = `${HOSTILE}\x1b[7mSTYLED\nFORGED`;
const odd = (name: string) => `${name}${ODD}`;

const shown: string[] = [];
const SCREEN = {
  columns: 200,
  colour: true,
  show: (line: string) => void shown.push(line),
};
// deno-lint-ignore no-control-regex -- Our own styles.
const STYLE = /\x1b\[(?:1;36|[\d]+)m/g;

/** Calls a command without a terminal and on one, and looks for what is odd. */
async function callSeen(
  main: Main,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandRun> {
  shown.length = 0;
  const onTerminal = await call(main, args, { env, screen: SCREEN });
  for (const text of [onTerminal.stdout, onTerminal.stderr, ...shown]) {
    assert(!text.includes("\x1b[7mSTYLED"), JSON.stringify(text));
    assertSeen(text.replace(STYLE, ""));
  }
  const run = await call(main, args, { env });
  assertSeen(run.stdout);
  assertSeen(run.stderr);
  return run;
}

function assertSeen(text: string): void {
  assertNothingUnseen(text);
  assert(!/^\s*FORGED/m.test(text), JSON.stringify(text));
}

const NOW = new Date().toISOString();
/** As nothing of ours writes it: what is left is shown. */
const MESSAGE = encodeMessage({
  text: odd("notification"),
  blocks: [header(odd("header")), section(`${odd("*bold*")} &lt;b&gt;`)],
});

const digest = await sha256Hex(MESSAGE);

/** A gateway with two waiting jobs that are hostile wherever they can be. */
function serveHostile() {
  const facts = {
    run_id: odd("run"),
    tenant: odd("tenant"),
    safety_rule_id: odd("rule"),
    safety_reason: odd("reason"),
    safety_snapshot: odd("snapshot"),
    approval_by: odd("approver"),
    error_message: odd("error"),
    state: "APPROVAL_REQUIRED",
    updated_at: (Date.now() - 60_000) * 1000,
  };
  const incident = {
    incident_id: odd("1"),
    title: odd("title"),
    severity: odd("high"),
    source: { system: odd("mock") },
    destination: { mode: odd("slack") },
  };
  const evidence = {
    collected_at: NOW,
    evidence: [{
      id: odd("E1"),
      title: odd("evidence"),
      artifact_ptr: odd("redis://art:1"),
    }],
    gaps: [{ what: odd("gap"), why: odd("why") }],
    normalized_context: { title: odd("title"), severity: odd("severity") },
  };
  const jobs = new Map<string, Record<string, unknown>>([
    ["run:post@1", {
      ...facts,
      topic: POST_TOPIC,
      context: {
        incident,
        evidence,
        summary: { message_ptr: "redis://art:2", message_sha256: digest },
      },
    }],
    [`r${HOSTILE}:x@1`, {
      ...facts,
      topic: odd("job.other.x"),
      context: incident,
    }],
    ["decided:post@1", { ...facts, approval_at: 1, state: odd("DENIED") }],
  ].map(([id, job]) => [id as string, { id, ...job as object }]));
  return startGateway(({ request: { method }, path }) => {
    const [kind, id = ""] = path.replace("/api/v1/", "").split("/")
      .map(decodeURIComponent);
    if (method === "POST") return plain(409, odd("conflict"));
    switch (kind) {
      case "approvals":
        return Response.json({
          items: [...jobs.values()].slice(0, 2)
            .map((job) => ({ job, policy_rule_id: odd("rule") })),
        });
      case "artifacts":
        return Response.json({
          content_base64: MESSAGE.toBase64(),
          metadata: {},
        });
      case "jobs":
        return jobs.has(id)
          ? Response.json(jobs.get(id))
          : plain(404, "job not found");
      case "workers":
        return Response.json([{ worker_id: odd("worker") }]);
      default:
        return plain(404, "404 page not found\n");
    }
  });
}

Deno.test("approvals hide nothing of hostile jobs", async (t) => {
  await using server = serveHostile();
  const env = { CORETEX_GATEWAY_URL: server.url, CORETEX_API_KEY: "k" };
  const rows: [main: Main, args: string[], says: string][] = [
    [approvals, [], "<U+202E>"],
    [approvals, ["--json"], '"run_id": "run'],
    [approvals, ["show", "run:post@1"], "header<U+001B>]0;owned<U+0007>"],
    [
      approvals,
      ["show", "run:post@1"],
      "\nNotification:\n│ notification<U+001B>",
    ],
    [approvals, ["show", "run:post@1", "--json"], "header\\u001b]0;owned"],
    [approvals, ["show", `r${HOSTILE}:x@1`], "topic     job.other.x<U+001B>"],
    [approvals, ["show", "decided:post@1"], "approved by approver<U+001B>"],
    [approvals, ["show", odd("none")], "error: "],
    [approvals, [odd("verb")], "Unknown command"],
    [approvals, ["show", "run:post@1", odd("more")], "Unexpected argument"],
    [approvals, [odd("--option")], "error: "],
    [approvals, ["approve", "run:post@1", "--yes"], "error: "],
    [approvals, ["approve", "run:post@1"], "sha256"],
    [approvals, ["reject", "run:post@1", "--reason", odd("r")], "conflict"],
    [approveLatestPost, ["--yes"], "Also waiting, but not a post: r<U+001B>"],
    [approveLatestPost, ["--run", odd("run"), "--yes"], "No post of run"],
    [install, [], "error: "],
    [uninstall, [], "error: "],
  ];
  for (const [main, args, says] of rows) {
    await t.step(`${args.join(" ").slice(0, 40)} says ${says}`, async () => {
      const { stdout, stderr } = await callSeen(main, args, env);
      assertStringIncludes(stdout + stderr, says);
    });
  }
});

Deno.test("every command tells of a platform's error in one visible line", async (t) => {
  // 501 stands for what the platform gets wrong; others are asked again.
  for (const status of [400, 401, 403, 404, 409, 501]) {
    await using server = startGateway(() =>
      Response.json({ error: odd("error"), code: odd("code") }, { status })
    );
    const env = { CORETEX_GATEWAY_URL: server.url, CORETEX_API_KEY: "k" };
    for (
      const [name, main, args] of [
        ["approvals", approvals, []],
        ["approvals show", approvals, ["show", "a:post@1"]],
        ["approve_latest_post", approveLatestPost, ["--yes"]],
        ["install", install, ["--yes"]],
        ["uninstall", uninstall, ["--yes"]],
      ] as [string, Main, string[]][]
    ) {
      await t.step(`${name} at ${status}`, async () => {
        const { code, stderr } = await callSeen(main, args, env);
        assertEquals([code, stderr.trimEnd().split("\n").length], [1, 1]);
      });
    }
  }
});

Deno.test("posts hide nothing of hostile records", async (t) => {
  await using redis = await startRedisServer();
  const { signal } = new AbortController();
  const log = createLog({}, { write() {} });
  const { url } = redis;
  const destination = odd("slack:0123456789abcdef");
  const write = async (incidentId: string, ...events: unknown[]) => {
    await using store = await connectStore({ url, name: "test", log, signal });
    const key = recordKey({ tenant: odd("default"), incidentId, destination });
    for (const event of events) {
      const item = typeof event === "string" ? event : JSON.stringify(event);
      await store.append(key, item, signal);
    }
  };
  const claim = {
    type: "claim",
    token: odd("A"),
    job_id: odd("run:post@1"),
    run_id: odd("run"),
    digest: odd("d"),
    host: odd("hooks.slack.com"),
    severity: odd("critical"),
    at: "2026-01-15T09:30:00Z",
    [odd("key")]: odd("value"),
  };
  const id = "mock:1";
  await write(id, claim, odd("no event"), { type: odd("type"), at: odd("at") });
  await write(odd("mock:2"), claim, {
    type: "refused",
    token: odd("A"),
    why: odd("why"),
    at: odd("at"),
  });
  await write("mock:3", claim);
  await write("mock:3:x", claim);
  const person = ["--by", odd("ada"), "--why", odd("why")];
  const rows: [args: string[], says: string][] = [
    [[], "STATE"],
    [["--all"], "mock:2<U+001B>"],
    [["--json"], "mock:1"],
    [["--all", "--json"], "mock:2\\u001b"],
    [["show", id], "no event<U+001B>"],
    [["show", id, "--json"], "\\u001b]0;owned"],
    [["show", odd("mock:2")], "why<U+001B>"],
    [["show", odd("none")], "Nothing is known of a post of none<U+001B>"],
    [["mark", id, "--posted", ...person], "mock:1"],
    [["free", "mock:3", "--force", ...person], "mock:3"],
    [["forget", "mock:3", "--yes", "--force"], "mock:3"],
    [["forget", odd("mock:2"), "--yes", "--force"], "mock:2<U+001B>"],
  ];
  for (const [args, says] of rows) {
    await t.step(args.join(" ").slice(0, 30), async () => {
      const first = await callSeen(posts, args, { REDIS_URL: url });
      const all = first.stdout + first.stderr;
      assert(all.includes(says) || all.includes("Nothing is known"), all);
    });
  }
});

Deno.test("preview hides nothing of a hostile incident", async () => {
  const incident = {
    incident_id: "1",
    title: odd("title"),
    service: odd("service"),
    severity: "high",
  };
  const file = await Deno.makeTempFile({ dir: "/tmp" });
  try {
    await Deno.writeTextFile(
      file,
      JSON.stringify({ ...incident, [odd("unknown")]: 1 }),
    );
    const { stderr } = await callSeen(preview, [file]);
    assertStringIncludes(stderr, "unknown<U+001B>");
    await Deno.writeTextFile(
      file,
      JSON.stringify({ ...incident, raw: { [odd("key")]: odd("value") } }),
    );
    for (const more of [[], ["--json"]]) {
      const { stderr, stdout } = await callSeen(preview, [file, ...more]);
      assertEquals(stderr, "");
      assertStringIncludes(stdout, "service");
      // Removed, not named: the message itself holds none of it.
      assert(!/U\+|\\u/.test(stdout), stdout);
    }
  } finally {
    await Deno.remove(file);
  }
  await callSeen(preview, [odd("/tmp/none")]);
  await callSeen(preview, ["-", "--source", odd("source")]);
});

/** What other commands say, each through the output that all of them share. */
const SAYINGS: Readonly<Record<string, Main>> = {
  "install and uninstall": (_, context) => {
    const lines = [
      ...sideEffects(
        { policyChanged: true, replaced: odd("0.1.0") } as never,
        { isCordum1: false } as never,
      ),
      ...describeLicence({
        plan: odd("free"),
        workersMax: 3,
        jobsMax: 3,
        foreignWorkers: [odd("worker")],
        unfinished: new Set([odd("job")]),
      }),
      ...describeUninstalled({
        leftovers: {
          status: odd("status"),
          topics: [odd("topic")],
          pools: { [odd("pool")]: {}, [odd("full")]: { a: 1 } },
          fragments: [odd("fragment")],
          workflows: [odd("workflow")],
          schemas: [odd("schema")],
        },
        policyMs: 1,
        routingMs: 1,
        keepsRouting: false,
      }),
      ...table([
        simulationRow({
          name: odd("name"),
          expected: odd("allow"),
          got: odd("deny"),
          ok: false,
        }),
      ]),
    ];
    lines.forEach((line) => context.out(line));
    return Promise.resolve(0);
  },
  "what waits and would be lost": async (_, context) => {
    const job = {
      jobId: odd("job"),
      topic: odd("topic"),
      ruleId: odd("rule"),
      since: 1,
    };
    await confirmLoss([job as never], context, true);
    return 0;
  },
  "what became of a job": (_, context) => {
    const job = { jobId: "j", topic: POST_TOPIC, principal: odd("ada") };
    const result = {
      posted_at: odd("at"),
      destination_host: odd("host"),
      warnings: [odd("warning")],
      job_id: odd("j"),
      message_sha256: odd("d"),
      artifact_ptr: odd("p"),
      update_of: { severity: odd("error"), posted_at: odd("at") },
      approval: { by: odd("ada") },
    };
    for (
      const followed of [
        { end: "succeeded", result, job: {} },
        { end: "succeeded", result: { ...result, repeat: true }, job: {} },
        { end: "failed", code: odd("CODE"), message: odd("why"), job: {} },
        { end: "still running", state: odd("state"), hindrance: undefined },
      ] as const
    ) {
      reportEnd(job, followed, context);
      reportEnd({ ...job, topic: odd("topic") }, followed, context);
    }
    return Promise.resolve(0);
  },
  "the demo": (_, context) => {
    const say = new Transcript(context);
    say.heading(odd("heading"));
    say.line(odd("line"));
    say.table([[odd("a"), odd("b")]]);
    say.message([header(odd("header")), section(odd("text"))]);
    return Promise.resolve(0);
  },
  "progress and headings": (_, context) => {
    showProgress(context)(odd("waiting"));
    context.out(heading(odd("heading"), context));
    return Promise.resolve(0);
  },
  "a question": async (_, context) => {
    await context.ask?.(odd("question"));
    return 0;
  },
  "a failure that the platform words": () => {
    throw new OperationError(odd("Cannot"));
  },
};

for (const [what, main] of Object.entries(SAYINGS)) {
  Deno.test(`commands hide nothing in ${what}`, async () => {
    await callSeen(main, []);
  });
}

Deno.test("a program's words may have several lines, a bug's stack too", async () => {
  const lines: string[] = [];
  for (const error of [new LinesError("one\ntwo"), new Error("bug\x1b[2J")]) {
    const { stderr } = await call(() => Promise.reject(error));
    assertNothingUnseen(stderr);
    lines.push(...stderr.split("\n").slice(0, 2));
  }
  assertEquals(lines.slice(0, 3), [
    "error: one",
    "two",
    "error: Error: bug<U+001B>[2J",
  ]);
});
