/**
 * Makes one JavaScript file of each worker, which needs no module from anywhere.
 *
 * @module
 */
import { command } from "./terminal/arguments.ts";
import { runCommand } from "./terminal/command.ts";
import { inBytes, table } from "./terminal/format.ts";
import { bundleWorker, startUpMs } from "./launch/ways.ts";
import { readWorkerNames, WORKERS } from "./launch/permissions.ts";

const FOLDER = "dist/workers";

const HELP = {
  usage: "deno task bundle:workers [WORKER...] [--out DIR]",
  about:
    `Writes ${FOLDER}/<worker>.js, one file per worker, with everything that it
imports. Start one anywhere that Deno is, with the flags of deno task
permissions; it needs no module, no cache and no network to start.`,
  argumentsMax: WORKERS.length,
  options: {
    "out DIR": `where the files go (default ${FOLDER})`,
  },
} as const;

export const main = command(HELP, async ({ values, positionals }, { out }) => {
  const { out: folder = FOLDER } = values;
  const rows: string[][] = [];
  for (const worker of readWorkerNames(positionals)) {
    const path = await bundleWorker(worker, folder);
    const { size } = await Deno.stat(path);
    const ms = await startUpMs(path);
    rows.push([path, inBytes(size), `reads its settings after ${ms} ms`]);
  }
  for (const line of table(rows)) out(line);
});

if (import.meta.main) await runCommand(main);
