/**
 * The records of posts, as they stand in Redis.
 *
 * @module
 */
import { createLog } from "../../lib/base/log.ts";
import type { Endpoint } from "../../lib/platform/endpoint.ts";
import {
  connectStore,
  type Store,
  StoreError,
} from "../../lib/platform/store.ts";
import { RECORD_PREFIX } from "../../lib/post/record.ts";
import { CommandError } from "../terminal/command.ts";
import { type DeletableList, describePost, type Post } from "./posts.ts";

/** A person waits. */
const CONNECT_MS = 5_000;
const CALL_MS = 20_000;
const LIST_MS = 120_000;
const READS_MAX = 50;

/** The records of posts. */
export interface Posts extends DeletableList, AsyncDisposable {
  /** Those whose key passes, in no order. */
  find(isWanted: (key: string) => boolean): Promise<Post[]>;
}

/** Connects to Redis. @throws {CommandError} If that takes too long. */
export async function openPosts(redis: Endpoint): Promise<Posts> {
  const store = await connectStore({
    ...redis,
    name: "incident-enricher-scripts",
    log: createLog({}, { write() {} }),
    signal: AbortSignal.timeout(CONNECT_MS),
  }).catch((error) => {
    if (!(error instanceof StoreError)) throw error;
    const { host } = new URL(redis.url);
    throw new CommandError(
      `Cannot connect to Redis at ${host} within ${
        CONNECT_MS / 1000
      } s; REDIS_URL names another`,
    );
  });
  const signal = () => AbortSignal.timeout(CALL_MS);
  return {
    append: (key, item) => store.append(key, item, signal()),
    list: (key) => store.list(key, signal()),
    delete: (key) => store.delete(key, signal()),
    find: (isWanted) => find(store, isWanted),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

async function find(
  store: Store,
  isWanted: (key: string) => boolean,
): Promise<Post[]> {
  const signal = AbortSignal.timeout(LIST_MS);
  const posts: Post[] = [];
  for await (const batch of store.scan(RECORD_PREFIX, signal)) {
    const keys = batch.filter(isWanted);
    for (let at = 0; at < keys.length; at += READS_MAX) {
      const read = keys.slice(at, at + READS_MAX).map((key) =>
        readPost(store, key, signal)
      );
      posts.push(
        ...(await Promise.all(read)).filter((post) => post !== undefined),
      );
    }
  }
  return posts;
}

/** @returns `undefined` if it was deleted meanwhile. */
async function readPost(
  store: Store,
  key: string,
  signal: AbortSignal,
): Promise<Post | undefined> {
  try {
    const items = await store.list(key, signal);
    return items.length === 0
      ? undefined
      : describePost(key, items, Date.now());
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind === "unavailable") {
      throw error;
    }
    // No list, or an endless one: shown, so that somebody looks.
    return describePost(key, [error.message], Date.now());
  }
}
