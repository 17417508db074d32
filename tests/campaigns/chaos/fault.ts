/**
 * What a fault is.
 *
 * @module
 */
import type { Lane } from "./lane.ts";
import type { Random } from "./random.ts";
import type { FaultStage } from "./stage.ts";

/** One fault as a trial has drawn it. */
export interface Fault {
  /** Its row in the table. */
  name: string;
  /** What else was drawn, for people. */
  detail: string;
  /** Arranges it, before the trial's first run starts. */
  arm(lane: Lane, stage: FaultStage): void;
}

/** Draws a fault's details. */
export type Draw = (random: Random) => Fault;
