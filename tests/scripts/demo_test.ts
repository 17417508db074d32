/**
 * The demo as a person runs it, and how it fails.
 *
 * Its usual end on the embedded stand-in is also a step of CI by itself.
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
import { processesWith } from "../support/processes.ts";
import type { Permissions } from "../../scripts/launch/permissions.ts";
import {
  HAS_TERMINALS,
  runTask,
  startTask,
  startTaskOnTerminal,
} from "../support/task.ts";
import { until } from "../support/until.ts";

const gatewayOf = (stdout: string) =>
  new URL(/gateway (http:\/\/\S+)/.exec(stdout)![1]!).host;

Deno.test("deno task demo shows five of five goals and leaves nothing running", async () => {
  const { code, stdout, stderr } = await runTask("demo", [
    "--as",
    "ada",
    "--id",
    "INC-7",
  ]);
  assertEquals([code, stderr], [0, ""], stdout);
  assert(stdout.endsWith("\ndemo: 5 of 5 goals shown\n"));
  assertMatch(stdout, /bundled dist\/incident-enricher-0\.1\.0\.tgz/);
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
  assertStringIncludes(
    stdout,
    "signed PagerDuty webhook sent for pagerduty:INC-7, answered 202 with run ",
  );
  assertStringIncludes(
    stdout,
    "the same webhook from anybody else: refused with 401",
  );
  assertMatch(stdout, /\d\.\d s {2}fetch +2 pieces of evidence/);
  assertMatch(
    stdout,
    /\[E1\] PagerDuty webhook as received \(incident\.raw, .*\) redis:\/\/art:/,
  );
  // What is missing is said, not left out.
  assertMatch(
    stdout,
    / missing: alerts, log entries and notes, PagerDuty's API/,
  );
  assertStringIncludes(stdout, "    | ## What we know");
  assertStringIncludes(
    stdout,
    "waits for approval, demanded by rule incident-enricher-require-approval-post",
  );
  assertStringIncludes(stdout, "approved as ada, with an empty body");
  assertMatch(
    stdout,
    /approval +\{"by":"ada","at":"[^"]+","rule_id":"incident-enricher-require-approval-post"\}/,
  );
  assertEquals(stdout.match(/ audit {2}digest ok/g)?.length, 5);
  assertStringIncludes(stdout, "ok     the fragment's key is the same");
  assertStringIncludes(stdout, "registry   the record stays, status DISABLED");
  assertEquals(await processesWith(gatewayOf(stdout)), []);
  // What the front page shows is what the demo prints.
  const readme = await Deno.readTextFile("README.md");
  assertStringIncludes(readme, stdout.slice(stdout.indexOf("Goals\n")));
  // So does its picture.
  const svg = await Deno.readTextFile(".github/images/demo.svg");
  const drawn = [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(
    ([, line = ""]) => unescapeXml(line),
  );
  const printed = ["$ npx -y deno task demo", ...stdout.trimEnd().split("\n")];
  assertEquals(drawn.length, printed.length, "run deno task picture");
  for (const [at, line] of drawn.entries()) {
    const [picture, screen] = [shapeOf(line), shapeOf(printed[at]!)];
    const start = picture.replace(/\S*…$/, "");
    const same = start === picture
      ? screen === start
      : screen.startsWith(start);
    assert(same, `run deno task picture: it shows ${line}`);
  }
});

function unescapeXml(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll(
      "&amp;",
      "&",
    );
}

/** A line without what differs from run to run. */
function shapeOf(line: string): string {
  return line.replace(/\b[0-9a-f]{8}[\w-]*|\d[\w.:-]*/g, "#").replace(
    / +/g,
    " ",
  );
}

for (
  const [source, sent, evidence] of [
    ["mock", "mock webhook sent for mock:demo-", 2],
    [
      "alertmanager",
      "Alertmanager webhook with its token sent for alertmanager:",
      3,
    ],
  ] as const
) {
  Deno.test(`deno task demo --source ${source} shows five of five goals too`, async () => {
    const { code, stdout, stderr } = await runTask("demo", [
      "--source",
      source,
    ]);
    assertEquals([code, stderr], [0, ""], stdout);
    assertStringIncludes(stdout, sent);
    assertStringIncludes(stdout, `fetch      ${evidence} pieces of evidence`);
    assert(stdout.endsWith("\ndemo: 5 of 5 goals shown\n"));
  });
}

const REFUSED: [args: string[], why: string][] = [
  [
    ["--source", "opsgenie"],
    'error: There is no source "opsgenie"; there are pagerduty, alertmanager, mock\n',
  ],
  [
    ["--source", "alertmanager", "--id", "INC-1"],
    "error: Leave out --id: Alertmanager names an incident by its group and when it began\n",
  ],
];
for (const [args, why] of REFUSED) {
  Deno.test(`deno task demo ${args.join(" ")} is refused`, async () => {
    const { code, stdout, stderr } = await runTask("demo", args);
    assertEquals([code, stdout, stderr], [2, "", why]);
  });
}

