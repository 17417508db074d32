/**
 * Starts exactly one run for a key.
 *
 * The platform's idempotency keys are global and never expire. A limit or a
 * crash can burn a key: then the platform answers 200 with the id of a run that
 * does not exist. So the ingester reads each run back, and if the run is
 * missing, it tries the next spelling of the key.
 *
 * @module
 */
import { OutsideError } from "../base/errors.ts";
import { type JsonObject, objectOf } from "../base/json.ts";
import {
  type IncidentInput,
  isWorse,
  REPORTED_SEVERITIES,
  toSeverity,
} from "../incident.ts";
import type { RunKeys } from "./run_key.ts";

export interface Runs {
  /** Starts a run, or returns the key's earlier run. */
  start(incident: IncidentInput, key: string): Promise<string>;
  /** Told of a key whose run does not exist. */
  burned?(key: string): void;
  /** Reads a run; `undefined` if there is none. */
  read(runId: string): Promise<JsonObject | undefined>;
  /** Rejects when the request is aborted. */
  wait(ms: number): Promise<void>;
}

export interface Started {
  runId: string;
  run: JsonObject;
}

/** Every spelling of the key leads to a run that does not exist. */
export class KeyBurnedError extends OutsideError {
  override name = "KeyBurnedError";
}

const SPELLINGS_MAX = 3;
/** Waits before four reads, because a late run looks like a missing one. */
const READ_WAITS_MS = [0, 250, 500, 750];

/**
 * Starts a delivery's run, or finds the one that it shares. What is worse than a
 * shared run is not folded into it.
 *
 * @throws {KeyBurnedError} After three burned keys.
 */
export async function startRun(
  incident: IncidentInput,
  { key, worse }: RunKeys,
  runs: Runs,
): Promise<Started> {
  const started = await startOnce(incident, key, runs);
  return worse !== undefined && isWorseThan(started, incident)
    ? await startOnce(incident, worse, runs)
    : started;
}

/** Whether an incident is worse than a run's. A run without input tells nothing. */
function isWorseThan({ run }: Started, { severity }: IncidentInput): boolean {
  const input = objectOf(run["input"]);
  if (input === undefined) return false;
  const other = REPORTED_SEVERITIES.find((one) => one === input["severity"]);
  return isWorse(toSeverity(severity).severity, toSeverity(other).severity);
}

/**
 * Starts the run of a key, or finds it.
 *
 * @param key From `runKeys()`: no other key continues it with a colon.
 * @returns The run; the same for every use of the key.
 * @throws {KeyBurnedError} After three burned keys.
 */
export async function startOnce(
  incident: IncidentInput,
  key: string,
  runs: Runs,
): Promise<Started> {
  for (let spelling = 1; spelling <= SPELLINGS_MAX; spelling++) {
    const next = spelling === 1 ? key : `${key}:${spelling}`;
    const runId = await runs.start(incident, next);
    const run = await appears(runId, runs);
    if (run !== undefined) return { runId, run };
    runs.burned?.(next);
  }
  throw new KeyBurnedError(
    `Cannot start a run: ${SPELLINGS_MAX} keys are burned`,
  );
}

async function appears(
  runId: string,
  runs: Runs,
): Promise<JsonObject | undefined> {
  for (const ms of READ_WAITS_MS) {
    if (ms > 0) await runs.wait(ms);
    const run = await runs.read(runId);
    if (run !== undefined) return run;
  }
  return undefined;
}
