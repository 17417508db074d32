/**
 * What approving a post would do, by the record of what was posted before.
 *
 * @module
 */
import { printable, utcOf } from "../base/text.ts";
import { recordKey } from "../post/events.ts";
import {
  type Effect as PostEffect,
  effectOf,
  fold,
  type Sent,
  type Standing,
  standingOf,
} from "../post/record.ts";
import { StoreError } from "../platform/store.ts";
import { type Post, type Posts, tryParse } from "./posts.ts";
import type { JobFacts } from "./proposal.ts";

export interface Effect {
  /** `unknown` without Redis, `too many` if there are too many records. */
  kind: PostEffect | "dry run" | "unknown" | "too many";
  /** What was posted before. */
  before: Standing | undefined;
  /** Whether it depends on which webhook the poster has now. */
  severalWebhooks: boolean;
}

const DESTINATION = /(?:artifact|slack:[0-9a-f]{16})$/;

/**
 * Reads what approving posts would do, in one pass over the records.
 *
 * @param posts `undefined` if Redis is not named.
 * @returns One effect per job that is a post, by the job's id.
 */
export async function readEffects(
  posts: Posts | undefined,
  jobs: readonly JobFacts[],
  nowMs: number = Date.now(),
): Promise<Map<string, Effect>> {
  const wanted = jobs.filter(({ mode }) => mode !== "");
  const keys = new Set(wanted.map(keyStartOf));
  const webhooks = new Set<string>();
  const isWanted = (key: string) => {
    const [destination = ""] = DESTINATION.exec(key) ?? [];
    if (destination.startsWith("slack:")) webhooks.add(destination);
    return keys.has(key.slice(0, key.length - destination.length));
  };
  if (wanted.length === 0) return new Map();
  const found = await findPosts(posts, isWanted);
  return new Map(wanted.map((job) => {
    const own = typeof found === "string"
      ? found
      : found.filter(({ key, destination }) =>
        key.startsWith(keyStartOf(job)) &&
        (destination === "artifact") === (job.mode === "artifact")
      );
    const severalWebhooks = job.mode === "slack" && webhooks.size > 1;
    return [job.jobId, { ...readEffect(job, own, nowMs), severalWebhooks }];
  }));
}

async function findPosts(
  posts: Posts | undefined,
  isWanted: (key: string) => boolean,
): Promise<Post[] | "unknown" | "too many"> {
  if (posts === undefined) return "unknown";
  try {
    return await posts.find(isWanted);
  } catch (error) {
    // They never expire, and that must not keep anybody from approving.
    if (error instanceof StoreError && error.kind === "too large") {
      return "too many";
    }
    throw error;
  }
}

/** The key of a job's record, without its destination. */
function keyStartOf({ tenant, incidentId }: JobFacts): string {
  return recordKey({ tenant, incidentId, destination: "" });
}

/** @param own Its records, one per webhook; the one used last counts. */
function readEffect(
  { postSeverity, dryRun }: JobFacts,
  own: readonly Post[] | "unknown" | "too many",
  nowMs: number,
): Omit<Effect, "severalWebhooks"> {
  const is = (kind: Effect["kind"], before?: Standing) => ({ kind, before });
  if (dryRun) return is("dry run");
  if (typeof own === "string") return is(own);
  const last = own.toSorted((a, b) => a.at < b.at ? -1 : 1).at(-1);
  if (last === undefined) return is("new");
  const events = tryParse(last.events.map((event) => JSON.stringify(event)));
  // An unreadable record could mean anything.
  if (events === undefined) return is("in doubt");
  const state = fold(events);
  return is(effectOf(state, postSeverity, nowMs), standingOf(state));
}

/** Says what approving does, without a full stop. */
export function describeEffect(effect: Effect): string {
  const { kind, before } = effect;
  const posted = before && `posted before on ${describeSent(before.last)}`;
  switch (kind) {
    case "new":
      return "sends a new message";
    case "update":
      return `sends an update, since it is worse now: ${posted}${
        sameWebhook(effect)
      }`;
    case "nothing":
      return `${posted}, approving sends nothing${sameWebhook(effect)}`;
    case "busy":
      return "another job is posting it at this moment; look again in a minute";
    case "in doubt":
      return "in doubt: it may have been posted before, approving sends nothing; " +
        "settle it first with deno task posts";
    case "dry run":
      return "a dry run, approving sends nothing";
    case "unknown":
      return "not known: set REDIS_URL to see what was posted before";
    case "too many":
      return "not known: there are too many records of posts to search";
  }
}

/** `2026-11-28 21:30:02 UTC as critical to hooks.slack.com` */
function describeSent(sent: Sent): string {
  const { at, severity, assumed, host } = sent;
  const where = host === undefined || host === "artifact"
    ? ""
    : ` to ${printable(host, 100)}`;
  const by = sent.as === "marked" ? `, as ${printable(sent.by)} says` : "";
  const as = assumed ? "" : ` as ${severity}`;
  return `${utcOf(at)}${as}${where}${by}`;
}

function sameWebhook({ severalWebhooks }: Effect): string {
  return severalWebhooks ? ", if the poster's webhook is that of then" : "";
}
