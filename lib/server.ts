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
import type { AddressInfo } from "node:net";
import {
  type Config,
  readConfig,
  secretsOf,
  type Setting,
  type Settings,
} from "./config.ts";
import { ConfigError } from "./errors.ts";
import { createLog, errorFields, type Log } from "./log.ts";

/** The setting that every HTTP worker has. */
export type ServerSettings = {
  readonly address: Setting<{ hostname: string; port: number }>;
};

/** What a request handler gets beside the request. */
export interface HttpContext<S extends Settings> {
  /** The worker's configuration. */
  readonly settings: Config<S>;
  /** Names the worker in every line. */
  readonly log: Log;
  /** Aborts when the client goes away and at shutdown. */
  readonly signal: AbortSignal;
}

/** What makes an HTTP worker. */
export interface HttpOptions<S extends Settings & ServerSettings> {
  /** Stands on every log line. */
  name: string;
  /** Everything that it reads from its environment. */
  settings: S;
  /** Answers one request. Its exceptions become a 500 without their text. */
  handle: (request: Request, context: HttpContext<S>) => Promise<Response>;
}

/** What an HTTP worker runs in; tests bring their own. */
export interface HttpEnvironment {
  /** One variable's value. */
  env: (name: string) => string | undefined;
  /** Aborts to stop: requests in hand are answered, then it returns. */
  signal: AbortSignal;
  /** Takes log lines. */
  write?: (line: string) => void;
  /** Told the address once it listens. */
  onListen?: (url: string) => void;
  /** Tighter limits than the usual ones, for tests that wait for them. */
  limits?: Partial<HttpLimits>;
}

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
 * Serves until SIGINT or SIGTERM, then exits the process: 0 after a stop that
 * was asked for, 1 if it cannot listen, 2 for a wrong environment.
 */
export async function serveHttp<S extends Settings & ServerSettings>(
  options: HttpOptions<S>,
): Promise<never> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => stop.abort());
  }
  try {
    await serveRequests(options, {
      env: (name) => Deno.env.get(name),
      signal: stop.signal,
    });
  } catch (error) {
    if (error instanceof ConfigError) {
      Deno.stderr.writeSync(
        new TextEncoder().encode(`error: ${error.message}\n`),
      );
      Deno.exit(2);
    }
    createLog({ worker: options.name }).error(
      "Worker ended",
      errorFields(error),
    );
    Deno.exit(1);
  }
  Deno.exit(0);
}

/**
 * Serves until `signal` aborts.
 *
 * @throws {ConfigError} If the environment is wrong.
 * @throws If the address cannot be listened on.
 */
export async function serveRequests<S extends Settings & ServerSettings>(
  { name, settings, handle }: HttpOptions<S>,
  { env, signal, write, onListen, limits }: HttpEnvironment,
): Promise<void> {
  const { headersMs, requestMs, idleMs, discardMs, graceMs, connectionsMax } = {
    ...LIMITS,
    ...limits,
  };
  const config = readConfig(settings, env);
  const secrets = secretsOf(settings, config);
  const log = createLog({ worker: name }, { secrets, ...(write && { write }) });
  const inHand = new Set<Promise<void>>();
  const server = createServer({
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, headersMs),
  }, (incoming, outgoing) => {
    const context = {
      settings: config,
      log,
      signal: signalOf(outgoing, signal),
    };
    const exchange = produce(
      incoming,
      (request) => handle(request, context),
      log,
    )
      .then((answer) => send(answer, { incoming, outgoing, discardMs }))
      .catch((error) => {
        log.error("Cannot answer a request", errorFields(error));
        outgoing.destroy();
      })
      .finally(() => inHand.delete(exchange));
    inHand.add(exchange);
  });
  server.maxConnections = connectionsMax;
  const { hostname, port } = config.address as {
    hostname: string;
    port: number;
  };
  const url = await listen(server, hostname, port);
  log.info("Worker ready", { url });
  onListen?.(url);
  await new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  log.info("Worker stopping", { requests_held: inHand.size });
  await close(server, inHand, graceMs);
  log.info("Worker stopped");
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

function signalOf(response: ServerResponse, stop: AbortSignal): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return AbortSignal.any([gone.signal, stop]);
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
  if (outgoing.destroyed) return;
  // Whatever of the body was not read would else be taken for a next request.
  if (!incoming.complete) outgoing.setHeader("Connection", "close");
  outgoing.writeHead(status, Object.fromEntries(headers));
  if (body.length > 0) outgoing.write(body);
  if (!incoming.complete) await discard(incoming, discardMs);
  await new Promise<void>((resolve) => {
    outgoing.once("close", resolve);
    outgoing.end(resolve);
  });
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
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const item of [value].flat()) {
      if (item !== undefined) headers.append(name, item);
    }
  }
  // The path is what was sent; the host is not to be believed, nor used. Joined
  // as text, since "//host/path" would be resolved to another host.
  const path = url.startsWith("/") ? url : "/";
  const init: RequestInit = { method, headers };
  if (method !== "GET" && method !== "HEAD") {
    // A handler that stops reading must not take the connection with it.
    init.body = ReadableStream.from<Uint8Array>(
      incoming.iterator({ destroyOnReturn: false }),
    );
  }
  return new Request(`http://worker.invalid${path}`, init);
}
