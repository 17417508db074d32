/**
 * Checks that a recorded approval released a job. Pure.
 *
 * The platform can hand a post job to a worker without any approval: between
 * the installation of a pack and the reload of its policy, and after an
 * uninstall that leaves the routing. So the poster believes only the gateway's
 * record of the job. The job's labels and environment prove nothing, because
 * anybody on the bus can write them.
 *
 * @module
 */
import { JobError } from "../base/errors.ts";
import { stringOf } from "../base/json.ts";
import type { Job } from "../platform/context.ts";

export interface Approval {
  /** As recorded, or "not recorded". */
  by: string;
  /** RFC 3339. */
  at: string;
  /** The policy rule that demanded the approval. */
  ruleId: string;
  /** Whose signature it bears: a name, or the id of a key. */
  signedBy?: string;
  /** Why a dry run's approval counts as not signed. */
  unsigned?: string;
}

const STATES = ["SCHEDULED", "DISPATCHED", "RUNNING"];
const NAME_CHARS_MAX = 300;
/** The end of 9999, the last year that RFC 3339 can write, in microseconds. */
const APPROVAL_AT_MAX = Date.UTC(9999, 11, 31, 23, 59, 59) * 1000;

/**
 * @param record `GET /api/v1/jobs/{id}`, unchecked.
 * @throws {JobError} `NOT_APPROVED` says which proof is missing.
 */
export function readApproval(
  record: Readonly<Record<string, unknown>>,
  job: Pick<Job, "id" | "topic" | "tenantId">,
): Approval {
  const problem = findProblem(record, job);
  if (problem !== undefined) {
    throw new JobError(
      "NOT_APPROVED",
      `Cannot post without a recorded approval: ${problem}`,
    );
  }
  const by = nameOf(record["approval_by"]);
  const microseconds = record["approval_at"] as number;
  return {
    by: by === "" ? "not recorded" : by,
    at: new Date(microseconds / 1000).toISOString(),
    ruleId: nameOf(record["safety_rule_id"]),
  };
}

function findProblem(
  record: Readonly<Record<string, unknown>>,
  job: Pick<Job, "id" | "topic" | "tenantId">,
): string | undefined {
  const is = (field: string, expected: unknown) => record[field] === expected;
  if (!is("id", job.id)) return "the record belongs to another job";
  if (!is("topic", job.topic)) return "the record belongs to another topic";
  // Part of the post's key, so a packet must not invent one.
  if (record["tenant"] && !is("tenant", job.tenantId)) {
    return "the record belongs to another tenant";
  }
  if (!is("context_ptr", `redis://ctx:${job.id}`)) {
    return "the record names another input";
  }
  if (!STATES.includes(record["state"] as string)) {
    return `the job's state is ${word(record["state"])}, expected one of ${
      STATES.join(", ")
    }`;
  }
  if (!is("safety_decision", "ALLOW")) {
    return `the safety decision is ${
      word(record["safety_decision"])
    }, expected ALLOW`;
  }
  if (!is("safety_reason", "approval granted")) {
    return "the safety decision does not rest on an approval";
  }
  // Newer platforms state the decision that the older ones imply.
  if (
    record["approval_decision"] !== undefined &&
    !is("approval_decision", "approve")
  ) {
    return "the recorded decision is not to approve";
  }
  const at = record["approval_at"];
  if (typeof at !== "number" || !(at > 0) || at > APPROVAL_AT_MAX) {
    return "no time of approval is recorded";
  }
  const hash = record["approval_job_hash"];
  if (typeof hash !== "string" || hash === "") {
    return "no hash of what was approved is recorded";
  }
  if (!is("safety_job_hash", hash)) {
    return "the job is not the one that was approved";
  }
  return undefined;
}

function nameOf(value: unknown): string {
  return stringOf(value).trim().slice(0, NAME_CHARS_MAX);
}

function word(value: unknown): string {
  return typeof value === "string" && /^[A-Z_]{1,40}$/.test(value)
    ? value
    : "not set";
}
