/**
 * Uninstalls the pack over HTTP and says what is left of it.
 *
 * @module
 */
import { readArgs, runCommand, say } from "./terminal/cli.ts";
import {
  confirmLoss,
  describeLeftovers,
  uninstallPack,
} from "./support/install.ts";
import {
  Platform,
  PLATFORM_VARIABLES,
  readAddress,
} from "./support/platform.ts";

const HELP = {
  usage: "deno task uninstall [--purge] [--yes]",
  about:
    "Takes the pack's routing and policy back. Until workers are stopped or the scheduler\n" +
    "restarts, the platform keeps routing to them; the poster refuses what was not approved.",
  options: [
    ["--purge", "delete the workflow and the schemas too"],
    ["--yes", "go on although approvals that wait would be lost"],
  ],
  variables: PLATFORM_VARIABLES,
} as const;

async function main(args: readonly string[]): Promise<void> {
  const given = readArgs(args, HELP, {
    purge: { type: "boolean" },
    yes: { type: "boolean" },
  });
  if (given === undefined) return;
  const { signal } = new AbortController();
  await using platform = new Platform(readAddress(Deno.env.get), { signal });
  await confirmLoss(platform, given.values["yes"] === true);
  const purge = given.values["purge"] === true;
  const leftovers = await uninstallPack(platform, "incident-enricher", {
    purge,
  });
  say("Uninstalled. What is left:");
  for (const line of describeLeftovers(leftovers)) say(`  ${line}`);
}

if (import.meta.main) await runCommand(main);
