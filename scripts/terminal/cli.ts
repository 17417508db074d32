/**
 * What every command shares: arguments, help, output, questions.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { messageOf, OutsideError, shorten } from "../../lib/base/errors.ts";

/** A failure that people are told of in one line, without a stack. */
export class CommandError extends Error {
  override name = "CommandError";

  constructor(message: string, readonly exitCode: number = 1) {
    super(message);
  }
}

/** A command's name, its one line, and its options as people read them. */
export interface CommandHelp {
  usage: string;
  about: string;
  /** Option or argument, and what it does. */
  options: readonly (readonly [string, string])[];
  /** Variables that it reads. */
  variables?: readonly (readonly [string, string])[];
}

/** Longer lines are hard to read, shorter ones break every other word. */
const COLUMNS_MAX = 100;
const COLUMNS_MIN = 40;

type Options = NonNullable<ParseArgsConfig["options"]>;

/** The values of options, by name. */
export type Values = Record<string, string | boolean | undefined>;

/**
 * Reads a command's arguments.
 *
 * @returns `undefined` if `--help` was asked for and printed.
 * @throws {CommandError} With exit code 2 for an argument that it does not know.
 */
export function readArgs(
  args: readonly string[],
  help: CommandHelp,
  options: Options,
): { values: Values; positionals: string[] } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
      strict: true,
    });
    if (values["help"]) {
      say(renderHelp(help));
      return undefined;
    }
    return { values: values as Values, positionals };
  } catch (error) {
    const [first] = messageOf(error).split(". ", 1);
    throw new CommandError(`${first}; see --help`, 2);
  }
}

function renderHelp(
  { usage, about, options, variables = [] }: CommandHelp,
): string {
  const all = [...options, ["--help", "print this"] as const];
  const width = Math.max(
    ...[...all, ...variables].map(([name]) => name.length),
  );
  const rows = (items: readonly (readonly [string, string])[]) =>
    items.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`).join(
      "\n",
    );
  const parts = [`Usage: ${usage}`, "", about, "", "Options:", rows(all)];
  if (variables.length > 0) parts.push("", "Variables:", rows(variables));
  return parts.join("\n");
}

/** Runs a command and exits the process with its code. */
export async function runCommand(
  main: (args: readonly string[]) => Promise<number | void>,
): Promise<never> {
  try {
    Deno.exit(await main(Deno.args) ?? 0);
  } catch (error) {
    warn(`error: ${explain(error)}`);
    Deno.exit(error instanceof CommandError ? error.exitCode : 1);
  }
}

/** An error as people are told it: its stack only if it is a bug of ours. */
export function explain(error: unknown): string {
  const expected = error instanceof CommandError ||
    error instanceof OutsideError;
  const bug = !expected && error instanceof Error && error.stack !== undefined;
  return bug ? error.stack! : messageOf(error);
}

/** Prints a line for people on standard output. */
export function say(line = ""): void {
  write(Deno.stdout, `${line}\n`);
}

/** Prints a line for people on standard error. */
export function warn(line: string): void {
  write(Deno.stderr, `${line}\n`);
}

function write(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += stream.writeSync(bytes.subarray(at));
  }
}

/**
 * Asks a yes-or-no question on a terminal.
 *
 * @throws {CommandError} If there is no terminal to ask on; `flag` answers.
 */
export function askYes(question: string, flag: string): boolean {
  if (!Deno.stdin.isTerminal()) {
    throw new CommandError(
      `${question} There is no terminal to ask on; ${flag} says yes`,
    );
  }
  return confirm(question);
}

/**
 * Fails unless there is a terminal to ask on.
 *
 * @throws {CommandError} With exit code 2; `otherwise` says what helps.
 */
export function needTerminal(option: string, otherwise: string): void {
  if (Deno.stdin.isTerminal()) return;
  throw new CommandError(
    `${option} needs a terminal to ask on; ${otherwise}`,
    2,
  );
}

/**
 * Asks until the answer is yes or no. Unlike {@linkcode askYes} it lets
 * everything else in this process go on meanwhile.
 *
 * @returns `false` too if the input ends.
 */
export async function askYesOrNo(question: string): Promise<boolean> {
  while (true) {
    write(Deno.stdout, `${question} [y/n] `);
    const answer = await readLine();
    if (answer === undefined || /^n(o)?$/i.test(answer)) return false;
    if (/^y(es)?$/i.test(answer)) return true;
  }
}

/** A terminal hands over a line at a time. */
async function readLine(): Promise<string | undefined> {
  const buffer = new Uint8Array(4096);
  const length = await Deno.stdin.read(buffer);
  if (length === null) return undefined;
  return new TextDecoder().decode(buffer.subarray(0, length)).trim();
}

/** How a message is shown here: the width to break lines at, and colours. */
export function outputStyle(): { columns: number; colour: boolean } {
  const terminal = Deno.stdout.isTerminal();
  // A terminal that does not know its width says 0.
  const width = terminal && Deno.consoleSize().columns || COLUMNS_MAX;
  return {
    columns: Math.min(Math.max(width, COLUMNS_MIN), COLUMNS_MAX),
    colour: terminal && !Deno.noColor,
  };
}

/** Says how long something takes: one changing line on a terminal, else a line every 5 s. */
export class Progress {
  readonly #what: string;
  readonly #started = performance.now();
  #said = 0;

  constructor(what: string) {
    this.#what = what;
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Says that it is still going on. */
  tick(): void {
    const now = Math.floor(this.seconds);
    if (Deno.stdout.isTerminal()) {
      write(Deno.stdout, `\r  ${this.#what} ${now} s `);
    } else if (now >= this.#said + 5) {
      this.#said = now;
      say(`  ${this.#what} ${now} s`);
    }
  }

  /** Ends the line. */
  done(result: string): void {
    const clear = Deno.stdout.isTerminal() ? "\r\x1b[K" : "";
    say(`${clear}  ${result}`);
  }
}

/** Lays rows out in columns. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length))
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      column === row.length - 1 ? cell : cell.padEnd(widths[column]!)
    )
      .join("  ").trimEnd()
  );
}

/**
 * Text from outside, fit for one line of a terminal: without controls, which
 * could rewrite what stands there, and without marks that turn its direction.
 */
export function oneLine(text: string, charsMax = 200): string {
  const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replace(/\p{Cf}/gu, "");
  return shorten(plain.trim(), charsMax);
}

/** Seconds with one digit, for people. */
export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Bytes as people say them. */
export function inBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024
    ? `${kib.toFixed(1)} KiB`
    : `${(kib / 1024).toFixed(1)} MiB`;
}
