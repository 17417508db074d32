/**
 * A server's address, credentials and encryption.
 *
 * @module
 */

import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { retry } from "../base/time.ts";

/** Certificates and keys as PEM texts. */
export interface Tls {
  /** The authorities to trust, instead of the well-known ones. */
  ca?: string;
  /** The client's certificate. */
  cert?: string;
  /** Its key. */
  key?: string;
  /** The name in the server's certificate, if not the host's. */
  servername?: string;
}

/** A server. */
export interface Endpoint {
  /** May hold user and password. */
  url: string;
  /** Used unless the URL has one. */
  username?: string;
  /** Used unless the URL has one. */
  password?: string;
  /** Present, even if empty, for an encrypted connection and no other. */
  tls?: Tls;
}

/** A NATS server. */
export interface BusEndpoint extends Endpoint {
  /** Replaces user and password. */
  token?: string;
}

/** Whether a URL's scheme asks for TLS. */
export function isEncrypted(url: string): boolean {
  return ["tls:", "rediss:", "https:"].includes(new URL(url).protocol);
}

/** Takes an endpoint apart for the client libraries; an unset text is empty. */
export function splitEndpoint(
  { url, username = "", password = "", tls }: Endpoint,
): { url: URL; username: string; password: string; tls: Tls | undefined } {
  const address = new URL(url);
  const split = {
    username: decode(address.username) || username,
    password: decode(address.password) || password,
    tls: tls ?? (isEncrypted(url) ? {} : undefined),
  };
  address.username = address.password = "";
  return { url: address, ...split };
}

/** Who connects. */
export interface ConnectionOptions {
  /** Appears in the server's list of connections. */
  name: string;
  /** Takes a line for each connection made or lost. */
  log: Log;
  /** Ends the attempts to make the first connection. */
  signal: AbortSignal;
}

/** Retries a server's first connection until the signal aborts. */
export function retryConnection<T>(
  attempt: () => Promise<T>,
  { log, signal }: ConnectionOptions,
  { kind, server }: { kind: "NATS" | "Redis"; server: string },
): Promise<T> {
  return retry(attempt, {
    baseMs: 500,
    maxMs: 10_000,
    signal,
    onRetry: (error, waitMs) =>
      log.warn(`Cannot connect to ${kind}, trying again`, {
        server,
        error: messageOf(error),
        wait_ms: Math.round(waitMs),
      }),
  });
}

/** Decodes percent escapes; a text with a stray `%` stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
