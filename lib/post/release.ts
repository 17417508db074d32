/**
 * Reads who released a post, and policy's limits on it.
 *
 * @module
 */
import { JobElsewhere, OutsideError } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import { isUnsent } from "../job_state.ts";
import type { Constraints, JobContext } from "../platform/context.ts";
import { type Approval, readApproval } from "./approval.ts";
import type { PostSettings } from "./settings.ts";

/**
 * Reads the job's own record.
 *
 * @returns No approval if the poster needs none, and the stricter limits of
 * packet and record.
 * @throws {JobElsewhere} If the job still waits for its approval: an answer would
 * end it.
 * @throws {JobError} `NOT_APPROVED` without a recorded approval.
 * @throws {OutsideError} If the record cannot be read, because it also holds
 * policy's limits.
 */
export async function readRelease(
  { gateway, job, settings, constraintsWith, log }: JobContext<PostSettings>,
): Promise<{ approval: Approval | undefined; constraints: Constraints }> {
  const { requireApproval } = settings;
  const record = await gateway.readJob(job.id).catch((error): JsonObject => {
    const missing = error instanceof OutsideError && error.missing;
    if (missing && !requireApproval) return {};
    throw error;
  });
  if (isUnsent(record)) {
    log.warn("Ignored a packet for a post that the platform has not sent");
    throw new JobElsewhere("The post still waits for its approval");
  }
  const approval = requireApproval ? readApproval(record, job) : undefined;
  return { approval, constraints: constraintsWith(record) };
}
