/**
 * An HTTP server that no client can hold open or fill up.
 *
 * `Deno.serve` has neither time-outs nor a bound on bodies. Here `node:http`
 * enforces both time-outs, and bodies are counted as they come.
 *
 * @module
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Address } from "./config.ts";
import { Connections } from "./connections.ts";
import { linkSignal } from "./deadline.ts";
import { bugFields, errorFields, type Log } from "./log.ts";
import { within } from "./time.ts";

/** Limits on the time and the number of clients. */
export interface HttpLimits {
  /** From the connection to the end of a request's headers. */
  headersMs: number;
  /** From the connection to the end of a request's body. */
  requestMs: number;
  /** Between two requests of a connection. */
  idleMs: number;
  /** For the rest of an unread body. */
  discardMs: number;
  /** For requests in hand when the server stops. */
  graceMs: number;
  /** For a new one beyond, the server closes the one idle for longest. */
  connectionsMax: number;
  /** The same, for the connections of one address; 0 for no limit. */
  addressConnectionsMax: number;
}

const LIMITS: HttpLimits = {
  headersMs: 5_000,
  requestMs: 15_000,
  // Whoever sends often keeps its connection; others can make a new one.
  idleMs: 5_000,
  discardMs: 1_000,
  graceMs: 10_000,
  connectionsMax: 1_000,
  addressConnectionsMax: 0,
};
/** By default, node checks for late clients only every 30 s. */
const CHECK_MS = 500;

/**
 * Unanswered requests of one connection: the server reads and keeps them all
 * before it answers the first. Known senders send one at a time.
 */
const PIPELINED_MAX = 32;

/** Of a stream of events, for a client that takes none. */
const UNSENT_BYTES_MAX = 64 * 1024;

/** A listening server. */
export interface OpenServer extends AsyncDisposable {
  /** Contains the actual port. */
  readonly url: string;
  /** Requests that are not answered yet. */
  readonly requestsHeld: number;
  /** Answers the requests in hand, then stops. */
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @throws If the server cannot listen on the address.
 */
export async function openServer(
  { address, log, signal, limits = {}, handle }: {
    address: Address;
    log: Log;
    /** Aborts the requests in hand. */
    signal: AbortSignal;
    /** Override the defaults. */
    limits?: Partial<HttpLimits>;
    /**
     * Answers one request. Its exceptions become a 500 without their text. Its
     * signal aborts with `signal`, and when the client goes away.
     */
    handle: (request: Request, signal: AbortSignal) => Promise<Response>;
  },
): Promise<OpenServer> {
  const all: HttpLimits = { ...LIMITS, ...limits };
  const { headersMs, requestMs, idleMs, discardMs, graceMs } = all;
  const connections = new Connections(
    all.connectionsMax,
    all.addressConnectionsMax,
  );
  const inHand = new Set<Promise<void>>();
  const pipelined = new WeakMap<Socket, number>();
  const server = createServer({
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, headersMs),
  }, (incoming, outgoing) => {
    const { socket } = incoming;
    const count = (pipelined.get(socket) ?? 0) + 1;
    if (count > PIPELINED_MAX) return void socket.destroy();
    pipelined.set(socket, count);
    connections.busy(socket);
    // How many of its requests wait for their answer.
    const left = () => pipelined.get(socket)!;
    const gone = signalOf(outgoing, signal);
    const exchange = produce(incoming, (request) => handle(request, gone), log)
      .then((answer) => {
        // Whoever does not take its answer counts as idle, too.
        if (left() === 1) connections.rest(socket);
        return send(answer, { incoming, outgoing, discardMs });
      })
      .catch((error) => {
        log.error("Cannot answer a request", errorFields(error));
        outgoing.destroy();
      })
      .finally(() => {
        inHand.delete(exchange);
        pipelined.set(socket, left() - 1);
        if (left() === 0) connections.rest(socket);
      });
    inHand.add(exchange);
  });
  server.on("connection", (socket: Socket) => {
    // Each answer to a pipelined request waits with a listener of its own.
    socket.setMaxListeners(0);
    connections.add(socket);
  });
  refuseForbidden(address);
  const url = await listen(server, address);
  let closing: Promise<void> | undefined;
  const end = () => closing ??= close(server, inHand, graceMs);
  return {
    url,
    get requestsHeld() {
      return inHand.size;
    },
    close: end,
    [Symbol.asyncDispose]: end,
  };
}

/** Node's own server reports a missing permission in a way nobody can catch. */
function refuseForbidden({ hostname, port }: Address): void {
  const host = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  const { state } = Deno.permissions.querySync({ name: "net", host });
  if (state !== "granted") {
    throw new Deno.errors.NotCapable(
      `Cannot listen on ${host}: no permission; deno task permissions says which flags it takes`,
    );
  }
}

function listen(server: Server, given: Address): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(given.port, given.hostname, () => {
      const { address, port, family } = server.address() as AddressInfo;
      resolve(`http://${family === "IPv6" ? `[${address}]` : address}:${port}`);
    });
  });
}

async function close(
  server: Server,
  inHand: Set<Promise<void>>,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await within(graceMs, Promise.all(inHand)).catch(() => {});
  server.closeAllConnections();
  await closed;
}

/** Shared, because creating one costs more than the rest of an abort. */
const GONE = new DOMException("The client is gone", "AbortError");

function signalOf(response: ServerResponse, stop: AbortSignal): AbortSignal {
  const client = linkSignal(stop);
  response.once("close", () => {
    client[Symbol.dispose]();
    client.abort(GONE);
  });
  return client.signal;
}

