/**
 * Bundles the pack and installs it.
 *
 * @module
 */
import type { Stand } from "../launch/stand.ts";
import { bundlePack, readPackFolder } from "../pack/pack.ts";
import type { Bundle, Installed } from "../../lib/operate/install.ts";
import { PACK_ID } from "../../lib/schemas.ts";
import {
  confirmLoss,
  SIDE_EFFECTS,
  simulationRow,
} from "../terminal/installation.ts";
import { CommandError } from "../terminal/command.ts";
import { inBytes, inSeconds } from "../terminal/format.ts";
import { showProgress } from "../terminal/progress.ts";
import type { Scene } from "./scene.ts";

const FOLDER = "dist";

/**
 * Bundles and installs the pack, unless that would harm what others do on the
 * platform.
 *
 * @param yes Whether approvals of others may be lost.
 */
export async function install(
  { stand, core, say }: Scene,
  yes: boolean,
): Promise<{ bundle: Bundle; installed: Installed }> {
  say.begin("install", "Pack");
  const bundle = await bundlePack(await readPackFolder("pack"));
  const path = `${FOLDER}/${bundle.name}`;
  await Deno.mkdir(FOLDER, { recursive: true });
  await Deno.writeFile(path, bundle.bytes);
  say.line(`bundled ${path}, ${inBytes(bundle.bytes.length)}`);
  say.line(`sha256 ${bundle.sha256}`);
  await refuseForeignWorkers(stand);
  await confirmLoss(stand.platform, say.context, yes);
  if (core === undefined) {
    say.line(
      "a real platform reloads policy and routing every 30 s: this takes up to a minute",
    );
  }
  const installed = await stand.install(bundle, showProgress(say.context));
  const { record, policyMs, routingMs, forced, simulations } = installed;
  say.line(
    `installed, status ${record["status"]}; policy in force after ${
      inSeconds(policyMs)
    }, routing after ${inSeconds(routingMs)}`,
  );
  if (forced) {
    say.line(
      "installed with force: the platform's own version is unknown to it",
    );
  }
  say.table(simulations.map((one) => ["simulation", ...simulationRow(one)]));
  say.line("what else this changes for the platform:");
  for (const effect of SIDE_EFFECTS) say.line(`  ${effect}`);
  return { bundle, installed };
}

/** Two processes with one worker id would do every job twice. */
async function refuseForeignWorkers({ platform }: Stand): Promise<void> {
  const { workers = [] } = await platform.workers() ?? {};
  const running = workers.map(({ worker_id: id }) => id)
    .filter((id) => id.startsWith(`${PACK_ID}-`));
  if (running.length === 0) return;
  throw new CommandError(
    `Workers of this pack run on that platform already: ${
      running.join(", ")
    }. Stop them, wait 30 s, and start the demo again`,
  );
}
