/**
 * What commands share: exit codes, questions, progress, columns.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { startDevcore } from "../../deploy/devcore/devcore.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { delay } from "../../lib/base/time.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import type { Post } from "../../lib/operate/posts.ts";
import { StoreError } from "../../lib/platform/store.ts";
import { askYes, askYesOrNo } from "../../scripts/terminal/ask.ts";
import {
  type CommandContext,
  CommandError,
  needName,
  Stopped,
  UsageError,
  userName,
} from "../../scripts/terminal/command.ts";
import { Console, type Output } from "../../scripts/terminal/console.ts";
import {
  heading,
  inBytes,
  outputStyle,
  printStyled,
  table,
} from "../../scripts/terminal/format.ts";
import { listPosts } from "../../scripts/terminal/records.ts";
import { showProgress } from "../../scripts/terminal/progress.ts";
import { wrapLine } from "../../scripts/terminal/wrap.ts";
import { call } from "../support/command.ts";
import { screenOf } from "../support/screen.ts";
import {
  HAS_TERMINALS,
  startOnTerminal,
  startTaskOnTerminal,
} from "../support/task.ts";
import { until } from "../support/until.ts";

const ERRORS: [error: unknown, code: number, line: string][] = [
  [new CommandError("No"), 1, "error: No\n"],
  [new CommandError("No", 3), 3, "error: No\n"],
  [new Stopped("SIGINT"), 130, "stopped\n"],
  [new Stopped("SIGTERM"), 143, "stopped\n"],
  [new Stopped("SIGPIPE"), 141, ""],
  [new UsageError("No"), 2, "error: No; see --help\n"],
  [new ConfigError("URL is required"), 2, "error: URL is required\n"],
  [new OperationError("No"), 1, "error: No\n"],
  [new StoreError("refused", "No"), 1, "error: No\n"],
  ["odd", 1, "error: odd\n"],
];
for (const [error, code, line] of ERRORS) {
  const name = error instanceof Error
    ? `${error.name} "${error.message}"`
    : error;
  Deno.test(`callCommand() ends with ${code} for ${name}`, async () => {
    assertEquals(await call(() => Promise.reject(error)), {
      code,
      stdout: "",
      stderr: line,
    });
  });
}

Deno.test("callCommand() tells a bug with its stack", async () => {
  const { code, stderr } = await call(() => Promise.reject(new TypeError("x")));
  assertEquals(code, 1);
  assertStringIncludes(stderr, "error: TypeError: x\n    at ");
});

Deno.test("callCommand() blames the stop for what fails after it", async () => {
  const signal = AbortSignal.abort(new Stopped("SIGTERM"));
  const run = await call(() => Promise.reject(new Error("lost")), [], {
    signal,
  });
  assertEquals([run.code, run.stderr], [143, "stopped\n"]);
});

Deno.test("a second signal ends a command that does not stop at the first", async () => {
  const module = import.meta.resolve("../../scripts/terminal/command.ts");
  const code = `import { runCommand } from "${module}";
await runCommand(async (_, { out, signal }) => {
  signal.addEventListener("abort", () => out("stopping"));
  out("ready");
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  return 0;
});`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let printed = "";
  const reading = (async () => {
    const text = child.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of text) printed += part;
  })();
  await until("the start", () => printed === "ready\n");
  child.kill("SIGINT");
  // On a terminal, deno task passes on a signal that the command has already.
  child.kill("SIGINT");
  await until("the stop", () => printed === "ready\nstopping\n");
  await delay(1_000);
  const started = performance.now();
  child.kill("SIGINT");
  assertEquals((await child.status).code, 130);
  assert(performance.now() - started < 3_000);
  await reading;
  assertEquals(printed, "ready\nstopping\n");
});

/** Calls with answers as a command does, and says what it got. */
async function ask<T>(
  question: (context: CommandContext) => Promise<T>,
  answers?: readonly string[],
): Promise<{ given: T | undefined; code: number; stderr: string }> {
  let given: T | undefined;
  const { code, stderr } = await call(
    async (_, context) => {
      given = await question(context);
      return 0;
    },
    [],
    answers === undefined ? {} : { answers },
  );
  return { given, code, stderr };
}

Deno.test("askYes() takes y or yes, anything else and the end for no", async () => {
  const rows = [["y", true], ["Yes", true], ["ye", false], [
    "",
    false,
  ]] as const;
  const asking = (context: CommandContext) => askYes(context, "Go?", "--yes");
  for (const [answer, expected] of rows) {
    assertEquals((await ask(asking, [answer])).given, expected, answer);
  }
  assertEquals((await ask(asking, [])).given, false);
  const { code, stderr } = await ask(asking);
  assertEquals([code, stderr], [
    1,
    "error: Go? There is no terminal to ask on; --yes says yes\n",
  ]);
});

