/**
 * Uninstalls the pack over HTTP and says what is left of it.
 *
 * @module
 */
import { uninstallPack } from "../lib/operate/install.ts";
import { PACK_ID } from "../lib/schemas.ts";
import { command } from "./terminal/arguments.ts";
import { runCommand } from "./terminal/command.ts";
import { confirmLoss, describeLeftovers } from "./terminal/installation.ts";
import { openPlatform, PLATFORM_VARIABLES } from "./terminal/platform.ts";

const HELP = {
  usage: "deno task uninstall [--purge] [--yes]",
  about:
    "Takes the pack's routing and policy back. Until workers are stopped or the scheduler\n" +
    "restarts, the platform keeps routing to them; the poster refuses what was not approved.",
  options: {
    purge: "delete the workflow and the schemas too",
    yes: "go on although approvals that wait would be lost",
  },
  variables: PLATFORM_VARIABLES,
} as const;

export const main = command(HELP, async ({ values }, context) => {
  const { purge, yes } = values;
  await using platform = openPlatform(context);
  await confirmLoss(platform, context, yes);
  const leftovers = await uninstallPack(platform, PACK_ID, { purge });
  context.out("Uninstalled. What is left:");
  for (const line of describeLeftovers(leftovers)) context.out(`  ${line}`);
});

if (import.meta.main) await runCommand(main);
