/**
 * Runs the program that tells people what waits for approval.
 *
 * @module
 */
import { WORKER_VARIABLES } from "./environment.ts";

const PROGRAM_MS = 30_000;
/** What a program that tells people has no use for. */
const WITHHELD = [
  ...WORKER_VARIABLES,
  "APPROVALS_HOOK_URL",
  "APPROVALS_HOOK_URL_FILE",
  "APPROVALS_HOOK_SECRET",
  "APPROVALS_HOOK_SECRET_FILE",
];

/**
 * Runs a program with `input` on standard input, and ends it when the signal
 * aborts.
 *
 * @throws {Error} If it fails, or the signal's reason.
 */
export async function runHookProgram(
  program: string,
  input: string,
  signal: AbortSignal,
  timeoutMs = PROGRAM_MS,
): Promise<void> {
  signal.throwIfAborted();
  const child = new Deno.Command(program, {
    // Empty means unset, here as everywhere.
    env: Object.fromEntries(WITHHELD.map((name) => [name, ""])),
    stdin: "piped",
    // What it prints would get between the lines of --json.
    stdout: "null",
    stderr: "null",
    signal,
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  try {
    const [{ success, code }] = await Promise.all([
      child.status,
      // A program need not read what it is given.
      new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}),
    ]);
    if (!success) signal.throwIfAborted();
    if (late) throw new Error(`it took longer than ${timeoutMs / 1000} s`);
    if (!success) throw new Error(`exit code ${code}`);
  } finally {
    clearTimeout(timer);
  }
}
