/**
 * Where posts will go, as posters tell in Redis.
 *
 * @module
 */
import { printable } from "../base/text.ts";
import type { Store } from "../platform/store.ts";
import {
  DESTINATION_PREFIX,
  type Mode,
  type Published,
  PUBLISHED_BYTES_MAX,
  readPublished,
} from "../post/published.ts";

/** Where one post will go. */
export type Whereto =
  | { known: true; mode: Mode; id: string; host: string }
  /** Why it cannot be told: a sentence without its full stop. */
  | { known: false; why: string };

/** As many posters are asked. */
const POSTERS_MAX = 50;
const ID_CHARS_SHOWN = 8;

/** Reads what live posters publish, in the order of their ids. */
export async function readDestinations(
  store: Pick<Store, "scan" | "read">,
  signal: AbortSignal,
): Promise<Published[]> {
  const found = await Array.fromAsync(store.scan(DESTINATION_PREFIX, signal));
  const keys = found.flat().toSorted().slice(0, POSTERS_MAX);
  const texts = await Promise.all(
    keys.map((key) => store.read(key, PUBLISHED_BYTES_MAX, signal)),
  );
  return texts.flatMap((text, at) => {
    const read = readPublished(text ?? "");
    // A key that has just expired, or that speaks of another poster.
    return DESTINATION_PREFIX + read?.workerId === keys[at] ? [read!] : [];
  });
}

/**
 * Tells where a post will go.
 *
 * @param published `undefined` if Redis is not named.
 * @returns `undefined` for a job that is no post.
 */
export function findDestination(
  { mode, ownWebhook }: { mode: string; ownWebhook: boolean },
  published: readonly Published[] | undefined,
): Whereto | undefined {
  if (mode === "") return undefined;
  const unknown = (why: string): Whereto => ({ known: false, why });
  if (mode !== "artifact" && mode !== "slack") {
    return unknown("the incident asks for what no poster knows");
  }
  if (published === undefined) return unknown("set REDIS_URL to see it");
  if (published.length === 0) {
    return unknown("no poster says where it posts; it is down, or older");
  }
  if (ownWebhook && published.some(({ takesInputUrl }) => takesInputUrl)) {
    return unknown("the incident brings its own webhook");
  }
  const told = published.flatMap(({ workerId, modes }) => {
    const one = modes[mode];
    return one === undefined ? [] : [{ workerId, ...one }];
  });
  const [first] = told;
  if (first === undefined) {
    return unknown(
      "no poster has a webhook that it may use, so the post will wait for one",
    );
  }
  const { id, host } = first;
  if (told.every((other) => other.id === id && other.host === host)) {
    return { known: true, mode, id, host };
  }
  const each = told.map(({ workerId, id, host }) =>
    `${printable(workerId, 100)} to ${describePlace({ mode, id, host })}`
  );
  return unknown(`posters differ: ${each.join("; ")}`);
}

/** `Slack at hooks.slack.com, webhook 3f2a9c01` */
export function describePlace(
  { mode, id, host }: { mode: Mode; id: string; host: string },
): string {
  if (mode === "artifact") return "an artifact on the platform";
  const digest = id.replace(/^slack:/, "").slice(0, ID_CHARS_SHOWN);
  return `Slack at ${host}, webhook ${digest}`;
}

/** Says where a post will go, or that it cannot be told. */
export function describeWhereto(whereto: Whereto): string {
  return whereto.known
    ? describePlace(whereto)
    : `cannot tell where it will go: ${whereto.why}`;
}
