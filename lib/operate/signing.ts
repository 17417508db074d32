/**
 * Signing an approval, for every way to give one.
 *
 * @module
 */
import { optional } from "../base/json.ts";
import { printable } from "../base/text.ts";
import type { SigningKey } from "../post/keys.ts";
import type { Published } from "../post/published.ts";
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

/**
 * Checks that a post can be signed, if it is to be, and that posters would take
 * the signature.
 *
 * @param keyId Of the key that will sign; `undefined` if none will.
 * @throws {OperationError} If the approval would be lost.
 */
export function checkSigning(
  { whereto }: Pick<Looked, "whereto">,
  posters: readonly Published[],
  keyId: string | undefined,
): void {
  if (whereto === undefined) return; // No post.
  const strict = posters.find(({ keys }) =>
    keys.length > 0 && (keyId === undefined || !keys.includes(keyId))
  );
  if (keyId !== undefined) checkSignable(whereto);
  if (strict === undefined) return;
  const poster = printable(strict.workerId, 100);
  throw new OperationError(
    keyId === undefined
      ? `The poster ${poster} takes only signed approvals: set APPROVAL_SIGNING_KEY. Nothing was approved`
      : `The poster ${poster} does not list the key ${keyId}; add its public line to APPROVAL_PUBLIC_KEYS there. Nothing was approved`,
  );
}

function checkSignable(whereto: Whereto): void {
  if (whereto.known) return;
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
  { looked, maxAgeS, by, nowMs = Date.now() }: {
    looked: Looked;
    maxAgeS: number;
    /** Who approves, if several people use the key. */
    by?: string | undefined;
    nowMs?: number;
  },
): Promise<void> {
  const { proposal, whereto } = looked;
  if (whereto !== undefined) checkSignable(whereto);
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
    ...optional("by", by),
  });
  await platform.append(signaturesKey(jobId), item, INPUT_MS / 1000);
}