interface Answer {
  status: number;
  headers: Headers;
  body: Uint8Array | ReadableStream<Uint8Array>;
}

/** The one kind of answer that is sent while it comes into being. */
const EVENTS = /^text\/event-stream\b/;

/** Never rejects: a handler's exception becomes a 500 without its text. */
async function produce(
  incoming: IncomingMessage,
  handle: (request: Request) => Promise<Response>,
  log: Log,
): Promise<Answer> {
  // Node accepts this method, but a `Request` cannot have it.
  if (incoming.method === "TRACE") return failure(501, "TRACE is not served");
  if (!isKept(incoming.url ?? "/")) {
    return failure(400, "The request target must be a plain path");
  }
  try {
    const response = await handle(toRequest(incoming));
    const { status, headers } = response;
    if (status < 200) throw new RangeError(`got status ${status} as an answer`);
    const body = EVENTS.test(headers.get("Content-Type") ?? "") && response.body
      ? response.body
      : new Uint8Array(await response.arrayBuffer());
    return { status, headers, body };
  } catch (error) {
    log.error("Handler failed", bugFields(error));
    return failure(500, "Internal error; the log has the details");
  }
}

function failure(status: number, error: string): Answer {
  const headers = new Headers({ "Content-Type": "application/json" });
  const body = new TextEncoder().encode(JSON.stringify({ error }));
  return { status, headers, body };
}

async function send(
  { status, headers, body }: Answer,
  { incoming, outgoing, discardMs }: {
    incoming: IncomingMessage;
    outgoing: ServerResponse;
    discardMs: number;
  },
): Promise<void> {
  const { socket } = incoming;
  // Once the client has gone, no event reports the end of an answer.
  if (outgoing.destroyed || socket.destroyed) return;
  // A refused client keeps no connection. Nor does one whose body is not read:
  // its rest would count as the next request.
  if (status >= 400 || !incoming.complete) {
    outgoing.setHeader("Connection", "close");
  }
  outgoing.writeHead(status, Object.fromEntries(headers));
  if (!(body instanceof Uint8Array)) await stream(body, outgoing);
  else if (body.length > 0) outgoing.write(body);
  if (!incoming.complete) await discard(incoming, discardMs);
  if (socket.destroyed) return;
  const ended = Promise.withResolvers<void>();
  socket.once("close", ended.resolve);
  outgoing.end(ended.resolve);
  await ended.promise;
  socket.off("close", ended.resolve);
  if (!incoming.complete) incoming.destroy();
}

/** Sends events as they come, until they end or the client goes away. */
async function stream(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
): Promise<void> {
  const reader = body.getReader();
  const gone = () => void reader.cancel().catch(() => {});
  outgoing.once("close", gone);
  outgoing.flushHeaders();
  try {
    while (!outgoing.destroyed) {
      const { done, value } = await reader.read();
      if (done) return;
      // Whoever does not take its events gets no more of them.
      if (
        !outgoing.write(value) && outgoing.writableLength > UNSENT_BYTES_MAX
      ) {
        return void outgoing.destroy();
      }
    }
  } finally {
    outgoing.off("close", gone);
    gone();
  }
}

/**
 * Reads the rest of a body for a while: closing a connection while data comes
 * in resets it, and after a reset the client does not see its answer.
 */
async function discard(incoming: IncomingMessage, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  incoming.once("end", resolve).once("close", resolve).resume();
  await within(ms, promise).catch(() => {});
}

/**
 * A request's URL. The host is neither trusted nor used. Joined as text, because
 * "//host/path" would resolve to another host.
 */
function targetOf(url: string): string {
  return `http://worker.invalid${url.startsWith("/") ? url : "/"}`;
}

/**
 * Whether a `Request` keeps the target as it was sent. Otherwise a handler would
 * see a path that a proxy in front did not: "/a/../b" or "/a\b".
 */
function isKept(url: string): boolean {
  const target = targetOf(url);
  return URL.parse(target)?.href === target && !url.includes("#");
}

function toRequest(incoming: IncomingMessage): Request {
  const { method = "GET", url = "/" } = incoming;
  // A list, because a `Headers` would be copied one by one, slowly.
  const headers: [string, string][] = [];
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const item of [value].flat()) {
      if (item !== undefined) headers.push([name, item]);
    }
  }
  const target = targetOf(url);
  const hasBody = method !== "GET" && method !== "HEAD";
  return new Request(target, {
    method,
    headers,
    body: hasBody ? toStream(incoming) : null,
  });
}

/**
 * A body that takes data off the connection only as far as the handler reads,
 * and that leaves the connection open when the handler stops reading.
 * `incoming.iterator()` is avoided: each of its chunks costs several promises.
 */
function toStream(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let begun = false;
  let over = false;
  const begin = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const end = (error?: unknown) => {
      if (over) return;
      over = true;
      if (error === undefined) controller.close();
      else controller.error(error);
    };
    const breakOff = () => end(new Error("the body broke off"));
    incoming.on("data", (chunk: Uint8Array) => {
      if (over) return;
      controller.enqueue(chunk);
      incoming.pause();
    });
    incoming.once("end", () => end()).once("error", end);
    incoming.once("close", breakOff);
    if (incoming.destroyed) breakOff();
  };
  return new ReadableStream({
    pull(controller) {
      if (!begun) begin(controller);
      begun = true;
      incoming.resume();
    },
    cancel() {
      over = true;
    },
  }, { highWaterMark: 0 });
}
