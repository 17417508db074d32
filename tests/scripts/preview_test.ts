/**
 * A message shown without being sent: as text, as a picture, as JSON.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { IncidentInput } from "../../lib/incident.ts";
import { encodeMessage } from "../../lib/message/message.ts";
import { previewMessage } from "../../scripts/pictures/make.ts";
import { main } from "../../scripts/preview.ts";
import sample from "../../deploy/samples/sample_incident.json" with {
  type: "json",
};
import { assertSlackTakes } from "../support/block_kit.ts";
import { call, type CommandRun } from "../support/command.ts";
import { runTask, startTask } from "../support/task.ts";

const SAMPLE = "deploy/samples/sample_incident.json";
const NO_LINKS = {
  linkOrigins: undefined,
  dashboardRunUrl: undefined,
  evidenceUrl: undefined,
};

Deno.test("previewMessage() gives what Slack takes, the same for the same incident", async () => {
  const incident = sample as IncidentInput;
  const settings = {
    linkOrigins: ["https://incidents.example.com"],
    dashboardRunUrl: "https://dashboard.example.com",
    evidenceUrl: undefined,
  };
  const { message, digest } = await previewMessage(incident, settings);
  assertSlackTakes(message);
  assertMatch(digest, /^[0-9a-f]{64}$/);
  const again = await previewMessage(incident, settings);
  assertEquals(encodeMessage(again.message), encodeMessage(message));
  const bare = await previewMessage(incident, NO_LINKS);
  assert(!JSON.stringify(bare.message).includes('"actions"'));
  const nasty = `"><script>alert(1)</script>'&amp; <!channel>`;
  const odd = await previewMessage({
    ...incident,
    title: nasty,
    raw: { description: nasty, timeline: [{ at: "1", text: nasty }] },
  }, NO_LINKS);
  assertSlackTakes(odd.message);
});

Deno.test("deno task preview shows text, a picture and the payload", async (t) => {
  const env = {
    LINK_ORIGINS: "https://incidents.example.com",
    DASHBOARD_RUN_URL: "https://dashboard.example.com/runs",
  };
  await t.step("text, with the digest", async () => {
    const { code, stdout, stderr } = await call(main, [SAMPLE], { env });
    assertEquals([code, stderr], [0, ""]);
    for (
      const line of [
        "│ \u{1F534} CRITICAL · checkout-api: Checkout latency above 2 s",
        "│ ◆ Since 09:30:00 UTC, now triggered",
        "│ ◆ What changed · 09:24:10, 5 min before: “Deployed checkout-api 2026.3.1”",
        "│ [Open the incident] https://incidents.example.com/INC-1042",
        "│ [Open the run] https://dashboard.example.com/runs/preview",
      ]
    ) assert(stdout.split("\n").includes(line), `${line}\n${stdout}`);
    assertMatch(stdout, /\nMessage sha256 [0-9a-f]{64}; nothing was sent\n$/);
  });
  await t.step("the payload, byte for byte what would be posted", async () => {
    const { code, stdout } = await call(main, [SAMPLE, "--json"], { env });
    assertEquals(code, 0);
    const payload = JSON.parse(stdout);
    assertEquals(Object.keys(payload), ["text", "blocks"]);
    assertSlackTakes(payload);
  });
  await t.step("a picture", async () => {
    const path = await Deno.makeTempFile({ dir: "/tmp", suffix: ".html" });
    try {
      const args = [SAMPLE, "--html", path];
      const { code, stdout } = await runTask("preview", args, env);
      assertEquals([code, stdout], [0, `${path} written; nothing was sent\n`]);
      const html = await Deno.readTextFile(path);
      assertStringIncludes(html, "CRITICAL · checkout-api: Checkout latency");
      assertStringIncludes(
        html,
        '<a href="https://incidents.example.com/INC-1042" rel="noreferrer">Open the incident</a>',
      );
      // The page stands beside it, with the webhook quoted.
      const [chat = "", page = ""] = html.split('<div class="page">');
      assertStringIncludes(chat, '<div class="chat">');
      assertStringIncludes(page, "<h2>What changed before it began</h2>");
      assertStringIncludes(page, "What E1 says");
      assert(!html.includes("<script"));
    } finally {
      await Deno.remove(path);
    }
  });
});

Deno.test("deno task preview shows what a redaction level leaves", async () => {
  const said = /◆ Redaction level full: \d+ texts and numbers removed/;
  const { code, stdout } = await call(main, [SAMPLE, "--level", "full"], {
    env: {},
  });
  assertEquals(code, 0);
  assertMatch(stdout, said);
  assertStringIncludes(stdout, "CRITICAL · checkout-api: Checkout latency");
  assert(!stdout.includes("p99"));
});

const REFUSED: [args: string[], code: number, error: string][] = [
  [[], 2, "error: Name one file, or - for standard input; see --help"],
  [[SAMPLE, "x"], 2, "error: Unexpected argument 'x'; see --help"],
  [
    ["nowhere.json"],
    1,
    "error: Cannot use nowhere.json: there is no such file",
  ],
  [
    ["README.md"],
    1,
    "error: Cannot use README.md: it must be JSON in UTF-8",
  ],
  [["pack"], 1, "error: Cannot use pack: it cannot be read"],
  [
    [SAMPLE, "--level", "most"],
    2,
    'error: There is no level "most"; there are none, standard, strict, full; see --help',
  ],
  [
    [SAMPLE, "--source", "nagios"],
    2,
    'error: There is no source "nagios"; there are pagerduty, alertmanager, mock; see --help',
  ],
  [
    [SAMPLE, "--source", "pagerduty"],
    1,
    `error: Cannot use ${SAMPLE}: "event" must be an object`,
  ],
  [
    ["deploy/samples/sample_pagerduty.json", "--source", "mock"],
    1,
    'error: Cannot use deploy/samples/sample_pagerduty.json: "id" must be ' +
    "1 to 150 visible ASCII characters without blanks",
  ],
  [
    ["deploy/samples/sample_webhook.json"],
    1,
    'error: Cannot use deploy/samples/sample_webhook.json: "incident_id" is missing. ' +
    "If this is the body of a webhook, say who sends it with --source",
  ],
  [
    [SAMPLE, "--html", "/etc/preview.html"],
    1,
    "error: Cannot write /etc/preview.html: it may write below dist/ and /tmp only",
  ],
];
for (const [args, code, error] of REFUSED) {
  Deno.test(`deno task preview ${args.join(" ")} says what is wrong`, async () => {
    const run = await call(main, args);
    assertEquals([run.code, run.stdout, run.stderr.trim()], [code, "", error]);
  });
}

/** Calls preview with a file that holds this. */
async function previewOf(
  content: unknown,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandRun> {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(path, JSON.stringify(content));
    const run = await call(main, [path, ...args], { env });
    return { ...run, stderr: run.stderr.replace(path, "FILE").trim() };
  } finally {
    await Deno.remove(path);
  }
}

