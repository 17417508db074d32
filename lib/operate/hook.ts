/**
 * Reporting new approvals to a program or a URL.
 *
 * @module
 */
import { optional, secret, type Setting, text } from "../base/config.ts";
import { ConfigError, messageOf } from "../base/errors.ts";
import { request } from "../base/http.ts";
import { retry } from "../base/time.ts";
import { PROGRAM_PATTERN } from "./program.ts";

export const HOOK_SETTINGS: {
  readonly program: Setting<string | undefined>;
  readonly url: Setting<string | undefined>;
} = {
  program: optional(text("APPROVALS_HOOK", {
    about: "program that --watch runs for each new job, with its JSON on stdin",
  })),
  url: optional(secret("APPROVALS_HOOK_URL", {
    about: "URL that --watch posts the JSON of each new job to (a secret)",
  })),
};

/** Reports one approval. Never throws; returns what failed. */
export type Hook = (value: unknown, signal: AbortSignal) => Promise<string[]>;

/**
 * Runs a program with `input` on standard input, and ends it when the signal
 * aborts.
 *
 * @throws If it fails, or the signal's reason.
 */
export type RunProgram = (
  program: string,
  input: string,
  signal: AbortSignal,
) => Promise<void>;

const ATTEMPT_MS = 5_000;
const ATTEMPTS = 3;
const ANSWER_BYTES_MAX = 64 * 1024;

/** @throws {ConfigError} */
export function createHook(
  { program, url }: { program: string | undefined; url: string | undefined },
  run: RunProgram,
): Hook {
  if (program !== undefined && !PROGRAM_PATTERN.test(program)) {
    throw new ConfigError(
      "APPROVALS_HOOK must be the path of a program, without blanks and arguments",
    );
  }
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new ConfigError("APPROVALS_HOOK_URL must be an http or https URL");
  }
  return async (value, signal) => {
    const json = JSON.stringify(value);
    const told = await Promise.allSettled([
      program === undefined ? undefined : run(program, json, signal),
      url === undefined ? undefined : post(url, json, signal),
    ]);
    return told.flatMap((one, at) =>
      one.status === "fulfilled" ? [] : [
        `${at === 0 ? "APPROVALS_HOOK" : "APPROVALS_HOOK_URL"} failed: ${
          messageOf(one.reason)
        }`,
      ]
    );
  };
}

/** Retries whenever the outcome is unclear: twice is better than never. */
async function post(
  url: string,
  body: string,
  signal: AbortSignal,
): Promise<void> {
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
}

/** Its message never quotes the URL, as `request` promises. */
class HookError extends Error {
  constructor(message: string, readonly retryable: boolean) {
    super(message);
  }
}
