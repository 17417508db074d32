/**
 * One trial: an event, what strikes its delivery, and how that ends.
 *
 * @module
 */
import { wait, within } from "../../../../lib/base/time.ts";
import { messageOf } from "../../../../lib/base/errors.ts";
import type { Note } from "../stage.ts";
import { REFUSES_INPUT } from "./faults.ts";
import type { Lane } from "./lane.ts";
import { type Evidence, judge, type Judgement } from "./oracle.ts";
import type { Plan } from "./plan.ts";
import { deliver } from "./sender.ts";
import type { Stage } from "./stage.ts";

/** What came of a trial. */
export interface Outcome extends Judgement {
  plan: Plan;
  /** On which it ran. */
  lane: string;
  /** Names of the faults that struck; a delivery may not get where one waits. */
  struck: readonly string[];
  ms: number;
  /** For whoever repeats it. */
  notes: readonly Note[];
  evidence: Evidence | undefined;
  /** What both ingesters logged. */
  log: readonly string[];
}

/** No trial takes as long, on however slow a machine. */
const TRIAL_MS = 90_000;
const QUIET_MS = 20;

/** Runs one trial on a lane that no other uses meanwhile. */
export async function runTrial(
  lane: Lane,
  plan: Plan,
  signal: AbortSignal,
): Promise<Outcome> {
  const start = performance.now();
  const stage = await lane.begin(plan.token);
  let evidence: Evidence | undefined;
  let judgement: Judgement;
  try {
    evidence = await within(TRIAL_MS, play(lane, stage, plan, signal));
    // An abort cuts what the sender waits for.
    signal.throwIfAborted();
    judgement = judge(evidence);
  } catch (error) {
    signal.throwIfAborted();
    const problem = `the trial broke off: ${messageOf(error)}`;
    judgement = { end: undefined, problems: [problem] };
  }
  lane.end();
  return {
    ...judgement,
    plan,
    lane: lane.name,
    struck: plan.faults.filter((_, place) => stage.struck.has(place))
      .map(({ name }) => name),
    ms: Math.round(performance.now() - start),
    notes: stage.notes,
    evidence,
    log: lane.replicas.flatMap(({ id, lines }) =>
      lines.map((line) => `${id} ${line}`)
    ),
  };
}

async function play(
  lane: Lane,
  stage: Stage,
  { token, faults, courses }: Plan,
  signal: AbortSignal,
): Promise<Evidence> {
  const { gateway, replicas } = lane;
  faults.forEach((fault, place) =>
    fault.arm({
      stage,
      gateway,
      replica: (id) => replicas.find((replica) => replica.id === id)!,
      struck: () => void stage.struck.add(place),
    })
  );
  const attempts = await Promise.all(
    courses.map((course) => deliver(course, { replicas, stage, signal })),
  );
  // Whatever is still on its way may yet create a run.
  stage.disarm();
  await stage.settle();
  while (gateway.held > 0) await wait(QUIET_MS, signal);
  return {
    letters: courses.map(({ letter }) => letter),
    attempts: attempts.flat(),
    runs: [...gateway.runsOf(token), ...gateway.runsOf("")],
    inputRefused: faults.some(({ name }) => name === REFUSES_INPUT),
  };
}
