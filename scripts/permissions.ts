/**
 * Prints what each worker may do, and why; proves it on request.
 *
 * @module
 */
import { command } from "./terminal/arguments.ts";
import { type CommandContext, runCommand } from "./terminal/command.ts";
import { heading, printStyled, table } from "./terminal/format.ts";
import {
  deriveFor,
  readEnvironment,
  readRequirements,
} from "./launch/environment.ts";
import {
  forShell,
  type Permissions,
  readWorkerNames,
  toLine,
  type WorkerName,
  WORKERS,
} from "./launch/permissions.ts";
import { openProof, proveMinimal, proveRefusals } from "./launch/proof.ts";

const HELP = {
  usage:
    "deno task permissions [WORKER] [--json|--flags] [--env-file FILE] | --prove",
  about: `Prints the permissions of ${WORKERS.join(", ")}, each with its reason,
for the environment of this command and of --env-file (deploy/env.example).
--prove starts the real workers on a stand-in platform, tries what they may not
do, and takes each permission away to see that it was needed.`,
  argumentsMax: 1,
  options: {
    json: "as JSON: {worker: {net, env, read, flags}}",
    flags: "the flags and nothing else, one line per worker",
    "env-file FILE":
      "variables, one NAME=value per line; these take precedence",
    prove: "try it; exit 1 if anything was not as it should be",
  },
} as const;

/** The width of a wide terminal. */
const WIDTH = 140;

export const main = command(HELP, async ({ values, positionals }, context) => {
  const { json, flags: onlyFlags, prove: proving, "env-file": file } = values;
  const workers = readWorkerNames(positionals);
  if (proving) return await prove(workers, context) ? 0 : 1;
  const env = await readEnvironment(file, context.env);
  const requirements = await readRequirements();
  const all = workers.map((worker) =>
    [worker, deriveFor(worker, requirements, env)] as const
  );
  if (json) {
    return context.raw(JSON.stringify(Object.fromEntries(all), undefined, 2));
  }
  for (const [worker, permissions] of all) {
    if (onlyFlags) context.raw(toLine(permissions));
    else print(worker, permissions, context);
  }
});

function print(
  worker: WorkerName,
  permissions: Permissions,
  context: CommandContext,
): void {
  const { net, env, read, flags } = permissions;
  printStyled([heading(worker, context)], context);
  const rows = [
    ...net.map(({ host, why }) => ["  net", host, why]),
    ...read.map(({ path, why }) => ["  read", path, why]),
    ...env.map(({ name, why }) => ["  env", name, why]),
  ];
  for (const line of table(rows)) context.out(line);
  context.out(`  ${forShell(flags)}`);
  context.out();
}

/**
 * Proves and prints both tables.
 *
 * @returns Whether all was as it should be.
 */
async function prove(
  workers: readonly WorkerName[],
  { out, signal }: CommandContext,
): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const proof = await openProof(stack, signal);
  const print = (rows: string[][]) => {
    for (const line of table(rows)) out(`  ${cut(line)}`);
  };
  let wrong = 0;
  for (const worker of workers) {
    const tries = await proveRefusals(proof, worker);
    out(`${worker}: what it may not do, tried inside it`);
    print(tries.map(({ tried, outcome, said }) => [
      tried,
      outcome,
      /NotCapable|--cached-only/.exec(said)?.[0] ?? said,
    ]));
    wrong += tries.filter(({ outcome }) => outcome === "allowed").length;
    out(`${worker}: and then it did its work`);
    out();
  }
  for (const worker of workers) {
    const removals = await proveMinimal(proof, worker);
    out(`${worker}: what fails without each permission`);
    print(removals.map(({ removed, failure = "NOTHING FAILED" }) => [
      removed,
      failure,
    ]));
    wrong += removals.filter(({ failure }) => failure === undefined).length;
    out();
  }
  out(
    wrong === 0
      ? "Proved: nothing else is allowed, and nothing is granted in vain"
      : `NOT proved: ${wrong} of the above are not as they should be`,
  );
  return wrong === 0;
}

function cut(line: string): string {
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line;
}

if (import.meta.main) await runCommand(main);
