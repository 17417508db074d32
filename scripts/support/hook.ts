/**
 * Telling somebody of what waits, by a program or over HTTP.
 *
 * @module
 */
import { WORKER_VARIABLES } from "../launch/environment.ts";
import { retry } from "../../lib/base/time.ts";
import { optional, secret, type Setting, text } from "../../lib/base/config.ts";
import { messageOf } from "../../lib/base/errors.ts";
import { request } from "../../lib/base/http.ts";
import { CommandError } from "../terminal/command.ts";

/** Where to tell of each new approval. */
export const HOOK_SETTINGS: {
  readonly program: Setting<string | undefined>;
  readonly url: Setting<string | undefined>;
} = {
  program: optional(text("APPROVALS_HOOK", {
    about: "program that --watch runs for each new one, its JSON on stdin",
  })),
  url: optional(secret("APPROVALS_HOOK_URL", {
    about: "where --watch posts the JSON of each new one (a secret)",
  })),
};

/** Tells of one approval. Never throws; @returns what failed. */
export type Hook = (value: unknown, signal: AbortSignal) => Promise<string[]>;

const PROGRAM_MS = 30_000;
const ATTEMPT_MS = 5_000;
const ATTEMPTS = 3;
const ANSWER_BYTES_MAX = 64 * 1024;
/** The shell splits what scripts/hosts.ts prints, so that blanks are no use. */
const PROGRAM_PATTERN = /^[\w./@+-]{1,1000}$/;
/** What a program that tells people has no use for. */
const WITHHELD = [
  ...WORKER_VARIABLES,
  "APPROVALS_HOOK_URL",
  "APPROVALS_HOOK_URL_FILE",
];

/** Checks what was configured. @throws {CommandError} With exit code 2. */
export function createHook(
  { program, url }: { program: string | undefined; url: string | undefined },
  { programMs = PROGRAM_MS }: { programMs?: number } = {},
): Hook {
  if (program !== undefined && !PROGRAM_PATTERN.test(program)) {
    throw new CommandError(
      "APPROVALS_HOOK must be the path of a program, without blanks and arguments",
      2,
    );
  }
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new CommandError(
      "APPROVALS_HOOK_URL must be an http or https URL",
      2,
    );
  }
  return async (value, signal) => {
    const json = JSON.stringify(value);
    const failed = await Promise.all([
      program === undefined ? undefined : runProgram(program, json, programMs),
      url === undefined ? undefined : post(url, json, signal),
    ]);
    return failed.filter((problem) => problem !== undefined);
  };
}

async function runProgram(
  program: string,
  json: string,
  timeoutMs: number,
): Promise<string | undefined> {
  const says = (problem: string) => `APPROVALS_HOOK failed: ${problem}`;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let late = false;
  try {
    const child = new Deno.Command(program, {
      // Empty means unset, here as everywhere.
      env: Object.fromEntries(WITHHELD.map((name) => [name, ""])),
      stdin: "piped",
      // What it prints would get between the lines of --json.
      stdout: "null",
      stderr: "null",
    }).spawn();
    timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    const [{ success, code }] = await Promise.all([
      child.status,
      // A program need not read what it is given.
      writeAll(child.stdin, json).catch(() => {}),
    ]);
    if (late) return says(`it took longer than ${timeoutMs / 1000} s`);
    return success ? undefined : says(`exit code ${code}`);
  } catch (error) {
    return says(messageOf(error));
  } finally {
    clearTimeout(timer);
  }
}

async function writeAll(
  stdin: WritableStream<Uint8Array>,
  text: string,
): Promise<void> {
  const writer = stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

/** Better told twice than never: whatever is not clear is tried again. */
async function post(
  url: string,
  body: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await retry(async (count) => {
      const outcome = await request(url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        timeoutMs: ATTEMPT_MS,
        bodyBytesMax: ANSWER_BYTES_MAX,
        signal,
      });
      if (outcome.outcome !== "answered") {
        const hopeless = "hopeless" in outcome || count >= ATTEMPTS;
        throw new HookError(outcome.reason, !hopeless);
      }
      const { status } = outcome;
      if (status >= 200 && status <= 299) return;
      const passing = status === 429 || status >= 500;
      throw new HookError(`status ${status}`, passing && count < ATTEMPTS);
    }, {
      baseMs: 500,
      maxMs: 2_000,
      signal,
      retryable: (error) => error instanceof HookError && error.retryable,
    });
    return undefined;
  } catch (error) {
    return `APPROVALS_HOOK_URL failed: ${messageOf(error)}`;
  }
}

/** Its message never quotes the URL, as `request` promises. */
class HookError extends Error {
  constructor(message: string, readonly retryable: boolean) {
    super(message);
  }
}
