/**
 * Writes the workers' permission flags into the files that carry them.
 *
 * @module
 */
import { command, readName } from "./terminal/arguments.ts";
import { CommandError, runCommand } from "./terminal/command.ts";
import { readEnvFile, readRequirements } from "./launch/environment.ts";
import { renderFiles, type Way, WAYS } from "./launch/files/render.ts";

const HELP = {
  usage: "deno task flags [WAY...] [--check] [--env-file F] [--root DIR]",
  about:
    "Writes the workers' permission flags anew, as their topics and addresses imply.",
  arguments: [
    ["example", "deploy/env.example, the variables themselves"],
    ["tasks", "deno.json: the tasks worker:*"],
    ["image", "deploy/Dockerfile: entry points and health checks"],
    ["service", "deploy/systemd: one drop-in per worker"],
    ["k8s", "deploy/k8s/workers.yaml, for the ConfigMap that stands in it"],
  ],
  argumentsMax: WAYS.length,
  options: {
    check: "change nothing; exit 1 if a file is out of date",
    "env-file F": "the workers' variables, for tasks, image and service",
    "root DIR": "the project's folder (default this one)",
  },
} as const;

export const main = command(HELP, async ({ values, positionals }, { out }) => {
  const { check, "env-file": envFile, root = "." } = values;
  const read = (path: string) => Deno.readTextFile(`${root}/${path}`);
  const files = await renderFiles(readWays(positionals), {
    read,
    requirements: await readRequirements(),
    env: envFile === undefined ? undefined : await readEnvFile(envFile),
  });
  const stale: string[] = [];
  for (const [path, text] of files) {
    if (await read(path).catch(ifThere) !== text) stale.push(path);
  }
  if (stale.length === 0) {
    return out("All flags are up to date");
  }
  if (check) {
    throw new CommandError(
      `Out of date: ${stale.join(", ")}; run deno task flags`,
    );
  }
  for (const path of stale) {
    const file = `${root}/${path}`;
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    // The project's own folder is there, and not this command's to write.
    if (folder !== "") {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
    }
    await Deno.writeTextFile(file, files.get(path)!);
    out(`${path} written`);
  }
});

function readWays(given: readonly string[]): readonly Way[] {
  const named = given.map((name) => readName("way", name, WAYS));
  return given.length === 0 ? WAYS : WAYS.filter((way) => named.includes(way));
}

function ifThere(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

if (import.meta.main) await runCommand(main);
