/**
 * The message bus: plain NATS publish and subscribe over one connection, which
 * reconnects for as long as it takes.
 *
 * @module
 */
import { connect, type NatsConnection, type Status } from "nats";
import { optional } from "../base/json.ts";
import { errorFields, type Log } from "../base/log.ts";
import { within } from "../base/time.ts";
import {
  type BusEndpoint,
  type ConnectionOptions,
  retryConnection,
  splitEndpoint,
} from "./endpoint.ts";
import { mendSockets } from "./nats_sockets.ts";

export interface Bus extends AsyncDisposable {
  /** Queues a message. Only a later `flush()` confirms that the server has it. */
  publish(subject: string, bytes: Uint8Array): void;
  /**
   * Calls `onMessage`, which must not throw, for each message.
   *
   * @param onRefused Learns that the server lets this user not subscribe; it is
   * logged in any case.
   * @returns Ends the subscription.
   */
  subscribe(
    subject: string,
    onMessage: (bytes: Uint8Array) => void,
    onRefused?: (error: Error) => void,
  ): () => void;
  /**
   * Waits until the server has taken everything published so far.
   *
   * @throws If the connection breaks, or after {@linkcode FLUSH_TIMEOUT_MS}.
   */
  flush(): Promise<void>;
  connected(): boolean;
  onReconnect(listener: () => void): void;
  /** Resolves when the connection is gone for good; with an error if not by us. */
  readonly closed: Promise<Error | undefined>;
  /** Aborts at the same moment. */
  readonly ended: AbortSignal;
  /** Sends the queued messages, then closes. */
  close(): Promise<void>;
}

export const FLUSH_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_WAIT_MS = 500;
/** Two missed answers end the connection before the scheduler gives up on us. */
const PING_INTERVAL_MS = 5_000;

/** Retries until the signal aborts. @throws The last failure, after an abort. */
export async function connectBus(
  options: BusEndpoint & ConnectionOptions,
): Promise<Bus> {
  const { log, token } = options;
  const { url, username: user, password: pass, tls } = splitEndpoint(options);
  const server = url.href.replace(/\/$/, "");
  mendSockets();
  const connection = await retryConnection(
    () =>
      connect({
        servers: server,
        name: options.name,
        ...optional("token", token),
        ...(user === "" ? {} : { user, pass }),
        // With this option, the client refuses a server without TLS.
        ...optional("tls", tls),
        timeout: CONNECT_TIMEOUT_MS,
        maxReconnectAttempts: -1, // The default gives up for good after 20 s.
        reconnectDelayHandler: createPace(),
        pingInterval: PING_INTERVAL_MS,
        // A cluster announces its peers by addresses that no permission covers.
        ignoreClusterUpdates: true,
      }),
    options,
    { kind: "NATS", server },
  );
  log.info("Connected to NATS", { server });
  return wrap(connection, log);
}

/**
 * Tells the library how long to wait before the next attempt, by a clock that
 * nobody sets. The library itself uses the time of day: after somebody sets the
 * clock back by an hour, it would not try again for an hour.
 */
function createPace(): () => number {
  let nextAt = -Infinity;
  return () => {
    const now = performance.now();
    if (now < nextAt) return nextAt - now;
    // Workers that lost the same server should not all come back at once.
    nextAt = now + RECONNECT_WAIT_MS * (1 + Math.random() / 5);
    return -Infinity; // At once, at any time of day.
  };
}

function wrap(connection: NatsConnection, log: Log): Bus {
  const reconnected: (() => void)[] = [];
  const refused = new Set<string>();
  let up = true;
  watchStatus(connection, ({ type, permissionContext: denied }) => {
    if (type === "disconnect") {
      up = false;
      log.warn("Lost the connection to NATS");
    }
    if (type === "reconnect") {
      up = true;
      log.info("Reconnected to NATS");
      for (const listener of reconnected) listener();
    }
    // Nothing else tells: the server goes on as if the message had been sent.
    if (denied?.operation === "publish" && !refused.has(denied.subject)) {
      const { subject } = denied;
      refused.add(subject); // Once: heartbeats come every 5 s.
      log.error("NATS drops what its user may not publish", { subject });
    }
  });
  const ended = new AbortController();
  const closed = connection.closed().then((error) => {
    ended.abort();
    return error ?? undefined;
  });
  const close = async () => {
    up = false;
    await connection.drain().catch(() => connection.close());
  };
  return {
    publish: (subject, bytes) => connection.publish(subject, bytes),
    subscribe(subject, onMessage, onRefused) {
      const subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) return onMessage(message.data);
          log.error("Subscription failed", { subject, ...errorFields(error) });
          onRefused?.(error);
        },
      });
      return () => subscription.unsubscribe();
    },
    flush: () => within(FLUSH_TIMEOUT_MS, connection.flush()),
    connected: () => up && !connection.isClosed(),
    onReconnect: (listener) => void reconnected.push(listener),
    closed,
    ended: ended.signal,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function watchStatus(
  connection: NatsConnection,
  onStatus: (status: Status) => void,
): Promise<void> {
  for await (const status of connection.status()) onStatus(status);
}
