/**
 * Shows the newest waiting post, approves it and follows it.
 *
 * @module
 */
import { counted } from "../lib/base/text.ts";
import { POST_TOPIC } from "../lib/operate/pack.ts";
import type { WaitingJob } from "../lib/operate/platform.ts";
import {
  approveJob,
  APPROVING_EXITS,
  APPROVING_OPTIONS,
  APPROVING_VARIABLES,
  describeWaiting,
  openApprover,
  readConsent,
} from "./terminal/approving.ts";
import { command, type Values } from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
} from "./terminal/command.ts";

const HELP = {
  usage:
    "deno task approve_latest_post [--run ID | --newest] [--sha256 DIGEST | --yes] [--as NAME]",
  about:
    "Shows the newest waiting message with its digest and evidence, asks, approves it with an\n" +
    "empty body (a reason would make the job unplaceable) and follows it. Without a terminal it\n" +
    "needs --sha256, or --yes.\n" +
    APPROVING_EXITS,
  options: {
    "run ID": "the post of this run",
    newest: "take the newest if several are waiting",
    ...APPROVING_OPTIONS,
  },
  variables: APPROVING_VARIABLES,
} as const;

export const main = command(HELP, async ({ values }, context) => {
  const consent = readConsent(values, context);
  await using approver = openApprover(context, consent.principal);
  const waiting = await approver.platform.waiting();
  for (const job of waiting.filter(({ topic }) => topic !== POST_TOPIC)) {
    context.out(`Also waiting, but not a post: ${describeWaiting(job)}`);
  }
  const posts = waiting.filter(({ topic }) => topic === POST_TOPIC);
  const isApprovable = await approver.platform.readApprovable();
  const job = choose(posts, values, isApprovable, context);
  return await approveJob(approver, job, consent);
});

/** What can no longer be approved is left out while anything else waits. */
function choose(
  waiting: readonly WaitingJob[],
  { run, newest }: Values<typeof HELP>,
  isApprovable: (policySnapshot: string) => boolean,
  { out }: CommandContext,
): WaitingJob {
  const all = waiting.filter(({ jobId }) =>
    run === undefined || jobId.startsWith(`${run}:`)
  );
  const inTime = all.filter(({ policySnapshot }) =>
    isApprovable(policySnapshot)
  );
  const matching = inTime.length > 0 ? inTime : all.slice(-1);
  const last = matching.at(-1);
  if (last === undefined) {
    const which = run === undefined ? "No post" : `No post of run ${run}`;
    throw new CommandError(`${which} is waiting for approval`);
  }
  const lost = all.length - inTime.length;
  if (lost > 0) {
    out(
      `${
        counted(lost, "post")
      } can no longer be approved: see deno task approvals`,
    );
  }
  if (matching.length > 1 && !newest) {
    matching.map(describeWaiting).forEach((line) => out(line));
    throw new CommandError(
      `${matching.length} posts are waiting; choose one with --run ID, or --newest`,
    );
  }
  return last;
}

if (import.meta.main) await runCommand(main);
