/**
 * What one trial does, drawn at random.
 *
 * @module
 */
import type { Random } from "../random.ts";
import { type Draw, type Fault, KINDS } from "./faults.ts";
import {
  type Letter,
  writeAlertmanagerGroup,
  writePagerDutyEvent,
} from "./letters.ts";
import type { Course } from "./sender.ts";

/** Everything that a trial does. */
export interface Plan {
  trial: number;
  /** Stands in everything that it sends, and in nothing else. */
  token: string;
  faults: readonly Fault[];
  way: Way;
  courses: readonly Course[];
}

/** How its event is delivered. */
export type Way = typeof WAYS[number] | typeof COOLDOWN;

/** The only one that needs an ingester with a cooldown. */
export const COOLDOWN = "two events of one service";
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

/** Draws one trial. */
export function drawPlan(seed: number, trial: number, random: Random): Plan {
  const token = `chaos-${seed}-${trial}`;
  const way = random.chance(COOLDOWNS) ? COOLDOWN : random.pick(WAYS);
  const faults = [drawFault(random)];
  if (random.chance(SECOND_FAULTS)) faults.push(drawFault(random));
  const course = (letter: Letter, more: Partial<Course> = {}): Course => {
    const tries = random.pick([3, 4, 5]);
    const to = Array.from(
      { length: tries },
      () => random.pick([0, 1] as const),
    );
    const wait = () =>
      Math.round(WAIT_MS_MIN + random.next() * (WAIT_MS_MAX - WAIT_MS_MIN));
    const waitsMs = Array.from({ length: tries - 1 }, wait);
    return {
      ...{ letter, startMs: 0, waitsMs, to, copies: false, then: "nothing" },
      ...more,
    };
  };
  const pair = (write: typeof writePagerDutyEvent) => [
    course(write(token, 0)),
    course(write(token, 1), {
      startMs: Math.round(random.next() * PAIR_MS_MAX),
    }),
  ];
  const one = (more?: Partial<Course>) => [
    course(writePagerDutyEvent(token, 0), more),
  ];
  const draw: Readonly<Record<Way, () => Course[]>> = {
    "redelivered until accepted": () => one(),
    "redelivered although accepted": () => one({ then: "again" }),
    "redelivered after a restart": () => one({ then: "again after a restart" }),
    "two copies at once": () => one({ copies: true }),
    "two Alertmanagers": () => pair(writeAlertmanagerGroup),
    [COOLDOWN]: () => pair(writePagerDutyEvent),
  };
  return { trial, token, faults, way, courses: draw[way]() };
}

function drawFault(random: Random): Fault {
  let left = random.next();
  let draws: readonly Draw[] = [];
  for (const [share, some] of KINDS) {
    draws = some;
    left -= share;
    if (left < 0) break;
  }
  return random.pick(draws)(random);
}
