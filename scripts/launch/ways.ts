/**
 * Workers in other forms than their file: bundles and binaries.
 *
 * @module
 */
import { sha256Hex } from "../../lib/base/digest.ts";
import type { Permissions, WorkerName } from "./permissions.ts";
import { runDeno } from "./process.ts";

const STARTS = 3;

/** Writes a worker's bundle into a folder. @returns Its path. */
export async function bundleWorker(
  worker: WorkerName,
  folder: string,
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const path = `${folder}/${worker}.js`;
  const options = ["--quiet", "--frozen", "--platform=deno"];
  await runDeno(
    ["bundle", ...options, `--output=${path}`, `workers/${worker}.ts`],
    (said) => `Cannot bundle the ${worker}:\n${said}`,
  );
  return path;
}

/**
 * How long a bundle takes to be loaded and to read its settings, which are
 * missing here and end it: the best of three, in whole milliseconds.
 */
export async function startUpMs(path: string): Promise<number> {
  const nothing = ["--no-remote", "--no-npm", "--no-config", "--ignore-env"];
  const args = ["run", "--no-prompt", "--cached-only", ...nothing, path];
  let best = Infinity;
  for (let i = 0; i < STARTS; i++) {
    const started = performance.now();
    await runDeno(args, (said) => `${path} does not start:\n${said}`, 2);
    best = Math.min(best, performance.now() - started);
  }
  return Math.round(best);
}

/** One binary, as the manifest describes it. */
export interface CompiledWorker {
  worker: WorkerName;
  /** The pack's. */
  version: string;
  /** The machine that it runs on. */
  target: string;
  file: string;
  bytes: number;
  sha256: string;
  /** What is baked in. */
  permissions: Permissions;
}

/**
 * Compiles one worker into a folder.
 *
 * @throws {CommandError} Saying what to do where the runtime cannot be fetched.
 */
export async function compileWorker(
  { worker, version, target, permissions }: Omit<
    CompiledWorker,
    "file" | "bytes" | "sha256"
  >,
  folder: string,
): Promise<CompiledWorker> {
  await Deno.mkdir(folder, { recursive: true });
  const suffix = target.includes("windows") ? ".exe" : "";
  const file = `${folder}/${worker}-${target}${suffix}`;
  const options = ["--quiet", "--frozen", `--target=${target}`];
  const { flags } = permissions;
  await runDeno(
    [
      "compile",
      ...options,
      `--output=${file}`,
      ...flags,
      `workers/${worker}.ts`,
    ],
    (said) => explain(worker, target, said),
  );
  const binary = await Deno.readFile(file);
  const sha256 = await sha256Hex(binary);
  const bytes = binary.length;
  return { worker, version, target, file, bytes, sha256, permissions };
}

function explain(worker: WorkerName, target: string, said: string): string {
  const [cause = ""] = said.split("\n\nStack backtrace");
  if (!/denort|base binary|DENORT_BIN/i.test(cause)) {
    return `Cannot compile the ${worker}:\n${cause}`;
  }
  return `Cannot compile the ${worker}: the runtime that a binary embeds could not be had.
Deno ${Deno.version.deno} fetches denort-${target}.zip from dl.deno.land once. Where that
is not reachable, fetch and unpack it on a machine that reaches it and name the
file inside: DENORT_BIN=/path/to/denort deno task compile

Deno says:
${cause}`;
}
