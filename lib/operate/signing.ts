/**
 * Signing an approval, for every way to give one.
 *
 * @module
 */
import type { SigningKey } from "../post/keys.ts";
import { sign, signaturesKey } from "../post/signature.ts";
import type { Whereto } from "./destinations.ts";
import { OperationError } from "./errors.ts";
import type { Platform } from "./platform.ts";
import { approvableUntil, INPUT_MS, type Proposal } from "./proposal.ts";

/** What an approver has looked at. */
export interface Looked {
  proposal: Proposal;
  /** Where the post will go, as the approver was told. */
  whereto: Whereto | undefined;
}

/** @throws {OperationError} If a post cannot be signed. */
export function checkSignable({ whereto }: Pick<Looked, "whereto">): void {
  if (whereto === undefined || whereto.known) return;
  throw new OperationError(
    `Cannot sign the approval: nobody can tell where the post will go (${whereto.why}). Nothing was approved`,
  );
}

/**
 * Signs what was looked at, before it is approved: this message, for this job
 * and destination, as long as it can be approved and posted.
 *
 * @throws {OperationError} If it cannot be signed.
 * @throws {StoreError} If the signature cannot be stored; then nothing may be
 * approved.
 */
export async function signApproval(
  platform: Platform,
  key: SigningKey,
  { looked, maxAgeS, nowMs = Date.now() }: {
    looked: Looked;
    maxAgeS: number;
    nowMs?: number;
  },
): Promise<void> {
  checkSignable(looked);
  const { proposal, whereto } = looked;
  const { jobId, tenant, digest } = proposal;
  const until = approvableUntil(proposal, maxAgeS);
  if (digest === undefined || until === undefined || !whereto?.known) {
    throw new OperationError(
      "Cannot sign the approval: the job is no post that can be read. Nothing was approved",
    );
  }
  // What the job says of its age could be anything.
  const lastMs = nowMs + Math.min(maxAgeS * 1000, INPUT_MS);
  const expiresMs = Math.min(until.getTime(), lastMs);
  const item = await sign(key, {
    tenant,
    jobId,
    digest,
    destination: whereto.id,
    expiresAt: new Date(expiresMs).toISOString(),
  });
  await platform.append(signaturesKey(jobId), item, INPUT_MS / 1000);
}
