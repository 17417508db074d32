/**
 * Jobs, approvals and workers as the platform shows them. Pure.
 *
 * @module
 */
import { toJson } from "@bufbuild/protobuf";
import {
  type Heartbeat,
  HeartbeatSchema,
} from "../../lib/platform/gen/cap_pb.ts";
import { filled, isoSeconds, type Json } from "./common.ts";
import {
  actorTypeOf,
  type DecisionEntry,
  type JobRecord,
  type Routing,
} from "./scheduler.ts";

/** A job in a list. */
export function showListed(job: JobRecord): Json {
  const { request, deadlineAt } = job;
  const deadline = deadlineAt === Infinity ? 0 : Math.floor(deadlineAt / 1000);
  return {
    id: request.jobId,
    updated_at: job.updatedAt,
    state: job.state,
    ...filled({
      ...showFacts(job),
      principal: request.principalId,
      deadline_unix: deadline,
    }),
  };
}

/** What a list and a job in full have in common. */
function showFacts({ request, attempts, safety }: JobRecord): Json {
  const { topic, tenantId, meta } = request;
  return {
    topic,
    tenant: tenantId,
    actor_id: meta?.actorId ?? "",
    actor_type: actorTypeOf(request),
    idempotency_key: meta?.idempotencyKey ?? "",
    capability: meta?.capability ?? "",
    risk_tags: listOrNull(meta?.riskTags),
    requires: listOrNull(meta?.requires),
    pack_id: meta?.packId ?? "",
    attempts,
    safety_decision: safety?.decision ?? "",
    safety_reason: safety?.reason ?? "",
    safety_rule_id: safety?.ruleId ?? "",
    safety_snapshot: safety?.snapshot ?? "",
  };
}

function listOrNull(items: readonly string[] = []): readonly string[] | null {
  return items.length === 0 ? null : items;
}

/** A waiting job with the decision that it waits for. */
export function showApproval(job: JobRecord): Json {
  const safety = job.safety!;
  return {
    job: showListed(job),
    decision: safety.decision,
    policy_snapshot: safety.snapshot,
    policy_rule_id: safety.ruleId,
    policy_reason: safety.reason,
    constraints: safety.constraints,
    job_hash: safety.jobHash,
    approval_required: false, // Read back wrong on every platform so far.
    approval_ref: safety.approvalRef,
  };
}

/** A job in full. */
export function showJob(
  job: JobRecord,
  context: unknown,
  result: unknown,
): Json {
  const { request, safety, approval, deadLetter } = job;
  const { jobId, labels, workflowId } = request;
  return {
    id: jobId,
    state: job.state,
    trace_id: job.traceId,
    context_ptr: `redis://ctx:${jobId}`,
    context,
    result_ptr: job.resultPtr,
    result,
    ...showFacts(job),
    safety_constraints: safety?.constraints ?? null,
    safety_remediations: null,
    safety_job_hash: safety?.jobHash ?? "",
    approval_required: false,
    approval_ref: safety?.approvalRef ?? "",
    labels,
    workflow_id: workflowId,
    run_id: labels["run_id"] ?? "",
    step_id: labels["step_id"] ?? "",
    ...filled({
      approval_by: approval?.by,
      approval_role: approval?.role,
      approval_at: approval?.at,
      approval_reason: approval?.reason,
      approval_note: approval?.note,
      approval_policy_snapshot: approval?.snapshot,
      approval_job_hash: approval?.jobHash,
      error_message: deadLetter?.reason,
      error_status: deadLetter?.status,
      error_code: deadLetter?.code,
      last_state: deadLetter?.lastState,
    }),
  };
}

/** One decision of a job's history. */
export function showDecision(entry: DecisionEntry): Json {
  return filled({
    decision: entry.decision,
    reason: entry.reason,
    rule_id: entry.ruleId,
    policy_snapshot: entry.snapshot,
    constraints: entry.constraints,
    approval_required: entry.approvalRef === "" ? undefined : true,
    approval_ref: entry.approvalRef,
    job_hash: entry.jobHash,
    checked_at: entry.checkedAt,
  });
}

/** What a failed job's result is replaced with. */
export function showFailure(job: JobRecord, now: number): Json {
  const { status, reason } = job.deadLetter!;
  return {
    completed_at: isoSeconds(now),
    error: { message: reason },
    job_id: job.request.jobId,
    processed_by: "cordum-scheduler",
    status,
  };
}

/** A worker's last heartbeat. */
export function showWorker(heartbeat: Heartbeat): Json {
  const { auth_token: _, ...shown } = toJson(HeartbeatSchema, heartbeat, {
    useProtoFieldName: true,
  }) as Json;
  return shown;
}

/** What the scheduler writes to `sys:workers:snapshot` every few seconds. */
export function showSnapshot(
  live: readonly Heartbeat[],
  { topics }: Routing,
  now: number,
): Json {
  const load = (pool: string) => {
    const members = live.filter((worker) => worker.pool === pool);
    const sum = (field: "activeJobs" | "maxParallelJobs") =>
      members.reduce((total, worker) => total + worker[field], 0);
    return {
      workers: members.length,
      active_jobs: sum("activeJobs"),
      capacity: sum("maxParallelJobs"),
    };
  };
  const pools = [...new Set(live.map(({ pool }) => pool))].toSorted();
  const shownTopics = Object.entries(topics).map(([topic, [pool = ""]]) => {
    const { workers, capacity } = load(pool);
    return [topic, { pool, workers, capacity, available: workers > 0 }];
  });
  const workers = live.map((worker) => ({
    worker_id: worker.workerId,
    pool: worker.pool,
    active_jobs: worker.activeJobs,
    max_parallel_jobs: worker.maxParallelJobs,
    ...filled({ capabilities: worker.capabilities }),
  }));
  return {
    captured_at: isoSeconds(now),
    ...filled({
      pools: Object.fromEntries(pools.map((pool) => [pool, load(pool)])),
    }),
    topics: Object.fromEntries(shownTopics),
    ...filled({ workers }),
  };
}
