/**
 * One POST to a URL that is a credential.
 *
 * Deno's own HTTP clients write the full URL of every request into their
 * telemetry spans. This one uses `undici`, whose requests appear in no span;
 * measured with `OTEL_DENO=true`.
 *
 * @module
 */
import type { Socket } from "node:net";
import { buildConnector, Client } from "undici";
import { shorten } from "./text.ts";

/** How a request ended. No text quotes the URL. */
export type SecretOutcome =
  | {
    outcome: "answered";
    status: number;
    /** The beginning of the body. */
    body: string;
    /** The header `Retry-After`. */
    retryAfter: string | undefined;
  }
  /** The other side knows nothing; `hopeless` if this process never gets there. */
  | { outcome: "not sent"; why: string; hopeless: boolean }
  /** It may have arrived. */
  | { outcome: "unknown"; why: string };

/** A request and its bounds. */
export interface SecretOptions {
  /** Beside the type of the content, which is JSON. */
  headers?: Readonly<Record<string, string>>;
  /** Limits the whole exchange. */
  timeoutMs: number;
  /** Ends a pending connection, but not the wait for an answer. */
  signal: AbortSignal;
}

const ANSWER_BYTES_MAX = 64 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const ABORTED: SecretOutcome = {
  outcome: "not sent",
  why: "cancelled",
  hopeless: true,
};

/**
 * Posts `payload` once. Failures of the network never throw.
 *
 * @throws {TypeError} If the URL is none.
 */
export async function postSecretly(
  url: string,
  payload: Uint8Array,
  { headers = {}, timeoutMs, signal }: SecretOptions,
): Promise<SecretOutcome> {
  if (signal.aborted) return ABORTED;
  const { origin, pathname, search } = new URL(url);
  const { client, isConnected, drop } = openClient(origin);
  const end = new AbortController();
  const timer = setTimeout(() => {
    end.abort();
    drop();
  }, timeoutMs);
  const connectTimer = setTimeout(drop, CONNECT_TIMEOUT_MS);
  signal.addEventListener("abort", drop);
  try {
    const answer = await client.request({
      path: pathname + search,
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: payload,
      // Not the caller's signal: an answer on its way is worth waiting for.
      signal: end.signal,
    });
    const [retryAfter] = [answer.headers["retry-after"]].flat();
    return {
      outcome: "answered",
      status: answer.statusCode,
      body: await readText(answer.body),
      retryAfter,
    };
  } catch (error) {
    if (isConnected()) {
      const why = end.signal.aborted
        ? "no answer in time"
        : `connection lost (${codeOf(error)})`;
      return { outcome: "unknown", why };
    }
    if (signal.aborted) return ABORTED;
    const code = codeOf(error);
    const why = `no connection (${code})`;
    // Without permission the host stays out of reach. Deno reports that by
    // class, or by code if it looked up the host's address.
    const hopeless = code === "NotCapable" || code === "EPERM";
    return { outcome: "not sent", why, hopeless };
  } finally {
    clearTimeout(timer);
    clearTimeout(connectTimer);
    signal.removeEventListener("abort", drop);
    await client.destroy().catch(() => {});
  }
}

/**
 * A client for one request over one connection. Without HTTP/2, because it
 * would repeat a refused request by itself. Without its own timers, because
 * they are up to a second late and outlive the client.
 */
function openClient(origin: string) {
  const connect = buildConnector({ timeout: 0, allowH2: false });
  let socket: Socket | undefined;
  let connected = false;
  const client = new Client(origin, {
    connect(options, callback) {
      // The type omits that it returns the socket.
      socket = connect(options, (...made) => {
        connected = made[0] === null;
        callback(...made);
      }) as unknown as Socket;
    },
    pipelining: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  /** Gives up a pending connection, so that nothing is sent. */
  const drop = () => {
    if (connected) return;
    socket?.destroy(Object.assign(new Error("Gave up"), { code: "ETIMEDOUT" }));
  };
  return { client, isConnected: () => connected, drop };
}

/** A status line is an answer even if its body then breaks off. */
async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > ANSWER_BYTES_MAX) break;
    }
  } catch {
    // The part that arrived has to do.
  }
  return text;
}

/** Reads `Retry-After`: seconds or a date. @returns Milliseconds; 0 for any other text. */
export function readRetryAfter(text: string = ""): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  return Math.max(0, Date.parse(text) - Date.now()) || 0;
}

/** The library's error texts may contain the host and path; its codes do not. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown })?.code ??
    (error as { name?: unknown })?.name;
  return shorten(typeof code === "string" ? code : "error", 60);
}
