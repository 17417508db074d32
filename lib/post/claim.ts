/**
 * One job's claim on a post: the right to send it, and what became of it.
 *
 * @module
 */
import { errorFields } from "../base/log.ts";
import { wait } from "../base/time.ts";
import {
  type IncidentInput,
  type PostResult,
  qualifiedId,
} from "../incident.ts";
import type { JobContext } from "../platform/context.ts";
import type { Destination } from "./destination.ts";
import { type ClaimOutcome, PostRecord } from "./record.ts";
import { readRelease } from "./release.ts";
import { describeOutcome, toPosted, withWarning } from "./result.ts";
import type { SendOutcome } from "./send.ts";
import type { PostSettings } from "./settings.ts";

export interface Claimed {
  incident: IncidentInput;
  destination: Destination;
  /** Of the message, as 64 hex digits. */
  digest: string;
}

/** A waiting claim of this job may be this much older than a post may take. */
const LIVE_SLACK_MS = 30_000;

export function openRecord(
  { incident, destination }: Claimed,
  { store, job }: JobContext<PostSettings>,
): PostRecord {
  return new PostRecord(store, {
    tenant: job.tenantId,
    incidentId: qualifiedId(incident),
    destination: destination.id,
  });
}

/** Claims a post, or waits for another poster's claim to settle. */
export function claimPost(
  record: PostRecord,
  { destination: { host }, digest }: Claimed,
  { job, settings, signal }: JobContext<PostSettings>,
): Promise<ClaimOutcome> {
  signal.throwIfAborted();
  return record.claim({ jobId: job.id, runId: job.runId, digest, host }, {
    settleMs: settings.postSettleMs,
    liveMs: settings.postTimeoutMs + LIVE_SLACK_MS,
    now: Date.now,
    wait: (ms) => wait(ms, signal),
  });
}

/**
 * Reads the approval once more, now that the claim stands.
 *
 * A record that looks free may be one that Redis has lost since the checks,
 * another's message with it. The platform keeps its jobs in the same Redis, so
 * the approval is then gone too.
 *
 * @throws What `readRelease()` throws; the claim is then given back.
 */
export async function confirmRelease(
  record: PostRecord,
  token: string,
  context: JobContext<PostSettings>,
): Promise<void> {
  try {
    await readRelease(context);
  } catch (error) {
    const why = "the approval could not be confirmed after the claim";
    await record.settle(token, { outcome: "refused", why }).catch((error) =>
      context.log.error(
        "Cannot write down that nothing was posted",
        errorFields(error),
      )
    );
    throw error;
  }
}

/**
 * Writes down what became of a post, and says it.
 *
 * @returns The result, with a warning if nothing could be written down. The
 * claim then stays, so that nobody sends it again before a person has looked.
 * @throws {JobError} Unless it was sent.
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
    log.error("Cannot write down what became of a post", {
      outcome: outcome.outcome,
      ...errorFields(error),
    });
    warning =
      "What became of the post could not be written down; its claim stays until a person frees it";
  }
  return withWarning(describeOutcome(outcome, base), warning);
}
