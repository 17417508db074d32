/**
 * HTTP calls with a bound on everything. After a failure, the outcome answers
 * the question that matters: can the other side have seen the request?
 *
 * @module
 */
import { deadline } from "./deadline.ts";
import { messageOf } from "./errors.ts";

/** How a request ended. */
export type Outcome =
  | { outcome: "answered"; status: number; headers: Headers; body: Uint8Array }
  /**
   * There was no connection, so the other side knows nothing. `hopeless` means
   * that this process can never make one.
   */
  | { outcome: "not sent"; reason: string; hopeless?: true }
  /** It may have arrived: time ran out, the connection broke, the answer was too long. */
  | { outcome: "unknown"; reason: string };

const TOO_LONG = "body is longer than";

/** Whether the answer exceeded the caller's bound, as it would again. */
export function isTooLong(outcome: Outcome): boolean {
  return outcome.outcome === "unknown" && outcome.reason.startsWith(TOO_LONG);
}

/** Connections to a server, and the authorities that it is trusted by. */
export type HttpClient = Deno.HttpClient;

/** A client that trusts these authorities beside the well-known ones. */
export function createClient(ca: string): HttpClient {
  return Deno.createHttpClient({ caCerts: [ca] });
}

/** A request and its bounds. */
export interface RequestOptions {
  /** `GET` unless given. */
  method?: string;
  /** Sent unchanged. */
  headers?: Record<string, string>;
  /** Sent unchanged. */
  body?: string | Uint8Array<ArrayBuffer> | FormData;
  /** Limits the whole exchange, including the answer's body. */
  timeoutMs: number;
  /** A longer answer makes the outcome unknown. */
  bodyBytesMax: number;
  /** Cancels the request. */
  signal?: AbortSignal;
  /** Replaces the default client. */
  client?: HttpClient;
}

/**
 * Sends one request. Does not follow redirects: their status is the answer.
 *
 * Network failures never throw. No message quotes the URL or a header, because
 * either may be a credential.
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
    return { outcome: "not sent", reason: describeAbort(options.signal) };
  }
  // Checks the scheme only; sending finds every other mistake.
  if (!/^https?:/i.test(url)) throw new TypeError(NOT_HTTP);
  using end = deadline(timeoutMs, options.signal);
  const init: RequestInit & { client?: HttpClient } = {
    method,
    headers,
    redirect: "manual",
    signal: end.signal,
  };
  if (body !== undefined) init.body = body;
  if (options.client !== undefined) init.client = options.client;
  try {
    const response = await fetch(url, init);
    const { status, headers } = response;
    const bytes = await readAnswer(response, bodyBytesMax);
    return { outcome: "answered", status, headers, body: bytes };
  } catch (error) {
    refuseInvalid(url, init);
    if (end.passed) {
      return { outcome: "unknown", reason: `no answer within ${timeoutMs} ms` };
    }
    if (end.signal.aborted) {
      return { outcome: "unknown", reason: describeAbort(end.signal) };
    }
    return classify(error);
  }
}

/** A caller's deadline cancels nothing: the other side was too slow. */
function describeAbort({ reason }: AbortSignal): string {
  const late = reason instanceof DOMException && reason.name === "TimeoutError";
  return late ? "no answer in time" : "cancelled";
}

const NOT_HTTP = "Cannot send a request: its URL is not http or https";

/**
 * Tells an invalid request from a network failure. Called only if no answer
 * came, because the check takes as long as sending. Deno's own errors quote the
 * wrong URL or header.
 */
function refuseInvalid(url: string, { signal: _, ...init }: RequestInit): void {
  if (!URL.canParse(url)) throw new TypeError(NOT_HTTP);
  try {
    new Request(url, init);
  } catch {
    throw new TypeError(
      "Cannot send a request: its method, a header or its body is not valid",
    );
  }
}

/**
 * Reads a whole answer. An uncompressed answer that states its length cannot
 * be longer, so it is read in one step, which takes a third of the time.
 *
 * @throws {BodyTooLargeError} As {@linkcode readBounded} does.
 */
async function readAnswer(
  response: Response,
  bytesMax: number,
): Promise<Uint8Array> {
  const { headers, body } = response;
  const length = headers.get("content-length");
  const isPlain = length !== null && Number(length) <= bytesMax &&
    !headers.has("content-encoding");
  const bytes = isPlain
    ? await response.bytes()
    : await readBounded(body, bytesMax);
  if (bytes.length <= bytesMax) return bytes;
  throw new BodyTooLargeError(bytesMax);
}

/** An answer's or request's body exceeds its bound. */
export class BodyTooLargeError extends RangeError {
  /** The class, for logs. */
  override name = "BodyTooLargeError";
  /** The unit of the exceeded bound. */
  readonly unit: "bytes" | "pieces";

  /** The message names the bound. */
  constructor(max: number, unit: "bytes" | "pieces" = "bytes") {
    super(`${TOO_LONG} ${max} ${unit}`);
    this.unit = unit;
  }
}

/**
 * Reads a whole stream and counts the bytes as they come: a `Content-Length` is
 * a claim, not a bound.
 *
 * @param piecesMax Limits the chunks, because even a small one costs time.
 * @throws {BodyTooLargeError} As soon as the stream exceeds either bound.
 */
export async function readBounded(
  stream: ReadableStream<Uint8Array> | null,
  bytesMax: number,
  piecesMax: number = Infinity,
): Promise<Uint8Array> {
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  // `for await` takes ten times as long for a body of one chunk.
  const reader = stream.getReader();
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    chunks.push(value);
    if (length > bytesMax || chunks.length > piecesMax) {
      await reader.cancel();
      throw length > bytesMax
        ? new BodyTooLargeError(bytesMax)
        : new BodyTooLargeError(piecesMax, "pieces");
    }
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
 * Tells a failure to connect from a broken connection.
 *
 * Deno words every failed `fetch` alike. Only the cause's text names the phase:
 * "client error (Connect)" covers name look-up, TCP and TLS. Unrecognised
 * failures count as unknown, which is the safe side.
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
  // The text before the phase quotes the URL, which may hold any word.
  const [, failure] = cause.split("client error (Connect)");
  return failure === undefined
    ? { outcome: "unknown", reason: "connection lost" }
    : { outcome: "not sent", reason: describeConnect(failure) };
}

function describeConnect(failure: string): string {
  if (/dns error/.test(failure)) return "host name not found";
  if (/connection refused/i.test(failure)) return "connection refused";
  if (/tcp connect error/.test(failure)) return "no route to that host";
  return "TLS handshake failed";
}
