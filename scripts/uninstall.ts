/**
 * Uninstalls the pack and lists what is left of it.
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
    "Removes the pack's routing and policy. Until its workers stop or the scheduler restarts,\n" +
    "the platform keeps routing to them; the poster refuses posts that were not approved.",
  options: {
    purge: "also delete the workflow and the schemas",
    yes: "go ahead even if waiting approvals would be lost",
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