Deno.test("deno task demo --reject shows that nothing was posted", async () => {
  const { code, stdout } = await runTask("demo", ["--reject"]);
  assertEquals(code, 0);
  assertMatch(stdout, /rejected: job DENIED, run failed/);
  assertStringIncludes(
    stdout,
    "nothing was posted: the poster never got the job",
  );
  assert(!stdout.includes("message_sha256 "));
  assertStringIncludes(stdout, "demo: 5 of 5 goals shown");
});

Deno.test("deno task demo --slack posts what was approved to a stand-in and shows it", async () => {
  const { code, stdout, stderr } = await runTask("demo", [
    "--slack",
    "--as",
    "ada",
    "--id",
    "INC-8",
  ]);
  assertEquals([code, stderr], [0, ""], stdout);
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
      "  │ \u{1F534} CRITICAL · checkout-api: Checkout latency above 2 s in eu-west-1\n",
      "  │ What to do\n",
      "  │ [Open the incident] https://shop.pagerduty.com/incidents/INC-8\n",
      "  │ Incident pagerduty:INC-8 from pagerduty · 2 pieces of evidence\n",
      "  │ Approved by ada at ",
    ]
  ) assertStringIncludes(shown, line);
  assertMatch(shown, RegExp(`sha256 ${digest!.slice(0, 16)}\n`));
  assertStringIncludes(stdout, "demo: 5 of 5 goals shown");
  // The webhook's secret is the poster's alone.
  assert(!stdout.includes("/services/"));
});

Deno.test("deno task demo --slack posts to the stand-in on a named platform too", async () => {
  await using core = await startDevcore({ reloadMs: 200 });
  const { code, stdout } = await runTask("demo", ["--slack"], core.env);
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "Platform: version dev");
  assertStringIncludes(stdout, "Slack received one message");
});

Deno.test("deno task demo --slack --reject shows that Slack was not called", async () => {
  const { code, stdout } = await runTask("demo", ["--slack", "--reject"]);
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "nothing was posted");
  assert(!stdout.includes("Slack received"));
});

for (
  const [answers, expected] of [
    [["y"], /approved as ada[\s\S]*Slack received one message/],
    [
      ["maybe", "no"],
      /rejected: job DENIED, run failed[\s\S]*nothing was posted/,
    ],
  ] as const
) {
  Deno.test({
    name: `deno task demo --interactive asks, and takes ${answers.join(", ")}`,
    ignore: !HAS_TERMINALS,
    async fn() {
      const child = startTaskOnTerminal("demo", [
        "--interactive",
        "--slack",
        "--as",
        "ada",
      ]);
      let stdout = "";
      const reading = (async () => {
        for await (
          const text of child.stdout.pipeThrough(new TextDecoderStream())
        ) stdout += text;
      })();
      const keyboard = child.stdin.getWriter();
      for (const [at, answer] of answers.entries()) {
        await until(
          "the question",
          () => stdout.split("Post this as ada? [y/n] ").length === at + 2,
          60_000,
        );
        await keyboard.write(new TextEncoder().encode(`${answer}\n`));
      }
      const { code } = await child.status;
      await keyboard.close().catch(() => {});
      await reading;
      assertEquals(code, 0, stdout);
      // What is asked about was shown before.
      const asked = stdout.slice(0, stdout.indexOf("Post this as ada?"));
      assertStringIncludes(asked, "CRITICAL · checkout-api: Checkout latency");
      assert(!asked.includes("Slack received"));
      assertMatch(stdout, expected);
      assertStringIncludes(stdout, "demo: 5 of 5 goals shown");
      assertEquals(await processesWith(gatewayOf(stdout)), []);
    },
  });
}

for (
  const [args, error] of [
    [
      ["--interactive"],
      "error: --interactive needs a terminal to ask on; without it the demo " +
      "approves by itself, and --reject rejects",
    ],
    [
      ["--interactive", "--reject"],
      "error: Choose one of --reject and --interactive",
    ],
  ] as const
) {
  Deno.test(`deno task demo ${args.join(" ")} says at once that it cannot ask`, async () => {
    const { code, stdout, stderr } = await runTask("demo", args);
    assertEquals([code, stdout, stderr.trim()], [2, "", error]);
  });
}

