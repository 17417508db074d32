/**
 * All that is known of one job that waits, as its approver reads it.
 *
 * @module
 */
import type { JsonObject } from "../base/json.ts";
import { leadOf } from "../message/lead.ts";
import { isWorkerReady } from "./approvals.ts";
import { findDestination, type Whereto } from "./destinations.ts";
import { type Effect, readEffects } from "./effect.ts";
import type { Operator } from "./operator.ts";
import type { Platform, WaitingJob } from "./platform.ts";
import { type JobFacts, type Proposal, readProposal } from "./proposal.ts";
import { describePost, type WaitingPost } from "./waiting.ts";

/** What is known of a job that waits. */
export interface Looked {
  post: WaitingPost;
  proposal: Proposal;
  /** Where the post will go; `undefined` if the job is no post. */
  whereto: Whereto | undefined;
  /** The id of the key that an approval will be signed with. */
  signingKey: string | undefined;
  /** `undefined` if the job is no post. */
  effect: Effect | undefined;
  /** Whether a worker is up that would take it; `undefined` if unknown. */
  worker: boolean | undefined;
}

/**
 * Reads what one job would do.
 *
 * @param known The job's record, if it was read a moment ago.
 * @throws {GatewayError} If it is gone.
 */
export async function look(
  operator: Operator,
  job: WaitingJob,
  known?: JsonObject,
): Promise<Looked> {
  const { platform, postMaxAgeS } = operator;
  const proposal = await readProposal(platform, job, known);
  const lead = leadOf(proposal.message?.blocks ?? []);
  const effect = await lookForEffect(operator, proposal);
  return {
    proposal,
    whereto: await lookWhereto(platform, proposal),
    signingKey: operator.signingKey?.id,
    effect,
    post: describePost({ job, facts: proposal, lead }, effect, postMaxAgeS),
    worker: await isWorkerReady(platform, job.topic),
  };
}

/** Where a post will go now; `undefined` for a job that is no post. */
export async function lookWhereto(
  platform: Platform,
  facts: JobFacts,
): Promise<Whereto | undefined> {
  if (facts.mode === "") return undefined;
  return findDestination(facts, await platform.destinations());
}

/** What approving would do; `undefined` for a job that is no post. */
async function lookForEffect(
  { posts }: Operator,
  facts: JobFacts,
): Promise<Effect | undefined> {
  if (facts.mode === "") return undefined;
  return (await readEffects(await posts(), [facts])).get(facts.jobId);
}
