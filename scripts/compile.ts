/**
 * Compiles workers into binaries with their permissions baked in.
 *
 * @module
 */
import { command, readName } from "./terminal/arguments.ts";
import { runCommand } from "./terminal/command.ts";
import { inBytes } from "./terminal/format.ts";
import { type CompiledWorker, compileWorker } from "./launch/ways.ts";
import {
  deriveFor,
  readEnvironment,
  readRequirements,
} from "./launch/environment.ts";
import {
  secretEnvironment,
  secretVariables,
  serviceFolder,
} from "./launch/files/secrets.ts";
import { readWorkerNames, type WorkerName } from "./launch/permissions.ts";
import { cacheWorkers } from "./launch/process.ts";
import { bundlePack, readPackFolder } from "./pack/pack.ts";

const FOLDER = "dist/bin";
const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

const HELP = {
  usage:
    "deno task compile [WORKER|all] [--env-file FILE] [--service] [--target TARGET] [--out DIR]",
  about:
    `Writes ${FOLDER}/<worker>-<target>, self-contained, with the permissions
for the given environment baked in, and ${FOLDER}/manifest.json, which says of each binary
its worker, version, target, permissions and sha256.`,
  argumentsMax: 1,
  options: {
    "env-file FILE":
      "variables, one NAME=value per line; these take precedence",
    "service": "for the systemd units, which put secrets where they say",
    "target TARGET": ["for another machine than this one:", ...TARGETS].join(
      "\n",
    ),
    "out DIR": `where the files go (default ${FOLDER})`,
  },
  variables: [["DENORT_BIN", "the runtime to embed, instead of fetching it"]],
} as const;

export const main = command(
  HELP,
  async ({ values, positionals }, context) => {
    const names = positionals.filter((name) => name !== "all");
    const workers = readWorkerNames(names);
    const { target: given = Deno.build.target, out: folder = FOLDER } = values;
    const target = readName("target", given, TARGETS);
    const env = await readEnvironment(values["env-file"], context.env);
    const derive = (worker: WorkerName) => {
      if (!values.service) return deriveFor(worker, requirements, env);
      const files = secretEnvironment(worker, serviceFolder(worker));
      return deriveFor(
        worker,
        requirements,
        (name) => files[name] ?? env(name),
        secretVariables(worker),
      );
    };
    const requirements = await readRequirements();
    const { version } = await bundlePack(await readPackFolder("pack"));
    // First all that may be wrong, then the slow part.
    const planned = workers.map((worker) => ({
      worker,
      version,
      target,
      permissions: derive(worker),
    }));
    await cacheWorkers(workers);
    const compiled: CompiledWorker[] = [];
    for (const plan of planned) {
      const one = await compileWorker(plan, folder);
      context.out(`${one.file}  ${inBytes(one.bytes)}  sha256 ${one.sha256}`);
      compiled.push(one);
    }
    const manifest = `${folder}/manifest.json`;
    const text = JSON.stringify(compiled, undefined, 2);
    await Deno.writeTextFile(manifest, `${text}\n`);
    context.out(manifest);
  },
);

if (import.meta.main) await runCommand(main);
