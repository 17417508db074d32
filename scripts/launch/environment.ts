/**
 * What permissions are derived from: the environment that a worker will run in,
 * and what its topic requires according to the pack.
 *
 * @module
 */
import { parseEnv } from "node:util";
import { parse } from "@std/yaml";
import { variablesOf } from "../../lib/base/config.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { CommandError } from "../terminal/command.ts";
import { whyNot } from "../terminal/files.ts";
import {
  derivePermissions,
  type Permissions,
  WORKER_SETTINGS,
  WORKER_TOPICS,
  type WorkerName,
  WORKERS,
} from "./permissions.ts";

/** A worker's environment, by variable. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Every variable that some worker reads. */
export const WORKER_VARIABLES: readonly string[] = [
  ...new Set(Object.values(WORKER_SETTINGS).flatMap(variablesOf)),
];

/**
 * Reads variables from a file; those that it does not set come from `env`.
 *
 * @throws {CommandError} As {@linkcode readEnvFile} does.
 */
export async function readEnvironment(
  file: string | undefined,
  env: (name: string) => string | undefined,
): Promise<(name: string) => string | undefined> {
  const given = file === undefined ? {} : await readEnvFile(file);
  return (name) => given[name] || env(name) || undefined;
}

/**
 * Reads variables from a file.
 *
 * @throws {CommandError} If it cannot be read or sets a variable that no worker
 * reads, which is usually a typo.
 */
export async function readEnvFile(
  path: string,
): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const hint = missing ? `; cp deploy/env.example ${path} makes one` : "";
    throw new CommandError(`Cannot read ${path}: ${whyNot(error)}${hint}`, 2);
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

/** What each worker's topic requires. */
export type Requirements = Readonly<Record<WorkerName, readonly string[]>>;

const MANIFEST = new URL("../../pack/pack.yaml", import.meta.url);

/** Reads what each worker's topic requires from the pack's manifest. */
export async function readRequirements(): Promise<Requirements> {
  const { topics } = parse(await Deno.readTextFile(MANIFEST)) as {
    topics: { name: string; requires: string[] }[];
  };
  const requires = new Map(topics.map((topic) => [topic.name, topic.requires]));
  return Object.fromEntries(
    WORKERS.map((worker) => [
      worker,
      requires.get(WORKER_TOPICS[worker] ?? "") ?? [],
    ]),
  ) as Record<WorkerName, string[]>;
}

/** Derives a worker's permissions. @throws {CommandError} With exit code 2. */
export function deriveFor(
  worker: WorkerName,
  requirements: Requirements,
  env: (name: string) => string | undefined,
  placed: readonly string[] = [],
): Permissions {
  try {
    return derivePermissions(worker, requirements[worker], env, placed);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(
      `The ${worker}'s environment is not complete: ${error.message}; set it, or name a file with --env-file (deploy/env.example is one)`,
      2,
    );
  }
}
