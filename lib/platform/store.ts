/**
 * The platform's Redis, as far as a worker may use it: job inputs and results,
 * append-only lists, the scheduler's worker snapshot.
 *
 * Every command either is harmless when it runs twice or is a plain read, for
 * one whose reply was lost is sent again. The one that is neither, `delete`, is
 * sent once.
 * @module
 */
import type { Socket } from "node:net";
import { Redis } from "ioredis";
import { retry } from "../base/time.ts";
import { messageOf, OutsideError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type Endpoint, splitEndpoint } from "./endpoint.ts";

export interface Store extends AsyncDisposable {
  /**
   * Reads a string value.
   *
   * @returns `undefined` if there is none (an empty value counts as none).
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
  /** Adds an item at the end of a list that never expires. */
  append(key: string, item: string, signal: AbortSignal): Promise<void>;
  /**
   * Reads a whole list.
   *
   * @throws {StoreError} `too large` above {@linkcode LIST_ITEMS_MAX} items.
   */
  list(key: string, signal: AbortSignal): Promise<string[]>;
  /**
   * Finds the keys that begin with `prefix`, a batch at a time and each once;
   * those that come or go meanwhile may be missing.
   *
   * @throws {RangeError} If the prefix holds a character that Redis would take
   * for a pattern.
   * @throws {StoreError} `too large` above {@linkcode SCAN_KEYS_MAX} keys.
   */
  scan(prefix: string, signal: AbortSignal): AsyncIterable<string[]>;
  /**
   * Deletes a key. Sent once: a second one could meet what others wrote
   * meanwhile.
   *
   * @returns Whether there was one.
   * @throws {StoreError} If `unavailable`, it may be deleted all the same.
   */
  delete(key: string, signal: AbortSignal): Promise<boolean>;
  connected(): boolean;
  /** Waits for pending replies, then closes. */
  close(): Promise<void>;
}

/** Where and how to connect; a number as the URL's path is the database. */
export interface StoreOptions extends Endpoint {
  /** Shown in the server's client list. */
  name: string;
  /** Told of each connection made and lost. */
  log: Log;
  /** Ends the attempts to make the first connection. */
  signal: AbortSignal;
}

export class StoreError extends OutsideError {
  override name = "StoreError";
  /** `unavailable` may pass by itself; the others do not. */
  readonly kind: "unavailable" | "too large" | "refused";

