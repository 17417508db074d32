/**
 * Lists what was posted, is being posted or is in doubt, and lets a person
 * settle what only a person can.
 *
 * @module
 */
import { STORE_SETTINGS, storeEndpoint } from "../lib/platform/settings.ts";
import { readArgs, type Values } from "./terminal/arguments.ts";
import { askYes } from "./terminal/ask.ts";
import {
  type CommandContext,
  CommandError,
  runCommand,
  UsageError,
  userName,
} from "./terminal/command.ts";
import { printable, table } from "./terminal/format.ts";
import { readConfig } from "../lib/base/config.ts";
import { openPosts, type Posts } from "./support/post_list.ts";
import {
  ageOf,
  type Decided,
  forgetPost,
  freePost,
  hostOf,
  markPost,
  type Post,
  RISK,
} from "./support/posts.ts";

const HELP = {
  usage: "deno task posts [--all] [--json]\n" +
    "       deno task posts show INCIDENT [--json]\n" +
    "       deno task posts mark INCIDENT --posted [--link URL] --by WHO --why TEXT\n" +
    "       deno task posts free INCIDENT --by WHO --why TEXT [--force]\n" +
    "       deno task posts forget INCIDENT [--yes] [--force]",
  about:
    "Lists what was posted, is being posted or is in doubt. A post is in doubt when nobody but\n" +
    "a person can tell whether its message went out: look, then mark it as posted or free it,\n" +
    "and start a new run to post it. forget deletes what the pack keeps of an incident.",
  arguments: [[
    "INCIDENT",
    "its id with its source in front, as pagerduty:PT4KHLK",
  ]],
  argumentsMax: 2,
  options: {
    all: {
      about: "also what is free again after a refusal, and every old post",
    },
    json: { about: "print records as JSON" },
    destination: {
      value: "ID",
      about: "which, if an incident has several: artifact, or slack:…",
    },
    tenant: {
      value: "ID",
      about: "which, if several tenants have that incident",
    },
    posted: { about: "mark: the message is out" },
    link: { value: "URL", about: "mark: where it can be seen" },
    by: { value: "WHO", about: "who decides; stays in the record" },
    why: { value: "TEXT", about: "what it rests on; stays in the record" },
    force: {
      about: "free, forget: although the claim is younger than 15 minutes",
    },
    yes: { about: "forget: do not ask" },
  },
  variables: [["REDIS_URL", STORE_SETTINGS.redisUrl.about]],
} as const;

const WHICH = ["destination", "tenant"];
/** What each verb takes; anything else would be passed over in silence. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  list: ["all", "json"],
  show: ["json", ...WHICH],
  mark: ["posted", "link", "by", "why", ...WHICH],
  free: ["by", "why", "force", ...WHICH],
  forget: ["force", "yes", ...WHICH],
};
const TEXT_CHARS_MAX = 500;
const LINK_CHARS_MAX = 2_000;
/** Old posts beyond these are only counted, unless all are asked for. */
const POSTED_SHOWN_MAX = 50;

export async function main(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const given = readArgs(args, HELP, context);
  if (given === undefined) return 0;
  const { values, positionals: [verb = "list", incident] } = given;
  checkUsage(verb, incident, values);
  const redis = storeEndpoint(
    readConfig(STORE_SETTINGS, context.env),
  );
  const decide = verb === "mark"
    ? readMark(values)
    : verb === "free"
    ? readFree(values)
    : undefined;
  await using posts = await openPosts(redis);
  if (verb === "list") {
    return list(await posts.find(() => true), values, context);
  }
  const found = (await posts.find((key) => key.includes(`:${incident}:`)))
    .filter((post) => isNamed(post, incident!, values));
  if (found.length === 0) {
    throw new CommandError(`Nothing is known of a post of ${incident}`);
  }
  if (verb === "show") return showAll(found, values, context);
  if (verb === "forget") return await forget(posts, found, values, context);
  await decide!(posts, chooseOne(found, context), context);
  return 0;
}

