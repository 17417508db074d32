/**
 * What a message tells, before it is laid out. Types only.
 *
 * @module
 */
import type { Claim, Severity } from "../incident.ts";
import type { More } from "./more.ts";

/** Where a claim stands in a message. */
export type Place =
  | "headline"
  | "state"
  | "happened"
  | "model"
  | "changed"
  | "seen"
  | "next"
  | "small";

/** A claim in our own voice: it quotes what it repeats. */
export interface Told extends Claim {
  place: Place;
  /** Of an alert; it gives the line its sign. */
  severity?: Severity;
  /** Whether it rests on what was collected, not on the webhook alone. */
  collected?: boolean;
  /** Who says it, if not the rules. */
  by?: "model";
  /** How sure a model may be of it. */
  level?: "observed" | "possible";
  /** Of a line about alerts: how many it tells of, or counts for the others. */
  of?: More;
}

/** What all rules have told. */
export interface Report {
  /** `P1`, as the sender calls it. */
  priority?: string;
  /** What is ill, and where. */
  subject?: string;
  /** `nothing is wrong now: …`, if every sign says so; quotes what it repeats. */
  verdict?: string;
  /** When what the headline says began; RFC 3339. */
  since?: string;
  /** The address of the change that is told first. */
  change?: string;
  /** In the order in which they stand. */
  claims: readonly Told[];
}
