/**
 * HTTP calls with a bound on everything, and one answer to the question that
 * matters after a failure: can the other side have seen the request?
 *
 * @module
 */
import { messageOf } from "./errors.ts";

/** What became of a request. */
export type Outcome =
  | { outcome: "answered"; status: number; headers: Headers; body: Uint8Array }
  /**
   * No connection was made, so the other side knows nothing; `hopeless` if none
   * can ever be made by this process.
   */
  | { outcome: "not sent"; reason: string; hopeless?: true }
  /** It may have arrived: time ran out, the connection broke, the answer was too long. */
  | { outcome: "unknown"; reason: string };

/** A request and its bounds. */
export interface RequestOptions {
  /** `GET` unless given. */
  method?: string;
  /** Names and values as they are sent. */
  headers?: Record<string, string>;
  /** Sent as it is. */
  body?: BodyInit;
  /** The whole exchange, the answer's body included. */
  timeoutMs: number;
  /** A longer answer makes the outcome unknown. */
  bodyBytesMax: number;
  /** Cancels the request. */
  signal?: AbortSignal;
  /** Trusts and connects otherwise than usual. */
  client?: Deno.HttpClient;
}

/**
 * Sends one request. Redirects are not followed; their status is the answer.
 *
 * Never throws for what the network does, and never quotes the URL or a header,
 * which may be a credential.
 *
 * @throws {TypeError} If the URL or the options are wrong.
 */
export async function request(
  url: string,
  options: RequestOptions,
): Promise<Outcome> {
  const { method = "GET", headers = {}, body, timeoutMs, bodyBytesMax } =
    options;
  if (options.signal?.aborted) {
    return { outcome: "not sent", reason: "cancelled" };
  }
  // Not AbortSignal.timeout(): its timer would outlive the request.
  const timeout = new AbortController();
  const signal = options.signal === undefined
    ? timeout.signal
    : AbortSignal.any([timeout.signal, options.signal]);
  const init: RequestInit = { method, headers, redirect: "manual", signal };
  if (body !== undefined) init.body = body;
  const sent = build(url, init);
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    const { client } = options;
    const response = await fetch(sent, client && { client });
    const { status, headers } = response;
    const bytes = await readBounded(response.body, bodyBytesMax);
    return { outcome: "answered", status, headers, body: bytes };
  } catch (error) {
    if (timeout.signal.aborted) {
      return { outcome: "unknown", reason: `no answer within ${timeoutMs} ms` };
    }
    if (signal.aborted) return { outcome: "unknown", reason: "cancelled" };
    return classify(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Deno's own errors quote the URL or the header that is wrong. */
function build(url: string, init: RequestInit): Request {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new TypeError("Cannot send a request: its URL is not http or https");
  }
  try {
    return new Request(url, init);
  } catch {
    throw new TypeError(
      "Cannot send a request: its method, a header or its body is not valid",
    );
  }
}

/** An answer or request body that is longer than its bound. */
export class BodyTooLargeError extends RangeError {
  /** The class, for logs. */
  override name = "BodyTooLargeError";
}

/**
 * Reads a stream whole, counting bytes as they come: a `Content-Length` is a
 * claim, not a bound.
 *
 * @throws {BodyTooLargeError} As soon as it is longer than `bytesMax`.
 */
export async function readBounded(
  stream: ReadableStream<Uint8Array> | null,
  bytesMax: number,
): Promise<Uint8Array> {
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > bytesMax) {
      throw new BodyTooLargeError(`body is longer than ${bytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/**
 * Tells a connection that was never made from one that broke.
 *
 * Deno words every failed `fetch` alike and names the phase only in the cause's
 * text: "client error (Connect)" covers name look-up, TCP and TLS. Whatever is
 * not recognised counts as unknown, which is the safe side.
 */
function classify(error: unknown): Outcome {
  if (error instanceof BodyTooLargeError) {
    return { outcome: "unknown", reason: error.message };
  }
  if (error instanceof Deno.errors.NotCapable) {
    const reason = "no permission for that host";
    return { outcome: "not sent", reason, hopeless: true };
  }
  const cause = messageOf((error as { cause?: unknown })?.cause ?? error);
  if (/^Fetch failed: Requests to port \d+ are blocked$/.test(cause)) {
    const reason = "no request may go to that port";
    return { outcome: "not sent", reason, hopeless: true };
  }
  // What stands before the phase quotes the URL, which may hold any word.
  const [, failure] = cause.split("client error (Connect)");
  return failure === undefined
    ? { outcome: "unknown", reason: "connection lost" }
    : { outcome: "not sent", reason: describeConnect(failure) };
}

function describeConnect(failure: string): string {
  if (/dns error/.test(failure)) return "host name not found";
  if (/connection refused/i.test(failure)) return "connection refused";
  if (/tcp connect error/.test(failure)) return "no way to that host";
  return "TLS handshake failed";
}
