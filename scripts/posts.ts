/**
 * Lists what was posted, is being posted or is in doubt, and lets a person
 * settle what only a person can.
 *
 * @module
 */
import { STORE_SETTINGS, storeEndpoint } from "../lib/platform/settings.ts";
import { userName } from "./install.ts";
import {
  askYes,
  CommandError,
  oneLine,
  readArgs,
  runCommand,
  say,
  table,
  type Values,
} from "./terminal/cli.ts";
import { readSettings } from "./support/platform.ts";
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
  options: [
    ["INCIDENT", "its id with its source in front, as pagerduty:PT4KHLK"],
    ["--all", "also what is free again after a refusal, and every old post"],
    ["--json", "print records as JSON"],
    [
      "--destination ID",
      "which, if an incident has several: artifact, or slack:…",
    ],
    ["--tenant ID", "which, if several tenants have that incident"],
    ["--posted", "mark: the message is out"],
    ["--link URL", "mark: where it can be seen"],
    ["--by WHO", "who decides; stays in the record"],
    ["--why TEXT", "what it rests on; stays in the record"],
    ["--force", "free, forget: although the claim is younger than 15 minutes"],
    ["--yes", "forget: do not ask"],
  ],
  variables: [["REDIS_URL", STORE_SETTINGS.redisUrl.about]],
} as const;

