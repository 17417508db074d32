/**
 * Many trials on several lanes, counted.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { type PackFiles, readPackFolder } from "../../../scripts/pack/pack.ts";
import { cacheWorkers } from "../../../scripts/launch/process.ts";
import { drawPlan } from "./plan.ts";
import { Lane } from "./lane.ts";
import { type End, ENDS } from "./oracle.ts";
import { runPool, type Tally, tally, useLanes } from "./pool.ts";
import { createRandom } from "./random.ts";
import type { Preference } from "./servers.ts";
import { type Outcome, runTrial } from "./trial.ts";
import { readRequirements } from "../../../scripts/launch/environment.ts";

/** A poster that is wrong on purpose. */
export type MutantName = "skip-claim" | "retry-unknown";

/** The names of the mutants, and where each is. */
export const MUTANTS: Readonly<Record<MutantName, string>> = {
  "skip-claim": "tests/campaigns/chaos/mutant_skip_claim.ts",
  "retry-unknown": "tests/campaigns/chaos/mutant_retry_unknown.ts",
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
export interface Report extends Tally<End, Outcome> {
  seed: number;
  trials: number;
  ms: number;
  servers: { nats: Preference; redis: Preference };
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
      folder: `${folder}/lane-${at}`,
      pack,
      requires,
      file: mutant === undefined ? undefined : MUTANTS[mutant],
      signal,
    }));
  const lanes = await useLanes(starting, stack);
  const queue = [...trials];
  const outcomes = await runPool({
    lanes,
    next: () => queue.shift(),
    run: (lane, trial) =>
      runTrial(lane, drawPlan(trial, createRandom(seed, trial)), {
        incidentId: `mock:chaos-${seed}-${trial}`,
        signal,
      }),
    budgetMs: options.budgetMs,
    signal,
    stopAtViolation: options.stopAtViolation,
    onOutcome: options.onOutcome,
  });
  const [first] = lanes;
  return {
    seed,
    trials: outcomes.length,
    ms: Math.round(performance.now() - start),
    servers: {
      nats: first!.natsServer.kind,
      redis: first!.redisServer.kind,
    },
    ...tally(ENDS, outcomes, ({ plan: { again }, struck }) => [
      ...struck,
      `then ${again}`,
    ]),
  };
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