function checkUsage(
  verb: string,
  incident: string | undefined,
  values: Given,
): void {
  const takes = TAKES[verb];
  const wrong = Object.entries(values).find(([name, value]) =>
    value !== undefined && value !== false && !takes?.includes(name)
  )?.[0];
  const problem = takes === undefined
    ? `'${verb}' is none of show, mark, free, forget`
    : verb !== "list" && incident === undefined
    ? `posts ${verb} needs the id of an incident`
    : verb === "list" && incident !== undefined
    ? "a list takes no incident"
    : wrong !== undefined
    ? `--${wrong} does not go with ${verb === "list" ? "a list" : verb}`
    : undefined;
  if (problem !== undefined) {
    throw new UsageError(problem);
  }
}

function isNamed(post: Post, incident: string, values: Given): boolean {
  const { destination = post.destination, tenant = post.tenant } = values;
  return post.incident_id === incident && post.destination === destination &&
    post.tenant === tenant;
}

function chooseOne(found: readonly Post[], context: CommandContext): Post {
  const [post, ...others] = found;
  if (others.length === 0) return post!;
  for (const line of describeList(found)) context.out(line);
  const tenants = new Set(found.map(({ tenant }) => tenant));
  const choices = tenants.size > 1
    ? `--tenant ID of ${[...tenants].join(", ")}`
    : `--destination ID of ${
      found.map(({ destination }) => destination).join(", ")
    }`;
  throw new CommandError(`${found.length} records; choose one with ${choices}`);
}

function list(
  posts: readonly Post[],
  { all, json }: Given,
  context: CommandContext,
): number {
  const shown = posts.filter(({ state }) => all || state !== "free")
    .toSorted((a, b) => urgency(a) - urgency(b) || (a.at < b.at ? 1 : -1));
  if (json) return sayJson(shown, context);
  const posted = shown.filter(({ state }) => state === "posted");
  const old = all ? [] : posted.slice(POSTED_SHOWN_MAX);
  const lines = describeList(shown.filter((post) => !old.includes(post)));
  for (const line of lines) context.out(line);
  if (old.length > 0) {
    context.out(`and ${old.length} older posts; --all shows them`);
  }
  if (shown.length === 0) context.out("No posts");
  return 0;
}

function urgency({ state }: Post): number {
  return ["in doubt", "busy", "posted", "free"].indexOf(state);
}

function sayJson(posts: readonly Post[], context: CommandContext): number {
  context.out(JSON.stringify(posts, null, 2));
  return 0;
}

/** Two lines a record, within 100 columns unless an id is very long. */
function describeList(posts: readonly Post[]): string[] {
  if (posts.length === 0) return [];
  const lines = table([
    ["STATE", "AGE", "DESTINATION", "INCIDENT"],
    ...posts.map((post) => [
      post.state,
      ageOf(Date.now() - Date.parse(post.at)),
      printable(hostOf(post), 28),
      printable(post.incident_id, 220),
    ]),
  ]);
  const [header = "", ...rows] = lines;
  return [
    header,
    ...rows.flatMap((row, at) => [row, `          ${jobOf(posts[at]!)}`]),
  ];
}

function jobOf({ job_id, run_id }: Post): string {
  if (job_id === "") return "no job is known";
  const step = job_id.startsWith(`${run_id}:`)
    ? job_id.slice(run_id.length + 1)
    : job_id;
  return `run ${printable(run_id, 60) || "unknown"}, job ${
    printable(step, 100)
  }`;
}

function showAll(
  found: readonly Post[],
  { json }: Given,
  context: CommandContext,
): number {
  if (json) return sayJson(found, context);
  for (const post of found) {
    context.out(`${printable(post.incident_id, 220)}  ${post.state}`);
    context.out(
      `  destination  ${printable(post.destination)} (${
        printable(hostOf(post))
      })`,
    );
    context.out(`  tenant       ${printable(post.tenant)}`);
    context.out(`  last job     ${jobOf(post)}`);
    for (const event of post.events) {
      for (const line of describeEvent(event)) context.out(`  ${line}`);
    }
    if (post.state === "in doubt") {
      context.out(
        "Look whether the message is there, then posts mark, or posts free",
      );
    }
  }
  return 0;
}

