/**
 * The records of posts in Redis.
 *
 * @module
 */
import { deadline, linkSignal } from "../base/deadline.ts";
import { JobError } from "../base/errors.ts";
import { within } from "../base/time.ts";
import type { Severity } from "../incident.ts";
import type { Endpoint } from "../platform/endpoint.ts";
import { type Store, StoreError } from "../platform/store.ts";
import {
  type Claim,
  parseEvents,
  type PostEvent,
  readKey,
  RECORD_PREFIX,
} from "../post/events.ts";
import {
  BUSY_MS,
  type EventList,
  fold,
  isYounger,
  type PostState,
  standingOf,
} from "../post/record.ts";
import { readAs } from "../post/severity.ts";
import { readInBatches } from "./batches.ts";
import { openStore } from "./reach.ts";

const UNRECORDED = "not recorded";

/** One record, as `posts --json` shows it. */
export interface Post {
  key: string;
  tenant: string;
  /** With its source in front. */
  incident_id: string;
  /** `artifact`, or `slack:` and a digest. */
  destination: string;
  state: "posted" | "busy" | "in doubt" | "free";
  /**
   * Of the messages that were posted, oldest first, and of the open claim; "not
   * recorded" for what 0.1.0 wrote.
   */
  severities: (Severity | typeof UNRECORDED)[];
  /** As they were written, oldest first; what cannot be read as its text. */
  events: unknown[];
  /** Of the claim or the post that counts; empty if none is known. */
  job_id: string;
  run_id: string;
  /** RFC 3339: when it was posted or marked, claimed, or last written to. */
  at: string;
}

/** A list whose records can be deleted. */
export interface DeletableList extends EventList {
  /** Deletes without retrying. @returns Whether there was one. */
  delete(key: string): Promise<boolean>;
}

export interface Posts extends DeletableList, AsyncDisposable {
  /** Reads the records whose keys are wanted, in no order. */
  find(isWanted: (key: string) => boolean): Promise<Post[]>;
}

const CONNECT_MS = 5_000;
const CALL_MS = 20_000;
const LIST_MS = 120_000;
const READS_MAX = 50;

/**
 * Connects to Redis.
 *
 * @throws {StoreError} After `connectMs`. Its methods throw one after `callMs`
 * without an answer.
 */
export async function openPosts(
  redis: Endpoint,
  signal: AbortSignal,
  { connectMs = CONNECT_MS, callMs = CALL_MS } = {},
): Promise<Posts> {
  const store = await openStore(redis, connectMs, signal);
  const bounded = async <T>(
    ms: number,
    call: (signal: AbortSignal) => Promise<T>,
  ) => {
    using end = deadline(ms, signal);
    return await call(end.signal);
  };
  return {
    append: (key, item) =>
      bounded(callMs, (signal) => store.append(key, item, signal)),
    list: (key) => bounded(callMs, (signal) => store.list(key, signal)),
    delete: (key) => bounded(callMs, (signal) => store.delete(key, signal)),
    find: (isWanted) =>
      bounded(LIST_MS, (signal) => find(store, isWanted, { signal, callMs })),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** @throws {StoreError} If Redis leaves a part unanswered for `callMs`. */
async function find(
  store: Store,
  isWanted: (key: string) => boolean,
  { signal, callMs }: { signal: AbortSignal; callMs: number },
): Promise<Post[]> {
  using stop = linkSignal(signal);
  const posts: Post[] = [];
  const read = (key: string) => readPost(store, key, stop.signal);
  const batches = store.scan(RECORD_PREFIX, stop.signal);
  const parts = batches[Symbol.asyncIterator]();
  try {
    while (true) {
      const part = await within(callMs, parts.next());
      if (part.done) return posts;
      const keys = part.value.filter(isWanted);
      const found = readInBatches(keys, READS_MAX, read);
      posts.push(...await within(callMs, found));
    }
  } catch (error) {
    stop.abort(error);
    if (!(error instanceof DOMException)) throw error;
    const why = `Redis has not answered for ${callMs / 1000} s`;
    throw new StoreError("unavailable", why, error);
  }
}

/** @returns `undefined` if it was deleted meanwhile. */
async function readPost(
  store: Store,
  key: string,
  signal: AbortSignal,
): Promise<Post | undefined> {
  try {
    const items = await store.list(key, signal);
    return items.length === 0 ? undefined : foldPost(key, items, Date.now());
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind === "unavailable") {
      throw error;
    }
    // Not a list, or an endless one: show it, so that somebody looks.
    return foldPost(key, [error.message], Date.now());
  }
}

/** Reads a record's items. */
export function foldPost(
  key: string,
  items: readonly string[],
  nowMs: number,
): Post {
  const events = tryParse(items);
  const {
    tenant = "",
    incidentId = key.slice(RECORD_PREFIX.length),
    destination = "",
  } = readKey(key, events) ?? {};
  const claim = events?.findLast((event) => event.type === "claim");
  const post = {
    key,
    tenant,
    incident_id: incidentId,
    destination,
    events: events ?? items.map(parseLoosely),
    job_id: claim?.job_id ?? "",
    run_id: claim?.run_id ?? "",
  };
  // An unreadable record could mean anything, so a person has to look.
  if (events === undefined) {
    return { ...post, state: "in doubt", severities: [], at: "" };
  }
  const state = fold(events);
  const known = { ...post, severities: severitiesOf(state) };
  switch (state.state) {
    case "posted": {
      const { last } = state;
      const { job_id, run_id } = last.as === "posted"
        ? last.result
        : last.claim ?? post;
      return { ...known, state: "posted", job_id, run_id, at: last.at };
    }
    case "held":
    case "in doubt": {
      const { job_id, run_id, at } = state.claim;
      const ageMs = nowMs - Date.parse(at);
      const busy = state.state === "held" && isYounger(ageMs, BUSY_MS);
      const word = busy ? "busy" : "in doubt";
      return { ...known, state: word, job_id, run_id, at };
    }
    case "free":
      return { ...known, state: "free", at: events.at(-1)?.at ?? "" };
  }
}

function severitiesOf(state: PostState): Post["severities"] {
  const { last, earlier = [] } = standingOf(state) ?? {};
  const posted = [...earlier, ...last ? [last] : []]
    .map(({ severity, assumed }) => assumed ? UNRECORDED : severity);
  if (!("claim" in state)) return posted;
  const { severity } = state.claim;
  return [...posted, severity === undefined ? UNRECORDED : readAs(severity)];
}

/** @returns `undefined` if the record is unreadable. */
export function tryParse(items: readonly string[]): PostEvent[] | undefined {
  try {
    return parseEvents(items);
  } catch (error) {
    if (error instanceof JobError) return undefined;
    throw error;
  }
}

function parseLoosely(item: string): unknown {
  try {
    return JSON.parse(item);
  } catch {
    return item;
  }
}

/** The host that a post went to or was to go to. */
export function hostOf({ events, destination }: Post): string {
  const host = events.map((event) => (event as Partial<Claim>)?.host)
    .findLast((host) => typeof host === "string");
  return host ?? destination;
}
