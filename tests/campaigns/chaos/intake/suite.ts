/**
 * The campaign against ingesters: every delivery that was accepted has exactly
 * one run, any other at most one.
 *
 * @module
 */
import { delay } from "../../../../lib/base/time.ts";
import { readRequirements } from "../../../../scripts/launch/environment.ts";
import { cacheWorkers } from "../../../../scripts/launch/process.ts";
import type { Plan, Suite } from "../campaign.ts";
import type { Random } from "../random.ts";
import { KINDS, REFUSES_INPUT } from "./faults.ts";
import { IntakeLane } from "./lane.ts";
import {
  type Letter,
  writeAlertmanagerGroup,
  writePagerDutyEvent,
} from "./letters.ts";
import { MUTANTS } from "./mutants.ts";
import { ENDS, type Evidence, judge } from "./oracle.ts";
import { type Course, deliver } from "./sender.ts";
import { type IntakeFault, IntakeStage, type IntakeTools } from "./stage.ts";

export interface IntakePlan extends Plan<IntakeLane, IntakeTools> {
  /** Appears in all that the trial sends, and nowhere else. */
  token: string;
  courses: readonly Course[];
}

/** The only way that needs an ingester with a cooldown. */
const COOLDOWN = "two events of one service";
const WAYS = [
  "redelivered until accepted",
  "redelivered until accepted",
  "redelivered although accepted",
  "redelivered after a restart",
  "two copies at once",
  "two Alertmanagers",
] as const;
const COOLDOWNS = 0.12;
const SECOND_FAULTS = 0.5;
const WAIT_MS_MIN = 20;
const WAIT_MS_MAX = 400;
const PAIR_MS_MAX = 600;
const QUIET_MS = 20;

export const INTAKE: Suite<IntakeLane, IntakeStage, IntakePlan, Evidence> = {
  option: "--suite intake ",
  // Trials mostly wait.
  lanes: 12,
  ends: ENDS,
  mutants: Object.keys(MUTANTS),
  mutantsFile: "tests/campaigns/chaos/intake/mutants.ts",
  draw(random, seed, trial) {
    const token = `chaos-${seed}-${trial}`;
    const way = random.chance(COOLDOWNS) ? COOLDOWN : random.pick(WAYS);
    const faults = [drawFault(random)];
    if (random.chance(SECOND_FAULTS)) faults.push(drawFault(random));
    return {
      trial,
      token,
      faults,
      way,
      courses: drawCourses(way, token, random),
    };
  },
  kindOf: ({ way }) => way === COOLDOWN ? "cooldown" : "plain",
  async prepare({ mutant }) {
    await cacheWorkers(["ingester"]);
    const { ingester: requires } = await readRequirements();
    return (name, kind) => IntakeLane.start({ name, kind, requires, mutant });
  },
  begin: ({ token }) => new IntakeStage(token),
  async play({ gateway, replicas }, stage, { token, faults, courses }, signal) {
    const attempts = await Promise.all(
      courses.map((course) => deliver(course, { replicas, stage, signal })),
    );
    // What is still under way may yet create a run.
    stage.disarm();
    await stage.settle();
    while (gateway.held > 0 && !signal.aborted) await delay(QUIET_MS);
    return {
      letters: courses.map(({ letter }) => letter),
      attempts: attempts.flat(),
      runs: [...gateway.runsOf(token), ...gateway.runsOf("")],
      inputRefused: faults.some(({ name }) => name === REFUSES_INPUT),
    };
  },
  judge,
  /** A run may be created after its trial, however long that waits. */
  lateEvidence({ gateway }, { token }, evidence) {
    const runs = gateway.runsOf(token);
    return runs.length > evidence.runs.length
      ? { ...evidence, runs }
      : evidence;
  },
  facts: ({ runs }) => runs.map(({ id, key }) => `run ${id} of ${key}`),
};

function drawFault(random: Random): IntakeFault {
  let left = random.next();
  const [, draws] = KINDS.find(([share]) => (left -= share) < 0) ??
    KINDS.at(-1)!;
  return random.pick(draws)(random);
}

function drawCourses(
  way: typeof WAYS[number] | typeof COOLDOWN,
  token: string,
  random: Random,
): Course[] {
  const course = (letter: Letter, more: Partial<Course> = {}): Course => {
    const tries = random.pick([3, 4, 5]);
    const to = Array.from(
      { length: tries },
      () => random.pick([0, 1] as const),
    );
    const waitsMs = Array.from(
      { length: tries - 1 },
      () => random.between(WAIT_MS_MIN, WAIT_MS_MAX),
    );
    const usual = { startMs: 0, copies: false, then: "nothing" as const };
    return { letter, waitsMs, to, ...usual, ...more };
  };
  const one = (more?: Partial<Course>) => [
    course(writePagerDutyEvent(token, 0), more),
  ];
  const pair = (write: (token: string, place: number) => Letter) => [
    course(write(token, 0)),
    course(write(token, 1), { startMs: random.between(0, PAIR_MS_MAX) }),
  ];
  switch (way) {
    case "redelivered until accepted":
      return one();
    case "redelivered although accepted":
      return one({ then: "again" });
    case "redelivered after a restart":
      return one({ then: "again after a restart" });
    case "two copies at once":
      return one({ copies: true });
    case "two Alertmanagers":
      return pair(writeAlertmanagerGroup);
    case COOLDOWN:
      return pair(writePagerDutyEvent);
  }
}
