/**
 * What the tasks of deno.json may do: their permission sets, and what
 * scripts/grants.ts adds to these.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { STORE_SETTINGS } from "../lib/platform/settings.ts";
import { variablesOf } from "../lib/base/config.ts";
import { covers, grantFlags, type PermissionSet } from "../scripts/grants.ts";
import { WORKER_VARIABLES } from "../scripts/launch/environment.ts";
import { HOOK_SETTINGS } from "../lib/operate/hook.ts";
import {
  ADDRESS_SETTINGS,
  PLATFORM_SETTINGS,
} from "../lib/operate/platform.ts";
import { OPERATOR_SETTINGS } from "../lib/operate/operator.ts";
import { LINK_SETTINGS } from "../lib/message/settings.ts";
import { MODEL_SETTINGS } from "../lib/summary/settings.ts";

const SETS: Readonly<Record<string, PermissionSet>> = config
  .permissions as Record<string, PermissionSet>;
const TASKS = Object.entries(config.tasks).map(([name, task]) => ({
  name,
  ...task,
}));
/** What the shell of tasks fills in. */
const SUBSTITUTION = /\$\((?:[^()']|'[^']*')*\)/g;
const GRANTS =
  "deno run -q --no-prompt --ignore-env -P=grants scripts/grants.ts";

Deno.test("every task says what it is for", () => {
  for (const { name, description } of TASKS) {
    assert(description.length > 10, name);
  }
});

Deno.test("a task's line fits a screen, but for the workers' flags", () => {
  for (const { name, command } of TASKS) {
    if (name.startsWith("worker:")) continue;
    assert(command.length <= 210, `${name}: ${command.length}`);
  }
});

/** The command as Deno gets it, without what the shell fills in. */
function plain(command: string): string {
  return command.replace(SUBSTITUTION, "");
}

Deno.test("no task asks for everything", () => {
  for (const { name, command } of TASKS) {
    assert(
      !/ -A\b|--allow-all|--allow-(net|read|env|run|write|sys|ffi|import)(?!=)/
        .test(command),
      name,
    );
  }
  const readAll = Object.keys(SETS).filter((name) => SETS[name]!.read === true);
  // Their arguments name any file, or they start workers that read secrets.
  assertEquals(readAll, ["preview", "eval", "test", "flags", "workers"]);
  const writeAll = Object.keys(SETS).filter((name) =>
    SETS[name]!.write === true
  );
  assertEquals(writeAll, ["keys"]); // It can do nothing else.
  assertEquals(Object.keys(SETS["keys"]!), ["write", "env"]);
  for (const [name, set] of Object.entries(SETS)) {
    for (const [kind, items] of Object.entries(set)) {
      assertMatch(kind, /^(net|read|write|env|run)$/, name);
      assert(items === true || items.length > 0, name);
    }
    assertEquals(set.net ?? ["127.0.0.1"], ["127.0.0.1"], name);
    assert(!set.env?.some((pattern) => !/^[A-Z]+_?[A-Z_]*\*?$/.test(pattern)));
    const { write = [] } = set;
    const outside = (write === true ? [] : write).filter((path) =>
      path.startsWith("/") || path.startsWith(".") && path !== ".github/images"
    );
    assert(outside.every((path) => path === "/tmp"), name);
  }
});

Deno.test("each task of ours has one set, asks nobody and sees no other variable", () => {
  const used = new Set(["grants"]);
  for (const { name, command } of TASKS) {
    if (!/^(OTEL_DENO=false )?deno (run|test) /.test(command)) continue;
    const sets = [
      ...command.matchAll(/ scripts\/grants\.ts ([\w:]+)\)/g),
      ...plain(command).matchAll(/ -P=([\w:]+) /g),
    ].map(([, set]) => set!);
    assertEquals(sets.length, 1, name);
    assert(sets[0]! in SETS, name);
    used.add(sets[0]!);
    for (const line of [plain(command), GRANTS]) {
      assertMatch(line, / --no-prompt --ignore-env /, name);
    }
    // Beside its set a task says at most what a set cannot.
    const flags = plain(command).match(/--allow-\S+/g) ?? [];
    for (const flag of flags) {
      assertMatch(
        flag,
        /^--allow-(run=""(,nats-server,redis-server|,chromium)?|net=127\.0\.0\.1|write=dist)$/,
        name,
      );
    }
  }
  assertEquals([...used].toSorted(), Object.keys(SETS).toSorted());
});

Deno.test("a task asks for its grants once", () => {
  for (const { name, command } of TASKS) {
    const asked = (command.match(SUBSTITUTION) ?? []).filter((text) =>
      text !== "$(deno eval -p 'Deno.execPath()')"
    );
    assert(asked.length <= 1, name);
    for (const text of asked) {
      const [, before = "", line] = /^\$\((.* \| )?(.*) [\w:]+\)$/.exec(text)!;
      assertEquals(line, GRANTS, name);
      const reads = 'cat "$APPROVALS_HOOK_URL_FILE" 2>/dev/null | ';
      assertEquals(before, name === "approvals" ? reads : "", name);
    }
  }
});

Deno.test("approvals, which knows a secret URL, exports no telemetry", () => {
  const { command } = config.tasks.approvals;
  assert(command.startsWith("OTEL_DENO=false deno run "));
});

/** The sets of what is no command of ours, so that no terminal concerns it. */
const COMMANDS_NOT = ["grants", "test", "test:model"];
const USER = ["USER", "LOGNAME", "USERNAME"];
const READS: Readonly<Record<string, readonly string[]>> = {
  grants: [
    ...variablesOf(PLATFORM_SETTINGS),
    ...variablesOf(HOOK_SETTINGS),
    "APPROVAL_SIGNING_KEY_FILE",
    ...variablesOf(MODEL_SETTINGS),
  ],
  eval: variablesOf(MODEL_SETTINGS),
  demo: [...variablesOf(PLATFORM_SETTINGS), ...USER],
  preview: [...variablesOf(LINK_SETTINGS), "INGEST_EVENTS"],
  test: variablesOf(PLATFORM_SETTINGS),
  workers: WORKER_VARIABLES,
  install: [...variablesOf(ADDRESS_SETTINGS), ...USER],
  uninstall: variablesOf(ADDRESS_SETTINGS),
  approve_latest_post: [
    ...variablesOf(ADDRESS_SETTINGS),
    ...variablesOf(OPERATOR_SETTINGS),
    ...USER,
  ],
  approvals: [
    ...variablesOf(ADDRESS_SETTINGS),
    ...variablesOf(OPERATOR_SETTINGS),
    ...variablesOf(HOOK_SETTINGS),
    ...USER,
  ],
  posts: [...variablesOf(STORE_SETTINGS), ...USER],
};

Deno.test("a set's variables are those that its commands read", () => {
  for (const [name, { env = [] }] of Object.entries(SETS)) {
    const reads = [
      ...READS[name] ?? [],
      ...COMMANDS_NOT.includes(name) ? [] : ["TERM"],
    ];
    assertEquals(
      reads.filter((name) => !env.some((pattern) => covers(pattern, name))),
      [],
      name,
    );
    assertEquals(
      env.filter((pattern) => !reads.some((name) => covers(pattern, name))),
      [],
      name,
    );
  }
});

const NAMED = {
  NATS_URL: "nats://nats.example",
  NATS_PASSWORD_FILE: "/run/secrets/nats",
  REDIS_URL: "rediss://redis.example:6380",
  REDIS_TLS_CA: " ca.pem ",
  CORETEX_GATEWAY_URL: "https://gateway.example",
  CORDUM_GATEWAY_URL: "http://[::1]",
  APPROVALS_HOOK: "./bin/notify",
  APPROVALS_HOOK_URL: "http://hook.example/secret",
  SLACK_WEBHOOK_URL: "https://slack.example/secret",
};

Deno.test("grantFlags() adds the hosts, files and program that a set's variables name", () => {
  const approvals = SETS["approvals"]!;
  assertEquals(grantFlags(approvals, NAMED), [
    "--allow-net=127.0.0.1,redis.example:6380,gateway.example:443,[::1]:80,hook.example:80",
    "--allow-read=ca.pem",
    `--allow-env=${approvals.env!.join(",")}`,
    "--allow-run=./bin/notify",
  ]);
  const models = {
    OPENAI_BASE_URL: "https://llm.example/v1",
    OLLAMA_URL: "http://gpu.example:11434",
    OPENAI_API_KEY_FILE: "key.txt",
  };
  const evaluating = SETS["eval"]!;
  assertEquals(grantFlags(evaluating, { ...NAMED, ...models }), [
    "--allow-net=127.0.0.1,llm.example:443,gpu.example:11434",
    "--allow-read",
    "--allow-write=docs",
    `--allow-env=${evaluating.env!.join(",")}`,
  ]);
  assertEquals(grantFlags(SETS["test"]!, NAMED), [
    "--allow-net=127.0.0.1,nats.example:4222,redis.example:6380,gateway.example:443,[::1]:80",
    "--allow-read",
    "--allow-write=dist,/tmp",
    "--allow-env=NATS_*,REDIS_*,CORETEX_*,CORDUM_*",
    "--allow-run=nats-server,redis-server,prometheus,promtool,prometheus-alertmanager,chromium,sh",
  ]);
});

Deno.test("grantFlags() of an empty environment are those of the set", () => {
  for (const [name, set] of Object.entries(SETS)) {
    const expected = Object.entries(set).map(([kind, items]) =>
      items === true
        ? `--allow-${kind}`
        : `--allow-${kind}=${(items as string[]).join(",")}`
    );
    assertEquals(grantFlags(set, {}).toSorted(), expected.toSorted(), name);
  }
});

Deno.test("grantFlags() prints nothing that the shell or Deno would take for more", () => {
  const set = { env: ["REDIS_*", "NATS_URL", "APPROVALS_*"] };
  const plain = grantFlags(set, {});
  for (
    const [name, value] of [
      ["NATS_URL", "nats://a,b:4222"],
      ["NATS_URL", "nats://*:4222"],
      ["NATS_URL", "nats://"],
      ["NATS_URL", "nats.example:4222"],
      ["NATS_URL", "gopher://nats.example"],
      ["REDIS_URL", "no URL"],
      ["REDIS_ADDR", "redis.example"],
      ["REDIS_ADDR", "a,b:6379"],
      ["REDIS_ADDR", "a:6379 --allow-all"],
      ["REDIS_TLS_CA", "a b"],
      ["REDIS_TLS_CA", "a,b"],
      ["REDIS_TLS_CA", "a\n--allow-all"],
      ["REDIS_TLS_CA", " "],
      ["APPROVALS_HOOK", "notify --allow-all"],
      ["APPROVALS_HOOK", "a,b"],
      ["APPROVALS_HOOK", "$(id)"],
      ["APPROVALS_HOOK", "a".repeat(1_001)],
      ["APPROVALS_HOOK_URL", "hook"],
    ] as const
  ) {
    assertEquals(grantFlags(set, { [name]: value }), plain, value);
  }
  assertEquals(
    grantFlags(set, { REDIS_ADDR: "[::1]:6379" })[0],
    [
      "--allow-net=[::1]:6379",
    ][0],
  );
});

Deno.test("scripts/grants.ts reads the hook's URL from its input and prints its host only", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...GRANTS.split(" ").slice(1), "approvals"],
    env: { APPROVALS_HOOK_URL_FILE: "/run/secrets/hook", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("https://hook.example/s3cret\n"));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals([code, text(stderr)], [0, ""]);
  assertMatch(text(stdout), /^--allow-net=127\.0\.0\.1,hook\.example:443 /);
  assertMatch(text(stdout), / --allow-read=\/run\/secrets\/hook /);
  assert(!text(stdout).includes("s3cret"));
});
