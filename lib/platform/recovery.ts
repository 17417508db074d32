/**
 * Finds jobs whose worker died after taking them.
 *
 * Such a job stays RUNNING. No message on the bus reports it, and its workflow
 * waits for hours.
 *
 * @module
 */
import { deadline } from "../base/deadline.ts";
import { type JsonObject, stringOf } from "../base/json.ts";
import { isUnsent } from "../job_state.ts";
import type { Gateway } from "./gateway.ts";
import { GatewayError } from "./gateway_error.ts";
import type { Delivery } from "./job_table.ts";
import { createJobRequest, type JobRequest } from "./packet.ts";

/** The platform's own limit. */
const LIST_MAX = 1_000;
const DUE_MS = 5_000;
/** The next search finds the rest. */
const JOBS_MAX = 20;

/**
 * Whether a job may be answered: the scheduler has sent it out.
 *
 * @returns `false` as well if the gateway does not say. A job that is left
 * unanswered is found again.
 */
export async function isDue(gateway: Gateway, jobId: string): Promise<boolean> {
  using end = deadline(DUE_MS);
  try {
    return !isUnsent(await gateway.readJob(jobId, end.signal));
  } catch (error) {
    return error instanceof GatewayError && error.missing;
  }
}

/**
 * Finds jobs of a topic that have been RUNNING for at least `silentMs` without a
 * change.
 *
 * @param options `isHeld` tells whether this process has a job in hand.
 * @returns The jobs as the bus would deliver them, but without policy's limits,
 * which are in the jobs' records.
 * @throws {GatewayError} If the platform does not list the jobs.
 */
export async function findSilentJobs(
  gateway: Gateway,
  { topic, silentMs, nowMs, isHeld, signal }: {
    topic: string;
    silentMs: number;
    nowMs: number;
    isHeld: (jobId: string) => boolean;
    signal: AbortSignal;
  },
): Promise<
  { jobs: Delivery[]; problems: { error: string; jobId?: string }[] }
> {
  const path = `/jobs?state=RUNNING&topic=${encodeURIComponent(topic)}` +
    `&limit=${LIST_MAX}`;
  const { items } = await gateway.call("GET", path, { signal }) as {
    items?: JsonObject[] | null;
  };
  const listed = items ?? [];
  const jobs: Delivery[] = [];
  const problems: { error: string; jobId?: string }[] = [];
  if (listed.length >= LIST_MAX) {
    const error =
      "The platform lists no more than these jobs; older ones may be missing";
    problems.push({ error });
  }
  // Not every version of the platform applies every filter.
  const silent = listed.filter((job) =>
    job["state"] === "RUNNING" && job["topic"] === topic &&
    typeof job["id"] === "string" && !isHeld(job["id"]) &&
    nowMs - Number(job["updated_at"]) / 1000 >= silentMs
  );
  for (const { id } of silent.slice(0, JOBS_MAX)) {
    const jobId = id as string;
    try {
      const record = await gateway.readJob(jobId, signal);
      const traceId = String(record["trace_id"] ?? "");
      jobs.push({ request: toRequest(record), traceId });
    } catch (error) {
      // One unreadable job must not keep the others waiting.
      if (!(error instanceof GatewayError)) throw error;
      problems.push({ error: error.message, jobId });
    }
  }
  return { jobs, problems };
}

function toRequest(record: JsonObject): JobRequest {
  const labels = Object.entries((record["labels"] ?? {}) as JsonObject).flatMap(
    ([name, value]) => typeof value === "string" ? [[name, value]] : [],
  );
  return createJobRequest({
    jobId: stringOf(record["id"]),
    topic: stringOf(record["topic"]),
    contextPtr: stringOf(record["context_ptr"]),
    tenantId: stringOf(record["tenant"]),
    workflowId: stringOf(record["workflow_id"]),
    labels: Object.fromEntries(labels),
    env: { run_id: stringOf(record["run_id"]) },
  });
}
