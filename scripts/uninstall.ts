/**
 * Uninstalls the pack over HTTP and says what is left of it.
 *
 * @module
 */
import { readArgs } from "./terminal/arguments.ts";
import { type CommandContext, runCommand } from "./terminal/command.ts";
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
  options: {
    purge: { about: "delete the workflow and the schemas too" },
    yes: { about: "go on although approvals that wait would be lost" },
  },
  variables: PLATFORM_VARIABLES,
} as const;

export async function main(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const given = readArgs(args, HELP, context);
  if (given === undefined) return 0;
  const { signal } = context;
  await using platform = new Platform(readAddress(context.env), { signal });
  await confirmLoss(platform, context, given.values.yes);
  const { purge } = given.values;
  const leftovers = await uninstallPack(platform, "incident-enricher", {
    purge,
  });
  context.out("Uninstalled. What is left:");
  for (const line of describeLeftovers(leftovers)) context.out(`  ${line}`);
  return 0;
}

if (import.meta.main) await runCommand(main);
