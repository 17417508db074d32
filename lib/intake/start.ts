/**
 * Starts exactly one run for a delivery.
 *
 * The platform's idempotency keys are global and never expire, and one can be
 * burned: after a limit or a crash it answers 200 with the id of a run that
 * does not exist. So a run is read back, and if it is not there the next
 * spelling of the key is tried.
 *
 * @module
 */
import type { IncidentInput } from "../incident.ts";
import type { Delivery } from "./delivery.ts";

/** The two things that the platform is asked to do. */
export interface Runs {
  /** Starts a run, or returns the one that the key has started before. */
  start(incident: IncidentInput, key: string): Promise<string>;
  /** Whether a run is there to be read. */
  exists(runId: string): Promise<boolean>;
  /** Rejects when the request is aborted. */
  wait(ms: number): Promise<void>;
}

/** Every spelling of the key leads to a run that does not exist. */
export class KeyBurnedError extends Error {
  /** The class, for logs. */
  override name = "KeyBurnedError";
}

const SPELLINGS_MAX = 3;
/** Waits between four reads: a run that is only late looks like one missing. */
const READ_WAITS_MS = [0, 250, 500, 750];

/**
 * Starts the run of a delivery.
 *
 * @returns The run's id; the same for every copy of the delivery.
 * @throws {KeyBurnedError} After three burned keys.
 */
export async function startOnce(
  { incident, key }: Delivery,
  runs: Runs,
): Promise<string> {
  const system = incident.source?.system ?? "mock";
  // With a colon of its own, one key could be the second spelling of another.
  const safe = key.replaceAll("%", "%25").replaceAll(":", "%3A");
  const base = `incident-enricher:${system}:${safe}`;
  for (let spelling = 1; spelling <= SPELLINGS_MAX; spelling++) {
    const runId = await runs.start(
      incident,
      spelling === 1 ? base : `${base}:${spelling}`,
    );
    if (await appears(runId, runs)) return runId;
  }
  throw new KeyBurnedError(
    `Cannot start a run: ${SPELLINGS_MAX} keys are burned`,
  );
}

async function appears(runId: string, runs: Runs): Promise<boolean> {
  for (const ms of READ_WAITS_MS) {
    if (ms > 0) await runs.wait(ms);
    if (await runs.exists(runId)) return true;
  }
  return false;
}
