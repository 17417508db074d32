/**
 * Prints what each worker may do, and why; proves it on request.
 *
 * @module
 */
import { readArgs, runCommand, say, table } from "./terminal/cli.ts";
import { deriveFor, readEnvironment } from "./launch/environment.ts";
import {
  type Permissions,
  readWorkerName,
  type WorkerName,
  WORKERS,
} from "./launch/permissions.ts";
import { readRequirements } from "./launch/process.ts";
import { prove } from "./launch/proof.ts";

const HELP = {
  usage:
    "deno task permissions [WORKER] [--json|--flags] [--env-file FILE] | --prove",
  about: `Prints the permissions of ${WORKERS.join(", ")}, each with its reason,
for the environment of this command and of --env-file (deploy/env.example).
--prove starts the real workers on a stand-in platform, tries what they may not
do, and takes each permission away to see that it was needed.`,
  options: [
    ["--json", "as JSON: {worker: {net, env, read, flags}}"],
    ["--flags", "the flags and nothing else, one line a worker"],
    ["--env-file FILE", "variables, one NAME=value a line; these win"],
    ["--prove", "try it; exit 1 if anything was not as it should be"],
  ],
} as const;

async function main(args: readonly string[]): Promise<number | void> {
  const given = readArgs(args, HELP, {
    json: { type: "boolean" },
    flags: { type: "boolean" },
    "env-file": { type: "string" },
    prove: { type: "boolean" },
  });
  if (given === undefined) return;
  const { json, flags: onlyFlags, prove: proving } = given.values;
  const file = given.values["env-file"] as string | undefined;
  const [name] = given.positionals;
  const workers = name === undefined ? WORKERS : [readWorkerName(name)];
  if (proving === true) return await prove(workers) ? 0 : 1;
  const env = await readEnvironment(file);
  const requirements = await readRequirements();
  const all = workers.map((worker) =>
    [worker, deriveFor(worker, requirements, env)] as const
  );
  if (json === true) {
    return say(JSON.stringify(Object.fromEntries(all), undefined, 2));
  }
  for (const [worker, permissions] of all) {
    if (onlyFlags === true) say(permissions.flags.join(" "));
    else print(worker, permissions);
  }
}

function print(worker: WorkerName, permissions: Permissions): void {
  const { net, env, read, flags } = permissions;
  say(worker);
  const rows = [
    ...net.map(({ host, why }) => ["  net", host, why]),
    ...read.map(({ path, why }) => ["  read", path, why]),
    ...env.map(({ name, why }) => ["  env", name, why]),
  ];
  for (const line of table(rows)) say(line);
  say(`  ${flags.join(" ")}`);
  say();
}

if (import.meta.main) await runCommand(main);
