/**
 * Workers as single files.
 *
 * @module
 */
import { CommandError } from "../terminal/command.ts";
import type { WorkerName } from "./permissions.ts";

const FOLDER = "dist/workers";
const STARTS = 3;

/** Writes a worker's bundle. @returns Its path. */
export async function bundleWorker(worker: WorkerName): Promise<string> {
  await Deno.mkdir(FOLDER, { recursive: true });
  const path = `${FOLDER}/${worker}.js`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--frozen",
      "--platform=deno",
      `--output=${path}`,
      `workers/${worker}.ts`,
    ],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return path;
  const said = new TextDecoder().decode(stderr).trim();
  throw new CommandError(`Cannot bundle the ${worker}:\n${said}`);
}

/**
 * How long a bundle takes to be loaded and to read its settings, of which it
 * finds none and ends: the best of three, in whole milliseconds.
 */
export async function startUpMs(path: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const started = performance.now();
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--cached-only",
        "--no-remote",
        "--no-npm",
        "--no-config",
        "--ignore-env",
        path,
      ],
      stdout: "null",
      stderr: "piped",
    }).output();
    times.push(performance.now() - started);
    if (code !== 2) {
      const said = new TextDecoder().decode(stderr).trim();
      throw new CommandError(`${path} does not start:\n${said}`);
    }
  }
  return Math.round(Math.min(...times));
}
