/**
 * Lists jobs waiting for approval, decides them, and watches for new ones.
 *
 * @module
 */
import { readConfig } from "../lib/base/config.ts";
import { ageOf, printable } from "../lib/base/text.ts";
import { findWaiting, reject } from "../lib/operate/approvals.ts";
import { OperationError } from "../lib/operate/errors.ts";
import { createHook, type Hook, HOOK_SETTINGS } from "../lib/operate/hook.ts";
import { POST_TOPIC, TOPIC_PREFIX } from "../lib/operate/pack.ts";
import {
  readWaiting,
  type WaitingPost,
  watchWaiting,
} from "../lib/operate/waiting.ts";
import { runHookProgram } from "./launch/hook_program.ts";
import {
  approveJob,
  type Approver,
  APPROVING_VARIABLES,
  describeDecision,
  openApprover,
} from "./terminal/approving.ts";
import {
  command,
  type Given,
  readVerb,
  type Values,
} from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  explain,
  runCommand,
  UsageError,
} from "./terminal/command.ts";

const HELP = {
  usage: "deno task approvals [--watch] [--json]\n" +
    "       deno task approvals approve ID [--as NAME]\n" +
    "       deno task approvals reject ID --reason TEXT [--as NAME]\n" +
    "       deno task approvals reject --all --older 1h --reason TEXT [--as NAME]",
  about:
    "Lists the jobs waiting for approval. approve shows the message, runs the poster's checks,\n" +
    "approves with an empty body (a reason would make the job unplaceable) and follows the job.",
  arguments: [["ID", "the job's id, as in the list"]],
  argumentsMax: 2,
  options: {
    watch: "keep running and report new jobs, after those already waiting",
    json: "print JSON; with --watch one line per job",
    "reason TEXT": "why it is rejected; the platform records it",
    all: "reject every waiting job of this pack, and none of other packs",
    "older TIME": "only jobs that have waited this long: 90s, 30m, 1h, 2d",
    "as NAME": "recorded as the person who decided (default your user name)",
  },
  variables: [
    ...APPROVING_VARIABLES,
    [HOOK_SETTINGS.program.name, HOOK_SETTINGS.program.about],
    [HOOK_SETTINGS.url.name, HOOK_SETTINGS.url.about],
  ],
} as const;

const VERBS = {
  list: ["watch", "json"],
  approve: ["as"],
  reject: ["reason", "all", "older", "as"],
} as const;
const REASON_CHARS_MAX = 500;
/** Each costs one of the 50 calls a second that the gateway allows everybody. */
const SHOWN_MAX = 100;
const TITLE_CHARS_MAX = 88;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

type Options = Values<typeof HELP>;
/** @returns The exit code. */
type Run = (approver: Approver) => Promise<number>;

export const main = command(HELP, async (given, context) => {
  const run = readRequest(given, context);
  await using approver = openApprover(context, given.values.as);
  return await run(approver);
});

function readRequest(
  given: Given<typeof HELP>,
  { env }: CommandContext,
): Run {
  const { values, positionals: [, jobId] } = given;
  const { watch: watching, json, all, older } = values;
  const verb = readVerb(given, VERBS);
  if (verb === "list") {
    if (jobId !== undefined) throw new UsageError("a list takes no job");
    if (!watching) return (approver) => list(approver, json);
    const hook = createHook(readConfig(HOOK_SETTINGS, env), runHookProgram);
    return (approver) => watch(approver, hook, json);
  }
  if ((jobId !== undefined) === all) {
    const or = verb === "reject" ? ", or --all" : "";
    throw new UsageError(`approvals ${verb} needs the id of a job${or}`);
  }
  if (all !== (older !== undefined)) {
    throw new UsageError("--all and --older TIME go together");
  }
  if (verb === "approve") {
    return (approver) => approveOne(approver, jobId!);
  }
  const reason = readReason(values);
  if (older === undefined) {
    return async (approver) =>
      await rejectOne(approver, jobId!, reason) ? 0 : 1;
  }
  const olderMs = readLength(older);
  return (approver) => rejectAll(approver, reason, olderMs);
}

function readReason({ reason = "" }: Options): string {
  const text = printable(reason, Infinity);
  if (text.length > 0 && text.length <= REASON_CHARS_MAX) return text;
  throw new UsageError(
    `--reason is required, in at most ${REASON_CHARS_MAX} characters`,
  );
}

