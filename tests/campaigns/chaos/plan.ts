/**
 * What one trial does, drawn at random.
 *
 * @module
 */
import type { Draw, Fault } from "./fault.ts";
import { PROCESS_FAULTS } from "./process_faults.ts";
import type { Random } from "./random.ts";
import { SERVER_FAULTS } from "./server_faults.ts";
import { SLACK_FAULTS } from "./slack_faults.ts";

/** What is done about the incident once the first attempt is over. */
export type Again = typeof AGAIN[number];

/** Everything that a trial does. */
export interface Plan {
  trial: number;
  faults: readonly Fault[];
  again: Again;
}

const AGAIN = [
  "nothing more",
  "same job, same poster",
  "same job, other poster",
  "new run",
  "new run",
  "poster started an hour later",
] as const;
const NO_FAULT: Draw = () => ({ name: "no fault", detail: "", arm() {} });
const FIRST: readonly Draw[] = [NO_FAULT, ...PROCESS_FAULTS, ...SERVER_FAULTS];
/** How many trials have a fault of Slack's alone, and how many one beside. */
const SLACK_ALONE = 0.3;
const SLACK_TOO = 0.2;

/** Draws one trial. */
export function drawPlan(trial: number, random: Random): Plan {
  const first = random.pick(FIRST)(random);
  const second = random.pick(SLACK_FAULTS)(random);
  const kind = random.next();
  const faults = kind < SLACK_ALONE
    ? [second]
    : kind < SLACK_ALONE + SLACK_TOO
    ? [first, second]
    : [first];
  return { trial, faults, again: random.pick(AGAIN) };
}
