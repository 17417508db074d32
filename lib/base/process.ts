/**
 * The life cycle of a worker's process: it starts, runs until it is told to
 * stop, and reports the outcome by its exit code. Both kinds of worker share it.
 *
 * @module
 */
import {
  type Config,
  oneOf,
  readConfig,
  secretsOf,
  type Setting,
  type Settings,
} from "./config.ts";
import { ConfigError } from "./errors.ts";
import {
  createLog,
  createMask,
  errorFields,
  type Level,
  LEVELS,
  type Log,
  writeStderr,
} from "./log.ts";
import { checkRuntime } from "./runtime.ts";

/** `LOG_LEVEL`, the same for every process. */
export const LOG_LEVEL: Setting<Level> = oneOf("LOG_LEVEL", {
  values: LEVELS,
  about: `least severe lines to log: ${LEVELS.join(", ")}`,
  fallback: "info",
});

/** A worker's surroundings: the process itself, or a test. */
export interface Environment {
  /** Reads one variable. */
  env: (name: string) => string | undefined;
  /** Aborts to stop the worker, which finishes its work in hand and returns. */
  signal: AbortSignal;
  /** Takes log lines; standard error if absent. */
  write?: (line: string) => void;
}

/**
 * Reads the configuration and starts the log.
 *
 * @param nameOf Names the worker in every log line.
 * @returns Among others `mask`, which hides the configuration's secrets in a text.
 * @throws {ConfigError} If the environment is wrong.
 */
export function start<S extends Settings>(
  settings: S,
  { env, write }: Environment,
  nameOf: (config: Config<S>) => string,
): { config: Config<S>; log: Log; mask: (text: string) => string } {
  const config = readConfig(settings, env);
  const secrets = secretsOf(settings, config);
  const fields = { worker: nameOf(config) };
  const { logLevel: level = "info" } = config as { logLevel?: Level };
  const log = createLog(fields, { secrets, level, ...(write && { write }) });
  return { config, log, mask: createMask(secrets) };
}

/**
 * Runs a worker until SIGINT or SIGTERM, then exits the process: with 0 after a
 * requested stop, 1 after a failure, 2 if the environment is wrong or the
 * version of Deno is not supported.
 *
 * @param name Names the worker in the log line about a failure.
 */
export async function runProcess(
  name: string,
  run: (environment: Environment) => Promise<void>,
): Promise<never> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  try {
    checkRuntime();
    await run({ env: (name) => Deno.env.get(name), signal: stop.signal });
  } catch (error) {
    if (error instanceof ConfigError) {
      writeStderr(`error: ${error.message}`);
      Deno.exit(2);
    }
    const log = createLog({ worker: name });
    if (!stop.signal.aborted) {
      log.error("Worker ended", errorFields(error));
      Deno.exit(1);
    }
    // A stop cuts off pending connections, so a failure is to be expected.
    log.warn("Worker ended", errorFields(error));
  }
  Deno.exit(0);
}
