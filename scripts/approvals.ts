/**
 * Lists what waits for approval, decides it, and watches for what comes.
 *
 * @module
 */
import { wait } from "../lib/base/time.ts";
import { OutsideError } from "../lib/base/errors.ts";
import { POST_TOPIC, reject } from "./support/approvals.ts";
import { readArgs, type Values } from "./terminal/arguments.ts";
import {
  type CommandContext,
  CommandError,
  explain,
  runCommand,
  UsageError,
  userName,
} from "./terminal/command.ts";
import { printable } from "./terminal/format.ts";
import {
  approvePost,
  approveStep,
  DECIDING_SETTINGS,
  DECIDING_VARIABLES,
  type DecidingOptions,
  describeDecided,
} from "./support/deciding.ts";
import { createHook, type Hook, HOOK_SETTINGS } from "./support/hook.ts";
import {
  Platform,
  readAddress,
  readSettings,
  type Waiting,
} from "./support/platform.ts";
import {
  describeWaitingPost,
  readWaiting,
  type WaitingPost,
} from "./support/waiting.ts";

const HELP = {
  usage: "deno task approvals [--watch] [--json]\n" +
    "       deno task approvals approve ID [--as NAME]\n" +
    "       deno task approvals reject ID --reason TEXT [--as NAME]\n" +
    "       deno task approvals reject --all --older 1h --reason TEXT [--as NAME]",
  about:
    "Lists what waits for approval. approve shows the message, checks it as the poster will,\n" +
    "approves it with an empty body (a reason would make the job unplaceable) and follows it.",
  arguments: [["ID", "the job, as the list names it"]],
  argumentsMax: 2,
  options: {
    watch: {
      about: "stay, and say what comes; a new watch tells of all that waits",
    },
    json: { about: "print JSON; with --watch a line for each new one" },
    reason: {
      value: "TEXT",
      about: "why it is rejected; recorded by the platform",
    },
    all: { about: "reject what waits of this pack, of other packs nothing" },
    older: {
      value: "TIME",
      about: "only what has waited that long: 90s, 30m, 1h, 2d",
    },
    as: {
      value: "NAME",
      about: "recorded as who decided (default your user name)",
    },
  },
  variables: [
    ...DECIDING_VARIABLES,
    [HOOK_SETTINGS.program.name, HOOK_SETTINGS.program.about],
    [HOOK_SETTINGS.url.name, HOOK_SETTINGS.url.about],
  ],
} as const;

/** What each verb takes; anything else would be passed over in silence. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  list: ["watch", "json"],
  approve: ["as"],
  reject: ["reason", "all", "older", "as"],
};
const PACK_TOPICS = "job.incident-enricher.";
const REASON_CHARS_MAX = 500;
/** Each costs a call, of the 50 a second that the gateway takes from all. */
const SHOWN_MAX = 100;
const READS_MAX = 8;
const WATCH_MS = 2_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

type Given = Values<typeof HELP>;

export async function main(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const given = readArgs(args, HELP, context);
  if (given === undefined) return 0;
  const { values, positionals: [verb = "list", jobId] } = given;
  checkUsage(verb, jobId, values);
  const { postMaxAgeS } = readSettings(DECIDING_SETTINGS, context.env);
  const principal = values.as ?? userName(context);
  const { signal } = context;
  const address = readAddress(context.env);
  const hook = values.watch
    ? createHook(readSettings(HOOK_SETTINGS, context.env))
    : undefined;
  await using platform = new Platform(address, { signal, principal });
  if (hook !== undefined) {
    return await watch(platform, postMaxAgeS, {
      context,
      hook,
      json: values.json,
    });
  }
  if (verb === "list") {
    return await list(platform, postMaxAgeS, values.json, context);
  }
  if (verb === "approve") {
    return await approveOne(platform, jobId!, {
      principal,
      postMaxAgeS,
      context,
    });
  }
  const reason = readReason(values);
  if (jobId === undefined) {
    return await rejectAll(platform, reason, values, context);
  }
  return await rejectOne(platform, jobId, reason, context) ? 0 : 1;
}

function checkUsage(
  verb: string,
  jobId: string | undefined,
  values: Given,
): void {
  const takes = TAKES[verb];
  const wrong = Object.entries(values).find(([name, value]) =>
    value !== undefined && value !== false && !takes?.includes(name)
  )?.[0];
  const { all } = values;
  const problem = takes === undefined
    ? `'${verb}' is none of approve, reject`
    : wrong !== undefined
    ? `--${wrong} does not go with ${verb === "list" ? "a list" : verb}`
    : verb === "list" && jobId !== undefined
    ? "a list takes no job"
    : verb !== "list" && (jobId !== undefined) === all
    ? `approvals ${verb} needs the id of a job${
      verb === "reject" ? ", or --all" : ""
    }`
    : all !== (values.older !== undefined)
    ? "--all and --older TIME go together"
    : undefined;
  if (problem !== undefined) {
    throw new UsageError(problem);
  }
}

