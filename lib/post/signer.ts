/**
 * Checks that an approver signed exactly what a post is about to send.
 *
 * @module
 */
import { JobError } from "../base/errors.ts";
import type { JobContext } from "../platform/context.ts";
import type { Approval } from "./approval.ts";
import type { Destination } from "./destination.ts";
import type { PostSettings } from "./settings.ts";
import { findSigners, SIGNATURES_MAX, signaturesKey } from "./signature.ts";

/**
 * Adds who signed to an approval. Reads nothing unless `APPROVAL_PUBLIC_KEYS` is
 * set.
 *
 * @throws {JobError} `NOT_APPROVED` without a valid signature of this message for
 * this destination; a dry run, which sends nothing, only notes it.
 */
export async function readSigner(
  approval: Approval | undefined,
  { digest, destination }: { digest: string; destination: Destination },
  { store, job, settings }: JobContext<PostSettings>,
): Promise<Approval | undefined> {
  const { approvalKeys: keys } = settings;
  if (keys.length === 0 || approval === undefined) return approval;
  const items = await store.latest(signaturesKey(job.id), SIGNATURES_MAX);
  const { signers, problem } = await findSigners(items, {
    tenant: job.tenantId,
    jobId: job.id,
    digest,
    destination: destination.id,
  }, { keys, nowMs: Date.now() });
  // Of several who signed, the one whose approval counted.
  const signer = signers.find(({ name, by = name }) => by === approval.by) ??
    signers[0];
  if (signer !== undefined) {
    const { name = signer.id, by } = signer;
    const signedBy = by === undefined ? name : `${by} at ${name}`;
    return { ...approval, signedBy };
  }
  if (job.dryRun) return { ...approval, unsigned: problem };
  throw new JobError(
    "NOT_APPROVED",
    `Cannot post without a signed approval: ${problem}`,
  );
}
