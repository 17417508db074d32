/**
 * Lists posts, and lets a person settle what only a person can.
 *
 * @module
 */
import { readConfig } from "../lib/base/config.ts";
import { printable } from "../lib/base/text.ts";
import { openPosts, type Post, type Posts } from "../lib/operate/posts.ts";
import {
  type Decided,
  forgetPost,
  freePost,
  markPost,
  RISK,
} from "../lib/operate/settle.ts";
import type { Sent } from "../lib/post/record.ts";
import { STORE_SETTINGS, storeEndpoint } from "../lib/platform/settings.ts";
import {
  command,
  type Given,
  readVerb,
  type Values,
} from "./terminal/arguments.ts";
import { askYes } from "./terminal/ask.ts";
import {
  type CommandContext,
  CommandError,
  needName,
  runCommand,
  UsageError,
} from "./terminal/command.ts";
import { printStyled } from "./terminal/format.ts";
import { describeRecord, listPosts } from "./terminal/records.ts";

const HELP = {
  usage: "deno task posts [--all] [--json]\n" +
    "       deno task posts show INCIDENT [--json]\n" +
    "       deno task posts mark INCIDENT --posted [--link URL] --by WHO --why TEXT\n" +
    "       deno task posts free INCIDENT --by WHO --why TEXT [--force]\n" +
    "       deno task posts forget INCIDENT [--by WHO] [--yes] [--force]",
  about:
    "Lists posts that were sent, are being sent or are in doubt. A post is in doubt when only a\n" +
    "person can tell whether its message went out: check, then mark it as posted, or free it and\n" +
    "start a new run. forget deletes everything that the pack keeps about an incident.",
  arguments: [[
    "INCIDENT",
    "its id including the source, such as pagerduty:PT4KHLK",
  ]],
  argumentsMax: 2,
  options: {
    all: "also posts that are free again after a refusal, and all old ones",
    json: "print the records as JSON",
    "destination ID":
      "which one, if an incident has several: artifact, or slack:…",
    "tenant ID": "which one, if several tenants have the incident",
    posted: "mark: the message went out",
    "link URL": "mark: where to see it",
    "by WHO":
      "who decides; kept in the record (forget: default your user name)",
    "why TEXT": "the reason; kept in the record",
    force: "free, forget: even if the claim is younger than 15 minutes",
    yes: "forget: do not ask",
  },
  variables: [["REDIS_URL", STORE_SETTINGS.redisUrl.about]],
} as const;

const WHICH = ["destination", "tenant"];
const VERBS = {
  list: ["all", "json"],
  show: ["json", ...WHICH],
  mark: ["posted", "link", "by", "why", ...WHICH],
  free: ["by", "why", "force", ...WHICH],
  forget: ["by", "force", "yes", ...WHICH],
} as const;
const TEXT_CHARS_MAX = 500;
const LINK_CHARS_MAX = 2_000;
/** Older posts are only counted, unless --all is given. */
const POSTED_SHOWN_MAX = 50;

type Options = Values<typeof HELP>;
type Run = (posts: Posts, context: CommandContext) => Promise<void>;

export const main = command(HELP, async (given, context) => {
  const run = readRequest(given);
  const redis = storeEndpoint(readConfig(STORE_SETTINGS, context.env));
  await using posts = await openPosts(redis, context.signal);
  await run(posts, context);
});

function readRequest(
  given: Given<typeof HELP>,
): Run {
  const { values, positionals: [, incident] } = given;
  const verb = readVerb(given, VERBS);
  if (verb === "list") {
    if (incident === undefined) return (...on) => list(values, ...on);
    throw new UsageError("a list takes no incident");
  }
  if (incident === undefined) {
    throw new UsageError(`posts ${verb} needs the id of an incident`);
  }
  const read = {
    show: readShow,
    mark: readMark,
    free: readFree,
    forget: readForget,
  };
  const decide = read[verb](values);
  return async (posts, context) => {
    const { destination, tenant } = values;
    const found = (await posts.find((key) => key.includes(`:${incident}:`)))
      .filter((post) =>
        post.incident_id === incident &&
        post.destination === (destination ?? post.destination) &&
        post.tenant === (tenant ?? post.tenant)
      );
    if (found.length === 0) {
      throw new CommandError(`Nothing is known of a post of ${incident}`);
    }
    await decide(found, posts, context);
  };
}

