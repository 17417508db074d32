/**
 * Many deliveries on several lanes, counted.
 *
 * @module
 */
import { cacheWorkers } from "../../../../scripts/launch/process.ts";
import { runPool, type Tally, tally, useLanes } from "../pool.ts";
import { createRandom } from "../random.ts";
import { Lane } from "./lane.ts";
import { type End, ENDS, judge } from "./oracle.ts";
import { COOLDOWN, drawPlan, type Plan } from "./plan.ts";
import { type Outcome, runTrial } from "./trial.ts";
import { readRequirements } from "../../../../scripts/launch/environment.ts";

/** An ingester that is wrong on purpose. */
export type MutantName = "no-read-back" | "fresh-key" | "drop-on-error";

/** The names of the mutants, and where each is. */
export const MUTANTS: Readonly<Record<MutantName, string>> = {
  "no-read-back": "tests/campaigns/chaos/intake/mutants.ts",
  "fresh-key": "tests/campaigns/chaos/intake/mutants.ts",
  "drop-on-error": "tests/campaigns/chaos/intake/mutants.ts",
};

/** What to run. */
export interface CampaignOptions {
  /** Numbers of the trials. */
  trials: readonly number[];
  seed: number;
  lanes: number;
  mutant?: MutantName;
  /** No trial begins later than so many ms after the first. */
  budgetMs?: number;
  signal: AbortSignal;
  /** Told of each trial. */
  onOutcome?: (outcome: Outcome, done: number) => void;
  /** Whether one violation is enough. */
  stopAtViolation?: boolean;
}

/** What came of it. */
export interface Report extends Tally<End, Outcome> {
  seed: number;
  trials: number;
  ms: number;
}

/** Runs the trials; an abort ends it early, and what was done is reported. */
export async function runCampaign(options: CampaignOptions): Promise<Report> {
  const { trials, seed, mutant: name, signal } = options;
  const start = performance.now();
  await cacheWorkers(["ingester"]);
  const { ingester: requires } = await readRequirements();
  const mutant = name && { name, file: MUTANTS[name] };
  const plans = trials.map((trial) =>
    drawPlan(seed, trial, createRandom(seed, trial))
  );
  const { cooldown = [], plain = [] } = Object.groupBy(
    plans,
    ({ way }) => way === COOLDOWN ? "cooldown" : "plain",
  );
  const lanes = shareOut(options.lanes, plain.length, cooldown.length);
  await using stack = new AsyncDisposableStack();
  const all = await useLanes(
    lanes.map((cooldown, at) =>
      Lane.start({ name: `lane-${at}`, cooldown, requires, mutant })
    ),
    stack,
  );
  const queueOf = (lane: Lane): Plan[] => lane.cooldown ? cooldown : plain;
  const byTrial = new Map(plans.map((plan) => [plan.trial, plan]));
  const outcomes = await runPool({
    lanes: all,
    next: (lane) => queueOf(lane).shift()?.trial,
    run: (lane, trial) => runTrial(lane, byTrial.get(trial)!, signal),
    budgetMs: options.budgetMs,
    signal,
    stopAtViolation: options.stopAtViolation,
    onOutcome: options.onOutcome,
  });
  for (const outcome of outcomes) judgeAgain(outcome, all);
  return {
    seed,
    trials: outcomes.length,
    ms: Math.round(performance.now() - start),
    ...tally(ENDS, outcomes, ({ plan: { way }, struck }) => [
      ...struck,
      way,
    ]),
  };
}

/** Whether each lane has a cooldown; a kind that has trials has a lane. */
function shareOut(lanes: number, plain: number, cooldown: number): boolean[] {
  const share = Math.round(lanes * cooldown / Math.max(1, plain + cooldown));
  const slow = Math.min(cooldown, Math.max(1, share));
  const fast = Math.min(plain, Math.max(1, lanes - slow));
  return [...Array(fast).fill(false), ...Array(slow).fill(true)];
}

/** A run may have been created after its trial: no wait is long enough. */
function judgeAgain(outcome: Outcome, lanes: readonly Lane[]): void {
  const { evidence, plan } = outcome;
  const lane = lanes.find(({ name }) => name === outcome.lane);
  if (evidence === undefined || lane === undefined) return;
  const runs = lane.gateway.runsOf(plan.token);
  if (runs.length > evidence.runs.length) {
    Object.assign(outcome, judge({ ...evidence, runs }));
  }
}
