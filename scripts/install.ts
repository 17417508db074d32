/**
 * Installs the pack over HTTP and waits until it is in force.
 *
 * @module
 */
import { inSeconds, readArgs, runCommand, say, table } from "./terminal/cli.ts";
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
  options: [
    ["--upgrade", "install over an installed version"],
    ["--force", "skip the platform's check of its own version"],
    ["--yes", "go on although approvals that wait would be lost"],
    ["--as NAME", "recorded as who installed it (default your user name)"],
    ["--pack DIR", "the pack's folder (default pack)"],
  ],
  variables: PLATFORM_VARIABLES,
} as const;

async function main(args: readonly string[]): Promise<void> {
  const given = readArgs(args, HELP, {
    upgrade: { type: "boolean" },
    force: { type: "boolean" },
    yes: { type: "boolean" },
    as: { type: "string" },
    pack: { type: "string" },
  });
  if (given === undefined) return;
  const { upgrade = false, force = false, yes = false, as, pack = "pack" } =
    given.values;
  const { signal } = new AbortController();
  const bundle = await bundlePack(await readPackFolder(String(pack)));
  say(`Pack ${bundle.id} ${bundle.version}, sha256 ${bundle.sha256}`);
  const principal = String(as ?? userName());
  await using platform = new Platform(readAddress(Deno.env.get), {
    signal,
    principal,
  });
  await confirmLoss(platform, yes === true);
  const installed = await installBundle(platform, bundle, {
    upgrade: upgrade === true,
    force: force === true,
    signal,
  });
  if (installed.forced) {
    say("Installed with force: the platform's own version is unknown to it");
  }
  say(`Installed, status ${installed.record["status"]}`);
  say(
    `In force: policy after ${inSeconds(installed.policyMs)}, routing after ${
      inSeconds(installed.routingMs)
    }`,
  );
  for (const line of table(installed.simulations.map(simulationRow))) {
    say(`  ${line}`);
  }
  say("What this changes for the platform:");
  for (const line of SIDE_EFFECTS) say(`  ${line}`);
}

/** A simulation as a table's row. */
export function simulationRow(
  { name, expected, got, ok }: Simulation,
): string[] {
  return [name, `expected ${expected}`, `got ${got}`, ok ? "ok" : "WRONG"];
}

/** Who runs the command, as the system says. */
export function userName(): string {
  const name = ["USER", "LOGNAME", "USERNAME"].map((name) => Deno.env.get(name))
    .find(Boolean);
  return name ?? "unknown";
}

if (import.meta.main) await runCommand(main);
