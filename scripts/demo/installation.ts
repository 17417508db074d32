/**
 * The pack: installed, upgraded to a second version, uninstalled.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { readFragments } from "../../lib/operate/in_force.ts";
import {
  type Bundle,
  type Installed,
  lostByInstall,
} from "../../lib/operate/install.ts";
import {
  fitsJob,
  fitsWorkers,
  readLicence,
} from "../../lib/operate/licence.ts";
import { WORKFLOW_ID } from "../../lib/operate/pack.ts";
import { type Leftovers, uninstallPack } from "../../lib/operate/uninstall.ts";
import { PACK_ID } from "../../lib/schemas.ts";
import type { Stand } from "../launch/stand.ts";
import { bundlePack, type PackFiles, readPackFolder } from "../pack/pack.ts";
import { CommandError } from "../terminal/command.ts";
import { inBytes, inSeconds } from "../terminal/format.ts";
import {
  confirmLoss,
  describeLicence,
  describeUninstalled,
  sideEffects,
  simulationRow,
} from "../terminal/installation.ts";
import { showProgress } from "../terminal/progress.ts";
import type { Scene, Transcript } from "./scene.ts";

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
  const { platform } = stand;
  await refuseForeignWorkers(stand);
  await checkLicence(stand, say);
  await confirmLoss(await lostByInstall(platform, bundle), say.context, yes);
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
  if (forced !== undefined) say.line(`installed with force: ${forced}`);
  say.table(simulations.map((one) => ["simulation", ...simulationRow(one)]));
  const effects = sideEffects(installed, await platform.about());
  if (effects.length > 0) say.line("what else this changes for the platform:");
  for (const effect of effects) say.line(`  ${effect}`);
  return { bundle, installed };
}

/** A demo that the licence does not let through would wait in vain. */
async function checkLicence(
  { platform }: Stand,
  say: Transcript,
): Promise<void> {
  const licence = await readLicence(platform);
  if (licence === undefined) return;
  for (const line of describeLicence(licence)) say.line(line);
  if (!fitsWorkers(licence)) {
    throw new CommandError(
      "The platform would not let all three workers in; stop others, wait 30 s, and start the demo again",
    );
  }
  if (!fitsJob(licence)) {
    throw new CommandError(
      "The platform would run no job while so many are unfinished; decide what waits (deno task approvals) or cancel a run, and start the demo again",
    );
  }
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

const FRAGMENT_KEY = `${PACK_ID}/safety`;
const FRAGMENT_FILE = "overlays/policy.fragment.yaml";
const SECOND_DESCRIPTION = "Changed by the demo to show an upgrade.";

/** Installs a second version over the first. @returns What that shows. */
export async function upgrade(
  { stand, say }: Scene,
  first: Bundle,
): Promise<string> {
  const { platform } = stand;
  say.begin("upgrade", "Upgrade");
  const before = await readFragments(platform);
  const next = await bundlePack(secondVersion(first));
  say.line(
    `bundled ${next.name} in memory: one schema, the workflow and the fragment changed`,
  );
  const { record, policyMs } = await stand.install(
    next,
    showProgress(say.context),
  );
  say.line(
    `installed over ${first.version}, version ${
      record["version"]
    }; policy in force after ${inSeconds(policyMs)}`,
  );
  const after = await readFragments(platform);
  const keys = Object.keys(after).filter((key) =>
    key.startsWith(`${PACK_ID}/`)
  );
  const workflow = await platform.find(`/workflows/${WORKFLOW_ID}`);
  const stored = await platform.find(`/schemas/${PACK_ID}%2FPostResult`);
  const schema = (stored?.["schema"] ?? {}) as JsonObject;
  const checks: [what: string, holds: boolean][] = [
    [
      "the fragment's key is the same",
      FRAGMENT_KEY in before && keys.join() === FRAGMENT_KEY,
    ],
    [
      "the fragment is the new one",
      after[FRAGMENT_KEY]?.["content"] === next.files.get(FRAGMENT_FILE),
    ],
    [
      "the workflow is the new one",
      workflow?.["description"] === SECOND_DESCRIPTION,
    ],
    [
      "the schema is the new one",
      schema["description"] === SECOND_DESCRIPTION,
    ],
  ];
  for (const [what, holds] of checks) {
    say.line(`${holds ? "ok   " : "WRONG"}  ${what}`);
  }
  if (!checks.every(([, holds]) => holds)) {
    throw new CommandError("The upgrade left something stale");
  }
  return `${first.version} to ${next.version} in place, fragment key ${FRAGMENT_KEY} kept, nothing stale`;
}

function secondVersion({ files, version }: Bundle): PackFiles {
  const [major, minor] = version.split(".");
  const next = `${major}.${Number(minor) + 1}.0`;
  const change = (path: string, from: RegExp, to: string): [string, string] => {
    const text = files.get(path) ?? "";
    if (from.test(text)) return [path, text.replace(from, to)];
    throw new CommandError(`The demo does not find ${from} in ${path}`);
  };
  return new Map([
    ...files,
    change("pack.yaml", /^ {2}version: .*$/m, `  version: ${next}`),
    change(
      "schemas/PostResult.json",
      /"description": "[^"]*"/,
      `"description": "${SECOND_DESCRIPTION}"`,
    ),
    change(
      "workflows/incident_enrich.yaml",
      /^description: .*$/m,
      `description: ${SECOND_DESCRIPTION}`,
    ),
    change(
      FRAGMENT_FILE,
      /reason: ".*"/,
      `reason: "Posting externally requires explicit approval, says version ${next}"`,
    ),
  ]);
}

/** Uninstalls the pack. @returns What the installation and this show. */
export async function uninstall(
  { stand, say }: Scene,
  { record, simulations }: Installed,
): Promise<string> {
  say.begin("uninstall", "Uninstall");
  const uninstalled = await uninstallPack(stand.platform, PACK_ID, {
    purge: false,
    onProgress: showProgress(say.context),
  });
  const { leftovers } = uninstalled;
  for (const line of describeUninstalled(uninstalled)) say.line(line);
  say.line("workflow and schemas go only with --purge");
  const passed = simulations.every(({ ok }) => ok);
  if (record["status"] !== "ACTIVE" || !passed || !isClean(leftovers)) {
    throw new CommandError("The uninstall left something that it should not");
  }
  const count = simulations.length;
  return `ACTIVE with ${count} of ${count} simulations right, then DISABLED with no topic and no fragment left`;
}

function isClean({ status, topics, pools, fragments }: Leftovers): boolean {
  const emptied = Object.values(pools).every((pool) =>
    Object.keys(pool as object).length === 0
  );
  return status === "DISABLED" && topics.length === 0 &&
    fragments.length === 0 && emptied;
}
