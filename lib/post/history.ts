/**
 * Notes what was posted, for the next incident of the same subject.
 *
 * @module
 */
import { errorFields } from "../base/log.ts";
import { optional } from "../base/json.ts";
import { safeId } from "../incident_id.ts";
import { encodeHistory, historyKey } from "../history.ts";
import type { EvidenceBundle, PostResult } from "../incident.ts";
import { startRedaction } from "../redact/redaction.ts";
import type { JobContext } from "../platform/context.ts";
import { type PostSeverity, readAs } from "./severity.ts";

/**
 * Appends a post to its subject's list. A failure costs no post: it is only
 * logged.
 */
export async function noteHistory(
  result: PostResult,
  { evidence, severity }: {
    evidence: EvidenceBundle;
    severity: PostSeverity;
  },
  { job, store, log, constraints }: JobContext,
): Promise<void> {
  // Whoever wrote the bundle.
  const redact = startRedaction({ level: constraints.redactionLevel }).kept;
  const key = historyKey(job.tenantId, evidence.subject_key ?? "");
  if (key === undefined) return;
  const item = encodeHistory({
    at: result.posted_at,
    incidentId: safeId(evidence.incident_id),
    severity: readAs(severity),
    title: redact(evidence.normalized_context?.title ?? ""),
    mode: result.mode,
    runId: job.runId,
    ...optional("artifact", result.artifact_ptr),
  });
  try {
    await store.append(key, item);
  } catch (error) {
    log.warn("Cannot note a post for later incidents", errorFields(error));
  }
}
