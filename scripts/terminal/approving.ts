/**
 * Approving one job, after every check that spares the approver a surprise.
 *
 * @module
 */
import { readConfig, type Setting } from "../../lib/base/config.ts";
import { printable } from "../../lib/base/text.ts";
import { renderBlocks } from "../../lib/message/text.ts";
import {
  approve,
  checkProposal,
  checkWorker,
  follow,
  inputExpired,
  type Proposal,
  readInput,
  readProposal,
  workerOf,
} from "../../lib/operate/approvals.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import type { Platform, WaitingJob } from "../../lib/operate/platform.ts";
import { POST_MAX_AGE } from "../../lib/post/age.ts";
import { type CommandContext, userName } from "./command.ts";
import { openPlatform, PLATFORM_VARIABLES } from "./platform.ts";

/** What approving reads from the environment, besides the platform's address. */
export const APPROVING_SETTINGS: { readonly postMaxAgeS: Setting<number> } = {
  postMaxAgeS: POST_MAX_AGE,
};

export const APPROVING_VARIABLES: readonly (readonly [string, string])[] = [
  ...PLATFORM_VARIABLES,
  [POST_MAX_AGE.name, `${POST_MAX_AGE.about}; as for the poster`],
];

export interface Approver extends AsyncDisposable {
  platform: Platform;
  principal: string;
  postMaxAgeS: number;
  context: CommandContext;
}

/** @throws {ConfigError} */
export function openApprover(
  context: CommandContext,
  principal = userName(context),
): Approver {
  const { postMaxAgeS } = readConfig(APPROVING_SETTINGS, context.env);
  const platform = openPlatform(context, principal);
  const dispose = () => platform[Symbol.asyncDispose]();
  return {
    platform,
    principal,
    postMaxAgeS,
    context,
    [Symbol.asyncDispose]: dispose,
  };
}

/**
 * Shows what a job would do, checks it, approves it and follows it.
 *
 * @returns The exit code.
 * @throws {OperationError} If the approval would be pointless.
 */
export async function approveJob(
  approver: Approver,
  { jobId, topic }: Pick<WaitingJob, "jobId" | "topic">,
): Promise<number> {
  const { platform, postMaxAgeS, context, principal } = approver;
  const { out, err } = context;
  if (topic === POST_TOPIC) {
    const proposal = await readProposal(platform, jobId);
    showProposal(proposal, context);
    checkProposal(proposal, postMaxAgeS);
  } else {
    const { expired } = readInput(await platform.job(jobId));
    out(`Job ${jobId}, not a post: topic ${printable(topic)}`);
    if (expired) throw inputExpired();
  }
  if (!await checkWorker(platform, topic)) {
    err(
      `Cannot tell whether a ${workerOf(topic)} is up: set REDIS_URL to check`,
    );
  }
  out(
    await approve(platform, jobId)
      ? `Approved as ${principal}`
      : await describeDecision(platform, jobId),
  );
  return await report(platform, jobId, context);
}

function showProposal(proposal: Proposal, { out }: CommandContext): void {
  const { jobId, incidentId, title, mode, blocks, digest } = proposal;
  const heading = title === "" ? incidentId : `${incidentId}: ${title}`;
  out(`Incident ${printable(heading, 1_000)}`);
  out(`Job ${jobId}, to ${printable(mode)}`);
  out();
  for (const line of renderBlocks(blocks)) out(`  | ${printable(line, 5_000)}`);
  out();
  out(`Message sha256 ${digest ?? "unknown"}`);
  for (const { id, title, pointer } of proposal.evidence) {
    out(`  ${printable(id)}  ${printable(title, 300)}  ${printable(pointer)}`);
  }
}

async function report(
  platform: Platform,
  jobId: string,
  { out, err }: CommandContext,
): Promise<number> {
  const followed = await follow(platform, jobId);
  const isPost = "job" in followed && followed.job["topic"] === POST_TOPIC;
  switch (followed.end) {
    case "succeeded":
      out(
        `${isPost ? "Posted" : "Done"}: ${JSON.stringify(followed.result)}`,
      );
      return 0;
    case "failed": {
      const why = printable(`${followed.code} ${followed.message}`, 1_000);
      err(`${isPost ? "Not posted" : "Not done"}: ${why}`);
      return 1;
    }
    case "bounced":
      err(
        "The job bounced and is waiting for approval again. Approve it again; if it bounces every time, this platform (coretexOS 0.6) never releases approved jobs",
      );
      return 1;
    case "still running":
      err(`The job is still ${followed.state}; check again later`);
      return 1;
  }
}

/** Who decided a job that is no longer waiting. */
export async function describeDecision(
  platform: Platform,
  jobId: string,
): Promise<string> {
  const job = await platform.job(jobId);
  const by = printable(String(job["approval_by"] ?? "")) ||
    "a name not recorded";
  const state = String(job["state"]);
  const verb = state === "DENIED" ? "rejected" : "approved";
  const who = job["approval_at"] === undefined ? "" : `: ${verb} by ${by}`;
  return `Somebody already decided it${who} (job state ${printable(state)})`;
}

/** One line about a waiting job. */
export function describeWaiting(
  { jobId, topic, ruleId, since }: WaitingJob,
): string {
  const minutes = Math.max(0, Math.round((Date.now() - since) / 60_000));
  return `${jobId}  ${topic}  rule ${ruleId || "unknown"}  ${minutes} min`;
}