  /** Its `message` is for people and quotes no value. */
  constructor(kind: StoreError["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** A list longer than this is not one of ours. */
export const LIST_ITEMS_MAX = 1_000;
/** More keys than this under one prefix are not listed. */
export const SCAN_KEYS_MAX = 100_000;
/** Keys that Redis looks at for one answer, those of others included. */
const SCAN_COUNT = 500;
const PORT = 6379;
/** What one command fetches of a value before its length is looked at. */
const FIRST_BYTES = 16 * 1024;
const COMMAND_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** What the client says of a command without an answer. */
const TIMED_OUT = "Command timed out";
/** How long a connection that is given up may take to close. */
const DISCONNECT_TIMEOUT_MS = 250;
const SCAN_ENDED = "Cannot list keys: there was no time left";
const NOT_DELETED = "Cannot delete a key: there was no time left";
/** How long one call rides out an outage, unless its signal ends it sooner. */
const OUTAGE_MS = 240_000;

/**
 * Connects, trying again with backoff until it succeeds or the signal aborts.
 *
 * @throws {StoreError} The last failure, if the signal aborts first.
 */
export async function connectStore(options: StoreOptions): Promise<Store> {
  const { log, signal } = options;
  const { url, username, password, tls } = splitEndpoint(options);
  const { host, hostname, port, pathname } = url;
  const redis = new Redis({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || PORT),
    db: Number(pathname.slice(1)) || 0,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    connectionName: options.name,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    // Our own retry sees each failure; the library's queue would hide it.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(attempt * 200, 2_000),
    // After a failover the old primary answers READONLY until one reconnects.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  });
  let up = false;
  // The client listens for one error of a connection, and Deno may tell two.
  redis.on("connect", () => streamOf(redis).on("error", () => {}));
  redis.on("error", () => {}); // Told by the calls that fail, and below.
  redis.on("ready", () => {
    up = true;
    log.info("Connected to Redis", { server: host });
  });
  redis.on("close", () => {
    if (up) log.warn("Lost the connection to Redis", { server: host });
    up = false;
  });
  try {
    await firstConnection(redis, host, log, signal);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return wrap(redis, () => up);
}

function streamOf(redis: Redis): Socket {
  return (redis as unknown as { stream: Socket }).stream;
}

function firstConnection(
  redis: Redis,
  host: string,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  return retry(async () => {
    if (redis.status === "ready") return;
    try {
      // The library reconnects by itself once the first attempt has failed.
      if (redis.status === "wait" || redis.status === "end") {
        await redis.connect();
      } else await redis.ping();
    } catch (error) {
      throw toStoreError(error);
    }
  }, {
    baseMs: 500,
    maxMs: 10_000,
    signal,
    retryable: () => true,
    onRetry: (error, waitMs) =>
      log.warn("Cannot connect to Redis, trying again", {
        server: host,
        error: messageOf(error),
        wait_ms: Math.round(waitMs),
      }),
  });
}

function wrap(redis: Redis, up: () => boolean): Store {
  const run = <T>(command: () => Promise<T>, signal: AbortSignal): Promise<T> =>
    retry(() => {
      const stream = streamOf(redis);
      return command().catch((error) => {
        // No answer at all: the connection may be half open, which nothing else
        // would ever notice. Its own socketTimeout outlives the connection that
        // it watches, and then ends the next one (ioredis 5.9.3).
        if (messageOf(error) === TIMED_OUT) stream.destroy();
        throw toStoreError(error);
      });
    }, {
      baseMs: 200,
      maxMs: 2_000,
      signal,
      // Every command has its own time-out, so a signal per call would only
      // cost: it took ten times as long and 100 MiB more for 50,000 commands.
      deadlineMs: OUTAGE_MS,
      retryable: (error) =>
        error instanceof StoreError && error.kind === "unavailable",
    });
  let closing: Promise<void> | undefined;
  const close = () => {
    redis.removeAllListeners("close"); // Not a loss: we leave.
    closing ??= redis.quit().then(() => {}, () => redis.disconnect());
    return closing;
  };
  return {
    async read(key, bytesMax, signal) {
      const part = (from: number, to: number) =>
        run(() => redis.getrangeBuffer(key, from, to), signal);
      // Most values are short: one command. A long one is measured before it
      // is fetched, so that nobody can fill this process up.
      const first = await part(0, Math.min(bytesMax, FIRST_BYTES));
      const decoder = new TextDecoder();
      if (first.length <= Math.min(bytesMax, FIRST_BYTES)) {
        return first.length === 0 ? undefined : decoder.decode(first);
      }
      const length = await run(() => redis.strlen(key), signal);
      if (length > bytesMax) {
        throw new StoreError(
          "too large",
          `Cannot read "${key}": longer than ${bytesMax} bytes`,
        );
      }
      const rest = await part(first.length, length - 1);
      return decoder.decode(first, { stream: true }) + decoder.decode(rest);
    },
    async write(key, value, ttlS, signal) {
      await run(() => redis.set(key, value, "EX", ttlS), signal);
    },
    async append(key, item, signal) {
      await run(() => redis.rpush(key, item), signal);
    },
    async list(key, signal) {
      const items = await run(
        () => redis.lrange(key, 0, LIST_ITEMS_MAX),
        signal,
      );
      if (items.length > LIST_ITEMS_MAX) {
        throw new StoreError(
          "too large",
          `Cannot read "${key}": more than ${LIST_ITEMS_MAX} items`,
        );
      }
      return items;
    },
    async *scan(prefix, signal) {
      if (/[*?[\]\\^]/.test(prefix)) {
        throw new RangeError("Cannot scan: the prefix is a pattern");
      }
      const seen = new Set<string>();
      let cursor = "0";
      do {
        if (signal.aborted) throw new StoreError("unavailable", SCAN_ENDED);
        const [next, found] = await run(
          () => redis.scan(cursor, "MATCH", `${prefix}*`, "COUNT", SCAN_COUNT),
          signal,
        );
        // Redis may name a key twice while its table grows or shrinks.
        const fresh = new Set(found).difference(seen);
        for (const key of fresh) seen.add(key);
        if (seen.size > SCAN_KEYS_MAX) {
          throw new StoreError(
            "too large",
            `Cannot list "${prefix}*": more than ${SCAN_KEYS_MAX} keys`,
          );
        }
        if (fresh.size > 0) yield [...fresh];
        cursor = next;
      } while (cursor !== "0");
    },
    async delete(key, signal) {
      if (signal.aborted) throw new StoreError("unavailable", NOT_DELETED);
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

/** A reply that is an error is Redis's own word; all else is the connection. */
function toStoreError(error: unknown): StoreError {
  const message = messageOf(error);
  const replied = error instanceof Error && error.name === "ReplyError";
  const word = replied ? message.split(" ", 1)[0]! : undefined;
  // These pass: the server loads, fails over, or is full until it is not.
  const passing = [
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "TRYAGAIN",
    "OOM",
    "BUSY",
  ];
  if (word !== undefined && !passing.includes(word)) {
    return new StoreError("refused", `Redis refused: ${message}`, error);
  }
  return new StoreError(
    "unavailable",
    `Redis is unavailable: ${message}`,
    error,
  );
}