Deno.test("askYesOrNo() asks until it is told", async () => {
  const asking = (context: CommandContext) => askYesOrNo(context, "Post?");
  assertEquals((await ask(asking, ["what", "", "yes"])).given, true);
  assertEquals((await ask(asking, ["what", "N"])).given, false);
  assertEquals((await ask(asking, ["what"])).given, false);
});

Deno.test("a question ends when the command is stopped", async () => {
  const stop = new AbortController();
  const context = {
    signal: stop.signal,
    ask: () => new Promise<string>(() => {}),
  } as unknown as CommandContext;
  const asked = askYes(context, "Go?", "--yes");
  stop.abort(new Stopped("SIGINT"));
  await assertRejects(() => asked, Stopped);
});

Deno.test("showProgress() shows one changing line on a terminal, and few lines elsewhere", () => {
  const shown: string[] = [];
  const printed: string[] = [];
  const out = (line = "") => void printed.push(line);
  const screen = {
    columns: 0,
    colour: true,
    show: (line: string) => void shown.push(line),
  };
  const onScreen = showProgress({ out, screen } as unknown as CommandContext);
  const elsewhere = showProgress({ out } as unknown as CommandContext);
  for (const what of ["policy", "routing"]) {
    onScreen(what);
    elsewhere(what);
  }
  assertEquals([shown, printed], [["  policy 0 s ", "  routing 0 s "], []]);
  const { now } = performance;
  try {
    for (const seconds of [4, 5, 6, 10]) {
      performance.now = () => now.call(performance) + seconds * 1000;
      elsewhere("routing");
    }
  } finally {
    performance.now = now;
  }
  assertEquals(printed, ["  routing 5 s", "  routing 10 s"]);
});

Deno.test("outputStyle() keeps lines between 40 and 100 columns on a terminal, and breaks none elsewhere", () => {
  const width = (columns: number | undefined) =>
    outputStyle({
      screen: columns === undefined ? undefined : { columns, colour: true },
    } as unknown as CommandContext).columns;
  assertEquals([undefined, 0, 39, 41, 99, 101].map(width), [
    Infinity,
    100,
    40,
    41,
    99,
    100,
  ]);
});

Deno.test("table(), inBytes() and userName() are fit for people", () => {
  assertEquals(table([["a", "b"], ["long", ""]]), ["a     b", "long"]);
  assertEquals([1023, 1024, 1024 * 1024].map(inBytes), [
    "1023 B",
    "1.0 KiB",
    "1.0 MiB",
  ]);
  const from = (env: Record<string, string>) =>
    userName({ env: (name) => env[name] });
  assertEquals(
    [{ USER: "", LOGNAME: "ada" }, { USERNAME: "bob" }, {}].map(from),
    ["ada", "bob", undefined],
  );
  assert(table([]).length === 0);
});

Deno.test("needName() lets nobody stay unknown, nor take a name that cannot be recorded", () => {
  const named = (env: Record<string, string>, given?: string) =>
    needName({ env: (name) => env[name] }, given, "--as NAME");
  assertEquals(named({ USER: "ada" }), "ada");
  assertEquals(named({ USER: "ada" }, " bob "), "bob");
  assertEquals(named({}, "b".repeat(100)), "b".repeat(100));
  for (const env of [{}, { USER: "", LOGNAME: " " }]) {
    assertThrows(
      () => named(env),
      UsageError,
      "Say who you are with --as NAME; USER, LOGNAME and USERNAME are not set",
    );
  }
  assertThrows(() => named({ USER: "ada" }, ""), UsageError, "Say who you are");
  for (const name of ["Zoë", "a\nb", "b".repeat(101)]) {
    assertThrows(() => named({}, name), UsageError, "takes at most 100");
  }
});

/** A console whose streams are terminals, and what these show. */
function openTestConsole(
  { columns = 80, isTerminal = true, plain = false, fails }: {
    columns?: number;
    isTerminal?: boolean;
    plain?: boolean;
    fails?: () => Error | undefined;
  } = {},
) {
  let written = "";
  let closed = 0;
  const decoder = new TextDecoder();
  const output: Output = {
    isTerminal: () => isTerminal,
    writeSync(bytes) {
      const error = fails?.();
      if (error !== undefined) throw error;
      const part = bytes.subarray(0, 7); // A stream may take a part only.
      written += decoder.decode(part, { stream: true });
      return part.length;
    },
  };
  const console = new Console({
    stdout: output,
    stderr: output,
    columns: () => columns,
    plain,
    colour: true,
    onClosed: () => void closed++,
  });
  return {
    console,
    written: () => written,
    screen: () => screenOf(written, columns),
    closed: () => closed,
  };
}

