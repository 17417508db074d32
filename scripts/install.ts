/**
 * Installs the pack over HTTP and waits until it is in force.
 *
 * @module
 */
import { readArgs } from "./terminal/arguments.ts";
import {
  type CommandContext,
  runCommand,
  userName,
} from "./terminal/command.ts";
import { showProgress } from "./terminal/progress.ts";
import { inSeconds, table } from "./terminal/format.ts";
import {
  confirmLoss,
  installBundle,
  SIDE_EFFECTS,
  type Simulation,
} from "./support/install.ts";
import { bundlePack, readPackFolder } from "./pack/pack.ts";
import {
  Platform,
  PLATFORM_VARIABLES,
  readAddress,
} from "./support/platform.ts";

const HELP = {
  usage: "deno task install [--upgrade] [--force] [--yes] [--pack DIR]",
  about:
    "Bundles the pack, installs it through the gateway, and returns when its policy\n" +
    "and its routing are in force. Says what else the installation changes.",
  options: {
    upgrade: { about: "install over an installed version" },
    force: { about: "skip the platform's check of its own version" },
    yes: { about: "go on although approvals that wait would be lost" },
    as: {
      value: "NAME",
      about: "recorded as who installed it (default your user name)",
    },
    pack: { value: "DIR", about: "the pack's folder (default pack)" },
  },
  variables: PLATFORM_VARIABLES,
} as const;

export async function main(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const given = readArgs(args, HELP, context);
  if (given === undefined) return 0;
  const { upgrade, force, yes, as, pack = "pack" } = given.values;
  const { signal } = context;
  const bundle = await bundlePack(await readPackFolder(pack));
  context.out(`Pack ${bundle.id} ${bundle.version}, sha256 ${bundle.sha256}`);
  const principal = as ?? userName(context);
  await using platform = new Platform(readAddress(context.env), {
    signal,
    principal,
  });
  await confirmLoss(platform, context, yes);
  const installed = await installBundle(platform, bundle, {
    upgrade,
    force,
    signal,
    onProgress: showProgress(context),
  });
  if (installed.forced) {
    context.out(
      "Installed with force: the platform's own version is unknown to it",
    );
  }
  context.out(`Installed, status ${installed.record["status"]}`);
  context.out(
    `In force: policy after ${inSeconds(installed.policyMs)}, routing after ${
      inSeconds(installed.routingMs)
    }`,
  );
  for (const line of table(installed.simulations.map(simulationRow))) {
    context.out(`  ${line}`);
  }
  context.out("What this changes for the platform:");
  for (const line of SIDE_EFFECTS) context.out(`  ${line}`);
  return 0;
}

/** A simulation as a table's row. */
export function simulationRow(
  { name, expected, got, ok }: Simulation,
): string[] {
  return [name, `expected ${expected}`, `got ${got}`, ok ? "ok" : "WRONG"];
}

if (import.meta.main) await runCommand(main);
