/**
 * What commands share: exit codes, questions, progress, columns.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ConfigError } from "../../lib/base/errors.ts";
import { delay } from "../../lib/base/time.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import { StoreError } from "../../lib/platform/store.ts";
import { askYes, askYesOrNo } from "../../scripts/terminal/ask.ts";
import {
  type CommandContext,
  CommandError,
  needName,
  UsageError,
  userName,
} from "../../scripts/terminal/command.ts";
import { inBytes, outputStyle, table } from "../../scripts/terminal/format.ts";
import { showProgress } from "../../scripts/terminal/progress.ts";
import { call } from "../support/command.ts";
import { until } from "../support/until.ts";

const ERRORS: [error: unknown, code: number, line: string][] = [
  [new CommandError("No"), 1, "error: No\n"],
  [new CommandError("Stopped", 130), 130, "error: Stopped\n"],
  [new UsageError("No"), 2, "error: No; see --help\n"],
  [new ConfigError("URL is required"), 2, "error: URL is required\n"],
  [new OperationError("No"), 1, "error: No\n"],
  [new StoreError("refused", "No"), 1, "error: No\n"],
  ["odd", 1, "error: odd\n"],
];
for (const [error, code, line] of ERRORS) {
  const name = error instanceof Error ? error.name : error;
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
  const signal = AbortSignal.abort(new CommandError("Stopped", 143));
  const run = await call(() => Promise.reject(new Error("lost")), [], {
    signal,
  });
  assertEquals([run.code, run.stderr], [143, "error: Stopped\n"]);
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
  assertEquals((await child.status).signal, "SIGINT");
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
  stop.abort(new CommandError("Stopped", 130));
  await assertRejects(() => asked, CommandError, "Stopped");
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

Deno.test("outputStyle() keeps lines between 40 and 100 columns", () => {
  const width = (columns: number | undefined) =>
    outputStyle({
      screen: columns === undefined ? undefined : { columns, colour: true },
    } as unknown as CommandContext).columns;
  assertEquals([undefined, 0, 39, 41, 99, 101].map(width), [
    100,
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