Deno.test("a line of progress is gone whatever comes next", () => {
  const next: [
    name: string,
    act: (console: Console) => void,
    rest: string[],
  ][] = [
    ["out", (console) => console.out("next"), ["next", ""]],
    ["raw", (console) => console.raw("next"), ["next", ""]],
    ["err", (console) => console.err("next"), ["next", ""]],
    ["question", (console) => console.question("next? "), ["next? "]],
    ["clear", (console) => console.clear(), [""]],
    ["progress", (console) => console.screen!.show("2 s"), ["2 s"]],
  ];
  for (const [name, act, rest] of next) {
    const { console, screen } = openTestConsole({ columns: 20 });
    console.screen!.show("waiting for routing to be in force 12 s");
    assertEquals(screen(), ["waiting for rout…"]);
    act(console);
    assertEquals(screen(), rest, name);
  }
});

Deno.test("an open question is ended before anything else is said", () => {
  const { console, screen } = openTestConsole();
  console.question("Go on? ");
  console.err("stopped");
  console.question("Go on? ");
  console.answered(); // What is typed is the terminal's to show.
  console.out("on");
  assertEquals(screen(), ["Go on? ", "stopped", "Go on? on", ""]);
});

Deno.test("lines are broken on a terminal, never in a pipe, and never where they are raw", () => {
  const line = "one two three four";
  const show = (isTerminal: boolean, how: "out" | "err" | "raw") => {
    const { console, written } = openTestConsole({ columns: 9, isTerminal });
    console[how](`${line}\n${line}`);
    return written();
  };
  const broken = "one two\nthree\nfour\n".repeat(2);
  assertEquals([show(true, "out"), show(true, "err")], [broken, broken]);
  const whole = `${line}\n${line}\n`;
  assertEquals(show(true, "raw"), whole);
  assertEquals([show(false, "out"), show(false, "err")], [whole, whole]);
});

Deno.test("a plain terminal gets no line that is to be replaced", () => {
  assertEquals(openTestConsole({ plain: true }).console.screen, undefined);
  assertEquals(
    openTestConsole({ isTerminal: false }).console.screen,
    undefined,
  );
  assertEquals(openTestConsole().console.screen!.columns, 80);
});

Deno.test("nothing is written after nobody reads any more, and it is said once", () => {
  let gone = false;
  const { console, written, closed } = openTestConsole({
    fails: () => gone ? new Deno.errors.BrokenPipe() : undefined,
  });
  console.out("1");
  gone = true;
  console.out("2");
  console.screen!.show("3");
  console.out("4");
  assertEquals([written(), closed(), console.closed], ["1\n", 1, true]);
  const full = openTestConsole({ fails: () => new Error("disk full") });
  assertThrows(() => full.console.out("1"), Error, "disk full");
});

const WRAPPED: [line: string, columns: number, expected: string[]][] = [
  ["", 10, [""]],
  ["ten column", 10, ["ten column"]],
  ["ten columns", 10, ["ten", "columns"]],
  ["  two below", 8, ["  two", "  below"]],
  ["• point and point", 12, ["• point and", "  point"]],
  ["- point and point", 12, ["- point and", "  point"]],
  // A column that begins in the first half is kept.
  ["  --all  each of them and more", 20, [
    "  --all  each of",
    "         them and",
    "         more",
  ]],
  ["  --very-long-name  each of them", 20, [
    "  --very-long-name",
    "  each of them",
  ]],
  // What is copied stays whole.
  ["see https://example.com/a/long/one now", 12, [
    "see",
    "https://example.com/a/long/one",
    "now",
  ]],
  ["│ see https://example.com/a/long/one", 12, [
    "│ see",
    "│ https://example.com/a/long/one",
  ]],
  ["  | see what is", 10, ["  | see", "  | what", "  | is"]],
  // Styles have no width, letters of East Asia have two columns.
  ["\x1b[1mten\x1b[0m column", 10, ["\x1b[1mten\x1b[0m column"]],
  ["日本 日本", 8, ["日本", "日本"]],
  ["日本 日本", 9, ["日本 日本"]],
];
for (const [line, columns, expected] of WRAPPED) {
  Deno.test(`wrapLine() breaks ${JSON.stringify(line)} at ${columns}`, () => {
    assertEquals(wrapLine(line, columns), expected);
  });
}

