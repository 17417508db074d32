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
  /** The ids of the jobs that count. */
  unfinished: ReadonlySet<string>;
}

/** The fetcher, the summarizer and the poster. */
export const WORKERS_NEEDED = 3;
/** The states of jobs that count. */
const UNFINISHED = [
  ...["PENDING", "APPROVAL_REQUIRED", "SCHEDULED"],
  ...["DISPATCHED", "RUNNING", "RETRYING"],
];
/** The platform lists the newest of all jobs, and filters afterwards. */
const JOBS_MAX = 1000;
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
  const [foreignWorkers, unfinished] = await Promise.all([
    readForeignWorkers(platform),
    readUnfinished(platform),
  ]);
  const plan = String(licence?.["plan"] ?? "");
  return { plan, workersMax, jobsMax, foreignWorkers, unfinished };
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

/** Those that wait may be older than all that are listed. */
async function readUnfinished(platform: Platform): Promise<Set<string>> {
  const [waiting, listed] = await Promise.all([
    platform.waiting(),
    platform.readUnlessWithheld(`/jobs?limit=${JOBS_MAX}`),
  ]);
  const others = ((listed?.["items"] ?? []) as JsonObject[])
    .filter(({ state }) => UNFINISHED.includes(String(state)))
    .map(({ id }) => String(id));
  return new Set([...waiting.map(({ jobId }) => jobId), ...others]);
}

/** Whether none of the pack's workers would be turned away. */
export function fitsWorkers({ workersMax, foreignWorkers }: Licence): boolean {
  const needed = foreignWorkers.length + WORKERS_NEEDED;
  return workersMax === undefined || needed <= workersMax;
}

/**
 * Whether a job would be dispatched: it counts itself once more.
 *
 * @param jobId A job that exists; a new one if not given.
 */
export function fitsJob(
  { jobsMax, unfinished }: Pick<Licence, "jobsMax" | "unfinished">,
  jobId?: string,
): boolean {
  const others = unfinished.size - (unfinished.has(jobId ?? "") ? 1 : 0);
  return jobsMax === undefined || others + 2 <= jobsMax;
}
