/**
 * Uninstalls the pack and lists what is left of it.
 *
 * @module
 */
import { lostByUninstall, uninstallPack } from "../lib/operate/uninstall.ts";
import { PACK_ID } from "../lib/schemas.ts";
import { command } from "./terminal/arguments.ts";
import { runCommand } from "./terminal/command.ts";
import { heading, printStyled } from "./terminal/format.ts";
import { confirmLoss, describeUninstalled } from "./terminal/installation.ts";
import { openPlatform, PLATFORM_VARIABLES } from "./terminal/platform.ts";
import { showProgress } from "./terminal/progress.ts";

const HELP = {
  usage: "deno task uninstall [--purge] [--yes]",
  about:
    "Removes the pack's routing and policy, and returns once both are out of force. Where no\n" +
    "other pack has topics, the scheduler keeps the routing until it restarts: stop the workers.",
  options: {
    purge: "also delete the workflow and the schemas",
    yes: "go ahead even if waiting approvals would be lost",
  },
  variables: PLATFORM_VARIABLES,
} as const;

export const main = command(HELP, async ({ values }, context) => {
  const { purge, yes } = values;
  await using platform = openPlatform(context);
  await confirmLoss(await lostByUninstall(platform, PACK_ID), context, yes);
  const onProgress = showProgress(context);
  const uninstalled = await uninstallPack(platform, PACK_ID, {
    purge,
    onProgress,
  });
  printStyled([heading("Uninstalled. What is left:", context)], context);
  for (const line of describeUninstalled(uninstalled)) context.out(`  ${line}`);
});

if (import.meta.main) await runCommand(main);