/** How a program that shows progress ends, and what it may leave behind. */
const ENDS: [
  how: string,
  code: string,
  typed: string,
  exit: number,
  left: string[],
][] = [
  ["success", "return 0;", "", 0, []],
  ["a result", 'out("done"); return 0;', "", 0, ["done"]],
  ["an error", 'throw new CommandError("No");', "", 1, ["error: No"]],
  ["a refusal", 'throw new UsageError("No");', "", 2, [
    "error: No; see --help",
  ]],
  ["Ctrl-C", "await delay(20_000);", "\x03", 130, ["stopped"]],
  [
    "Ctrl-C, if it stops by itself",
    "await wait(20_000, context.signal);",
    "\x03",
    130,
    ["stopped"],
  ],
  [
    "a question and Ctrl-C",
    'await askYes(context, "Go?", "--yes");',
    "\x03",
    130,
    [
      "Go? [y/N] ^C",
      "stopped",
    ],
  ],
  ["SIGTERM", 'Deno.kill(Deno.pid, "SIGTERM"); await delay(20_000);', "", 143, [
    "stopped",
  ]],
];
const CRASHES = [
  'setTimeout(() => { throw new Error("bug"); }); await delay(20_000);',
  'Promise.reject(new Error("bug")); await delay(20_000);',
];

/** A wait with its seconds. */
const PROGRESS = /^ {2}\w.* \d+ s $/m;

