/**
 * What a command runs in: its environment, its output, its stop signal.
 *
 * @module
 */
import { ConfigError, messageOf, OutsideError } from "../../lib/base/errors.ts";
import { checkRuntime } from "../../lib/base/runtime.ts";
import { OperationError } from "../../lib/operate/errors.ts";

/** A failure that is reported in one line, without a stack. */
export class CommandError extends Error {
  override name = "CommandError";

  constructor(message: string, readonly exitCode: number = 1) {
    super(message);
  }
}

/** The command line itself is wrong. */
export class UsageError extends CommandError {
  constructor(problem: string) {
    super(`${problem}; see --help`, 2);
  }
}

/** A terminal that shows standard output. */
export interface Screen {
  /** 0 if the terminal does not know its width. */
  readonly columns: number;
  readonly colour: boolean;
  /** Shows a line that the next one replaces. */
  readonly show: (line: string) => void;
}

/** What a command runs in. Tests bring their own. */
export interface CommandContext {
  readonly env: (name: string) => string | undefined;
  /** Prints a line on standard output. */
  readonly out: (line?: string) => void;
  /** Prints a line on standard error. */
  readonly err: (line: string) => void;
  /**
   * Aborts with a {@linkcode CommandError} on SIGINT and SIGTERM. The same
   * signal again, half a second later, ends the process at once, as the first
   * does where a command never reads this.
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
  Deno.exit(await callCommand(main, Deno.args, processContext()));
}

/** Runs a command and prints what it throws. @returns The exit code. */
export async function callCommand(
  main: Main,
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  try {
    checkRuntime();
    return await main(args, context);
  } catch (thrown) {
    const { signal } = context;
    const error = signal.aborted ? signal.reason : thrown;
    context.err(`error: ${explain(error)}`);
    if (error instanceof CommandError) return error.exitCode;
    return error instanceof ConfigError ? 2 : 1;
  }
}

const EXPECTED = [CommandError, ConfigError, OperationError, OutsideError];

/** An error's message; its stack too if it is a bug of ours. */
export function explain(error: unknown): string {
  const expected = EXPECTED.some((kind) => error instanceof kind);
  const bug = !expected && error instanceof Error && error.stack !== undefined;
  return bug ? error.stack! : messageOf(error);
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
/** One Ctrl+C reaches a task twice: from the terminal and from deno task. */
const SAME_SIGNAL_MS = 500;

function processContext(): CommandContext {
  let signal: AbortSignal | undefined;
  let clear = ""; // Removes the line shown by show(), if there is one.
  const print = (stream: Stream, line: string) => {
    if (clear !== "") write(Deno.stdout, clear);
    clear = "";
    write(stream, `${line}\n`);
  };
  const show = (line: string) => {
    clear = "\r\x1b[K";
    write(Deno.stdout, `${clear}${line}`);
  };
  return {
    env: (name) => Deno.env.get(name),
    out: (line = "") => print(Deno.stdout, line),
    err: (line) => print(Deno.stderr, line),
    get signal() {
      return signal ??= abortOnSignals();
    },
    get screen() {
      if (!Deno.stdout.isTerminal()) return undefined;
      const { columns } = Deno.consoleSize();
      return { columns, colour: !Deno.noColor, show };
    },
    ask: Deno.stdin.isTerminal() ? askOnTerminal : undefined,
  };
}

function abortOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const [name, code] of Object.entries(EXIT_CODES)) {
    const signal = name as Deno.Signal;
    const onSignal = () => {
      stop.abort(new CommandError("Stopped", code));
      const timer = setTimeout(
        () => Deno.removeSignalListener(signal, onSignal),
        SAME_SIGNAL_MS,
      );
      Deno.unrefTimer(timer);
    };
    Deno.addSignalListener(signal, onSignal);
  }
  return stop.signal;
}

async function askOnTerminal(question: string): Promise<string | undefined> {
  write(Deno.stdout, question);
  const buffer = new Uint8Array(4096); // A terminal hands over whole lines.
  const length = await Deno.stdin.read(buffer);
  if (length === null) return undefined;
  return new TextDecoder().decode(buffer.subarray(0, length)).trim();
}

type Stream = { writeSync(bytes: Uint8Array): number };

function write(stream: Stream, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += stream.writeSync(bytes.subarray(at));
  }
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
