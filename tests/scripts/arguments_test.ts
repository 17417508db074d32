/**
 * What every command does with arguments, and without what it needs.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import type { Main } from "../../scripts/terminal/command.ts";
import { call } from "../support/command.ts";

/** Prints for the shell that starts another command. */
const NO_COMMANDS = ["grants.ts"];
const NO_WORKER =
  'There is no worker "nonsense"; there are ingester, fetcher, summarizer, poster, desk';
const UNEXPECTED = "Unexpected argument 'nonsense'";

const NEED_PLATFORM = [
  "scripts/approvals.ts",
  "scripts/approve_latest_post.ts",
  "scripts/install.ts",
  "scripts/uninstall.ts",
];

/** What is refused and how, where a command takes arguments. */
const REFUSED: Readonly<Record<string, [args: string[], problem: string][]>> = {
  "scripts/approvals.ts": [
    [
      ["nonsense"],
      "Unknown command 'nonsense'; expected show, approve or reject",
    ],
    [["approve", "x", "nonsense"], UNEXPECTED],
  ],
  "scripts/bundle_workers.ts": [[["nonsense"], NO_WORKER]],
  "scripts/catalog.ts": [
    [["nonsense"], "Name a catalogue: --check FILE"],
    [["--check", "x", "y", "nonsense"], UNEXPECTED],
  ],
  "scripts/compile.ts": [
    [["nonsense"], NO_WORKER],
    [["all", "nonsense"], UNEXPECTED],
  ],
  "scripts/flags.ts": [[
    ["nonsense"],
    'There is no way "nonsense"; there are example, tasks, image, compose, service, k8s',
  ]],
  "scripts/permissions.ts": [
    [["nonsense"], NO_WORKER],
    [["poster", "nonsense"], UNEXPECTED],
  ],
  "scripts/posts.ts": [
    [
      ["nonsense"],
      "Unknown command 'nonsense'; expected show, mark, free or forget",
    ],
    [["show", "x", "nonsense"], UNEXPECTED],
  ],
  "scripts/preview.ts": [[["x.json", "nonsense"], UNEXPECTED]],
  "scripts/run_worker.ts": [
    [["nonsense"], NO_WORKER],
    [["poster", "nonsense"], UNEXPECTED],
  ],
};

const ROOT = new URL("../../", import.meta.url);
const paths = ["tests/campaigns/bench.ts", "tests/campaigns/chaos.ts"];
for await (const { name, isFile } of Deno.readDir(new URL("scripts", ROOT))) {
  if (isFile && !NO_COMMANDS.includes(name)) paths.push(`scripts/${name}`);
}
for (const path of paths.toSorted()) {
  const { main } = await import(`${ROOT}${path}`) as { main: Main };
  const task = Object.entries(config.tasks).find(([, { command }]) =>
    command.endsWith(` ${path}`)
  )?.[0];

  Deno.test(`${path} --help says how to use it`, async () => {
    const { code, stdout, stderr } = await call(main, ["--help"]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `Usage: deno task ${task}`);
    assertStringIncludes(stdout, "--help");
    for (const line of stdout.split("\n")) assert(line.length <= 100, line);
  });

  if (NEED_PLATFORM.includes(path)) {
    Deno.test(`${path} says which variables it needs`, async () => {
      const { code, stderr } = await call(main);
      assertEquals([code, stderr], [
        2,
        "error: CORETEX_GATEWAY_URL is required (HTTP address of the platform's gateway); " +
        "CORETEX_API_KEY is required (API key for the gateway)\n",
      ]);
    });
  }

  const rows = REFUSED[path] ?? [[["nonsense"], UNEXPECTED]];
  for (
    const [args, problem] of [
      ...rows,
      [["--nonsense"], "Unknown option '--nonsense'"] as const,
    ]
  ) {
    Deno.test(`${path} refuses ${args.join(" ")}`, async () => {
      const { code, stdout, stderr } = await call(main, args);
      assertEquals([code, stdout, stderr], [
        2,
        "",
        `error: ${problem}; see --help\n`,
      ]);
    });
  }
}

Deno.test("a command refuses a version of Deno that is too old", async () => {
  const { version } = Deno;
  Object.assign(Deno, { version: { ...version, deno: "2.8.1" } });
  try {
    const { code, stderr } = await call(() => Promise.resolve(0));
    assertEquals(code, 2);
    assertMatch(stderr, /^error: Deno 2\.8\.1 is too old, 2\.9 or newer is /);
  } finally {
    Object.assign(Deno, { version });
  }
});

Deno.test(".ci/run --help says what it does and starts nothing", async () => {
  const run = async (argument: string) => {
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `exec timeout 10 ${new URL(".ci/run", ROOT).pathname} "$1"`]
        .concat("sh", argument),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return [code, text(stdout), text(stderr)] as const;
  };
  const [code, help] = await run("--help");
  assertEquals(code, 0);
  assertMatch(help, /^Usage: \.ci\/run\n/);
  assertEquals(await run("-h"), [0, help, ""]);
  assertEquals(await run("nonsense"), [
    2,
    "",
    `error: ${UNEXPECTED}; see --help\n`,
  ]);
});

Deno.test("a command takes its options behind -- as npm hands them on", async () => {
  const { main } = await import("../../scripts/preview.ts");
  const plain = await call(main, ["--help"]);
  assertEquals(await call(main, ["--", "--help"]), plain);
  const { code, stderr } = await call(main, ["--", "--", "--help"]);
  assertEquals(code, 1, "a file that is called so");
  assertMatch(stderr, /^error: Cannot use --help: /);
});

Deno.test("a command says which option lacks its value", async () => {
  const { main } = await import("../../scripts/preview.ts");
  for (const args of [["--html"], ["--html", "--json"]]) {
    const { code, stderr } = await call(main, args);
    assertEquals(code, 2);
    assertMatch(stderr, /^error: .*--html.*; see --help\n$/);
    assert(!stderr.includes("<value>' argument missing"), stderr);
  }
});

Deno.test("a folder that cannot be read is said in one line", async () => {
  const { main } = await import("../../scripts/bundle.ts");
  const cases = [
    [
      ["--pack", "nope"],
      "Cannot read the pack in nope: there is no such file or folder",
    ],
    [
      ["--pack", "README.md"],
      "Cannot read the pack in README.md: it is no folder",
    ],
    [
      ["--out", "/etc/nope"],
      "Cannot write /etc/nope/incident-enricher-VERSION.tgz: " +
      "this command's permissions in deno.json do not cover it",
    ],
  ] as const;
  for (const [args, problem] of cases) {
    const { code, stderr } = await call(main, args);
    const said = stderr.replace(/\d+\.\d+\.\d+/, "VERSION");
    assertEquals([code, said], [1, `error: ${problem}\n`]);
  }
});