Deno.test("deno task demo --keep leaves everything running until it is stopped", async () => {
  const child = startTask("demo", ["--keep"]);
  let stdout = "";
  const reading = (async () => {
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) stdout += text;
  })();
  await until(
    "the addresses",
    () => stdout.includes("deno task uninstall --purge"),
    60_000,
  );
  assertStringIncludes(stdout, "demo: 5 of 5 goals shown");
  const env = Object.fromEntries(
    [...stdout.matchAll(
      /export (\w+)=(\S+)/g,
    )].map(([, name, value]) => [name!, value!]),
  );
  const [, webhook] = /curl -d @\S+ (\S+)/.exec(stdout)!;
  const body = await Deno.readTextFile("deploy/samples/sample_webhook.json");
  const answer = await fetch(webhook!, { method: "POST", body });
  assertEquals(answer.status, 202);
  await answer.body?.cancel();
  const approved = await until("a post to approve", async () => {
    const run = await runTask("approve_latest_post", [], env);
    return run.code === 0 ? run : undefined;
  }, 30_000);
  assertStringIncludes(approved.stdout, "Posted: ");
  const host = gatewayOf(stdout);
  assertEquals((await processesWith(host)).length >= 4, true);
  if (Deno.build.os === "linux") await assertFlagsAreDerived(stdout, env);
  child.kill("SIGINT");
  assertEquals((await child.status).code, 0);
  await reading;
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

Deno.test("on coretexOS 0.6 the demo says that no approval is released, rejects, and exits 1", async () => {
  await using core = await startDevcore({
    reloadMs: 200,
    faults: {
      bounceApprovals: Infinity,
      // That platform does not say which build it is.
      onRoute: (_, path) =>
        path === "/api/v1/status"
          ? { status: 200, body: '{"uptime_seconds":1}' }
          : undefined,
    },
  });
  const { code, stdout } = await runTask("demo", [], core.env);
  assertEquals(code, 1);
  assertStringIncludes(stdout, "Platform: coretexOS 0.6 or older");
  assertStringIncludes(stdout, "it bounced: the job waits for approval again");
  assertEquals(stdout.match(/approved as/g)?.length, 1, "one bounce is enough");
  assertStringIncludes(
    stdout,
    "rejected, since this platform is coretexOS 0.6, which never releases an approved job",
  );
  assertStringIncludes(stdout, "installed over 0.1.0, version 0.2.0");
  assertStringIncludes(stdout, "the record stays, status DISABLED");
  assertStringIncludes(
    stdout,
    "demo: this platform is coretexOS 0.6, which never releases an approved job\n",
  );
  assertMatch(stdout, /demo: [34] of 5 goals shown\n$/);
});

Deno.test("on a platform where an approval bounces once the demo gives it again", async () => {
  await using core = await startDevcore({
    reloadMs: 200,
    faults: { bounceApprovals: 1 },
  });
  const { code, stdout } = await runTask("demo", [], core.env);
  assertEquals(code, 0);
  assertEquals(stdout.match(/approved as/g)?.length, 2);
  assertStringIncludes(stdout, "Platform: version dev");
});

Deno.test("the demo stops before approvals and workers that are not its own", async () => {
  await using core = await startDevcore({ reloadMs: 200 });
  const child = startTask("demo", ["--keep"], core.env);
  let stdout = "";
  const reading = (async () => {
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) stdout += text;
  })();
  await until(
    "the first demo to be done",
    () => stdout.includes("deno task uninstall --purge"),
    60_000,
  );
  const second = await runTask("demo", [], core.env);
  assertEquals(second.code, 1);
  assertStringIncludes(
    second.stderr,
    'demo: failed at step "install": Workers of this pack run on that platform already',
  );
  child.kill("SIGINT");
  await child.status;
  await reading;
  await child.stderr.cancel();
});

const BROKEN: [
  string,
  (
    method: string,
    path: string,
  ) => { status: number; body?: string } | undefined,
  string,
  RegExp,
][] = [
  [
    "the gateway takes no artifact",
    (method, path) =>
      method === "POST" && path === "/api/v1/artifacts"
        ? { status: 403, body: "artifacts are off\n" }
        : undefined,
    "run",
    /The run is failed: step fetch failed with .*got status 403, expected 2xx \(artifacts are off\)[\s\S]*The last lines of the fetcher:\n {2}\{/,
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
    await using core = await startDevcore({
      reloadMs: 200,
      faults: { onRoute },
    });
    const { code, stdout, stderr } = await runTask("demo", [], core.env);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `demo: failed at step "${step}": `);
    assertMatch(stderr, expected);
    assert(!stdout.includes("goals shown"));
    assertEquals(await processesWith(new URL(core.gatewayUrl).host), []);
  });
}

Deno.test("the demo says which variable is missing when only a gateway is named", async () => {
  const { code, stderr } = await runTask("demo", [], {
    CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
  });
  assertEquals(code, 1);
  assertStringIncludes(stderr, "CORETEX_API_KEY is required");
});
