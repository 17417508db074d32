/**
 * Installs the pack over HTTP and waits until it is in force.
 *
 * @module
 */
import { installBundle } from "../lib/operate/install.ts";
import { bundlePack, readPackFolder } from "./pack/pack.ts";
import { command } from "./terminal/arguments.ts";
import { runCommand, userName } from "./terminal/command.ts";
import { inSeconds, table } from "./terminal/format.ts";
import {
  confirmLoss,
  SIDE_EFFECTS,
  simulationRow,
} from "./terminal/installation.ts";
import { openPlatform, PLATFORM_VARIABLES } from "./terminal/platform.ts";
import { showProgress } from "./terminal/progress.ts";

const HELP = {
  usage: "deno task install [--upgrade] [--force] [--yes] [--pack DIR]",
  about:
    "Bundles the pack, installs it through the gateway and returns once its policy and\n" +
    "routing are in force. Lists what else the installation changes.",
  options: {
    upgrade: "install over the installed version",
    force: "skip the platform's check of its own version",
    yes: "go ahead even if waiting approvals would be lost",
    "as NAME":
      "recorded as the person who installed it (default your user name)",
    "pack DIR": "the pack's folder (default pack)",
  },
  variables: PLATFORM_VARIABLES,
} as const;

export const main = command(HELP, async ({ values }, context) => {
  const { out } = context;
  const { upgrade, force, yes, as, pack = "pack" } = values;
  const bundle = await bundlePack(await readPackFolder(pack));
  out(`Pack ${bundle.id} ${bundle.version}, sha256 ${bundle.sha256}`);
  await using platform = openPlatform(context, as ?? userName(context));
  await confirmLoss(platform, context, yes);
  const { record, forced, simulations, policyMs, routingMs } =
    await installBundle(platform, bundle, {
      upgrade,
      force,
      onProgress: showProgress(context),
    });
  if (forced) {
    out("Installed with force: the platform's own version is unknown to it");
  }
  out(`Installed, status ${record["status"]}`);
  out(
    `In force: policy after ${inSeconds(policyMs)}, routing after ${
      inSeconds(routingMs)
    }`,
  );
  for (const line of table(simulations.map(simulationRow))) out(`  ${line}`);
  out("What this changes for the platform:");
  for (const line of SIDE_EFFECTS) out(`  ${line}`);
});

if (import.meta.main) await runCommand(main);
