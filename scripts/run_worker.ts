/**
 * Runs one worker with exactly its own permissions.
 *
 * @module
 */
import { CommandError, readArgs, runCommand, warn } from "./terminal/cli.ts";
import { deriveFor, readEnvironment } from "./launch/environment.ts";
import { readWorkerName, WORKERS } from "./launch/permissions.ts";
import {
  cacheWorkers,
  readRequirements,
  workerCommand,
} from "./launch/process.ts";

const HELP = {
  usage: "deno task run_worker WORKER [--env-file FILE]",
  about:
    `Works out what a worker may do in this environment, fetches its modules
and runs it until it ends or is told to stop. WORKER is one of
${WORKERS.join(", ")}.`,
  options: [["--env-file FILE", "variables, one NAME=value a line; these win"]],
} as const;

async function main(args: readonly string[]): Promise<number | void> {
  const given = readArgs(args, HELP, { "env-file": { type: "string" } });
  if (given === undefined) return;
  const [name, ...more] = given.positionals;
  if (name === undefined || more.length > 0) {
    throw new CommandError("Name one worker; see --help", 2);
  }
  const worker = readWorkerName(name);
  const file = given.values["env-file"] as string | undefined;
  const env = await readEnvironment(file);
  const { flags } = deriveFor(worker, await readRequirements(), env);
  await cacheWorkers([worker]);
  warn(`deno run ${flags.join(" ")} workers/${worker}.ts`);
  const child = new Deno.Command(Deno.execPath(), {
    ...workerCommand(worker, env, { flags }),
    stdin: "null",
  }).spawn();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      try {
        child.kill(signal);
      } catch {
        // It has ended already.
      }
    });
  }
  return (await child.status).code;
}

if (import.meta.main) await runCommand(main);
