/**
 * Many trials on several lanes, counted.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { type PackFiles, readPackFolder } from "../pack.ts";
import { cacheWorkers, readRequirements } from "../process.ts";
import { drawPlan } from "./plan.ts";
import { Lane } from "./lane.ts";
import { type End, ENDS } from "./oracle.ts";
import { createRandom } from "./random.ts";
import type { Preference } from "./servers.ts";
import { type Outcome, runTrial } from "./trial.ts";

/** A poster that is wrong on purpose. */
export type MutantName = "skip-claim" | "retry-unknown";

/** The names of the mutants, and where each is. */
export const MUTANTS: Readonly<Record<MutantName, string>> = {
  "skip-claim": "scripts/support/chaos/mutant_skip_claim.ts",
  "retry-unknown": "scripts/support/chaos/mutant_retry_unknown.ts",
};

/** What to run. */
export interface CampaignOptions {
  /** Numbers of the trials. */
  trials: readonly number[];
  seed: number;
  lanes: number;
  servers: Preference;
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
export interface Report {
  seed: number;
  trials: number;
  ms: number;
  servers: { nats: Preference; redis: Preference };
  /** Trials by the way that they ended. */
  ends: Record<End, number>;
  /** The same for each fault; a trial with two counts in both rows. */
  byFault: Record<string, Record<End | "violation", number>>;
  violations: Outcome[];
  /** Mean ms of the trials of each row. */
  meanMs: Record<string, number>;
}

const WORKFLOW_FILE = "workflows/incident_enrich.yaml";

/** Runs the trials; an abort ends it early, and what was done is reported. */
export async function runCampaign(options: CampaignOptions): Promise<Report> {
  const { trials, seed, mutant, signal, servers } = options;
  const start = performance.now();
  await cacheWorkers(["poster"]);
  const { poster: requires } = await readRequirements();
  const pack = reduce(await readPackFolder("pack"));
  const folder = `dist/chaos-${Deno.pid}`;
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }).catch(() => {}));
  const count = Math.max(1, Math.min(options.lanes, trials.length));
  const starting = Array.from({ length: count }, (_, at) =>
    Lane.start({
      name: `lane-${at}`,
      preference: servers,
      folder: `${folder}/redis-${at}`,
      pack,
      requires,
      file: mutant === undefined ? undefined : MUTANTS[mutant],
      signal,
    }));
  const lanes: Lane[] = [];
  for (const result of await Promise.allSettled(starting)) {
    if (result.status === "fulfilled") lanes.push(stack.use(result.value));
  }
  // The first failure, once the others can be stopped too.
  await Promise.all(starting);
  const outcomes: Outcome[] = [];
  const queue = [...trials];
  const end = performance.now() + (options.budgetMs ?? Infinity);
  let stopped = false;
  await Promise.all(lanes.map(async (lane) => {
    while (!stopped && !signal.aborted && performance.now() < end) {
      const trial = queue.shift();
      if (trial === undefined) return;
      const plan = drawPlan(trial, createRandom(seed, trial));
      const incidentId = `mock:chaos-${seed}-${trial}`;
      let outcome: Outcome;
      try {
        outcome = await runTrial(lane, plan, { incidentId, signal });
      } catch (error) {
        if (signal.aborted) return; // What was done so far counts.
        throw error;
      }
      outcomes.push(outcome);
      options.onOutcome?.(outcome, outcomes.length);
      const violated = outcome.problems.length > 0;
      if (violated && options.stopAtViolation) stopped = true;
    }
  }));
  const [first] = lanes;
  return {
    seed,
    trials: outcomes.length,
    ms: Math.round(performance.now() - start),
    servers: {
      nats: first!.natsServer.kind,
      redis: first!.redisServer.kind,
    },
    ...tally(outcomes),
  };
}

function tally(
  outcomes: readonly Outcome[],
): Pick<Report, "ends" | "byFault" | "violations" | "meanMs"> {
  const zero = () =>
    Object.fromEntries(ENDS.map((end) => [end, 0])) as Record<End, number>;
  const ends = zero();
  const byFault: Report["byFault"] = {};
  const violations: Outcome[] = [];
  const sums: Record<string, number> = {};
  for (const outcome of outcomes) {
    const { plan: { again }, struck, end } = outcome;
    if (end === undefined) violations.push(outcome);
    else ends[end]++;
    for (const name of [...struck, `then ${again}`]) {
      const row = byFault[name] ??= { ...zero(), violation: 0 };
      row[end ?? "violation"]++;
      sums[name] = (sums[name] ?? 0) + outcome.ms;
    }
  }
  const meanMs = Object.fromEntries(
    Object.entries(byFault).map(([name, row]) => {
      const count = Object.values(row).reduce((sum, one) => sum + one, 0);
      return [name, Math.round(sums[name]! / count)];
    }),
  );
  return { ends, byFault, violations, meanMs };
}

/**
 * The pack with a workflow of the post step alone, which takes from the run's
 * input what the steps before it would have made. Policy, routing and the step
 * itself are the pack's own.
 */
function reduce(files: PackFiles): PackFiles {
  const workflow = parse(files.get(WORKFLOW_FILE)!) as {
    steps: { post: Record<string, unknown> };
    input_schema: unknown;
  };
  const { depends_on: _, ...post } = workflow.steps.post;
  const input = {
    incident: "${input.incident}",
    evidence: "${input.evidence}",
    summary: "${input.summary}",
  };
  const { input_schema: __, ...rest } = workflow;
  const reduced = { ...rest, steps: { post: { ...post, input } } };
  return new Map([...files, [WORKFLOW_FILE, JSON.stringify(reduced)]]);
}
