/**
 * Deciding about one job that a person has looked at.
 *
 * @module
 */
import { stringOf } from "../base/json.ts";
import { printable } from "../base/text.ts";
import { approve, checkWorker } from "./approvals.ts";
import type { Whereto } from "./destinations.ts";
import { OperationError } from "./errors.ts";
import { type Looked, lookWhereto } from "./look.ts";
import type { Operator } from "./operator.ts";
import { POST_TOPIC } from "./pack.ts";
import type { Platform, WaitingJob } from "./platform.ts";
import { checkProposal, readProposal } from "./proposal.ts";
import { checkSigning, signApproval } from "./signing.ts";

/**
 * Checks that nothing speaks against approving what was looked at.
 *
 * @returns `false` if the platform does not tell whether a worker is up.
 * @throws {OperationError} If the approval would be pointless.
 */
export async function checkApproval(
  { platform, postMaxAgeS, signingKey }: Operator,
  looked: Looked,
): Promise<boolean> {
  const { proposal } = looked;
  checkProposal(proposal, postMaxAgeS);
  const posters = await platform.destinations() ?? [];
  checkSigning(looked, posters, signingKey?.id);
  return await checkWorker(platform, proposal.topic);
}

/**
 * Reads once more what was looked at: a person may have taken their time, and
 * all of it may have changed.
 *
 * @throws {OperationError} If it has.
 */
export async function checkUnchanged(
  { platform, postMaxAgeS }: Operator,
  job: WaitingJob,
  { proposal, whereto }: Looked,
): Promise<void> {
  const now = await readProposal(platform, job);
  checkProposal(now, postMaxAgeS);
  if (now.digest !== proposal.digest) throw changed("The message");
  const there = await lookWhereto(platform, now);
  if (placeOf(there) !== placeOf(whereto)) throw changed("Where it will go");
  await checkWorker(platform, job.topic);
}

/** Says that somebody approves what they have not read. */
export function changed(what: string): OperationError {
  return new OperationError(
    `${what} changed while you read it; nothing was approved`,
  );
}

/** The destination's id; `undefined` if it is not known. */
export function placeOf(whereto: Whereto | undefined): string | undefined {
  return whereto?.known ? whereto.id : undefined;
}

/**
 * Approves what was looked at and checked. Signs it before, if there is a key.
 *
 * @param by Who approves, if several people use that key.
 * @returns Whether this approval was the one that counted.
 * @throws {OperationError} If it cannot be signed, or the platform refuses it.
 */
export async function approveLooked(
  { platform, postMaxAgeS, signingKey }: Operator,
  looked: Looked,
  by?: string,
): Promise<boolean> {
  const { jobId, topic } = looked.proposal;
  if (signingKey !== undefined && topic === POST_TOPIC) {
    const maxAgeS = postMaxAgeS;
    await signApproval(platform, signingKey, { looked, maxAgeS, by });
  }
  return await approve(platform, jobId);
}

/** Why a job is no longer waiting, and who decided it. */
export async function describeDecision(
  platform: Platform,
  jobId: string,
): Promise<string> {
  const job = await platform.job(jobId);
  const state = printable(stringOf(job["state"]));
  if (job["approval_at"] === undefined) {
    return `It no longer waits for approval (job state ${state})`;
  }
  const by = printable(stringOf(job["approval_by"])) || "a name not recorded";
  const verb = state === "DENIED" ? "rejected" : "approved";
  return `Somebody already decided it: ${verb} by ${by} (job state ${state})`;
}