async function list(
  platform: Platform,
  maxAgeS: number,
  json: boolean,
  context: CommandContext,
): Promise<number> {
  const waiting = await platform.waiting();
  const posts = await readAll(platform, waiting.slice(0, SHOWN_MAX), maxAgeS);
  if (json) {
    context.out(JSON.stringify(posts, null, 2));
    return 0;
  }
  for (const post of posts) show(post, context);
  const more = waiting.length - SHOWN_MAX;
  if (more > 0) {
    context.out(`and ${more} younger ones; decide some of these first`);
  }
  if (waiting.length === 0) context.out("Nothing waits for approval");
  return 0;
}

function show(post: WaitingPost, context: CommandContext): void {
  for (const line of describeWaitingPost(post)) context.out(line);
}

async function readAll(
  platform: Platform,
  waiting: readonly Waiting[],
  maxAgeS: number,
): Promise<WaitingPost[]> {
  const posts: (WaitingPost | undefined)[] = [];
  for (let at = 0; at < waiting.length; at += READS_MAX) {
    const some = waiting.slice(at, at + READS_MAX);
    posts.push(
      ...await Promise.all(
        some.map((job) => readWaiting(platform, job, maxAgeS)),
      ),
    );
  }
  return posts.filter((post) => post !== undefined);
}

async function approveOne(
  platform: Platform,
  jobId: string,
  options: DecidingOptions,
): Promise<number> {
  const job = await findWaiting(platform, jobId);
  if (job === undefined) {
    throw new CommandError(await describeDecided(platform, jobId));
  }
  return job.topic === POST_TOPIC
    ? await approvePost(platform, jobId, options)
    : await approveStep(platform, job, options);
}

/** @throws {CommandError} If there is no such job. */
async function findWaiting(
  platform: Platform,
  jobId: string,
): Promise<Waiting | undefined> {
  const waiting = await platform.waiting();
  const job = waiting.find((job) => job.jobId === jobId);
  if (job !== undefined) return job;
  if (await platform.find(`/jobs/${encodeURIComponent(jobId)}`) === undefined) {
    throw new CommandError(`There is no job ${printable(jobId)}`);
  }
  return undefined;
}

/** @returns Whether it was this rejection that counted. */
async function rejectOne(
  platform: Platform,
  jobId: string,
  reason: string,
  context: CommandContext,
): Promise<boolean> {
  await findWaiting(platform, jobId); // Says if there is no such job.
  const answer = await reject(platform, jobId, reason);
  if (answer === "rejected") context.out(`Rejected ${jobId}`);
  else context.err(`${jobId}: ${await describeDecided(platform, jobId)}`);
  return answer === "rejected";
}

async function rejectAll(
  platform: Platform,
  reason: string,
  { older }: Given,
  context: CommandContext,
): Promise<number> {
  const before = Date.now() - readLength(String(older));
  const waiting = await platform.waiting();
  const ours = waiting.filter(({ topic }) => topic.startsWith(PACK_TOPICS));
  const old = ours.filter(({ since }) => since <= before);
  let rejected = 0;
  for (const { jobId } of old) {
    if (await rejectOne(platform, jobId, reason, context)) rejected++;
  }
  const foreign = waiting.length - ours.length;
  context.out(
    `Rejected ${rejected}; ${ours.length - old.length} younger left` +
      (foreign === 0 ? "" : `, ${foreign} of other packs not touched`),
  );
  return 0;
}

function readReason({ reason }: Given): string {
  const text = printable(reason ?? "", Infinity);
  if (text.length > 0 && text.length <= REASON_CHARS_MAX) return text;
  throw new CommandError(
    `--reason is required, in at most ${REASON_CHARS_MAX} characters; see --help`,
    2,
  );
}

function readLength(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * UNIT_MS[unit]!;
  throw new CommandError(
    "--older must be a time such as 90s, 30m, 1h or 2d; see --help",
    2,
  );
}

/** Says and tells of each that begins to wait, until the process is ended. */
async function watch(
  platform: Platform,
  maxAgeS: number,
  { hook, json, context }: {
    hook: Hook;
    json: boolean;
    context: CommandContext;
  },
): Promise<never> {
  if (!json) {
    context.out("Watching for what waits for approval; Ctrl+C ends it");
  }
  let known: ReadonlySet<string> = new Set();
  let away = false;
  while (true) {
    try {
      const waiting = await platform.waiting();
      // One that bounced waits anew, and is told of anew.
      const fresh = waiting.filter(({ jobId }) => !known.has(jobId));
      const taken = fresh.slice(0, READS_MAX);
      const posts = await readAll(platform, taken, maxAgeS);
      if (away) context.err("The platform is back");
      away = false;
      const later = new Set(fresh.slice(READS_MAX).map(({ jobId }) => jobId));
      known = new Set(waiting.map(({ jobId }) => jobId)).difference(later);
      await Promise.all(posts.map((post) => tell(post, hook, json)));
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error;
      if (!away) {
        context.err(`Cannot look now: ${explain(error)}; still watching`);
      }
      away = true;
    }
    await wait(WATCH_MS, platform.signal);
  }

  async function tell(post: WaitingPost, hook: Hook, json: boolean) {
    if (json) context.out(JSON.stringify(post));
    else show(post, context);
    for (const problem of await hook(post, platform.signal)) {
      context.err(
        `${printable(problem, 300)} (for ${post.job_id}); still watching`,
      );
    }
  }
}

if (import.meta.main) await runCommand(main);