async function list(
  { all, json }: Options,
  posts: Posts,
  context: CommandContext,
): Promise<void> {
  const { out, raw } = context;
  const shown = (await posts.find(() => true))
    .filter(({ state }) => all || state !== "free")
    .toSorted((a, b) => urgency(a) - urgency(b) || (a.at < b.at ? 1 : -1));
  if (json) return raw(JSON.stringify(shown, null, 2));
  const posted = shown.filter(({ state }) => state === "posted");
  const old = all ? [] : posted.slice(POSTED_SHOWN_MAX);
  const recent = shown.filter((post) => !old.includes(post));
  printStyled(listPosts(recent, context), context);
  if (old.length > 0) out(`and ${old.length} older posts; --all shows them`);
  if (shown.length === 0) out("No posts");
}

function urgency({ state }: Post): number {
  return ["in doubt", "busy", "posted", "free"].indexOf(state);
}

type Decide = (
  found: readonly Post[],
  posts: Posts,
  context: CommandContext,
) => Promise<void> | void;

function readShow({ json }: Options): Decide {
  return (found, _posts, { out, raw }) => {
    if (json) return raw(JSON.stringify(found, null, 2));
    for (const post of found) describeRecord(post).forEach(out);
  };
}

function readMark({ posted, link: address, ...values }: Options): Decide {
  if (!posted) throw new UsageError("posts mark needs --posted");
  const person = readPerson(values);
  const link = readLink(address);
  return async (found, posts, context) => {
    const { key, incident_id } = chooseOne(found, context);
    const nowMs = Date.now();
    tell(
      await markPost(posts, key, { ...person, link, nowMs }),
      (sent) => {
        const isKnown = sent !== undefined && !sent.assumed;
        const as = isKnown ? ` as ${sent.severity}` : "";
        const more = sent === undefined || sent.severity === "critical"
          ? "nothing more will be sent for it"
          : "only a worse message will be sent for it";
        return `Marked ${incident_id} as posted${as}; ${more}`;
      },
      context,
    );
  };
}

function readFree({ force, ...values }: Options): Decide {
  const person = readPerson(values);
  return async (found, posts, context) => {
    const { key, incident_id } = chooseOne(found, context);
    const nowMs = Date.now();
    tell(
      await freePost(posts, key, { ...person, nowMs, force }),
      (sent) =>
        sent === undefined
          ? `Freed ${incident_id}: the next attempt will send. ${RISK}`
          : `Freed the update of ${incident_id}, which stays posted as ${sent.severity}: the next worse message will be sent. ${RISK}`,
      context,
    );
  };
}

function chooseOne(found: readonly Post[], context: CommandContext): Post {
  const [post, ...others] = found;
  if (others.length === 0) return post!;
  printStyled(listPosts(found, context), context);
  const tenants = new Set(found.map(({ tenant }) => tenant));
  const destinations = found.map(({ destination }) => destination);
  const choices = tenants.size > 1
    ? `--tenant ID of ${[...tenants].join(", ")}`
    : `--destination ID of ${destinations.join(", ")}`;
  throw new CommandError(`${found.length} records; choose one with ${choices}`);
}

function tell(
  decided: Decided,
  done: (posted: Sent | undefined) => string,
  { out }: CommandContext,
): void {
  out(
    decided.first
      ? done(decided.posted)
      : `Nothing changed: ${printable(decided.instead)}`,
  );
}

function readPerson(
  values: Pick<Options, "by" | "why">,
): { by: string; why: string } {
  const read = (name: "by" | "why") => {
    const text = printable(values[name] ?? "", Infinity);
    if (text.length > 0 && text.length <= TEXT_CHARS_MAX) return text;
    throw new UsageError(
      `--${name} is required, in at most ${TEXT_CHARS_MAX} characters`,
    );
  };
  return { by: read("by"), why: read("why") };
}

function readLink(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
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

function readForget({ by: given, force, yes }: Options): Decide {
  return async (found, posts, context) => {
    const { out } = context;
    const by = needName(context, given, "--by WHO");
    printStyled(listPosts(found, context), context);
    const what = found.length === 1 ? "this record" : "these records";
    const question =
      `Delete ${what}? A new run for the incident would post again.`;
    if (!yes && !await askYes(context, question, "--yes")) {
      throw new CommandError("Nothing was deleted");
    }
    for (const { key, incident_id, destination } of found) {
      const nowMs = Date.now();
      const deleted = await forgetPost(posts, key, { by, nowMs, force });
      const where = printable(`${incident_id}, ${destination}`, 300);
      out(deleted ? `Deleted ${where}` : `Somebody else deleted ${where}`);
    }
    out("What the platform keeps (runs, jobs, artifacts) expires by itself");
  };
}

if (import.meta.main) await runCommand(main);
