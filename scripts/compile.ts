/**
 * Compiles workers into binaries with their permissions baked in.
 *
 * @module
 */
import {
  CommandError,
  inBytes,
  readArgs,
  runCommand,
  say,
} from "./terminal/cli.ts";
import { type CompiledWorker, compileWorker } from "./launch/binaries.ts";
import { deriveFor, readEnvironment } from "./launch/environment.ts";
import { readWorkerName, WORKERS } from "./launch/permissions.ts";
import { cacheWorkers, readRequirements } from "./launch/process.ts";
import { bundlePack, readPackFolder } from "./pack/pack.ts";

const MANIFEST = "dist/bin/manifest.json";
const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

const HELP = {
  usage: "deno task compile [WORKER|all] [--env-file FILE] [--target TARGET]",
  about:
    `Writes dist/bin/<worker>-<target>, self-contained, with the permissions
for the given environment baked in, and ${MANIFEST}, which says of each binary
its worker, version, target, permissions and sha256.`,
  options: [
    ["--env-file FILE", "variables, one NAME=value a line; these win"],
    ["--target TARGET", "for another machine than this one:"],
    ...TARGETS.map((target) => ["", target] as const),
  ],
  variables: [["DENORT_BIN", "the runtime to embed, instead of fetching it"]],
} as const;

async function main(args: readonly string[]): Promise<number | void> {
  const given = readArgs(args, HELP, {
    "env-file": { type: "string" },
    target: { type: "string" },
  });
  if (given === undefined) return;
  const [name = "all", ...more] = given.positionals;
  if (more.length > 0) throw new CommandError("Name one worker; see --help", 2);
  const workers = name === "all" ? WORKERS : [readWorkerName(name)];
  const target = String(given.values["target"] ?? Deno.build.target);
  if (!TARGETS.includes(target)) {
    throw new CommandError(`Unknown target "${target}"; see --help`, 2);
  }
  const env = await readEnvironment(
    given.values["env-file"] as string | undefined,
  );
  const requirements = await readRequirements();
  const { version } = await bundlePack(await readPackFolder("pack"));
  // First all that may be wrong, then the slow part.
  const permissions = workers.map((worker) =>
    [worker, deriveFor(worker, requirements, env)] as const
  );
  await cacheWorkers(workers);
  const compiled: CompiledWorker[] = [];
  for (const [worker, permission] of permissions) {
    const one = await compileWorker(worker, { permission, target, version });
    say(`${one.file}  ${inBytes(one.bytes)}  sha256 ${one.sha256}`);
    compiled.push(one);
  }
  await Deno.writeTextFile(
    MANIFEST,
    `${JSON.stringify(compiled, undefined, 2)}\n`,
  );
  say(MANIFEST);
}

if (import.meta.main) await runCommand(main);
