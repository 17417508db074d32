/**
 * Workers as single files.
 *
 * @module
 */
import { CommandError } from "../terminal/command.ts";
import type { WorkerName } from "./permissions.ts";
import { runDeno } from "./run_deno.ts";

const STARTS = 3;

/** Writes a worker's bundle into a folder. @returns Its path. */
export async function bundleWorker(
  worker: WorkerName,
  folder: string,
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const path = `${folder}/${worker}.js`;
  const { code, said } = await runDeno(
    "bundle",
    "--quiet",
    "--frozen",
    "--platform=deno",
    `--output=${path}`,
    `workers/${worker}.ts`,
  );
  if (code === 0) return path;
  throw new CommandError(`Cannot bundle the ${worker}:\n${said}`);
}

/**
 * How long a bundle takes to be loaded and to read its settings, which are
 * missing here and end it: the best of three, in whole milliseconds.
 */
export async function startUpMs(path: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const started = performance.now();
    const { code, said } = await runDeno(
      "run",
      "--no-prompt",
      "--cached-only",
      "--no-remote",
      "--no-npm",
      "--no-config",
      "--ignore-env",
      path,
    );
    times.push(performance.now() - started);
    if (code !== 2) throw new CommandError(`${path} does not start:\n${said}`);
  }
  return Math.round(Math.min(...times));
}