const OPTIONS = {
  all: { type: "boolean" },
  json: { type: "boolean" },
  destination: { type: "string" },
  tenant: { type: "string" },
  posted: { type: "boolean" },
  link: { type: "string" },
  by: { type: "string" },
  why: { type: "string" },
  force: { type: "boolean" },
  yes: { type: "boolean" },
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

async function main(args: readonly string[]): Promise<void> {
  const given = readArgs(args, HELP, OPTIONS);
  if (given === undefined) return;
  const { values, positionals: [verb = "list", incident, ...rest] } = given;
  checkUsage(verb, incident, rest, values);
  const redis = storeEndpoint(
    readSettings(STORE_SETTINGS, (name) => Deno.env.get(name)),
  );
  const decide = verb === "mark"
    ? readMark(values)
    : verb === "free"
    ? readFree(values)
    : undefined;
  await using posts = await openPosts(redis);
  if (verb === "list") return list(await posts.find(() => true), values);
  const found = (await posts.find((key) => key.includes(`:${incident}:`)))
    .filter((post) => isNamed(post, incident!, values));
  if (found.length === 0) {
    throw new CommandError(`Nothing is known of a post of ${incident}`);
  }
  if (verb === "show") return showAll(found, values);
  if (verb === "forget") return await forget(posts, found, values);
  await decide!(posts, chooseOne(found));
}

function checkUsage(
  verb: string,
  incident: string | undefined,
  rest: readonly string[],
  values: Values,
): void {
  const takes = TAKES[verb];
  const wrong = Object.keys(values).find((name) => !takes?.includes(name));
  const problem = takes === undefined
    ? `'${verb}' is none of show, mark, free, forget`
    : verb !== "list" && incident === undefined
    ? `posts ${verb} needs the id of an incident`
    : verb === "list" && incident !== undefined
    ? "a list takes no incident"
    : rest.length > 0
    ? "one incident at a time"
    : wrong !== undefined
    ? `--${wrong} does not go with ${verb === "list" ? "a list" : verb}`
    : undefined;
  if (problem !== undefined) {
    throw new CommandError(`${problem}; see --help`, 2);
  }
}

function isNamed(post: Post, incident: string, values: Values): boolean {
  const { destination = post.destination, tenant = post.tenant } = values;
  return post.incident_id === incident && post.destination === destination &&
    post.tenant === tenant;
}

function chooseOne(found: readonly Post[]): Post {
  const [post, ...others] = found;
  if (others.length === 0) return post!;
  for (const line of describeList(found)) say(line);
  const tenants = new Set(found.map(({ tenant }) => tenant));
  const choices = tenants.size > 1
    ? `--tenant ID of ${[...tenants].join(", ")}`
    : `--destination ID of ${
      found.map(({ destination }) => destination).join(", ")
    }`;
  throw new CommandError(`${found.length} records; choose one with ${choices}`);
}

function list(posts: readonly Post[], { all, json }: Values): void {
  const shown = posts.filter(({ state }) => all || state !== "free")
    .toSorted((a, b) => urgency(a) - urgency(b) || (a.at < b.at ? 1 : -1));
  if (json) return sayJson(shown);
  const posted = shown.filter(({ state }) => state === "posted");
  const old = all ? [] : posted.slice(POSTED_SHOWN_MAX);
  const lines = describeList(shown.filter((post) => !old.includes(post)));
  for (const line of lines) say(line);
  if (old.length > 0) say(`and ${old.length} older posts; --all shows them`);
  if (shown.length === 0) say("No posts");
}

function urgency({ state }: Post): number {
  return ["in doubt", "busy", "posted", "free"].indexOf(state);
}

function sayJson(posts: readonly Post[]): void {
  say(JSON.stringify(posts, null, 2));
}

/** Two lines a record, within 100 columns unless an id is very long. */
function describeList(posts: readonly Post[]): string[] {
  if (posts.length === 0) return [];
  const lines = table([
    ["STATE", "AGE", "DESTINATION", "INCIDENT"],
    ...posts.map((post) => [
      post.state,
      ageOf(Date.now() - Date.parse(post.at)),
      oneLine(hostOf(post), 28),
      oneLine(post.incident_id, 220),
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
  return `run ${oneLine(run_id, 60) || "unknown"}, job ${oneLine(step, 100)}`;
}

function showAll(found: readonly Post[], { json }: Values): void {
  if (json) return sayJson(found);
  for (const post of found) {
    say(`${oneLine(post.incident_id, 220)}  ${post.state}`);
    say(
      `  destination  ${oneLine(post.destination)} (${oneLine(hostOf(post))})`,
    );
    say(`  tenant       ${oneLine(post.tenant)}`);
    say(`  last job     ${jobOf(post)}`);
    for (const event of post.events) {
      for (const line of describeEvent(event)) say(`  ${line}`);
    }
    if (post.state === "in doubt") {
      say("Look whether the message is there, then posts mark, or posts free");
    }
  }
}

/** An event with its time and kind first, whatever else it holds after. */
function describeEvent(event: unknown): string[] {
  if (event === null || typeof event !== "object") {
    return [`unreadable   ${oneLine(String(event))}`];
  }
  const { type, at, result, ...rest } = event as Record<string, unknown>;
  const facts = Object.entries({ ...rest, ...result as object });
  return [
    `${oneLine(String(at ?? "no time"), 30)}  ${oneLine(String(type), 30)}`,
    ...facts.map(([name, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return `    ${oneLine(name, 20).padEnd(14)}  ${oneLine(text, 500)}`;
    }),
  ];
}

type Decide = (posts: Posts, post: Post) => Promise<void>;

function readMark(values: Values): Decide {
  if (!values["posted"]) {
    throw new CommandError("posts mark needs --posted; see --help", 2);
  }
  const { by, why } = readPerson(values);
  const link = readLink(values["link"]);
  return async (posts, { key, incident_id }) => {
    const nowMs = Date.now();
    const decided = await markPost(posts, key, { by, why, link, nowMs });
    tell(
      decided,
      `Marked ${incident_id} as posted; nothing will be sent for it`,
    );
  };
}

function readFree(values: Values): Decide {
  const { by, why } = readPerson(values);
  const force = values["force"] === true;
  return async (posts, { key, incident_id }) => {
    const nowMs = Date.now();
    const decided = await freePost(posts, key, { by, why, nowMs, force });
    tell(decided, `Freed ${incident_id}: the next attempt will send. ${RISK}`);
  };
}

function tell(decided: Decided, done: string): void {
  say(decided.first ? done : `Nothing changed: ${oneLine(decided.instead)}`);
}

function readPerson(values: Values): { by: string; why: string } {
  const read = (name: string) => {
    const text = oneLine(String(values[name] ?? ""), Infinity);
    if (text.length > 0 && text.length <= TEXT_CHARS_MAX) return text;
    throw new CommandError(
      `--${name} is required, in at most ${TEXT_CHARS_MAX} characters; see --help`,
      2,
    );
  };
  return { by: read("by"), why: read("why") };
}

function readLink(value: Values[string]): string | undefined {
  if (value === undefined) return undefined;
  const url = URL.parse(String(value));
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
  values: Values,
): Promise<void> {
  const force = values["force"] === true;
  for (const line of describeList(found)) say(line);
  const what = found.length === 1 ? "this record" : "these records";
  if (!values["yes"]) {
    const sure = askYes(
      `Delete ${what}? A new run for the incident would post again.`,
      "--yes",
    );
    if (!sure) throw new CommandError("Nothing was deleted");
  }
  const by = userName();
  for (const { key, incident_id, destination } of found) {
    const nowMs = Date.now();
    const deleted = await forgetPost(posts, key, { by, nowMs, force });
    const where = oneLine(`${incident_id}, ${destination}`, 300);
    say(deleted ? `Deleted ${where}` : `Somebody else deleted ${where}`);
  }
  say("What the platform keeps (runs, jobs, artifacts) ends in its own time");
}

if (import.meta.main) await runCommand(main);
