/**
 * Running the project's own tasks as a person would.
 *
 * @module
 */

import { WORKER_VARIABLES } from "../../scripts/launch/environment.ts";

/** What a task printed and how it ended. */
export interface TaskRun {
  code: number;
  stdout: string;
  stderr: string;
}

const ROOT = new URL("../../", import.meta.url);
/** Variables that would lead a task to a platform of the person who tests. */
const BLANK: Readonly<Record<string, string>> = {
  ...Object.fromEntries(WORKER_VARIABLES.map((name) => [name, ""])),
  USER: "tester",
  NO_COLOR: "1",
};

/** Runs `deno task NAME ARGS` without a terminal and waits for its end. */
export async function runTask(
  name: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<TaskRun> {
  const { code, stdout, stderr } = await startTask(name, args, env).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  // Deno itself says which task it runs; that is not the task's own output.
  const own = text(stderr).split("\n").filter((line) =>
    !line.startsWith("Task ")
  ).join("\n");
  return { code, stdout: text(stdout), stderr: own };
}

/** Whether programs can be given a terminal here: util-linux `script` makes one. */
export const HAS_TERMINALS: boolean = Deno.build.os === "linux" &&
  new Deno.Command("sh", { args: ["-c", "command -v script"], stdout: "null" })
    .outputSync().success;

/** Starts a task on a terminal of its own; what it prints is standard output. */
export function startTaskOnTerminal(
  name: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  const command = [Deno.execPath(), "task", name, ...args].join(" ");
  return startOnTerminal(`exec ${command}`, { NO_COLOR: "1", ...env });
}

/**
 * Starts a command of the shell on a terminal of its own. What it prints is
 * standard output; what is written to standard input is typed, Ctrl-C too.
 *
 * @param command Without a single quote.
 */
export function startOnTerminal(
  command: string,
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: [
      "-c",
      `exec script --quiet --return --command '${command}' /dev/null`,
    ],
    cwd: ROOT,
    env: { ...BLANK, NO_COLOR: "", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

/** Starts a task and leaves it running. */
export function startTask(
  name: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  stdin: "null" | "piped" = "null",
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["task", name, ...args],
    cwd: ROOT,
    env: { ...BLANK, ...env },
    stdin,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}
