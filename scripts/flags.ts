/**
 * Writes the workers' permission flags into the files that carry them.
 *
 * @module
 */
import { CommandError, readArgs, runCommand, say } from "./terminal/cli.ts";
import { readEnvFile } from "./launch/environment.ts";
import { renderFiles, type Way, WAYS } from "./launch/flags.ts";
import { readRequirements } from "./launch/process.ts";

const HELP = {
  usage: "deno task flags [WAY...] [--check] [--env-file F]",
  about:
    "Writes the workers' permission flags anew, as their topics and addresses imply.",
  options: [
    ["example", "deploy/env.example, the variables themselves"],
    ["tasks", "deno.json: the tasks worker:*"],
    ["image", "deploy/Dockerfile: entry points and health checks"],
    ["service", "deploy/systemd: a drop-in a worker"],
    ["k8s", "deploy/k8s/workers.yaml, for the ConfigMap that stands in it"],
    ["--check", "change nothing; exit 1 if a file is out of date"],
    ["--env-file F", "the workers' variables, for tasks, image and service"],
  ],
} as const;

async function main(args: readonly string[]): Promise<void> {
  const given = readArgs(args, HELP, {
    check: { type: "boolean" },
    "env-file": { type: "string" },
  });
  if (given === undefined) return;
  const { check, "env-file": envFile } = given.values;
  const files = await renderFiles(readWays(given.positionals), {
    read: (path) => Deno.readTextFile(path),
    requirements: await readRequirements(),
    env: typeof envFile === "string" ? await readEnvFile(envFile) : undefined,
  });
  const stale: string[] = [];
  for (const [path, text] of files) {
    if (await readIfThere(path) !== text) stale.push(path);
  }
  if (stale.length === 0) return say("All flags are up to date");
  if (check === true) {
    throw new CommandError(
      `Out of date: ${stale.join(", ")}; run deno task flags`,
    );
  }
  for (const path of stale) {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    if (folder !== "") await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(path, files.get(path)!);
    say(`${path} written`);
  }
}

function readWays(given: readonly string[]): readonly Way[] {
  const unknown = given.find((name) => !WAYS.some((way) => way === name));
  if (unknown !== undefined) {
    throw new CommandError(`No such way: "${unknown}"; see --help`, 2);
  }
  return given.length === 0 ? WAYS : WAYS.filter((way) => given.includes(way));
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return undefined;
  }
}

if (import.meta.main) await runCommand(main);
