/**
 * Shows the newest post that waits, approves it, and follows it.
 *
 * @module
 */
import { POST_TOPIC } from "./support/approvals.ts";
import { readArgs, type Values } from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
  userName,
} from "./terminal/command.ts";
import {
  approvePost,
  DECIDING_SETTINGS,
  DECIDING_VARIABLES,
} from "./support/deciding.ts";
import { describeWaiting } from "./support/install.ts";
import {
  Platform,
  readAddress,
  readSettings,
  type Waiting,
} from "./support/platform.ts";

const HELP = {
  usage: "deno task approve_latest_post [--run ID | --newest] [--as NAME]",
  about:
    "Shows the message that waits for approval, with its digest and evidence, approves it\n" +
    "with an empty body (a reason would make the job unplaceable), and follows it.",
  options: {
    run: { value: "ID", about: "the post of this run" },
    newest: { about: "the newest, without asking, if several wait" },
    as: {
      value: "NAME",
      about: "recorded as the approver (default your user name)",
    },
  },
  variables: DECIDING_VARIABLES,
} as const;

export async function main(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const given = readArgs(args, HELP, context);
  if (given === undefined) return 0;
  const { as } = given.values;
  const { signal } = context;
  const principal = as ?? userName(context);
  const { postMaxAgeS } = readSettings(DECIDING_SETTINGS, context.env);
  await using platform = new Platform(readAddress(context.env), {
    signal,
    principal,
  });
  const all = await platform.waiting();
  const other = all.filter(({ topic }) => topic !== POST_TOPIC);
  for (const job of other) {
    context.out(`Also waiting, and not a post: ${describeWaiting(job)}`);
  }
  const job = choose(
    all.filter(({ topic }) => topic === POST_TOPIC),
    given.values,
    context,
  );
  return await approvePost(platform, job.jobId, {
    principal,
    postMaxAgeS,
    context,
  });
}

function choose(
  waiting: readonly Waiting[],
  { run, newest }: Values<typeof HELP>,
  context: CommandContext,
): Waiting {
  const matching = run === undefined
    ? waiting
    : waiting.filter(({ jobId }) => jobId.startsWith(`${run}:`));
  const last = matching.at(-1);
  if (last === undefined) {
    throw new CommandError(
      run === undefined
        ? "No post is waiting for approval"
        : `No post of run ${run} is waiting for approval`,
    );
  }
  if (matching.length > 1 && !newest) {
    for (const job of matching) context.out(describeWaiting(job));
    throw new CommandError(
      `${matching.length} posts are waiting; choose one with --run ID, or --newest`,
    );
  }
  return last;
}

if (import.meta.main) await runCommand(main);
