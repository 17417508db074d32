/**
 * What commands say and ask about installing and uninstalling.
 *
 * @module
 */
import type { Leftovers, Simulation } from "../../lib/operate/install.ts";
import type { Platform } from "../../lib/operate/platform.ts";
import { describeWaiting } from "./approving.ts";
import { askYes } from "./ask.ts";
import { type CommandContext, CommandError } from "./command.ts";

/** What an installation changes for everybody on the platform. */
export const SIDE_EFFECTS: readonly string[] = [
  "The pack brings rules, so the tenants' own allow and deny lists of topics no longer count.",
  "Its pools overlay replaces the default routing: job.default has no pool until the scheduler restarts.",
  "Approvals that waited under the old policy can no longer be given.",
];

/**
 * Lists the waiting approvals and asks before a policy change loses them.
 *
 * @throws {CommandError} If the answer is no.
 */
export async function confirmLoss(
  platform: Platform,
  context: CommandContext,
  yes: boolean,
): Promise<void> {
  const waiting = await platform.waiting();
  if (waiting.length === 0) return;
  const jobs = waiting.length === 1 ? "1 job" : `${waiting.length} jobs`;
  context.out(
    `${jobs} waiting for approval would be lost by this policy change:`,
  );
  for (const job of waiting) context.out(`  ${describeWaiting(job)}`);
  if (!yes && !await askYes(context, "Go on and lose them?", "--yes")) {
    throw new CommandError("Nothing was changed; decide them first");
  }
}

/** A simulation as a table's row. */
export function simulationRow(
  { name, expected, got, ok }: Simulation,
): string[] {
  return [name, `expected ${expected}`, `got ${got}`, ok ? "ok" : "WRONG"];
}

/** Lines that say what is left. */
export function describeLeftovers(
  { status, topics, pools, fragments, workflows, schemas }: Leftovers,
): string[] {
  const names = (items: string[]) => items.join(", ") || "none";
  const emptied = Object.entries(pools).map(([name, pool]) =>
    `${name}: ${JSON.stringify(pool)}`
  );
  return [
    `registry   the record stays, status ${status}`,
    `routing    topics: ${names(topics)}; emptied pools: ${names(emptied)}`,
    `policy     fragments: ${names(fragments)}`,
    `workflows  ${names(workflows)}`,
    `schemas    ${names(schemas)}`,
  ];
}
