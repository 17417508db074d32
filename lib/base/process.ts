/**
 * The life of a worker's process: it starts, runs until it is told to stop, and
 * says by its exit code how it ended. The same for both kinds of worker.
 *
 * @module
 */
import { type Config, readConfig, secretsOf, type Settings } from "./config.ts";
import { ConfigError } from "./errors.ts";
import { createLog, createMask, errorFields, type Log } from "./log.ts";
import { checkRuntime } from "./runtime.ts";

/** What a worker runs in: the process itself, or a test. */
export interface Environment {
  /** One variable's value. */
  env: (name: string) => string | undefined;
  /** Aborts to stop the worker: it finishes what it holds, then returns. */
  signal: AbortSignal;
  /** Takes log lines; standard error if absent. */
  write?: (line: string) => void;
}

/** A worker's configuration, and a log that masks the secrets in it. */
export interface Start<S extends Settings> {
  /** Frozen. */
  config: Config<S>;
  /** Names the worker in every line. */
  log: Log;
  /** Replaces the configuration's secrets in a text. */
  mask: (text: string) => string;
}

/**
 * Reads the configuration and starts the log.
 *
 * @param nameOf The name that every log line carries.
 * @throws {ConfigError} If the environment is wrong.
 */
export function start<S extends Settings>(
  settings: S,
  { env, write }: Environment,
  nameOf: (config: Config<S>) => string,
): Start<S> {
  const config = readConfig(settings, env);
  const secrets = secretsOf(settings, config);
  const fields = { worker: nameOf(config) };
  const log = createLog(fields, { secrets, ...(write && { write }) });
  return { config, log, mask: createMask(secrets) };
}

/**
 * Runs a worker until SIGINT or SIGTERM, then exits the process: with 0 after a
 * stop that was asked for, 1 after a failure, 2 if the environment is wrong or
 * this version of Deno is not supported.
 *
 * @param name The worker's, for the log line about a failure.
 */
export async function runProcess(
  name: string,
  run: (environment: Environment) => Promise<void>,
): Promise<never> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => stop.abort());
  }
  try {
    checkRuntime();
    await run({ env: (name) => Deno.env.get(name), signal: stop.signal });
  } catch (error) {
    if (error instanceof ConfigError) {
      const line = `error: ${error.message}\n`;
      Deno.stderr.writeSync(new TextEncoder().encode(line));
      Deno.exit(2);
    }
    // A stop cuts off connections that are still being made.
    if (!stop.signal.aborted) {
      createLog({ worker: name }).error("Worker ended", errorFields(error));
      Deno.exit(1);
    }
  }
  Deno.exit(0);
}
