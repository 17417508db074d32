/**
 * Shows the newest post that waits, approves it, and follows it.
 *
 * @module
 */
import { userName } from "./install.ts";
import {
  approve,
  follow,
  FOLLOW_MS,
  POST_TOPIC,
  posterReady,
  type Proposal,
  readProposal,
  renderBlocks,
} from "./support/approvals.ts";
import {
  CommandError,
  readArgs,
  runCommand,
  say,
  warn,
} from "./support/cli.ts";
import { describeWaiting } from "./support/install.ts";
import {
  Platform,
  PLATFORM_VARIABLES,
  readAddress,
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
  variables: PLATFORM_VARIABLES,
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
  const proposal = await readProposal(platform, job.jobId, signal);
  show(proposal);
  checkProposal(proposal);
  await checkPoster(platform);
  const answer = await approve(platform, job.jobId);
  say(
    answer === "approved"
      ? `Approved as ${principal}`
      : "Somebody decided it already",
  );
  return await report(platform, job.jobId, signal);
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

function show(
  { jobId, incidentId, title, mode, blocks, digest, evidence }: Proposal,
): void {
  say(`Incident ${incidentId}${title === "" ? "" : `: ${title}`}`);
  say(`Job ${jobId}, to ${mode}`);
  say();
  for (const line of renderBlocks(blocks)) say(`  | ${line}`);
  say();
  say(`Message sha256 ${digest ?? "unknown"}`);
  for (const { id, title, pointer } of evidence) {
    say(`  ${id}  ${title}  ${pointer}`);
  }
}

function checkProposal({ expired, digestHolds }: Proposal): void {
  if (expired) {
    throw new CommandError(
      "The job's input has expired (it lives for 24 hours); reject it and start a new run",
    );
  }
  if (!digestHolds) {
    throw new CommandError(
      "The message cannot be read, or is not the one that the summary names; the poster would refuse it",
    );
  }
}

async function checkPoster(platform: Platform): Promise<void> {
  const ready = await posterReady(platform);
  if (ready === "no") {
    throw new CommandError(
      "No poster is up to take the job; an approval given now would be lost. Start one first",
    );
  }
  if (ready === "unknown") {
    warn("Cannot tell whether a poster is up: name REDIS_URL to look");
  }
}

async function report(
  platform: Platform,
  jobId: string,
  signal: AbortSignal,
): Promise<number> {
  const followed = await follow(platform, jobId, {
    timeoutMs: FOLLOW_MS,
    signal,
  });
  switch (followed.end) {
    case "succeeded":
      say(`Posted: ${JSON.stringify(followed.result)}`);
      return 0;
    case "failed":
      warn(`Not posted: ${followed.code} ${followed.message}`.trim());
      return 1;
    case "bounced":
      warn(
        "The job bounced: it waits for approval again. Approve again; if it bounces every time, this platform (coretexOS 0.6) releases no approved job",
      );
      return 1;
    case "still running":
      warn(`The job is still ${followed.state}; look at it later`);
      return 1;
  }
}

if (import.meta.main) await runCommand(main);