/** An event with its time and kind first, whatever else it holds after. */
function describeEvent(event: unknown): string[] {
  if (event === null || typeof event !== "object") {
    return [`unreadable   ${printable(String(event))}`];
  }
  const { type, at, result, ...rest } = event as Record<string, unknown>;
  const facts = Object.entries({ ...rest, ...result as object });
  return [
    `${printable(String(at ?? "no time"), 30)}  ${printable(String(type), 30)}`,
    ...facts.map(([name, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return `    ${printable(name, 20).padEnd(14)}  ${printable(text, 500)}`;
    }),
  ];
}

type Given = Values<typeof HELP>;
type Decide = (
  posts: Posts,
  post: Post,
  context: CommandContext,
) => Promise<void>;

function readMark(values: Given): Decide {
  if (!values.posted) {
    throw new UsageError("posts mark needs --posted");
  }
  const { by, why } = readPerson(values);
  const link = readLink(values.link);
  return async (posts, { key, incident_id }, context) => {
    const nowMs = Date.now();
    const decided = await markPost(posts, key, { by, why, link, nowMs });
    tell(
      context,
      decided,
      `Marked ${incident_id} as posted; nothing will be sent for it`,
    );
  };
}

function readFree(values: Given): Decide {
  const { by, why } = readPerson(values);
  const { force } = values;
  return async (posts, { key, incident_id }, context) => {
    const nowMs = Date.now();
    const decided = await freePost(posts, key, { by, why, nowMs, force });
    tell(
      context,
      decided,
      `Freed ${incident_id}: the next attempt will send. ${RISK}`,
    );
  };
}

function tell(context: CommandContext, decided: Decided, done: string): void {
  context.out(
    decided.first ? done : `Nothing changed: ${printable(decided.instead)}`,
  );
}

function readPerson(values: Given): { by: string; why: string } {
  const read = (name: "by" | "why") => {
    const text = printable(values[name] ?? "", Infinity);
    if (text.length > 0 && text.length <= TEXT_CHARS_MAX) return text;
    throw new UsageError(
      `--${name} is required, in at most ${TEXT_CHARS_MAX} characters`,
    );
  };
  return { by: read("by"), why: read("why") };
}

function readLink(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const url = URL.parse(value);
  const isPage = url !== null && /^https?:$/.test(url.protocol) &&
    url.username + url.password === "";
  if (!isPage || url.href.length > LINK_CHARS_MAX) {
    throw new CommandError("--link must be the address of a page", 2);
  }
  if (url.hostname === "hooks.slack.com") {
    throw new CommandError(
      "--link is a webhook's address, which is a secret; give the message's own",
      2,
    );
  }
  return url.href;
}

async function forget(
  posts: Posts,
  found: readonly Post[],
  values: Given,
  context: CommandContext,
): Promise<number> {
  const { force } = values;
  for (const line of describeList(found)) context.out(line);
  const what = found.length === 1 ? "this record" : "these records";
  if (!values.yes) {
    const sure = await askYes(
      context,
      `Delete ${what}? A new run for the incident would post again.`,
      "--yes",
    );
    if (!sure) throw new CommandError("Nothing was deleted");
  }
  const by = userName(context);
  for (const { key, incident_id, destination } of found) {
    const nowMs = Date.now();
    const deleted = await forgetPost(posts, key, { by, nowMs, force });
    const where = printable(`${incident_id}, ${destination}`, 300);
    context.out(
      deleted ? `Deleted ${where}` : `Somebody else deleted ${where}`,
    );
  }
  context.out(
    "What the platform keeps (runs, jobs, artifacts) ends in its own time",
  );
  return 0;
}

if (import.meta.main) await runCommand(main);
