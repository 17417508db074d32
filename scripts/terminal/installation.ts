/**
 * What commands say and ask about installing and uninstalling.
 *
 * @module
 */
import { counted } from "../../lib/base/text.ts";
import type { Installed, Simulation } from "../../lib/operate/install.ts";
import { type Licence, WORKERS_NEEDED } from "../../lib/operate/licence.ts";
import type { About, WaitingJob } from "../../lib/operate/platform.ts";
import type { Uninstalled } from "../../lib/operate/uninstall.ts";
import { describeWaiting } from "./approving.ts";
import { askYes } from "./ask.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { inSeconds } from "./format.ts";

/** What an installation changes for everybody on the platform. */
export function sideEffects(
  { policyChanged, replaced }: Installed,
  { isCordum1 }: About,
): string[] {
  if (isCordum1) return oneMoreRun(replaced);
  return [
    "The pack brings rules, so the tenants' own allow and deny lists of topics no longer count.",
    "Its pools overlay replaces the default routing: job.default has no pool until the scheduler restarts.",
    ...(policyChanged
      ? ["Approvals that waited under the old policy can no longer be given."]
      : []),
    ...oneMoreRun(replaced),
  ];
}

/** Up to 0.1, a group of Alertmanager had another identity. */
function oneMoreRun(replaced: string | undefined): string[] {
  if (replaced === undefined || !/^0\.[01](\.|$)/.test(replaced)) return [];
  return [
    `Alertmanager groups that are firing now get one more run each: ${replaced} told them apart by their labels, this version does by their groupKey.`,
  ];
}

/** Says what a licence allows, since the platform refuses more silently. */
export function describeLicence(licence: Licence): string[] {
  const { plan, workersMax, jobsMax, foreignWorkers, unfinished } = licence;
  const others = foreignWorkers.length === 0
    ? ""
    : `; others that run: ${foreignWorkers.join(", ")}`;
  return [
    `The platform's ${plan} licence has limits, and it says nothing when it refuses more:`,
    ...(workersMax === undefined ? [] : [
      `  workers    ${workersMax} at most, ${WORKERS_NEEDED} needed here${others}. Any more get no jobs.`,
    ]),
    ...(jobsMax === undefined ? [] : [
      `  jobs       ${jobsMax} unfinished at most, those that wait for approval included (now ${unfinished.size}).`,
      `             With ${
        jobsMax - 1
      } unfinished nothing else runs; with ${jobsMax}, not even what is approved.`,
    ]),
  ];
}

/**
 * Lists the jobs whose approval would be lost, and asks.
 *
 * @throws {CommandError} If the answer is no.
 */
export async function confirmLoss(
  lost: readonly WaitingJob[],
  context: CommandContext,
  yes: boolean,
): Promise<void> {
  if (lost.length === 0) return;
  context.out(
    `${
      counted(lost.length, "job")
    } waiting for approval would be lost by this policy change:`,
  );
  for (const job of lost) context.out(`  ${describeWaiting(job)}`);
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
export function describeUninstalled(
  { leftovers, policyMs, routingMs, keepsRouting }: Uninstalled,
): string[] {
  const { status, topics, pools, fragments, workflows, schemas } = leftovers;
  const names = (items: string[]) => items.join(", ") || "none";
  const isEmpty = (pool: unknown) => Object.keys(pool as object).length === 0;
  const poolNames = Object.keys(pools);
  const full = poolNames.filter((name) => !isEmpty(pools[name]));
  const emptied = poolNames.filter((name) => isEmpty(pools[name]));
  return [
    `registry   the record stays, status ${status}`,
    `policy     fragments: ${names(fragments)}; out of force after ${
      inSeconds(policyMs)
    }`,
    keepsRouting
      ? `routing    topics: ${
        names(topics)
      }; until it restarts, the scheduler still sends jobs to the pack's workers`
      : `routing    topics: ${names(topics)}; out of force after ${
        inSeconds(routingMs)
      }`,
    `pools      stay, but empty: ${names(emptied)}`,
    ...(full.length === 0
      ? []
      : [`           stay as they are: ${names(full)}`]),
    `workflows  ${names(workflows)}`,
    `schemas    ${names(schemas)}`,
  ];
}