const INVALID: [change: Record<string, unknown>, problem: string][] = [
  [{ incident_id: 7 }, '"incident_id" must be a string'],
  [{ incident_id: "" }, '"incident_id" must not be empty'],
  [{ title: "x".repeat(1001) }, '"title" must have at most 1000 characters'],
  [{ source: {} }, '"source.system" is missing'],
  [
    { source: { system: "nagios" } },
    '"source.system" must be one of mock, pagerduty, alertmanager',
  ],
  [
    { occurred_at: "yesterday" },
    '"occurred_at" must be a date-time such as 2026-01-15T09:30:00Z',
  ],
  [
    { destination: { mode: "artifact", to: 1 } },
    '"destination.to" is not known',
  ],
];
for (const [change, problem] of INVALID) {
  Deno.test(`deno task preview says in words: ${problem}`, async () => {
    const { code, stderr } = await previewOf({ ...sample, ...change }, []);
    assertEquals([code, stderr], [
      1,
      `error: Cannot use FILE: ${problem}. ` +
      "If this is the body of a webhook, say who sends it with --source",
    ]);
  });
}

const WEBHOOKS: [source: string, body: string, headline: string][] = [
  [
    "pagerduty",
    "deploy/samples/sample_pagerduty.json",
    "P1 · checkout-api: Checkout latency above 2 s",
  ],
  [
    "alertmanager",
    "deploy/samples/sample_alertmanager.json",
    "p99 of POST /checkout above 2 s (worst 2.4 s)",
  ],
  [
    "mock",
    "deploy/samples/sample_webhook.json",
    "checkout-api: Checkout latency",
  ],
];
for (const [source, body, headline] of WEBHOOKS) {
  Deno.test(`deno task preview --source ${source} shows what a webhook leads to, unsigned`, async () => {
    const { code, stdout, stderr } = await call(main, [
      body,
      "--source",
      source,
    ]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout.split("\n")[0]!, headline);
    assertMatch(stdout, /\nMessage sha256 [0-9a-f]{64}; nothing was sent\n$/);
  });
}

Deno.test("deno task preview --source takes credentials out as the ingester does", async () => {
  const text = "login failed, Authorization: Bearer s3cret0123456789abcdef";
  const { stdout } = await previewOf({ id: "INC-1", title: text }, [
    "--source",
    "mock",
  ]);
  assert(!stdout.includes("s3cret0123456789"), stdout);
  assertStringIncludes(stdout, "login failed");
});

Deno.test("deno task preview --source says why a webhook starts no run", async () => {
  const event = {
    event: { event_type: "incident.acknowledged", id: "1", data: { id: "P1" } },
  };
  const args = ["--source", "pagerduty"];
  const ignored = await previewOf(event, args);
  assertEquals([ignored.code, ignored.stdout, ignored.stderr], [
    1,
    "",
    "error: Cannot use FILE: it starts no run (event incident.acknowledged); " +
    "INGEST_EVENTS says which events start one",
  ]);
  const taken = await previewOf(event, args, {
    INGEST_EVENTS: "incident.acknowledged",
  });
  assertEquals(taken.code, 0, taken.stderr);
  const resolved = await previewOf({
    version: "4",
    receiver: "oncall",
    groupLabels: {},
    alerts: [],
  }, ["--source", "alertmanager"]);
  assertEquals(
    resolved.stderr,
    "error: Cannot use FILE: it starts no run (resolved)",
  );
});

Deno.test("deno task preview - reads standard input, within the ingester's bound", async () => {
  const run = async (input: string) => {
    const child = startTask("preview", ["-", "--source", "mock"], {}, "piped");
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close().catch(() => {}); // It may have refused what it read.
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  };
  const { code, stdout } = await run('{"id": "INC-1", "title": "Disk full"}');
  assertEquals(code, 0);
  assertStringIncludes(stdout, "Disk full");
  const long = await run(JSON.stringify({ id: "x".repeat(1024 * 1024) }));
  assertEquals(long.code, 1);
  assertStringIncludes(
    long.stderr,
    "error: Cannot use standard input: it must have at most 1048576 bytes",
  );
});

Deno.test("deno task preview says which setting is wrong", async () => {
  const { code, stderr } = await call(main, [SAMPLE], {
    env: { LINK_ORIGINS: "incidents.example.com" },
  });
  assertEquals([code, stderr.trim()], [
    2,
    "error: LINK_ORIGINS must be origins such as https://wiki.example.com",
  ]);
});
