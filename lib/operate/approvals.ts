/**
 * Approving and rejecting jobs, and what comes of it.
 *
 * @module
 */
import { OutsideError } from "../base/errors.ts";
import {
  isObject,
  type JsonObject,
  objectOf,
  optional,
  stringOf,
} from "../base/json.ts";
import { wait } from "../base/time.ts";
import { GatewayError } from "../platform/gateway_error.ts";
import { awayFrom } from "../platform/settings.ts";
import { OperationError } from "./errors.ts";
import { fitsJob, readLicence } from "./licence.ts";
import { POST_POOL, POST_TOPIC } from "./pack.ts";
import type { Platform, WaitingJob } from "./platform.ts";
import { tooLate } from "./proposal.ts";

const SNAPSHOT_AGE_MS = 15_000;
const FOLLOW_POLL_MS = 300;
const ATTEMPTS = 3;
/** A job that cannot be placed comes back within 10 s; posting can take longer. */
const FOLLOW_MS = 130_000;
/** By now a poster would have answered. */
const LOOK_MS = 10_000;
/** Then so many calls between two looks. */
const LATER_PARTS = 5;

/**
 * Checks that a worker is up that would take an approved job.
 *
 * @returns `false` if the platform does not tell.
 * @throws {OperationError} If none is up.
 */
export async function checkWorker(
  platform: Platform,
  topic: string,
): Promise<boolean> {
  const ready = await isWorkerReady(platform, topic);
  if (ready !== false) return ready === true;
  throw new OperationError(
    `No ${
      workerOf(topic)
    } is up to take the job; an approval given now would be lost. Start one first`,
  );
}

export function workerOf(topic: string): string {
  return topic === POST_TOPIC ? "poster" : "worker of that topic";
}

/** Whether a worker is up; `undefined` if the platform does not tell. */
export async function isWorkerReady(
  platform: Platform,
  topic: string,
): Promise<boolean | undefined> {
  const snapshot = await platform.workers();
  if (
    snapshot !== undefined && Date.now() - snapshot.capturedMs < SNAPSHOT_AGE_MS
  ) {
    return snapshot.topics[topic]?.available === true;
  }
  if (topic !== POST_TOPIC) return undefined;
  // Cordum 1.0 says how long ago it heard from each worker.
  const answer: unknown = await platform.call("GET", "/workers");
  const items = isObject(answer) ? answer["items"] ?? [] : answer;
  const ages = (items as JsonObject[]).flatMap(
    ({ pool, heartbeat_age_seconds: age }) => {
      if (typeof age !== "number") return [];
      if (pool === awayFrom(POST_POOL)) return [Infinity];
      return pool === POST_POOL ? [age] : [];
    },
  );
  if (ages.length === 0) return undefined;
  return Math.min(...ages) < SNAPSHOT_AGE_MS / 1000;
}

/**
 * Finds a waiting job.
 *
 * @returns `undefined` if it is no longer waiting.
 * @throws {OperationError} If there is no such job.
 */
export async function findWaiting(
  platform: Platform,
  jobId: string,
): Promise<WaitingJob | undefined> {
  const waiting = await platform.waiting();
  const job = waiting.find((job) => job.jobId === jobId);
  if (job === undefined && await platform.findJob(jobId) === undefined) {
    throw new OperationError(`There is no job ${jobId}`);
  }
  return job;
}

/**
 * Approves a job with an empty body: a reason would make it unplaceable.
 *
 * @returns `false` if somebody had already decided it.
 * @throws {OperationError} If the platform refuses it for good.
 * @throws {GatewayError} If the gateway fails and the job is still waiting.
 */
export function approve(platform: Platform, jobId: string): Promise<boolean> {
  return decide(platform, jobId, "approve");
}

/** Rejects a job; returns and throws like {@linkcode approve}. */
export function reject(
  platform: Platform,
  jobId: string,
  reason: string,
): Promise<boolean> {
  return decide(platform, jobId, "reject", { reason });
}

async function decide(
  platform: Platform,
  jobId: string,
  verb: "approve" | "reject",
  json?: JsonObject,
): Promise<boolean> {
  const path = `/approvals/${encodeURIComponent(jobId)}/${verb}`;
  for (let attempt = 1;; attempt++) {
    try {
      const answer = await platform.call("POST", path, optional("json", json));
      // Cordum 1.0 answers so to whoever comes second.
      return !stringOf(objectOf(answer)?.["status"]).startsWith("already_");
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const { detail } = error;
      if (error.status === 403 && /self/.test(detail)) throw ownJob();
      const isConflict = error.status === 409;
      if (isConflict && /not awaiting|resolved|already/.test(detail)) {
        return false;
      }
      const isBusy = isConflict && /lock|busy/.test(detail);
      if (isConflict && !isBusy) throw toRefusal(jobId, detail);
      // A failed call may have decided all the same: on coretexOS 0.6 one of
      // two simultaneous approvals gets a 500. Only the job's record tells.
      if (!isBusy && !error.unavailable) throw error;
      const { state } = await platform.job(jobId);
      if (state !== "APPROVAL_REQUIRED") return false;
      if (attempt === ATTEMPTS) throw error;
      await wait(FOLLOW_POLL_MS, platform.signal);
    }
  }
}

