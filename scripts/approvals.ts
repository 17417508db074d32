/**
 * Lists jobs waiting for approval, decides them, and watches for new ones.
 *
 * @module
 */
import { readConfig } from "../lib/base/config.ts";
import { printable } from "../lib/base/text.ts";
import { findWaiting, reject } from "../lib/operate/approvals.ts";
import { describeDecision } from "../lib/operate/decide.ts";
import { OperationError } from "../lib/operate/errors.ts";
import { createHook, type Hook, HOOK_SETTINGS } from "../lib/operate/hook.ts";
import { look } from "../lib/operate/look.ts";
import { noticeId } from "../lib/operate/notices/channels.ts";
import { TOPIC_PREFIX } from "../lib/operate/pack.ts";
import type { WaitingJob } from "../lib/operate/platform.ts";
import { readWaiting, type WaitingPost } from "../lib/operate/waiting.ts";
import { watchWaiting } from "../lib/operate/watch_waiting.ts";
import { runHookProgram } from "./launch/hook_program.ts";
import {
  approveJob,
  type Approver,
  APPROVING_EXITS,
  APPROVING_OPTIONS,
  APPROVING_VARIABLES,
  type Consent,
  openApprover,
  readConsent,
} from "./terminal/approving.ts";
import {
  command,
  type Given,
  readVerb,
  type Values,
} from "./terminal/arguments.ts";
import {
  type CommandContext,
  explain,
  needName,
  runCommand,
  UsageError,
} from "./terminal/command.ts";
import { printStyled } from "./terminal/format.ts";
import { isBlind, listWaiting, showProposal } from "./terminal/proposal.ts";

const HELP = {
  usage: "deno task approvals [--watch] [--json]\n" +
    "       deno task approvals show ID [--json]\n" +
    "       deno task approvals approve ID [--sha256 DIGEST | --yes] [--as NAME]\n" +
    "       deno task approvals reject ID --reason TEXT [--as NAME]\n" +
    "       deno task approvals reject --all --older 1h --reason TEXT [--as NAME]",
  about:
    "Lists the jobs waiting for approval. show prints the message as people will see it, its\n" +
    "digest, its evidence and what approving will do. approve shows the same, runs the poster's\n" +
    "checks, asks, approves with an empty body (a reason would make the job unplaceable) and\n" +
    "follows the job. Without a terminal it needs --sha256, or --yes.\n" +
    APPROVING_EXITS,
  arguments: [["ID", "the job's id, as in the list"]],
  argumentsMax: 2,
  options: {
    watch: "keep running and report new jobs, after those already waiting",
    json: "list, show: print JSON; with --watch one line per job",
    ...APPROVING_OPTIONS,
    "reason TEXT": "why it is rejected; the platform records it",
    all: "reject every waiting job of this pack, and none of other packs",
    "older TIME": "only jobs that have waited this long: 90s, 30m, 1h, 2d",
  },
  variables: [
    ...APPROVING_VARIABLES,
    [HOOK_SETTINGS.program.name, HOOK_SETTINGS.program.about],
    [HOOK_SETTINGS.hookUrl.name, `${HOOK_SETTINGS.hookUrl.about} (a secret)`],
    [HOOK_SETTINGS.hookSecrets.name, HOOK_SETTINGS.hookSecrets.about],
  ],
} as const;

const VERBS = {
  list: ["watch", "json"],
  show: ["json"],
  approve: ["sha256", "yes", "as"],
  reject: ["reason", "all", "older", "as"],
} as const;
const REASON_CHARS_MAX = 500;
/** Each costs two of the 50 calls a second that the gateway allows everybody. */
const SHOWN_MAX = 50;
const REMEDY = [
  "Reject what can no longer be approved (deno task approvals reject ID --reason TEXT), then",
  "start its run again (POST /api/v1/workflow-runs/RUN/rerun at the gateway).",
];
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
  const { run, principal } = readRequest(given, context);
  await using approver = openApprover(context, principal);
  return await run(approver);
});

