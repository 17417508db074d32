/**
 * Installs the pack over HTTP and waits until it is in force.
 *
 * @module
 */
import { installBundle, lostByInstall } from "../lib/operate/install.ts";
import { readLicence } from "../lib/operate/licence.ts";
import { bundlePack, readPackFolder } from "./pack/pack.ts";
import { command } from "./terminal/arguments.ts";
import { runCommand, userName } from "./terminal/command.ts";
import { heading, inSeconds, printStyled, table } from "./terminal/format.ts";
import {
  confirmLoss,
  describeLicence,
  sideEffects,
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
    upgrade:
      "install over the installed version; not needed after an uninstall",
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
  await confirmLoss(await lostByInstall(platform, bundle), context, yes);
  const onProgress = showProgress(context);
  const options = { upgrade, force, onProgress };
  const installed = await installBundle(platform, bundle, options);
  const { record, replaced, forced, simulations } = installed;
  const { policyMs, routingMs } = installed;
  if (forced !== undefined) out(`Installed with force: ${forced}`);
  const over = replaced === undefined ? "" : ` over ${replaced}`;
  out(`Installed${over}, status ${record["status"]}`);
  out(
    `In force: policy after ${inSeconds(policyMs)}, routing after ${
      inSeconds(routingMs)
    }`,
  );
  for (const line of table(simulations.map(simulationRow))) out(`  ${line}`);
  const effects = sideEffects(installed, await platform.about());
  if (effects.length > 0) {
    printStyled([
      heading("What this changes for the platform:", context),
    ], context);
  }
  for (const line of effects) out(`  ${line}`);
  const licence = await readLicence(platform);
  for (const line of licence ? describeLicence(licence) : []) out(line);
});

if (import.meta.main) await runCommand(main);
