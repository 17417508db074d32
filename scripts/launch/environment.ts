/**
 * The environment that a worker will run in, as a command is told of it.
 *
 * @module
 */
import { parseEnv } from "node:util";
import { variablesOf } from "../../lib/base/config.ts";
import { ConfigError, messageOf } from "../../lib/base/errors.ts";
import { CommandError } from "../terminal/command.ts";
import {
  derivePermissions,
  type Permissions,
  WORKER_SETTINGS,
  type WorkerName,
} from "./permissions.ts";

/** Every variable that some worker reads. */
export const WORKER_VARIABLES: readonly string[] = [
  ...new Set(Object.values(WORKER_SETTINGS).flatMap(variablesOf)),
];

/**
 * Reads variables from a file and, for those that it does not set, from this
 * process's own environment.
 *
 * @throws {CommandError} If the file cannot be read or sets a variable that no
 * worker knows, which is a slip of the pen more often than not.
 */
export async function readEnvironment(
  file: string | undefined,
): Promise<(name: string) => string | undefined> {
  const given = file === undefined ? {} : await readEnvFile(file);
  return (name) => given[name] || Deno.env.get(name) || undefined;
}

/**
 * Reads variables from a file.
 *
 * @throws {CommandError} As {@linkcode readEnvironment} does.
 */
export async function readEnvFile(
  path: string,
): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new CommandError(`Cannot read ${path}: ${messageOf(error)}`, 2);
  }
  const values = parseEnv(text) as Record<string, string>;
  const unknown = Object.keys(values).find((name) =>
    !WORKER_VARIABLES.includes(name)
  );
  if (unknown !== undefined) {
    throw new CommandError(`${path} sets ${unknown}, which no worker reads`, 2);
  }
  return values;
}

/** Derives a worker's permissions. @throws {CommandError} With exit code 2. */
export function deriveFor(
  worker: WorkerName,
  requirements: Readonly<Record<WorkerName, string[]>>,
  env: (name: string) => string | undefined,
): Permissions {
  try {
    return derivePermissions(worker, requirements[worker], env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(
      `The ${worker}'s environment is not complete: ${error.message}; set it, or name a file with --env-file (deploy/env.example is one)`,
      2,
    );
  }
}
