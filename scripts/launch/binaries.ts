/**
 * Workers as binaries.
 *
 * @module
 */
import { sha256Hex } from "../../lib/base/digest.ts";
import { CommandError } from "../terminal/command.ts";
import type { Permissions, WorkerName } from "./permissions.ts";
import { runDeno } from "./run_deno.ts";

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
  const { code, said } = await runDeno(
    "compile",
    "--quiet",
    "--frozen",
    `--target=${target}`,
    `--output=${file}`,
    ...permissions.flags,
    `workers/${worker}.ts`,
  );
  if (code !== 0) throw new CommandError(explain(worker, target, said));
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
