/**
 * What a command runs in: its environment, its output, its stop signal.
 *
 * @module
 */
import { ConfigError, messageOf, OutsideError } from "../../lib/base/errors.ts";
import { checkRuntime } from "../../lib/base/runtime.ts";
import { printable, visible, visibleJson } from "../../lib/base/text.ts";
import { OperationError } from "../../lib/operate/errors.ts";
import { Console, type Screen } from "./console.ts";
import { visibleInStyle } from "./wrap.ts";

/** A failure that is reported in one line, without a stack. */
export class CommandError extends Error {
  override name = "CommandError";

  constructor(message: string, readonly exitCode: number = 1) {
    super(message);
  }
}

/** A failure that takes several lines: what a program said, or a list. */
export class LinesError extends CommandError {}

/** The command line itself is wrong. */
export class UsageError extends CommandError {
  constructor(problem: string) {
    super(`${problem}; see --help`, 2);
  }
}

/** The command was told to stop, or nobody reads its output any more. */
export class Stopped extends CommandError {
  override name = "Stopped";

  constructor(readonly by: "SIGINT" | "SIGTERM" | "SIGPIPE") {
    super("Stopped", EXIT_CODES[by]);
  }
}

/** As a shell reports the end of a program by these signals. */
const EXIT_CODES = { SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

/** What a command runs in. Tests bring their own. */
export interface CommandContext {
  readonly env: (name: string) => string | undefined;
  /** Prints one line on standard output, broken at spaces on a terminal. */
  readonly out: (line?: string) => void;
  /**
   * Prints a line like `out`, but with the styles in it. Only for what has none
   * from outside; absent outside of {@linkcode callCommand}.
   */
  readonly styled?: (line: string) => void;
  /** Prints JSON, flags and the like on standard output, and breaks no line. */
  readonly raw: (text: string) => void;
  /** Prints one line on standard error, broken at spaces on a terminal. */
  readonly err: (line: string) => void;
  /**
   * Aborts with {@linkcode Stopped} on SIGINT and SIGTERM, and when nobody reads
   * standard output any more. A second signal, half a second later, ends the
   * process at once, as the first does where a command never reads this.
   */
  readonly signal: AbortSignal;
  /** `undefined` if standard output is not a terminal. */
  readonly screen: Screen | undefined;
  /**
   * Prints a question and reads one line, `undefined` at the end of the input.
   * `undefined` itself if standard input is not a terminal.
   */
  readonly ask: ((question: string) => Promise<string | undefined>) | undefined;
}

/** A command. @returns Its exit code. */
export type Main = (
  args: readonly string[],
  context: CommandContext,
) => Promise<number>;

/** Runs a command and exits the process with its code. */
export async function runCommand(main: Main): Promise<never> {
  const stop = new AbortController();
  let stopsItself = false;
  const end = (by: Stopped["by"]) => {
    const isFirst = !stop.signal.aborted;
    const reason = new Stopped(by);
    stop.abort(reason);
    if (isFirst && stopsItself) return;
    // A turn later, so that the command's own listeners hear of it.
    setTimeout(() => {
      report(reason, context);
      Deno.exit(reason.exitCode);
    });
  };
  const console = openConsole(() => end("SIGPIPE"));
  endOnSignals(end);
  for (const event of ["error", "unhandledrejection"]) {
    globalThis.addEventListener(event, () => console.clear());
  }
  const context: CommandContext = {
    env: (name) => Deno.env.get(name),
    out: (line = "") => console.out(line),
    raw: (text) => console.raw(text),
    err: (line) => console.err(line),
    get signal() {
      stopsItself = true;
      return stop.signal;
    },
    get screen() {
      return console.screen;
    },
    ask: Deno.stdin.isTerminal()
      ? (question) => askOnTerminal(question, console)
      : undefined,
  };
  const code = await callCommand(main, Deno.args, context);
  console.clear();
  Deno.exit(code === 0 && console.closed ? EXIT_CODES.SIGPIPE : code);
}

/** Runs a command and prints what it throws. @returns The exit code. */
export async function callCommand(
  main: Main,
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const seen = seenContext(context);
  try {
    checkRuntime();
    return await main(args, seen);
  } catch (thrown) {
    const { signal } = context;
    const error = signal.aborted ? signal.reason : thrown;
    report(error, seen);
    if (error instanceof CommandError) return error.exitCode;
    return error instanceof ConfigError ? 2 : 1;
  }
}

/**
 * The same context, where nothing that is printed can steer a terminal or hide
 * from its reader, whatever command prints it and wherever it came from.
 */
function seenContext(context: CommandContext): CommandContext {
  const { out, raw, err, ask, env } = context;
  return {
    env,
    out: (line = "") => out(visible(line)),
    styled: (line) => out(visibleInStyle(line)),
    raw: (text) => raw(visibleJson(text)),
    err: (line) => err(visible(line)),
    get signal() {
      return context.signal;
    },
    get screen() {
      const { screen } = context;
      return screen && {
        ...screen,
        show: (line: string) => screen.show(visible(line)),
      };
    },
    ask: ask && ((question) => ask(visible(question))),
  };
}

function report(error: unknown, { err }: Pick<CommandContext, "err">): void {
  if (!(error instanceof Stopped)) {
    `error: ${explain(error)}`.split("\n").forEach((line) => err(line));
  } else if (error.by !== "SIGPIPE") err("stopped");
}

const EXPECTED = [CommandError, ConfigError, OperationError, OutsideError];

/** An error's message; its stack too if it is a bug of ours. */
export function explain(error: unknown): string {
  const expected = EXPECTED.some((kind) => error instanceof kind);
  const bug = !expected && error instanceof Error && error.stack !== undefined;
  if (bug) return error.stack!;
  const message = messageOf(error);
  // What is quoted from outside must not begin lines that could be ours.
  return error instanceof LinesError ? message : printable(message, Infinity);
}

/** One Ctrl+C reaches a task twice: from the terminal and from deno task. */
const SAME_SIGNAL_MS = 500;

function endOnSignals(end: (by: Stopped["by"]) => void): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    let last = -Infinity;
    Deno.addSignalListener(signal, () => {
      const now = performance.now();
      if (now - last < SAME_SIGNAL_MS) return;
      last = now;
      end(signal);
    });
  }
}

