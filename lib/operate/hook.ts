/**
 * Reporting new approvals to a program or a URL.
 *
 * @module
 */
import { type Config, optional, type Setting, text } from "../base/config.ts";
import { ConfigError, messageOf } from "../base/errors.ts";
import { retry } from "../base/time.ts";
import { hookHeaders } from "./notices/channels.ts";
import { deliver } from "./notices/deliver.ts";
import { HOOK_URL_SETTINGS } from "./notices/settings.ts";
import { PROGRAM_PATTERN } from "./program.ts";

export const HOOK_SETTINGS: {
  readonly program: Setting<string | undefined>;
  readonly hookUrl: Setting<string | undefined>;
  readonly hookSecrets: Setting<readonly string[]>;
} = {
  program: optional(text("APPROVALS_HOOK", {
    about: "program that --watch runs for each new job, with its JSON on stdin",
  })),
  ...HOOK_URL_SETTINGS,
};

/**
 * Reports one approval, under an id that stays the same. Never throws; returns
 * what failed.
 */
export type Hook = (
  value: unknown,
  signal: AbortSignal,
  id?: string,
) => Promise<string[]>;

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

/** @throws {ConfigError} */
export function createHook(
  { program, hookUrl: url, hookSecrets: secrets }: Config<
    typeof HOOK_SETTINGS
  >,
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
  return async (value, signal, id = crypto.randomUUID()) => {
    const json = JSON.stringify(value);
    const told = await Promise.allSettled([
      program === undefined ? undefined : run(program, json, signal),
      url === undefined ? undefined : post(url, json, { id, secrets, signal }),
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
  json: string,
  { id, secrets, signal }: {
    id: string;
    secrets: readonly string[];
    signal: AbortSignal;
  },
): Promise<void> {
  await retry(async (count) => {
    const nowMs = Date.now();
    const headers = await hookHeaders(json, { id, nowMs, secrets });
    const options = { headers, signal, timeoutMs: ATTEMPT_MS };
    const sent = await deliver(url, json, options);
    if (sent.delivered) return;
    throw new HookError(sent.why, !sent.hopeless && count < ATTEMPTS);
  }, {
    baseMs: 500,
    maxMs: 2_000,
    signal,
    retryable: (error) => error instanceof HookError && error.retryable,
  });
}

/** Its message never quotes the URL, as `deliver` promises. */
class HookError extends Error {
  constructor(message: string, readonly retryable: boolean) {
    super(message);
  }
}