/** The platform binds an approval to the policy and to the job as it was. */
function toRefusal(jobId: string, detail: string): OperationError {
  const job = { jobId, runId: "" };
  return /snapshot/.test(detail)
    ? tooLate(job)
    : tooLate(job, `the platform refuses it (${detail})`);
}

/** Cordum 1.0 wants a second person. */
export function ownJob(): OperationError {
  return new OperationError(
    "The platform lets nobody decide about a job that they submitted themselves; somebody else has to. Nothing was decided",
  );
}

/** Why an approved job waits for approval again. */
export type Bounce = "no worker" | "never released" | "not placed";
/** Why nothing happens to an approved job. */
export type Hindrance = "no worker" | "licence";

export type Followed =
  | { end: "succeeded"; result: JsonObject; job: JsonObject }
  | { end: "failed"; code: string; message: string; job: JsonObject }
  | { end: "bounced"; why: Bounce }
  | { end: "still running"; state: string; hindrance: Hindrance | undefined };

/** How a job has ended, by its record; `undefined` if it has not. */
export function readEnd(
  job: JsonObject,
): Extract<Followed, { end: "succeeded" | "failed" }> | undefined {
  const state = stringOf(job["state"]);
  if (state === "SUCCEEDED") {
    return { end: "succeeded", result: objectOf(job["result"]) ?? {}, job };
  }
  if (!["FAILED", "DENIED", "CANCELLED", "TIMEOUT"].includes(state)) {
    return undefined;
  }
  const code = stringOf(job["error_code"]);
  const message = stringOf(job["error_message"]) || `job state ${state}`;
  return { end: "failed", code, message, job };
}

/** How a job is followed. Tests bring their own times. */
export interface FollowOptions {
  timeoutMs?: number;
  /** After so long, and again, it looks for a hindrance; then it asks less often. */
  lookMs?: number;
  /** Between two calls until then. */
  pollMs?: number;
  /** Called again and again while the job goes on. */
  onWait?: (waitedMs: number, hindrance: Hindrance | undefined) => void;
}

/** Follows an approved job until it ends or waits for approval again. */
export async function follow(
  platform: Platform,
  jobId: string,
  {
    timeoutMs = FOLLOW_MS,
    lookMs = LOOK_MS,
    pollMs = FOLLOW_POLL_MS,
    onWait,
  }: FollowOptions = {},
): Promise<Followed> {
  const started = performance.now();
  let lookAtMs = lookMs;
  let hindrance: Hindrance | undefined;
  while (true) {
    const job = await platform.job(jobId);
    const state = stringOf(job["state"]);
    const topic = stringOf(job["topic"]);
    const end = readEnd(job);
    if (end !== undefined) return end;
    if (state === "APPROVAL_REQUIRED") {
      return { end: "bounced", why: await explainBounce(platform, topic) };
    }
    const waitedMs = performance.now() - started;
    if (waitedMs >= timeoutMs) {
      return { end: "still running", state, hindrance };
    }
    if (waitedMs >= lookAtMs) {
      hindrance = await findHindrance(platform, { jobId, topic, state });
      lookAtMs = waitedMs + lookMs;
    }
    onWait?.(waitedMs, hindrance);
    // The gateway's requests are everybody's, and this may take two minutes.
    const laterMs = waitedMs < lookMs ? 0 : lookMs / LATER_PARTS;
    await wait(Math.max(pollMs, laterMs), platform.signal);
  }
}

async function explainBounce(
  platform: Platform,
  topic: string,
): Promise<Bounce> {
  const ready = await ifKnown(platform, isWorkerReady(platform, topic));
  if (ready === false) return "no worker";
  return await isCoretex06(platform) ? "never released" : "not placed";
}

async function findHindrance(
  platform: Platform,
  { jobId, topic, state }: { jobId: string; topic: string; state: string },
): Promise<Hindrance | undefined> {
  const ready = await ifKnown(platform, isWorkerReady(platform, topic));
  if (ready === false) return "no worker";
  if (["DISPATCHED", "RUNNING"].includes(state)) return undefined;
  const licence = await ifKnown(platform, readLicence(platform));
  const fits = licence === undefined || fitsJob(licence, jobId);
  return fits ? undefined : "licence";
}

/** What cannot be read must not end the following. */
async function ifKnown<T>(
  { signal }: Platform,
  reading: Promise<T>,
): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof OutsideError) return undefined;
    throw error;
  }
}

/** Only coretexOS 0.6 tells its status without its build. */
async function isCoretex06(platform: Platform): Promise<boolean> {
  const reading = platform.call("GET", "/status");
  const status = await ifKnown(platform, reading) ?? {};
  return typeof status["uptime_seconds"] === "number" &&
    status["build"] === undefined;
}
