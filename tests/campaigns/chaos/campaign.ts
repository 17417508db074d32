/**
 * Runs many trials on several lanes, strikes them, judges them and counts.
 *
 * @module
 */
import { messageOf } from "../../../lib/base/errors.ts";
import { within } from "../../../lib/base/time.ts";
import { runPool, type Tally, tally, useLanes } from "./pool.ts";
import { createRandom, type Random } from "./random.ts";
import type { Mutant, Replica } from "./replica.ts";
import type { Fault, Note, Stage } from "./stage.ts";

/** What one trial does, drawn at random. */
export interface Plan<L, T> {
  trial: number;
  faults: readonly Fault<L, T>[];
  /** What else is done; it has a row in the table. */
  way: string;
}

/** A platform with workers, which runs one trial after another. */
export interface Lane<S> extends AsyncDisposable {
  readonly name: string;
  readonly kind: string;
  readonly replicas: readonly Replica[];
  /** Of the current trial. */
  stage: S | undefined;
  /** Begins to repair what the trial broke. */
  end?(stage: S): Promise<void>;
}

export interface Judgement {
  /** `undefined` for a violation. */
  end: string | undefined;
  /** One sentence each. */
  problems: readonly string[];
}

export interface Outcome<P = AnyPlan, V = unknown> extends Judgement {
  plan: P;
  /** What a trial leaves behind strikes the next one on its lane. */
  lane: string;
  /** The names of the faults that struck; a trial may end before one does. */
  struck: readonly string[];
  ms: number;
  notes: readonly Note[];
  /** What it was judged by; `undefined` if it broke off. */
  evidence: V | undefined;
  /** What its workers logged. */
  log: readonly string[];
}

// deno-lint-ignore no-explicit-any -- Each suite has its own.
type AnyPlan = Plan<any, any>;
// deno-lint-ignore no-explicit-any
type AnyStage = Stage<any, any>;
/** A suite is only ever called with its own lanes, stages and plans. */
// deno-lint-ignore no-explicit-any
export type AnySuite = Suite<any, any, any, any>;

/** What a campaign runs on. */
export interface Ground {
  /** The embedded servers, even if real ones are there. */
  embedded: boolean;
  mutant: Mutant | undefined;
  signal: AbortSignal;
}

export interface Suite<L extends Lane<S>, S extends AnyStage, P, V> {
  /** The option that chooses it; empty for the default. */
  readonly option: string;
  /** How many lanes, by default. */
  readonly lanes: number;
  readonly ends: readonly string[];
  readonly mutants: readonly string[];
  /** Runs as a process the mutant that its second argument names. */
  readonly mutantsFile: string;
  draw(random: Random, seed: number, trial: number): P;
  /** The kind of lane that a trial needs. */
  kindOf?(plan: P): string;
  /** @returns Starts a lane. @param stack Disposes of what lanes share. */
  prepare(
    ground: Ground,
    stack: AsyncDisposableStack,
  ): Promise<(name: string, kind: string) => Promise<L>>;
  begin(plan: P): S;
  /** Plays a trial whose faults are armed. */
  play(lane: L, stage: S, plan: P, signal: AbortSignal): Promise<V>;
  judge(evidence: V): Judgement;
  /** What became known after the trial; `evidence` itself if nothing did. */
  lateEvidence?(lane: L, plan: P, evidence: V): V;
  /** What a trial was judged by, for people. */
  facts(evidence: V): string[];
  /** What a lane runs on. */
  servers?(lane: L): Record<string, string>;
}

export interface CampaignOptions extends Omit<Ground, "mutant"> {
  /** Numbers of the trials. */
  trials: readonly number[];
  seed: number;
  lanes: number;
  /** One of the suite's own, which is to be caught once. */
  mutant?: string | undefined;
  /** How long after the first trial the last may begin. */
  budgetMs?: number;
  onOutcome?: (outcome: Outcome, done: number) => void;
}

export interface Report extends Tally<Outcome> {
  seed: number;
  trials: number;
  ms: number;
  servers?: Record<string, string>;
}

/** No trial takes as long, even on a slow machine. */
const TRIAL_MS = 90_000;

