/**
 * The uninstall, and what it leaves.
 *
 * @module
 */
import {
  type Installed,
  type Leftovers,
  uninstallPack,
} from "../../lib/operate/install.ts";
import { PACK_ID } from "../../lib/schemas.ts";
import { describeLeftovers } from "../terminal/installation.ts";
import { CommandError } from "../terminal/command.ts";
import type { Scene } from "./scene.ts";

/** Uninstalls the pack. @returns What the installation and this show. */
export async function uninstall(
  { stand, say }: Scene,
  { record, simulations }: Installed,
): Promise<string> {
  say.begin("uninstall", "Uninstall");
  const leftovers = await uninstallPack(stand.platform, PACK_ID, {
    purge: false,
  });
  for (const line of describeLeftovers(leftovers)) say.line(line);
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
