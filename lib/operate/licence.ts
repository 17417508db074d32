/**
 * What a platform's licence allows, and how much of it is in use.
 *
 * @module
 */
import { type JsonObject, objectOf } from "../base/json.ts";
import { PACK_ID } from "../schemas.ts";
import type { Platform } from "./platform.ts";

/** Only what the platform tells, and only what is limited. */
export interface Licence {
  plan: string;
  workersMax: number | undefined;
  /** Of unfinished jobs; those that wait for approval count. */
  jobsMax: number | undefined;
  /** The ids of the workers that run, without those of this pack. */
  foreignWorkers: string[];
  /** How many jobs wait for approval. */
  waiting: number;
}

/** The fetcher, the summarizer and the poster. */
export const WORKERS_NEEDED = 3;
/** The platform forgets a worker that was silent for longer. */
const SILENT_S = 30;

/** @returns `undefined` where the platform tells of no limit. */
export async function readLicence(
  platform: Platform,
): Promise<Licence | undefined> {
  const { licence } = await platform.about();
  const limits = objectOf(licence?.["limits"]) ?? {};
  const workersMax = limitOf(limits["max_workers"]);
  const jobsMax = limitOf(limits["max_concurrent_jobs"]);
  if (workersMax === undefined && jobsMax === undefined) return undefined;
  const [foreignWorkers, waiting] = await Promise.all([
    readForeignWorkers(platform),
    platform.waiting(),
  ]);
  const plan = String(licence?.["plan"] ?? "");
  return { plan, workersMax, jobsMax, foreignWorkers, waiting: waiting.length };
}

/** Anything but a positive number is no limit. */
function limitOf(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? value : undefined;
}

async function readForeignWorkers(platform: Platform): Promise<string[]> {
  const answer = await platform.readUnlessWithheld("/workers");
  const items = (answer?.["items"] ?? []) as JsonObject[];
  return items
    .filter(({ heartbeat_age_seconds: age }) =>
      typeof age === "number" && age <= SILENT_S
    )
    .map(({ worker_id: id }) => String(id))
    .filter((id) => !id.startsWith(`${PACK_ID}-`));
}

/** Whether none of the pack's workers would be turned away. */
export function fitsWorkers({ workersMax, foreignWorkers }: Licence): boolean {
  const needed = foreignWorkers.length + WORKERS_NEEDED;
  return workersMax === undefined || needed <= workersMax;
}

/** Whether a job would be dispatched: it counts itself once more. */
export function fitsJob({ jobsMax, waiting }: Licence): boolean {
  return jobsMax === undefined || waiting + 2 <= jobsMax;
}
