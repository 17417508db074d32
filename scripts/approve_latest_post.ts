/**
 * Shows the newest post that waits, approves it, and follows it.
 *
 * @module
 */
import { userName } from "./install.ts";
import { POST_TOPIC } from "./support/approvals.ts";
import { CommandError, readArgs, runCommand, say } from "./terminal/cli.ts";
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
  options: [
    ["--run ID", "the post of this run"],
    ["--newest", "the newest, without asking, if several wait"],
    ["--as NAME", "recorded as the approver (default your user name)"],
  ],
  variables: DECIDING_VARIABLES,
} as const;

async function main(args: readonly string[]): Promise<number | void> {
  const given = readArgs(args, HELP, {
    run: { type: "string" },
    newest: { type: "boolean" },
    as: { type: "string" },
  });
  if (given === undefined) return;
  const { run, newest, as } = given.values;
  const { signal } = new AbortController();
  const principal = String(as ?? userName());
  const { postMaxAgeS } = readSettings(DECIDING_SETTINGS, Deno.env.get);
  await using platform = new Platform(readAddress(Deno.env.get), {
    signal,
    principal,
  });
  const all = await platform.waiting();
  const other = all.filter(({ topic }) => topic !== POST_TOPIC);
  for (const job of other) {
    say(`Also waiting, and not a post: ${describeWaiting(job)}`);
  }
  const job = choose(
    all.filter(({ topic }) => topic === POST_TOPIC),
    run as string | undefined,
    newest === true,
  );
  return await approvePost(platform, job.jobId, { principal, postMaxAgeS });
}

function choose(
  waiting: readonly Waiting[],
  run: string | undefined,
  newest: boolean,
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
    for (const job of matching) say(describeWaiting(job));
    throw new CommandError(
      `${matching.length} posts are waiting; choose one with --run ID, or --newest`,
    );
  }
  return last;
}

if (import.meta.main) await runCommand(main);
