/**
 * The platform's Redis, as far as a worker may use it: job inputs and results,
 * append-only lists, the scheduler's worker snapshot.
 *
 * A command is sent again if its reply was lost, so each is a plain read or
 * harmless when it runs twice. Only `delete` is neither, and is sent once.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Redis } from "ioredis";
import { messageOf, OutsideError } from "../base/errors.ts";
import { optional } from "../base/json.ts";
import { retry, within } from "../base/time.ts";
import {
  type ConnectionOptions,
  type Endpoint,
  retryConnection,
  splitEndpoint,
} from "./endpoint.ts";
import type { Look } from "./lookout.ts";

export interface Store extends AsyncDisposable {
  /**
   * Reads a string value.
   *
   * @returns `undefined` for a missing or empty value.
   * @throws {StoreError} `too large` if it is longer than `bytesMax`.
   */
  read(
    key: string,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** Writes a string value that expires after `ttlS` seconds. */
  write(
    key: string,
    value: string,
    ttlS: number,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Writes a string value that expires after `ttlS` seconds.
   *
   * @returns The value that it replaced, if there was one; its own after a reply
   * that was lost.
   */
  swap(
    key: string,
    value: string,
    ttlS: number,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /**
   * Adds an item at the end of a list, which never expires, or `ttlS` seconds
   * after its last item.
   */
  append(
    key: string,
    item: string,
    signal: AbortSignal,
    ttlS?: number,
  ): Promise<void>;
  /**
   * Adds to a number that expires `ttlS` seconds after the last addition. A
   * negative one is sent once: twice, it would take off too much.
   *
   * @returns The sum.
   */
  add(
    key: string,
    by: number,
    ttlS: number,
    signal: AbortSignal,
  ): Promise<number>;
  /**
   * Reads a whole list.
   *
   * @throws {StoreError} `too large` above {@linkcode LIST_ITEMS_MAX} items.
   */
  list(key: string, signal: AbortSignal): Promise<string[]>;
  /** Reads the last items of a list, oldest first, and no more than asked for. */
  latest(
    key: string,
    itemsMax: number,
    signal: AbortSignal,
  ): Promise<string[]>;
  /**
   * Finds the keys that begin with `prefix`, in batches and each key once. Keys
   * that come or go meanwhile may be missing.
   *
   * @throws {RangeError} If the prefix contains a pattern character of Redis.
   * @throws {StoreError} `too large` above {@linkcode SCAN_KEYS_MAX} keys.
   */
  scan(prefix: string, signal: AbortSignal): AsyncIterable<string[]>;
  /**
   * Deletes a key. Sent only once: a second attempt could delete a value that
   * others wrote meanwhile.
   *
   * @returns Whether the key existed.
   * @throws {StoreError} Even if `unavailable`, it may have been deleted.
   */
  delete(key: string, signal: AbortSignal): Promise<boolean>;
  connected(): boolean;
  /** Waits for pending replies, then closes. */
  close(): Promise<void>;
}

export class StoreError extends OutsideError {
  override name = "StoreError";
  /** Only `unavailable` may pass by itself. */
  readonly kind: "unavailable" | "too large" | "refused";

  /** @param message For people; quotes no value. */
  constructor(kind: StoreError["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** Our own lists are shorter. */
export const LIST_ITEMS_MAX = 1_000;
export const SCAN_KEYS_MAX = 100_000;
/** Keys that Redis examines for one answer, including other clients' keys. */
const SCAN_COUNT = 500;
const PORT = 6379;
/** The first command fetches this much, before the length is known. */
const FIRST_BYTES = 16 * 1024;
const COMMAND_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** The client's error for a command without an answer. */
const TIMED_OUT = "Command timed out";
const DISCONNECT_TIMEOUT_MS = 250;
const LOOK_MS = 1_500;
/** One call survives an outage of this length, unless its signal aborts. */
const OUTAGE_MS = 240_000;
/** Words of errors that pass: the server loads, fails over, or is full. */
const PASSING = [
  "LOADING",
  "READONLY",
  "MASTERDOWN",
  "TRYAGAIN",
  "OOM",
  "BUSY",
];

/**
 * Retries until the signal aborts.
 *
 * @param options A number as the path of the URL is the database.
 * @throws {StoreError} The last failure, after an abort.
 */
export async function connectStore(
  options: Endpoint & ConnectionOptions,
): Promise<Store> {
  const { log } = options;
  const { url, username, password, tls } = splitEndpoint(options);
  const { host, hostname, port, pathname } = url;
  const redis = new Redis({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || PORT),
    db: Number(pathname.slice(1)) || 0,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    ...optional("tls", tls),
    connectionName: options.name,
    // Redis learns of it from 7.2 on; no rule for a user can name it before.
    disableClientInfo: true,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    // The library's queue would hide failures from our own retry.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(attempt * 200, 2_000),
    // After a failover, the old primary answers READONLY until we reconnect.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  });
  let up = false;
  let broken: Error | undefined; // Calls made after it only say that it is so.
  // The client listens for one error per connection; Deno may report two.
  redis.on("connect", () => streamOf(redis).on("error", () => {}));
  // Failing calls report it, and `close` below.
  redis.on("error", (error) => broken = error);
  redis.on("ready", () => {
    up = true;
    broken = undefined;
    log.info("Connected to Redis", { server: host });
  });
  redis.on("close", () => {
    if (up) log.warn("Lost the connection to Redis", { server: host });
    up = false;
  });
  const reach = async () => {
    if (redis.status === "ready") return;
    try {
      // The library reconnects by itself once the first attempt has failed.
      if (redis.status === "wait" || redis.status === "end") {
        await redis.connect();
      } else await redis.ping();
    } catch (error) {
      throw toStoreError(broken ?? error);
    }
  };
  try {
    await retryConnection(reach, options, { kind: "Redis", server: host });
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return wrap(redis, () => up);
}

function streamOf(redis: Redis): Socket {
  return (redis as unknown as { stream: Socket }).stream;
}

function wrap(redis: Redis, up: () => boolean): Store {
  const run = <T>(command: () => Promise<T>, signal: AbortSignal): Promise<T> =>
    retry(() => {
      const stream = streamOf(redis);
      return command().catch((error) => {
        // Without an answer, the connection may be half open, and nothing else
        // would ever notice. The client's own socketTimeout outlives its
        // connection and then ends the next one (ioredis 5.9.3).
        if (messageOf(error) === TIMED_OUT) stream.destroy();
        throw toStoreError(error);
      });
    }, {
      baseMs: 200,
      maxMs: 2_000,
      signal,
      // Every command has its own time-out. A signal per call would only cost:
      // 50,000 commands took ten times as long and 100 MiB more.
      deadlineMs: OUTAGE_MS,
      retryable: (error) =>
        error instanceof StoreError && error.kind === "unavailable",
    });
  let closing: Promise<void> | undefined;
  const close = () => {
    redis.removeAllListeners("close"); // It would log a lost connection.
    closing ??= redis.quit().then(() => {}, () => redis.disconnect());
    return closing;
  };
  return {
    async read(key, bytesMax, signal) {
      const part = (from: number, to: number) =>
        run(() => redis.getrangeBuffer(key, from, to), signal);
      // One command is enough for most values. A long one is measured before it
      // is fetched, so that nobody can fill up this process.
      const end = Math.min(bytesMax, FIRST_BYTES);
      const first = await part(0, end);
      const decoder = new TextDecoder();
      if (first.length <= end) {
        return first.length === 0 ? undefined : decoder.decode(first);
      }
      const length = await run(() => redis.strlen(key), signal);
      if (length > bytesMax) {
        throw tooLarge(`Cannot read "${key}": longer than ${bytesMax} bytes`);
      }
      const rest = await part(first.length, length - 1);
      return decoder.decode(first, { stream: true }) + decoder.decode(rest);
    },
    async write(key, value, ttlS, signal) {
      await run(() => redis.set(key, value, "EX", ttlS), signal);
    },
    async swap(key, value, ttlS, signal) {
      const set = () => redis.set(key, value, "EX", ttlS, "GET");
      return await run(set, signal) ?? undefined;
    },
    async append(key, item, signal, ttlS) {
      await run(() => redis.rpush(key, item), signal);
      if (ttlS !== undefined) await run(() => redis.expire(key, ttlS), signal);
    },
    async add(key, by, ttlS, signal) {
      const add = () => redis.incrby(key, by);
      const sum = by < 0
        ? await add().catch((error) => {
          throw toStoreError(error);
        })
        : await run(add, signal);
      await run(() => redis.expire(key, ttlS), signal);
      return sum;
    },
    async list(key, signal) {
      const read = () => redis.lrange(key, 0, LIST_ITEMS_MAX);
      const items = await run(read, signal);
      if (items.length <= LIST_ITEMS_MAX) return items;
      throw tooLarge(`Cannot read "${key}": more than ${LIST_ITEMS_MAX} items`);
    },
    latest: (key, itemsMax, signal) =>
      run(() => redis.lrange(key, -itemsMax, -1), signal),
    async *scan(prefix, signal) {
      if (/[*?[\]\\^]/.test(prefix)) {
        throw new RangeError("Cannot scan: the prefix is a pattern");
      }
      const seen = new Set<string>();
      let cursor = "0";
      do {
        refuseLate(signal, "Cannot list keys");
        const [next, found] = await run(
          () => redis.scan(cursor, "MATCH", `${prefix}*`, "COUNT", SCAN_COUNT),
          signal,
        );
        // Redis may name a key twice while its table grows or shrinks.
        const fresh = new Set(found).difference(seen);
        for (const key of fresh) seen.add(key);
        if (seen.size > SCAN_KEYS_MAX) {
          throw tooLarge(
            `Cannot list "${prefix}*": more than ${SCAN_KEYS_MAX} keys`,
          );
        }
        if (fresh.size > 0) yield [...fresh];
        cursor = next;
      } while (cursor !== "0");
    },
    async delete(key, signal) {
      refuseLate(signal, "Cannot delete a key");
      try {
        return await redis.del(key) > 0;
      } catch (error) {
        throw toStoreError(error);
      }
    },
    connected: up,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Where the scheduler keeps its snapshot of the workers. */
export const SNAPSHOT_KEY = "sys:workers:snapshot";

/** Looks for a Redis that does not answer, although it seems connected. */
export function lookAtStore(store: Pick<Store, "read">): Look {
  return async (signal) => {
    try {
      await within(LOOK_MS, store.read(SNAPSHOT_KEY, 0, signal));
    } catch (error) {
      const answered = error instanceof StoreError &&
        error.kind !== "unavailable";
      if (!answered) return "Redis does not answer";
    }
    return undefined;
  };
}

function tooLarge(message: string): StoreError {
  return new StoreError("too large", message);
}

function refuseLate(signal: AbortSignal, failure: string): void {
  if (!signal.aborted) return;
  throw new StoreError("unavailable", `${failure}: there was no time left`);
}

/** An error reply is Redis's own word; all other errors are the connection's. */
function toStoreError(error: unknown): StoreError {
  const message = messageOf(error);
  const replied = error instanceof Error && error.name === "ReplyError";
  return replied && !PASSING.includes(message.split(" ", 1)[0]!)
    ? new StoreError("refused", `Redis refused: ${message}`, error)
    : new StoreError("unavailable", `Redis is unavailable: ${message}`, error);
}
