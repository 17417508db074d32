/**
 * One job's claim on a post: the right to send it, and its outcome.
 *
 * @module
 */
import { errorFields } from "../base/log.ts";
import { wait } from "../base/time.ts";
import type { PostResult } from "../incident.ts";
import { formerId, qualifiedId } from "../incident_id.ts";
import type { JobContext } from "../platform/context.ts";
import { type ClaimOutcome, PostRecord } from "./record.ts";
import { readRelease } from "./release.ts";
import { describeOutcome, type Post, toPosted, withWarning } from "./result.ts";
import type { SendOutcome } from "./send.ts";
import { readSigner } from "./signer.ts";
import type { PostSettings } from "./settings.ts";

/** Added to the time for a post: so long, this job's earlier claim may be alive. */
const LIVE_MARGIN_MS = 30_000;

export function openRecord(
  { incident, destination }: Post,
  { store, job }: JobContext<PostSettings>,
): PostRecord {
  return new PostRecord(store, {
    tenant: job.tenantId,
    incidentId: qualifiedId(incident),
    destination: destination.id,
  }, formerId(incident));
}

/** Claims a post, or waits for another poster's claim to settle. */
export function claimPost(
  record: PostRecord,
  { destination: { host }, digest, severity }: Post,
  { job, settings, signal }: JobContext<PostSettings>,
): Promise<ClaimOutcome> {
  signal.throwIfAborted();
  return record.claim({
    jobId: job.id,
    runId: job.runId,
    digest,
    host,
    severity,
  }, {
    settleMs: settings.postSettleMs,
    liveMs: settings.postTimeoutMs + LIVE_MARGIN_MS,
    now: Date.now,
    wait: (ms) => wait(ms, signal),
  });
}

/**
 * Reads the approval and its signature once more, now that the claim stands.
 *
 * A record may look free because Redis has lost it since the checks, along with
 * another poster's claim. The platform keeps its jobs in the same Redis, so
 * then the approval is gone too.
 *
 * @throws The error of `readRelease()` or `readSigner()`, after giving the claim back.
 */
export async function confirmRelease(
  record: PostRecord,
  { token, post }: { token: string; post: Post },
  context: JobContext<PostSettings>,
): Promise<void> {
  try {
    const { approval } = await readRelease(context);
    await readSigner(approval, post, context);
  } catch (error) {
    const why = "the approval could not be confirmed after the claim";
    await record.settle(token, { outcome: "refused", why }).catch((error) =>
      context.log.error(
        "Cannot record that nothing was posted",
        errorFields(error),
      )
    );
    throw error;
  }
}

/**
 * Records the outcome of a post.
 *
 * @returns The result, with a warning if recording failed. The claim then
 * stays, so that nobody sends the post again before a person has looked.
 * @throws {JobError} Unless the post was sent.
 */
export async function settlePost(
  { record, token, base }: {
    record: PostRecord;
    token: string;
    base: PostResult;
  },
  outcome: SendOutcome,
  { log }: JobContext<PostSettings>,
): Promise<PostResult> {
  let warning: string | undefined;
  try {
    await record.settle(
      token,
      outcome.outcome === "posted"
        ? {
          outcome: "posted",
          result: toPosted(describeOutcome(outcome, base)),
        }
        : outcome,
    );
  } catch (error) {
    log.error("Cannot record the outcome of a post", {
      outcome: outcome.outcome,
      ...errorFields(error),
    });
    warning =
      "The outcome of the post could not be recorded; its claim stays until a person frees it";
  }
  return withWarning(describeOutcome(outcome, base), warning);
}
