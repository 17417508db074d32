/**
 * Approving one job, after every check that spares the approver a surprise.
 *
 * @module
 */
import { readConfig } from "../../lib/base/config.ts";
import { workerOf } from "../../lib/operate/approvals.ts";
import {
  approveLooked,
  checkApproval,
  checkUnchanged,
  describeDecision,
} from "../../lib/operate/decide.ts";
import { look } from "../../lib/operate/look.ts";
import {
  openOperator,
  type Operator,
  OPERATOR_SETTINGS,
} from "../../lib/operate/operator.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import { readAddress, type WaitingJob } from "../../lib/operate/platform.ts";
import type { Proposal } from "../../lib/operate/proposal.ts";
import { askYes, needTerminal } from "./ask.ts";
import {
  type CommandContext,
  CommandError,
  needName,
  UsageError,
} from "./command.ts";
import { followJob, reportEnd } from "./following.ts";
import { PLATFORM_VARIABLES } from "./platform.ts";
import { showProposal } from "./proposal.ts";

const { postMaxAgeS: MAX_AGE, signingKey: SIGNING_KEY } = OPERATOR_SETTINGS;

export const APPROVING_VARIABLES: readonly (readonly [string, string])[] = [
  ...PLATFORM_VARIABLES.filter(([name]) => name !== "REDIS_URL"),
  [
    "REDIS_URL",
    "the platform's Redis, to see workers, where posts go and what was posted\nbefore (optional, but for signing)",
  ],
  [SIGNING_KEY.name, `${SIGNING_KEY.about} (optional)`],
  [MAX_AGE.name, `${MAX_AGE.about}; as for the poster`],
];

/** The options of a command that approves. */
export const APPROVING_OPTIONS = {
  "sha256 DIGEST":
    "approve without asking, if this is the digest of the message as you read it",
  yes: "approve without asking, whatever the message says",
  "as NAME": "recorded as the person who decided (default your user name)",
} as const;

export const APPROVING_EXITS =
  "Exit codes: 0 posted; 1 not approved, or nothing was sent (posted before, refused, in doubt,\n" +
  "waiting again); 2 wrong arguments, or there is no terminal to ask on; 130 stopped.";

export interface Approver extends Operator, AsyncDisposable {
  context: CommandContext;
}

/**
 * Opens the platform.
 *
 * @param principal Who decides; nobody if nothing is to be decided.
 * @throws {ConfigError}
 */
export function openApprover(
  context: CommandContext,
  principal?: string,
): Approver {
  const settings = readConfig(OPERATOR_SETTINGS, context.env);
  const { signal } = context;
  const operator = openOperator(readAddress(context.env), settings, {
    signal,
    principal,
  });
  return { ...operator, context };
}

/** How an approver agrees. */
export interface Consent {
  /** Who approves. */
  principal: string;
  /** The digest of the message that was read. */
  sha256: string | undefined;
  /** Do not ask. */
  yes: boolean;
}

/** @throws {UsageError} If it is not known who approves, or the digest is none. */
export function readConsent(
  { as, sha256, yes }: {
    readonly as: string | undefined;
    readonly sha256: string | undefined;
    readonly yes: boolean;
  },
  context: CommandContext,
): Consent {
  const principal = needName(context, as, "--as NAME");
  const digest = sha256?.trim().toLowerCase();
  if (digest !== undefined && !/^[0-9a-f]{64}$/.test(digest)) {
    throw new UsageError("--sha256 takes the 64 hex digits of a message");
  }
  return { principal, sha256: digest, yes };
}

/**
 * Shows what a job would do, checks it, asks, approves it and follows it.
 *
 * @returns The exit code.
 * @throws {OperationError} If the approval would be pointless.
 */
export async function approveJob(
  approver: Approver,
  job: WaitingJob,
  consent: Consent,
): Promise<number> {
  const { platform, signingKey, context } = approver;
  const { out, err } = context;
  const { jobId, topic } = job;
  const { principal } = consent;
  const looked = await look(approver, job);
  showProposal(looked, context);
  if (!await checkApproval(approver, looked)) {
    err(
      `Cannot tell whether a ${workerOf(topic)} is up: set REDIS_URL to check`,
    );
  }
  if (await agree(looked.proposal, consent, context)) {
    await checkUnchanged(approver, job, looked);
  }
  const approved = await approveLooked(approver, looked);
  if (signingKey !== undefined && topic === POST_TOPIC) {
    out(`Signed with the key ${signingKey.id}`);
  }
  out(
    approved
      ? `Approved as ${principal}`
      : await describeDecision(platform, jobId),
  );
  const followed = await followJob(platform, job, context);
  return reportEnd({ jobId, topic, principal }, followed, context);
}

/**
 * Gets the approver's word.
 *
 * @returns Whether a person was asked.
 * @throws {CommandError} Without it.
 */
async function agree(
  { topic, digest }: Proposal,
  { principal, sha256, yes }: Consent,
  context: CommandContext,
): Promise<boolean> {
  if (sha256 !== undefined && sha256 !== digest) {
    throw new CommandError(
      topic === POST_TOPIC
        ? `The message now has sha256 ${digest}, not the one that --sha256 names; read it again. Nothing was approved`
        : "The job is no post, so it has no message for --sha256. Nothing was approved",
    );
  }
  if (sha256 !== undefined || yes) return false;
  const question = `Approve it as ${principal}?`;
  const otherwise = topic === POST_TOPIC
    ? `--sha256 ${digest} approves what is shown above, --yes whatever it says`
    : "--yes approves it";
  needTerminal(context, "An approval", otherwise);
  if (await askYes(context, question, "--yes")) return true;
  throw new CommandError("Nothing was approved");
}

/** One line about a waiting job. */
export function describeWaiting(
  { jobId, topic, ruleId, since }: WaitingJob,
): string {
  const minutes = Math.max(0, Math.round((Date.now() - since) / 60_000));
  const rule = ruleId || "not recorded";
  return `${jobId}  ${topic}  rule ${rule}  ${minutes} min`;
}