function openConsole(onClosed: () => void): Console {
  const { stdout, stderr } = Deno;
  return new Console({
    stdout,
    stderr,
    columns: () => Deno.consoleSize().columns,
    plain: Deno.env.get("TERM") === "dumb",
    colour: !Deno.noColor,
    onClosed,
  });
}

async function askOnTerminal(
  question: string,
  console: Console,
): Promise<string | undefined> {
  console.question(question);
  const buffer = new Uint8Array(4096); // A terminal hands over whole lines.
  const length = await Deno.stdin.read(buffer);
  if (length === null) return undefined;
  console.answered();
  return new TextDecoder().decode(buffer.subarray(0, length)).trim();
}

/** The name of the user who runs the command, if the environment tells it. */
export function userName(
  { env }: Pick<CommandContext, "env">,
): string | undefined {
  return ["USER", "LOGNAME", "USERNAME"].map((name) => env(name)?.trim())
    .find((name) => name);
}

/** As HTTP's headers carry it; longer names are cut in messages. */
const NAME_PATTERN = /^[ -~]{1,100}$/;

/**
 * The name of a person that will be recorded, and shown to others.
 *
 * @param given What `option` says, if it was given.
 * @throws {UsageError} If there is none, or it cannot be recorded.
 */
export function needName(
  context: Pick<CommandContext, "env">,
  given: string | undefined,
  option: string,
): string {
  const name = (given ?? userName(context))?.trim();
  if (!name) {
    throw new UsageError(
      `Say who you are with ${option}; USER, LOGNAME and USERNAME are not set`,
    );
  }
  if (NAME_PATTERN.test(name)) return name;
  throw new UsageError(
    `${option} takes at most 100 letters, digits and signs of ASCII`,
  );
}
