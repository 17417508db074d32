/**
 * Workers as binaries.
 *
 * @module
 */
import { sha256Hex } from "../../lib/base/digest.ts";
import { CommandError } from "../terminal/command.ts";
import type { Permissions, WorkerName } from "./permissions.ts";

/** One binary, as the manifest says it. */
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

const FOLDER = "dist/bin";

/**
 * Compiles one worker.
 *
 * @throws {CommandError} Saying what to do where the runtime cannot be fetched.
 */
export async function compileWorker(
  worker: WorkerName,
  { permission, target, version }: {
    permission: Permissions;
    target: string;
    version: string;
  },
): Promise<CompiledWorker> {
  await Deno.mkdir(FOLDER, { recursive: true });
  const suffix = target.includes("windows") ? ".exe" : "";
  const file = `${FOLDER}/${worker}-${target}${suffix}`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--quiet",
      "--frozen",
      `--target=${target}`,
      `--output=${file}`,
      ...permission.flags,
      `workers/${worker}.ts`,
    ],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new CommandError(
      explain(worker, target, new TextDecoder().decode(stderr)),
    );
  }
  const binary = await Deno.readFile(file);
  return {
    worker,
    version,
    target,
    file,
    bytes: binary.length,
    sha256: await sha256Hex(binary),
    permissions: permission,
  };
}

function explain(worker: WorkerName, target: string, said: string): string {
  const [cause = ""] = said.trim().split("\n\nStack backtrace");
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
