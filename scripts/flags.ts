/**
 * Writes the workers' permission flags into the files that carry them.
 *
 * @module
 */
import { printable } from "../lib/base/text.ts";
import { command, readName } from "./terminal/arguments.ts";
import { CommandError, runCommand, UsageError } from "./terminal/command.ts";
import { readEnvFile, readRequirements } from "./launch/environment.ts";
import { renderFiles, type Way, WAYS } from "./launch/files/render.ts";
import { readWorkerName, type WorkerName } from "./launch/permissions.ts";

const HELP = {
  usage:
    "deno task flags [WAY...] [--check] [--env-file F] [--images LIST] [--root DIR]",
  about:
    "Writes the workers' permission flags and secrets anew, as their topics, settings\nand addresses imply.",
  arguments: [
    ["example", "deploy/env.example, the variables themselves"],
    ["tasks", "deno.json: the tasks worker:*"],
    ["image", "deploy/Dockerfile: entry points and health checks"],
    ["compose", "deploy/docker-compose.workers.yaml: secrets"],
    ["service", "deploy/systemd: one drop-in per worker"],
    ["k8s", "deploy/k8s/workers.yaml, for the ConfigMap that stands in it"],
  ],
  argumentsMax: WAYS.length,
  options: {
    check: "change nothing; exit 1 if a file is out of date",
    "env-file F": "the workers' variables, for tasks, image and service",
    "images LIST": "for k8s: WORKER=IMAGE@sha256:DIGEST, comma-separated",
    "root DIR": "the project's folder (default this one)",
  },
} as const;

export const main = command(HELP, async ({ values, positionals }, { out }) => {
  const { check, "env-file": envFile, root = "." } = values;
  const ways = readWays(positionals);
  const images = readImages(values.images);
  if (images.size > 0 && !ways.includes("k8s")) {
    throw new UsageError("--images goes with k8s alone");
  }
  const read = (path: string) => Deno.readTextFile(`${root}/${path}`);
  const files = await renderFiles(ways, {
    read,
    images,
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

/** Images by worker, each pinned: a tag may be moved to another image. */
function readImages(list = ""): Map<WorkerName, string> {
  return new Map(
    list.split(",").filter(Boolean).map((item) => {
      const [worker = "", image = ""] = item.split("=", 2);
      if (!/^[\w./:-]+@sha256:[0-9a-f]{64}$/.test(image)) {
        throw new UsageError(
          `--images wants WORKER=IMAGE@sha256: and 64 hexadecimal digits, not "${
            printable(item)
          }"`,
        );
      }
      return [readWorkerName(worker), image];
    }),
  );
}

function ifThere(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

if (import.meta.main) await runCommand(main);
