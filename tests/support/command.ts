/**
 * Calling commands in this process.
 *
 * @module
 */
import {
  callCommand,
  type CommandContext,
  type Main,
} from "../../scripts/terminal/command.ts";

/** What a command printed and how it ended. */
export interface CommandRun {
  code: number;
  stdout: string;
  stderr: string;
}

/** Options of {@linkcode call}. */
export interface CallOptions {
  env?: Readonly<Record<string, string>>;
  /** What a person answers in turn; then the input ends. None: no terminal. */
  answers?: readonly string[];
  signal?: AbortSignal;
  /** The terminal; none by default. */
  screen?: CommandContext["screen"];
  /** Told each line as it is printed. */
  onLine?: (line: string) => void;
}

/** Calls a command as `runCommand` does, with everything that it may touch. */
export async function call(
  main: Main,
  args: readonly string[] = [],
  { env = {}, answers, signal, screen, onLine }: CallOptions = {},
): Promise<CommandRun> {
  const lines: string[] = [];
  const errors: string[] = [];
  const rest = answers?.values();
  const out = (line = "") => {
    lines.push(line);
    onLine?.(line);
  };
  const context: CommandContext = {
    env: (name) => ({ USER: "tester", ...env })[name],
    out,
    raw: out,
    err(line) {
      errors.push(line);
      onLine?.(line);
    },
    signal: signal ?? new AbortController().signal,
    screen,
    ask: rest && ((question) => {
      out(question);
      return Promise.resolve(rest.next().value);
    }),
  };
  const code = await callCommand(main, args, context);
  const text = (lines: string[]) => lines.map((line) => `${line}\n`).join("");
  return { code, stdout: text(lines), stderr: text(errors) };
}
