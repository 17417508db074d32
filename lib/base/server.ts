/**
 * An HTTP server that cannot be held open or filled up from outside.
 *
 * `Deno.serve` has no time-outs and no bound on a body; `node:http` enforces
 * both time-outs here, and bodies are counted as they come.
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
import { linkSignal } from "./deadline.ts";
import { errorFields, type Log } from "./log.ts";

/** How long a client may take, and how many there may be. */
export interface HttpLimits {
  /** From the connection to the end of a request's headers. */
  headersMs: number;
  /** From the connection to the end of a request's body. */
  requestMs: number;
  /** Between two requests of a connection. */
  idleMs: number;
  /** For the rest of a body that nobody reads. */
  discardMs: number;
  /** For requests in hand when the server stops. */
  graceMs: number;
  /** At the same time; further ones are closed. */
  connectionsMax: number;
}

const LIMITS: HttpLimits = {
  headersMs: 5_000,
  requestMs: 15_000,
  idleMs: 30_000,
  discardMs: 1_000,
  graceMs: 10_000,
  connectionsMax: 1_000,
};
/** By default node looks only every 30 s for clients whose time is up. */
const CHECK_MS = 500;

/**
 * Of one connection at the same time: each is read and kept before the first is
 * answered. Senders that we know send one after the other.
 */
const PIPELINED_MAX = 32;

/** A server that listens. */
export interface OpenServer extends AsyncDisposable {
  /** Where, with the port that it got. */
  readonly url: string;
  /** Requests that are not answered yet. */
  readonly requestsHeld: number;
  /** Answers what is in hand, then stops. */
  close(): Promise<void>;
}

/** Options of {@linkcode openServer}. */
export interface ServerOptions {
  /** Where to listen. */
  address: Address;
  /** Told of each request that cannot be answered. */
  log: Log;
  /** Aborts the requests in hand. */
  signal: AbortSignal;
  /** Tighter limits than the usual ones. */
  limits?: Partial<HttpLimits>;
  /**
   * Answers one request. Its exceptions become a 500 without their text; its
   * signal aborts when the client goes away and with `signal`.
   */
  handle: (request: Request, signal: AbortSignal) => Promise<Response>;
}

/** Listens. @throws If the address cannot be listened on. */
export async function openServer(
  { address, log, signal, limits = {}, handle }: ServerOptions,
): Promise<OpenServer> {
  const { headersMs, requestMs, idleMs, discardMs, graceMs, connectionsMax } = {
    ...LIMITS,
    ...limits,
  };
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
    const gone = signalOf(outgoing, signal);
    const exchange = produce(incoming, (request) => handle(request, gone), log)
      .then((answer) => send(answer, { incoming, outgoing, discardMs }))
      .catch((error) => {
        log.error("Cannot answer a request", errorFields(error));
        outgoing.destroy();
      })
      .finally(() => {
        inHand.delete(exchange);
        pipelined.set(socket, pipelined.get(socket)! - 1);
      });
    inHand.add(exchange);
  });
  server.maxConnections = connectionsMax;
  // Of requests that come in one packet, each answer waits with a listener.
  server.on("connection", (socket: Socket) => socket.setMaxListeners(0));
  refuseForbidden(address);
  const url = await listen(server, address.hostname, address.port);
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

/** Node's own server tells of a missing permission in a way nobody can catch. */
function refuseForbidden({ hostname, port }: Address): void {
  const host = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  const { state } = Deno.permissions.querySync({ name: "net", host });
  if (state !== "granted") {
    throw new Deno.errors.NotCapable(
      `Cannot listen on ${host}: no permission; deno task permissions says which flags it takes`,
    );
  }
}

function listen(
  server: Server,
  hostname: string,
  port: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => {
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
  let timer: ReturnType<typeof setTimeout> | undefined;
  const grace = new Promise((resolve) => timer = setTimeout(resolve, graceMs));
  await Promise.race([Promise.all(inHand), grace]);
  clearTimeout(timer);
  server.closeAllConnections();
  await closed;
}

/** Shared, because creating one costs more than the rest of an abort. */
const GONE = new DOMException("The client is gone", "AbortError");

/** Aborts when the server stops or the client goes away. */
function signalOf(response: ServerResponse, stop: AbortSignal): AbortSignal {
  const client = linkSignal(stop);
  response.once("close", () => {
    client[Symbol.dispose]();
    client.abort(GONE);
  });
  return client.signal;
}

/** An answer whose body is at hand. */
interface Answer {
  status: number;
  headers: Headers;
  body: Uint8Array;
}

/** Never rejects: what a handler throws becomes a 500 without its text. */
async function produce(
  incoming: IncomingMessage,
  handle: (request: Request) => Promise<Response>,
  log: Log,
): Promise<Answer> {
  // The one method that is read, and that a `Request` cannot have.
  if (incoming.method === "TRACE") return failure(501, "TRACE is not served");
  try {
    const response = await handle(toRequest(incoming));
    const { status, headers } = response;
    if (status < 200) throw new RangeError(`got status ${status} as an answer`);
    const body = new Uint8Array(await response.arrayBuffer());
    return { status, headers, body };
  } catch (error) {
    log.error("Handler failed", {
      ...errorFields(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    return failure(500, "Internal error; the log has the details");
  }
}

function failure(status: number, error: string): Answer {
  return {
    status,
    headers: new Headers({ "Content-Type": "application/json" }),
    body: new TextEncoder().encode(JSON.stringify({ error })),
  };
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
  // Once the client has gone, nothing tells of the end of an answer.
  if (outgoing.destroyed || socket.destroyed) return;
  // Whatever of the body was not read would else be taken for a next request.
  if (!incoming.complete) outgoing.setHeader("Connection", "close");
  outgoing.writeHead(status, Object.fromEntries(headers));
  if (body.length > 0) outgoing.write(body);
  if (!incoming.complete) await discard(incoming, discardMs);
  if (socket.destroyed) return;
  const ended = Promise.withResolvers<void>();
  socket.once("close", ended.resolve);
  outgoing.end(ended.resolve);
  await ended.promise;
  socket.off("close", ended.resolve);
  if (!incoming.complete) incoming.destroy();
}

/**
 * Takes the rest of a body, for a while: a connection that is closed while data
 * comes in is reset, and a client that is reset does not see its answer.
 */
async function discard(incoming: IncomingMessage, ms: number): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const timer = setTimeout(ended.resolve, ms);
  incoming.once("end", ended.resolve).once("close", ended.resolve).resume();
  await ended.promise;
  clearTimeout(timer);
}

function toRequest(incoming: IncomingMessage): Request {
  const { method = "GET", url = "/" } = incoming;
  // A list: from `Headers` they would be copied one by one, slowly.
  const headers: [string, string][] = [];
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const item of [value].flat()) {
      if (item !== undefined) headers.push([name, item]);
    }
  }
  // The path is what was sent; the host is not to be believed, nor used. Joined
  // as text, since "//host/path" would be resolved to another host.
  const path = url.startsWith("/") ? url : "/";
  const init: RequestInit = { method, headers };
  if (method !== "GET" && method !== "HEAD") {
    init.body = toStream(incoming);
  }
  return new Request(`http://worker.invalid${path}`, init);
}

/**
 * A body, taken off the connection only as far as it is read. A handler that
 * stops reading does not take the connection with it. Not by
 * `incoming.iterator()`, whose every chunk costs several promises.
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