/** Runs the trials. After an abort it reports what was done. */
export async function runCampaign(
  suite: AnySuite,
  options: CampaignOptions,
): Promise<Report> {
  const { trials, seed, embedded, mutant: name, signal } = options;
  const start = performance.now();
  const plans = trials.map((trial) =>
    suite.draw(createRandom(seed, trial), seed, trial)
  );
  const queues = Map.groupBy(plans, (plan) => suite.kindOf?.(plan) ?? "");
  const mutant = name === undefined
    ? undefined
    : { name, file: suite.mutantsFile };
  await using stack = new AsyncDisposableStack();
  const startLane = await suite.prepare({ embedded, mutant, signal }, stack);
  const lanes = await useLanes(
    shareOut(options.lanes, queues, plans.length)
      .map((kind, at) => startLane(`lane-${at}`, kind)),
    stack,
  );
  const outcomes = await runPool({
    lanes,
    next: ({ kind }) => queues.get(kind)?.shift(),
    run: (lane, plan) => runTrial(suite, lane, plan, signal),
    budgetMs: options.budgetMs,
    signal,
    stopAtViolation: mutant !== undefined,
    onOutcome: options.onOutcome,
  });
  for (const outcome of outcomes) judgeAgain(suite, lanes, outcome);
  const [first] = lanes;
  const servers = first && suite.servers?.(first);
  return {
    seed,
    trials: outcomes.length,
    ms: Math.round(performance.now() - start),
    ...servers && { servers },
    ...tally(suite.ends, outcomes, ({ plan, struck }) => [...struck, plan.way]),
  };
}

/** @returns The kind of each lane. Every kind with trials gets a lane. */
function shareOut(
  lanes: number,
  queues: ReadonlyMap<string, readonly AnyPlan[]>,
  trials: number,
): string[] {
  return [...queues].flatMap(([kind, { length }]) => {
    const share = Math.max(1, Math.round(lanes * length / trials));
    return Array<string>(Math.min(length, share)).fill(kind);
  });
}

async function runTrial(
  suite: AnySuite,
  lane: Lane<AnyStage>,
  plan: AnyPlan,
  signal: AbortSignal,
): Promise<Outcome> {
  const start = performance.now();
  await Promise.all(lane.replicas.map((replica) => replica.start()));
  for (const replica of lane.replicas) replica.forget();
  const stage = lane.stage = suite.begin(plan);
  plan.faults.forEach((fault, place) => fault.arm(lane, stage.tools(place)));
  let evidence: unknown;
  let judgement: Judgement;
  try {
    evidence = await within(TRIAL_MS, suite.play(lane, stage, plan, signal));
    // After an abort the evidence may be incomplete.
    signal.throwIfAborted();
    judgement = suite.judge(evidence);
  } catch (error) {
    stage.close();
    signal.throwIfAborted();
    const problem = `the trial broke off: ${messageOf(error)}`;
    judgement = { end: undefined, problems: [problem] };
  }
  const log = lane.replicas.flatMap(({ id, lines }) =>
    lines.map(({ fields }) => `${id} ${JSON.stringify(fields)}`)
  );
  stage.close();
  await lane.end?.(stage);
  lane.stage = undefined;
  return {
    ...judgement,
    plan,
    lane: lane.name,
    struck: plan.faults.filter((_, place) => stage.struck.has(place))
      .map(({ name }) => name),
    ms: Math.round(performance.now() - start),
    notes: stage.notes,
    evidence,
    log,
  };
}

function judgeAgain(
  suite: AnySuite,
  lanes: readonly Lane<AnyStage>[],
  outcome: Outcome,
): void {
  const { evidence, plan } = outcome;
  const lane = lanes.find(({ name }) => name === outcome.lane);
  if (evidence === undefined || suite.lateEvidence === undefined) return;
  const late = suite.lateEvidence(lane!, plan, evidence);
  if (late !== evidence) Object.assign(outcome, suite.judge(late));
}

/** All that is known of a trial, as lines for people. */
export function describe(suite: AnySuite, outcome: Outcome): string[] {
  const { plan, problems, end, evidence, notes, log } = outcome;
  const faults = plan.faults.map(({ name, detail }) =>
    detail === "" ? name : `${name} (${detail})`
  );
  return [
    problems.length === 0
      ? `Trial ${plan.trial}: ${end}`
      : `VIOLATION in trial ${plan.trial}: ${problems.join("; ")}`,
    `  ${faults.join(" and ")}; ${plan.way}`,
    ...(evidence === undefined ? [] : suite.facts(evidence))
      .map((fact) => `  ${fact}`),
    ...notes.map(({ ms, what }) => `  ${String(ms).padStart(6)} ms  ${what}`),
    ...log.map((line) => `  ${line}`),
  ].flatMap((text) => text.split("\n"));
}
