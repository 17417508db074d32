/**
 * Runs one worker with exactly its own permissions.
 *
 * @module
 */
import { command } from "./terminal/arguments.ts";
import { runCommand, UsageError } from "./terminal/command.ts";
import {
  deriveFor,
  readEnvironment,
  readRequirements,
} from "./launch/environment.ts";
import { forShell, readWorkerName, WORKERS } from "./launch/permissions.ts";
import { cacheWorkers, workerCommand } from "./launch/process.ts";

const HELP = {
  usage: "deno task run_worker WORKER [--env-file FILE]",
  about:
    `Works out what a worker may do in this environment, fetches its modules
and runs it until it ends or is told to stop. WORKER is one of
${WORKERS.join(", ")}.`,
  argumentsMax: 1,
  options: {
    "env-file FILE":
      "variables, one NAME=value per line; these take precedence",
  },
} as const;

export const main = command(HELP, async ({ values, positionals }, context) => {
  const [name] = positionals;
  if (name === undefined) throw new UsageError("Name one worker");
  const worker = readWorkerName(name);
  const env = await readEnvironment(values["env-file"], context.env);
  const { flags } = deriveFor(worker, await readRequirements(), env);
  await cacheWorkers([worker]);
  context.err(`deno run ${forShell(flags)} workers/${worker}.ts`);
  const child = workerCommand(worker, env, { flags }).spawn();
  void context.signal; // The worker ends at a signal, and this with it.
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
});

if (import.meta.main) await runCommand(main);