function readLength(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * UNIT_MS[unit]!;
  throw new UsageError("--older must be a time such as 90s, 30m, 1h or 2d");
}

async function list(
  { platform, postMaxAgeS, context: { out } }: Approver,
  json: boolean,
): Promise<number> {
  const waiting = await platform.waiting();
  const shown = waiting.slice(0, SHOWN_MAX);
  const posts = await readWaiting(platform, shown, postMaxAgeS);
  if (json) {
    out(JSON.stringify(posts, null, 2));
    return 0;
  }
  posts.flatMap(describeWaitingPost).forEach(out);
  const more = waiting.length - SHOWN_MAX;
  if (more > 0) out(`and ${more} newer ones; decide some of these first`);
  if (waiting.length === 0) out("Nothing is waiting for approval");
  return 0;
}

/** At most 100 columns wide, unless an id is very long. */
function describeWaitingPost(post: WaitingPost): string[] {
  const { severity, incident_id, title, job_id, topic, message_sha256 } = post;
  const what = incident_id || "no incident";
  return [
    `${severity.toUpperCase() || "UNKNOWN"}  ${what}  waiting for ${
      ageOf(post.age_s * 1000)
    }`,
    ...title === "" ? [] : [`  ${printable(title, TITLE_CHARS_MAX)}`],
    `  job     ${printable(job_id)}`,
    `  rule    ${printable(post.rule_id) || "unknown"}`,
    ...topic === POST_TOPIC
      ? []
      : [`  topic   ${printable(topic)}, not a post`],
    ...message_sha256 === "" ? [] : [`  sha256  ${message_sha256}`],
    ...post.problem === "" ? [] : [`  reject  ${post.problem}`],
  ];
}

async function approveOne(approver: Approver, jobId: string): Promise<number> {
  const job = await findWaiting(approver.platform, jobId);
  if (job !== undefined) return await approveJob(approver, job);
  throw new OperationError(await describeDecision(approver.platform, jobId));
}

/** @returns Whether this rejection was the one that counted. */
async function rejectOne(
  { platform, context: { out, err } }: Approver,
  jobId: string,
  reason: string,
): Promise<boolean> {
  await findWaiting(platform, jobId); // Throws if there is no such job.
  const rejected = await reject(platform, jobId, reason);
  if (rejected) out(`Rejected ${jobId}`);
  else err(`${jobId}: ${await describeDecision(platform, jobId)}`);
  return rejected;
}

async function rejectAll(
  approver: Approver,
  reason: string,
  olderMs: number,
): Promise<number> {
  const before = Date.now() - olderMs;
  const waiting = await approver.platform.waiting();
  const ours = waiting.filter(({ topic }) => topic.startsWith(TOPIC_PREFIX));
  const old = ours.filter(({ since }) => since <= before);
  let rejected = 0;
  for (const { jobId } of old) {
    if (await rejectOne(approver, jobId, reason)) rejected++;
  }
  const foreign = waiting.length - ours.length;
  approver.context.out(
    `Rejected ${rejected}; ${ours.length - old.length} younger left` +
      (foreign === 0 ? "" : `, ${foreign} of other packs not touched`),
  );
  return 0;
}

/** Prints each job that starts waiting and tells the hook, until stopped. */
async function watch(
  { platform, postMaxAgeS, context: { out, err } }: Approver,
  hook: Hook,
  json: boolean,
): Promise<number> {
  if (!json) out("Watching for jobs that need approval; press Ctrl+C to stop");
  const { signal } = platform;
  const watching = watchWaiting(platform, postMaxAgeS, {
    async onWaiting(post) {
      if (json) out(JSON.stringify(post));
      else describeWaitingPost(post).forEach(out);
      for (const problem of await hook(post, signal)) {
        const goesOn = signal.aborted ? "" : "; still watching";
        err(`${printable(problem, 300)} (for ${post.job_id})${goesOn}`);
      }
    },
    onAway: (error) =>
      err(`Cannot reach the platform: ${explain(error)}; still watching`),
    onBack: () => err("The platform is back"),
  });
  return await watching.catch((error) => {
    // Being stopped is how a watch ends, not a failure.
    if (signal.aborted && signal.reason instanceof CommandError) {
      return signal.reason.exitCode;
    }
    throw error;
  });
}

if (import.meta.main) await runCommand(main);
