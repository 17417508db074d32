/**
 * What a campaign is to the command that runs it.
 *
 * @module
 */
import type { Tally, Tried } from "./pool.ts";

/** What a suite is run with. */
export interface SuiteOptions<O> {
  /** Numbers of the trials. */
  trials: readonly number[];
  seed: number;
  lanes: number;
  /** The embedded servers, even if real ones are there. */
  embedded: boolean;
  /** One of the suite's own. */
  mutant: string | undefined;
  /** No trial begins later than so many ms after the first. */
  budgetMs: number;
  signal: AbortSignal;
  /** Told of each trial. */
  onOutcome: (outcome: O, done: number) => void;
}

/** What came of it. */
export interface SuiteReport<O> extends Tally<string, O> {
  seed: number;
  trials: number;
  ms: number;
}

/** One campaign. */
export interface Suite<O extends Tried<string> = Tried<string>> {
  /** What chooses it; empty where nothing has to. */
  option: string;
  /** Unless others are asked for. */
  lanes: number;
  /** How a trial may end. */
  ends: readonly string[];
  mutants: readonly string[];
  run(options: SuiteOptions<O>): Promise<SuiteReport<O>>;
  /** All that is known of a trial, for people. */
  describe(outcome: O): string;
  /** What it ran on. */
  servers(report: SuiteReport<O>): string[];
}