function readRequest(
  given: Given<typeof HELP>,
  context: CommandContext,
): { run: Run; principal?: string } {
  const { values, positionals: [, jobId] } = given;
  const { watch: watching, json, all, older } = values;
  const verb = readVerb(given, VERBS);
  if (verb === "list") {
    if (jobId !== undefined) throw new UsageError("a list takes no job");
    if (!watching) return { run: (approver) => list(approver, json) };
    const settings = readConfig(HOOK_SETTINGS, context.env);
    const hook = createHook(settings, runHookProgram);
    return { run: (approver) => watch(approver, hook, json) };
  }
  if ((jobId !== undefined) === all) {
    const or = verb === "reject" ? ", or --all" : "";
    throw new UsageError(`approvals ${verb} needs the id of a job${or}`);
  }
  if (all !== (older !== undefined)) {
    throw new UsageError("--all and --older TIME go together");
  }
  if (verb === "show") {
    return { run: (approver) => showOne(approver, jobId!, json) };
  }
  if (verb === "approve") {
    const consent = readConsent(values, context);
    const run: Run = (approver) => approveOne(approver, jobId!, consent);
    return { run, principal: consent.principal };
  }
  const reason = readReason(values);
  const olderMs = older === undefined ? undefined : readLength(older);
  const run: Run = async (approver) => {
    if (olderMs !== undefined) {
      return await rejectAll(approver, reason, olderMs);
    }
    return await rejectOne(approver, jobId!, reason) ? 0 : 1;
  };
  return { run, principal: needName(context, values.as, "--as NAME") };
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
  { platform, posts: openPosts, postMaxAgeS: maxAgeS, context }: Approver,
  json: boolean,
): Promise<number> {
  const { out, raw, err } = context;
  const waiting = await platform.waiting();
  const shown = waiting.slice(0, SHOWN_MAX);
  const options = { maxAgeS, posts: openPosts };
  const posts = await readWaiting(platform, shown, options);
  if (json) {
    raw(JSON.stringify(posts, null, 2));
    return 0;
  }
  for (const post of posts) {
    printStyled(listWaiting(post, context), context);
  }
  if (posts.some(({ problem }) => problem !== "")) {
    REMEDY.forEach((line) => out(line));
  }
  const blind = posts.find(({ effect }) => isBlind(effect));
  if (blind !== undefined) err(describeBlindness(blind));
  const more = waiting.length - SHOWN_MAX;
  if (more > 0) out(`and ${more} newer ones; decide some of these first`);
  if (waiting.length === 0) out("Nothing is waiting for approval");
  return 0;
}

function describeBlindness({ note }: WaitingPost): string {
  return `What approving does is ${note}`;
}

/** @throws {OperationError} If it waits no longer, or there is no such job. */
async function needWaiting(
  { platform }: Approver,
  jobId: string,
): Promise<WaitingJob> {
  const job = await findWaiting(platform, jobId);
  if (job !== undefined) return job;
  throw new OperationError(await describeDecision(platform, jobId));
}

async function showOne(
  approver: Approver,
  jobId: string,
  json: boolean,
): Promise<number> {
  const { context } = approver;
  const job = await needWaiting(approver, jobId);
  const looked = await look(approver, job);
  const { post, proposal, whereto, worker } = looked;
  const { message, digest, evidence, gaps } = proposal;
  if (json) {
    const shown = {
      ...post,
      message: message ?? null,
      digest: digest ?? null,
      evidence,
      gaps,
      whereto: whereto ?? null,
      worker: worker ?? null,
    };
    context.raw(JSON.stringify(shown, null, 2));
  } else showProposal(looked, context);
  return 0;
}

async function approveOne(
  approver: Approver,
  jobId: string,
  consent: Consent,
): Promise<number> {
  const job = await needWaiting(approver, jobId);
  return await approveJob(approver, job, consent);
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
  { platform, posts, postMaxAgeS: maxAgeS, context }: Approver,
  hook: Hook,
  json: boolean,
): Promise<number> {
  const { out, raw, err } = context;
  if (!json) out("Watching for jobs that need approval; press Ctrl+C to stop");
  const { signal } = platform;
  let blind = false;
  return await watchWaiting(platform, { maxAgeS, posts }, {
    async onWaiting(post) {
      if (isBlind(post.effect) && !blind) err(describeBlindness(post));
      blind ||= isBlind(post.effect);
      if (json) raw(JSON.stringify(post));
      else {
        printStyled(listWaiting(post, context), context);
        if (post.remedy !== "") out(`  ${post.remedy}`);
      }
      const id = await noticeId({ post, rank: 0 });
      for (const problem of await hook(post, signal, id)) {
        const goesOn = signal.aborted ? "" : "; still watching";
        err(`${printable(problem, 300)} (for ${post.job_id})${goesOn}`);
      }
    },
    onAway: (error) =>
      err(`Cannot reach the platform: ${explain(error)}; still watching`),
    onBack: () => err("The platform is back"),
  });
}

if (import.meta.main) await runCommand(main);
