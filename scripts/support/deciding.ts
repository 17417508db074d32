/**
 * Approving one job, with every check that spares the approver a surprise.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import type { Setting } from "../../lib/base/config.ts";
import { describeTooOld, POST_MAX_AGE } from "../../lib/post/age.ts";
import {
  approve,
  follow,
  FOLLOW_MS,
  POST_TOPIC,
  type Proposal,
  readProposal,
  renderBlocks,
  workerReady,
} from "./approvals.ts";
import { type CommandContext, CommandError } from "../terminal/command.ts";
import { printable } from "../terminal/format.ts";
import { type Platform, PLATFORM_VARIABLES } from "./platform.ts";

/** What approving reads from the environment, beside where the platform is. */
export const DECIDING_SETTINGS: { readonly postMaxAgeS: Setting<number> } = {
  postMaxAgeS: POST_MAX_AGE,
};

/** Everything that approving reads from the environment, for people. */
export const DECIDING_VARIABLES: readonly (readonly [string, string])[] = [
  ...PLATFORM_VARIABLES,
  [POST_MAX_AGE.name, `${POST_MAX_AGE.about}, as the poster has it`],
];

/** Who approves, and what the poster would refuse. */
export interface DecidingOptions {
  principal: string;
  postMaxAgeS: number;
  context: CommandContext;
}

/**
 * Shows a post, checks it, approves it and follows it.
 *
 * @returns The exit code.
 * @throws {CommandError} If the approval would come to nothing.
 */
export async function approvePost(
  platform: Platform,
  jobId: string,
  { principal, postMaxAgeS, context }: DecidingOptions,
): Promise<number> {
  const proposal = await readProposal(platform, jobId, platform.signal);
  show(proposal, context);
  checkProposal(proposal, postMaxAgeS);
  await checkWorker(platform, POST_TOPIC, context);
  return await approveAndFollow(platform, jobId, principal, context);
}

/** The same for a step that is no post: there is no message to show. */
export async function approveStep(
  platform: Platform,
  { jobId, topic }: { jobId: string; topic: string },
  { principal, context }: DecidingOptions,
): Promise<number> {
  const job = await platform.call("GET", `/jobs/${encodeURIComponent(jobId)}`);
  context.out(`Job ${jobId}, not a post: topic ${printable(topic)}`);
  if (job["context"] === null || job["context"] === undefined) {
    throw new CommandError(EXPIRED);
  }
  await checkWorker(platform, topic, context);
  return await approveAndFollow(platform, jobId, principal, context);
}

async function approveAndFollow(
  platform: Platform,
  jobId: string,
  principal: string,
  context: CommandContext,
): Promise<number> {
  const answer = await approve(platform, jobId);
  context.out(
    answer === "approved"
      ? `Approved as ${principal}`
      : await describeDecided(platform, jobId),
  );
  return await report(platform, jobId, context);
}

/** Says who decided a job that waits no longer. */
export async function describeDecided(
  platform: Platform,
  jobId: string,
): Promise<string> {
  const job = await platform.call("GET", `/jobs/${encodeURIComponent(jobId)}`);
  const by = printable(String(job["approval_by"] ?? "")) ||
    "a name not recorded";
  const state = String(job["state"]);
  const verb = state === "DENIED" ? "rejected" : "approved";
  const decided = job["approval_at"] === undefined
    ? "Somebody decided it already"
    : `Somebody decided it already: ${verb} by ${by}`;
  return `${decided} (job state ${printable(state)})`;
}

function show(
  { jobId, incidentId, title, mode, blocks, digest, evidence }: Proposal,
  context: CommandContext,
): void {
  const heading = title === "" ? incidentId : `${incidentId}: ${title}`;
  context.out(`Incident ${printable(heading, 1_000)}`);
  context.out(`Job ${jobId}, to ${printable(mode)}`);
  context.out();
  for (const line of renderBlocks(blocks)) {
    context.out(`  | ${printable(line, 5_000)}`);
  }
  context.out();
  context.out(`Message sha256 ${digest ?? "unknown"}`);
  for (const { id, title, pointer } of evidence) {
    context.out(
      `  ${printable(id)}  ${printable(title, 300)}  ${printable(pointer)}`,
    );
  }
}

const EXPIRED =
  "The job's input has expired (it lives for 24 hours); reject it and start a new run";

function checkProposal(
  { expired, digestHolds, collectedAt }: Proposal,
  maxAgeS: number,
): void {
  if (expired) throw new CommandError(EXPIRED);
  const tooOld = describeTooOld(collectedAt, { maxAgeS, nowMs: Date.now() });
  if (tooOld !== undefined) {
    throw new CommandError(
      `The poster would refuse it: ${tooOld}; reject it and start a new run`,
    );
  }
  if (!digestHolds) {
    throw new CommandError(
      "The message cannot be read, or is not the one that the summary names; the poster would refuse it",
    );
  }
}

async function checkWorker(
  platform: Platform,
  topic: string,
  context: CommandContext,
): Promise<void> {
  const ready = await workerReady(platform, topic);
  const worker = topic === POST_TOPIC ? "poster" : "worker of that topic";
  if (ready === "no") {
    throw new CommandError(
      `No ${worker} is up to take the job; an approval given now would be lost. Start one first`,
    );
  }
  if (ready === "unknown") {
    context.err(
      `Cannot tell whether a ${worker} is up: name REDIS_URL to look`,
    );
  }
}

async function report(
  platform: Platform,
  jobId: string,
  context: CommandContext,
): Promise<number> {
  const { signal } = platform;
  const followed = await follow(platform, jobId, {
    timeoutMs: FOLLOW_MS,
    signal,
  });
  switch (followed.end) {
    case "succeeded":
      context.out(
        `${isPost(followed.job) ? "Posted" : "Done"}: ${
          JSON.stringify(followed.result)
        }`,
      );
      return 0;
    case "failed":
      context.err(
        `${isPost(followed.job) ? "Not posted" : "Not done"}: ${
          printable(`${followed.code} ${followed.message}`, 1_000)
        }`,
      );
      return 1;
    case "bounced":
      context.err(
        "The job bounced: it waits for approval again. Approve again; if it bounces every time, this platform (coretexOS 0.6) releases no approved job",
      );
      return 1;
    case "still running":
      context.err(`The job is still ${followed.state}; look at it later`);
      return 1;
  }
}

function isPost(job: JsonObject): boolean {
  return job["topic"] === POST_TOPIC;
}