/** Writes a command into a file, removed with it. */
async function writeCommand(code: string) {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  const from = (path: string) => import.meta.resolve(`../../${path}`);
  await Deno.writeTextFile(
    path,
    `import { delay, wait } from "${from("lib/base/time.ts")}";
import { askYes } from "${from("scripts/terminal/ask.ts")}";
import { CommandError, runCommand, UsageError } from "${
      from("scripts/terminal/command.ts")
    }";
import { heading, printStyled } from "${from("scripts/terminal/format.ts")}";
import { showProgress } from "${from("scripts/terminal/progress.ts")}";
await runCommand(async (_, context) => {
  const { out, raw } = context;
  const onProgress = showProgress(context);
  const waiting = "waiting for a platform that takes its time, and some more";
  ${code}
});`,
  );
  const run = `${Deno.execPath()} run --quiet --no-prompt --ignore-env ` +
    `--allow-env=TERM --allow-run ${path}`;
  return { run, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** Runs a command on a terminal of 60 columns. */
async function playOnTerminal(
  code: string,
  { typed = "", env = {} }: { typed?: string; env?: Record<string, string> } =
    {},
) {
  await using program = await writeCommand(code);
  const child = startOnTerminal(`stty cols 60; exec ${program.run}`, {
    TERM: "xterm",
    ...env,
  });
  let printed = "";
  const reading = (async () => {
    const text = child.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of text) printed += part;
  })();
  const keyboard = child.stdin.getWriter();
  if (typed !== "") {
    const last = /askYes/.test(code) ? "[y/N] " : "waiting";
    await until("the progress", () => printed.includes(last), 20_000);
    await keyboard.write(new TextEncoder().encode(typed));
  }
  const status = await child.status;
  await keyboard.close().catch(() => {});
  await reading;
  return { code: status.code, printed, screen: screenOf(printed, 60) };
}

const SHOWS = 'out("begins"); onProgress(waiting);';

for (const [how, code, typed, exit, left] of ENDS) {
  Deno.test({
    name: `on a terminal, progress is gone after ${how}`,
    ignore: !HAS_TERMINALS,
    async fn() {
      const run = await playOnTerminal(`${SHOWS} ${code}`, { typed });
      assertStringIncludes(run.printed, "  waiting for a platform");
      assertEquals(run.code, exit, run.screen.join("\n"));
      const echo = (line: string) => line.replace(/^\^C/, "");
      assertEquals(run.screen.map(echo), ["begins", ...left, ""]);
    },
  });
}

for (const code of CRASHES) {
  Deno.test({
    name: `on a terminal, progress is gone after a crash: ${code}`,
    ignore: !HAS_TERMINALS,
    async fn() {
      const run = await playOnTerminal(`${SHOWS} ${code}`);
      assertEquals(run.code, 1);
      assertEquals(run.screen[0], "begins");
      assertMatch(run.screen[1]!, /^error: Uncaught .*Error: bug/);
    },
  });
}

Deno.test({
  name: "deno task install leaves no progress on a terminal, stopped or done",
  ignore: !HAS_TERMINALS,
  async fn(t) {
    const install = async (typed: string) => {
      // A new one, on which there is something to wait for.
      await using core = await startDevcore({ reloadMs: 3_000 });
      const child = startTaskOnTerminal("install", [], {
        ...core.env,
        TERM: "xterm",
      });
      let printed = "";
      const reading = (async () => {
        const text = child.stdout.pipeThrough(new TextDecoderStream());
        for await (const part of text) printed += part;
      })();
      const keyboard = child.stdin.getWriter();
      await until("the progress", () => / \d+ s /.test(printed), 30_000);
      if (typed !== "") await keyboard.write(new TextEncoder().encode(typed));
      const { code } = await child.status;
      await keyboard.close().catch(() => {});
      await reading;
      const screen = screenOf(printed, 200).join("\n");
      assert(!PROGRESS.test(screen), screen);
      return { code, screen };
    };
    await t.step("Ctrl-C", async () => {
      const { code, screen } = await install("\x03");
      assertEquals(code, 130, screen);
      assert(screen.endsWith("\nstopped\n"), screen);
    });
    await t.step("success", async () => {
      const { code, screen } = await install("");
      assertEquals(code, 0, screen);
      assertStringIncludes(screen, "In force: ");
    });
  },
});

const LOOKS: [
  what: string,
  env: Record<string, string>,
  progress: boolean,
  colour: boolean,
][] = [
  ["a terminal", {}, true, true],
  ["a terminal with NO_COLOR", { NO_COLOR: "1" }, true, false],
  ["a plain terminal", { TERM: "dumb" }, false, false],
];
for (const [what, env, progress, colour] of LOOKS) {
  Deno.test({
    name: `${what} shows headings and progress as it can, lines broken`,
    ignore: !HAS_TERMINALS,
    async fn() {
      const { printed } = await playOnTerminal(
        'printStyled([heading("Title", context)], context); onProgress(waiting);' +
          'out("word ".repeat(14).trim()); raw("word ".repeat(14).trim());' +
          "return 0;",
        { env },
      );
      const title = colour ? "\x1b[1;36mTitle\x1b[0m" : "Title";
      assert(printed.startsWith(`${title}\r\n`), JSON.stringify(printed));
      assertEquals(printed.includes("waiting"), progress);
      const word = "word ".repeat(12).trim();
      assertStringIncludes(printed, `${word}\r\nword word\r\n`);
      assertStringIncludes(printed, `${word} word word\r\n`);
    },
  });
}

Deno.test("headings are plain where no terminal shows them", async () => {
  const { stdout } = await call((_, context) => {
    printStyled([heading("Title", context)], context);
    return Promise.resolve(0);
  });
  assertEquals(stdout, "Title\n");
});

Deno.test("lists have a heading on a terminal", () => {
  const post: Post = {
    key: "k",
    tenant: "default",
    incident_id: "mock:1",
    destination: "artifact",
    state: "posted",
    severities: [],
    events: [],
    job_id: "",
    run_id: "",
    at: new Date().toISOString(),
  } as unknown as Post;
  const { console } = openTestConsole();
  const [first] = listPosts([post], console as unknown as CommandContext);
  assert(first!.startsWith("\x1b[1;36mSTATE "), first);
  const plain = openTestConsole({ isTerminal: false }).console;
  const [again] = listPosts([post], plain as unknown as CommandContext);
  assertMatch(again!, /^STATE /);
});

const LONG = '"x".repeat(1_000)';
const PRINTS: [what: string, code: string][] = [
  ["a long list", `for (let at = 0; at < 1_000; at++) out(${LONG}); return 0;`],
  ["JSON", `raw(JSON.stringify(Array(1_000).fill(${LONG}))); return 0;`],
  [
    "lines that go on",
    `while (true) { out(${LONG}); await wait(1, context.signal); }`,
  ],
  [
    "lines that nothing stops",
    `while (true) { out(${LONG}); await delay(1); }`,
  ],
  [
    "lines of a timer",
    `setInterval(() => out(${LONG}), 1); await delay(20_000);`,
  ],
];
for (const [what, code] of PRINTS) {
  Deno.test(`a reader who leaves early ends ${what} without a word`, async () => {
    await using program = await writeCommand(code);
    const started = performance.now();
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `{ ${program.run}; echo $? >&2; } | head -c 10`],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals(text(stdout).length, 10);
    assertEquals(text(stderr), "141\n");
    assert(performance.now() - started < 10_000);
  });
}

Deno.test("what programs read is printed without breaking lines", async () => {
  const root = new URL("../../", import.meta.url);
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", "grep -rnE '[^r]out\\(JSON' scripts tests/campaigns || true"],
    cwd: root,
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "");
});
