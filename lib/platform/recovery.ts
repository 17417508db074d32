/**
 * Jobs that the platform waits for in vain.
 *
 * A job whose worker died after it was handed over stays RUNNING: nothing on
 * the bus says that nobody does it, and a workflow waits for hours.
 *
 * @module
 */
import type { JsonObject } from "../base/json.ts";
import { type Gateway, GatewayError } from "./gateway.ts";
import { createJobRequest, type JobRequest } from "./packet.ts";

/** What is looked for. */
export interface SilentJobs {
  /** Of the jobs. */
  topic: string;
  /** How long nothing was heard of them. */
  silentMs: number;
  /** Milliseconds since the epoch. */
  nowMs: number;
  /** Whether this process has the job in hand already. */
  isHeld: (jobId: string) => boolean;
  /** Told of a job that cannot be read, and of a list that may be cut off. */
  onProblem: (message: string, jobId?: string) => void;
  /** Ends the search. */
  signal: AbortSignal;
}

/** A job as it would come over the bus. */
export interface SilentJob {
  /** Without environment. */
  request: JobRequest;
  /** Of the request that began it, perhaps empty. */
  traceId: string;
}

/** As many as the platform lists at all. */
const LIST_MAX = 1_000;
/** At once; the rest is found the next time. */
const JOBS_MAX = 20;

/**
 * Finds jobs of a topic that have been RUNNING for a while without a change.
 *
 * @returns The jobs as they would come over the bus, but without what policy
 * demands of them: that stands in their records.
 * @throws {GatewayError}
 */
export async function findSilentJobs(
  gateway: Gateway,
  { topic, silentMs, nowMs, isHeld, onProblem, signal }: SilentJobs,
): Promise<SilentJob[]> {
  const path = `/jobs?state=RUNNING&topic=${encodeURIComponent(topic)}` +
    `&limit=${LIST_MAX}`;
  const { items } = await gateway.call("GET", path, { signal }) as {
    items?: JsonObject[] | null;
  };
  if ((items ?? []).length >= LIST_MAX) {
    onProblem("The platform lists no more jobs; older ones are not found");
  }
  // The platform filters what it lists, but not on every version by all of it.
  const silent = (items ?? []).filter((job) =>
    job["state"] === "RUNNING" && job["topic"] === topic &&
    typeof job["id"] === "string" && !isHeld(job["id"]) &&
    nowMs - Number(job["updated_at"]) / 1000 >= silentMs
  );
  const jobs: SilentJob[] = [];
  for (const { id } of silent.slice(0, JOBS_MAX)) {
    const jobId = id as string;
    try {
      const record = await gateway.readJob(jobId, signal);
      const traceId = String(record["trace_id"] ?? "");
      jobs.push({ request: toRequest(record), traceId });
    } catch (error) {
      // One that cannot be read must not keep the others waiting.
      if (!(error instanceof GatewayError)) throw error;
      onProblem(error.message, jobId);
    }
  }
  return jobs;
}

function toRequest(record: JsonObject): JobRequest {
  const text = (name: string) => {
    const value = record[name];
    return typeof value === "string" ? value : "";
  };
  const labels = Object.entries((record["labels"] ?? {}) as JsonObject).flatMap(
    ([name, value]) => typeof value === "string" ? [[name, value]] : [],
  );
  return createJobRequest({
    jobId: text("id"),
    topic: text("topic"),
    contextPtr: text("context_ptr"),
    tenantId: text("tenant"),
    workflowId: text("workflow_id"),
    labels: Object.fromEntries(labels),
    env: { run_id: text("run_id") },
  });
}
