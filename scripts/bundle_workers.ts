/**
 * Makes one JavaScript file of each worker, which needs no module from anywhere.
 *
 * @module
 */
import { inBytes, readArgs, runCommand, say, table } from "./terminal/cli.ts";
import { bundleWorker, startUpMs } from "./launch/bundles.ts";
import { readWorkerName, WORKERS } from "./launch/permissions.ts";

const HELP = {
  usage: "deno task bundle:workers [WORKER...]",
  about:
    `Writes dist/workers/<worker>.js, one file a worker, with everything that it
imports. Start one anywhere that Deno is, with the flags of deno task
permissions; it needs no module, no cache and no network to start.`,
  options: [],
} as const;

async function main(args: readonly string[]): Promise<number | void> {
  const given = readArgs(args, HELP, {});
  if (given === undefined) return;
  const names = given.positionals.map(readWorkerName);
  const rows: string[][] = [];
  for (const worker of names.length === 0 ? WORKERS : names) {
    const path = await bundleWorker(worker);
    const { size } = await Deno.stat(path);
    const ms = await startUpMs(path);
    rows.push([path, inBytes(size), `reads its settings after ${ms} ms`]);
  }
  for (const line of table(rows)) say(line);
}

if (import.meta.main) await runCommand(main);
