/**
 * The stand-in's HTTP gateway: the gates that every request passes, the way to
 * its route, and what an answer looks like.
 *
 * @module
 */
import { BodyTooLargeError, readBounded } from "../../lib/http.ts";
import {
  type Faults,
  isObject,
  type Json,
  parseJson,
  Refusal,
} from "./common.ts";

/** A request on its way to its route. */
export interface Call {
  request: Request;
  query: URLSearchParams;
  /** The first path parameter, unescaped. */
  id: string;
  /** All of them. */
  ids: readonly string[];
}

/** Answers a call with JSON, or with a response of its own. */
export type Handler = (call: Call) => unknown;

/** Handlers by method and path, as in `GET /api/v1/jobs/{id}`. */
export type Routes = Readonly<Record<string, Handler>>;

/** What the gateway needs from the rest. */
export interface GatewayOptions {
  /** Empty switches the check off. */
  apiKey: string;
  clock: () => number;
  faults: Faults;
  routes: Routes;
  /** Lets what Redis has lost be forgotten. */
  refresh: () => Promise<void>;
  /** Aborts when devcore stops. */
  signal: AbortSignal;
}

const RATE_PER_S = 50;
const RATE_BURST = 100;
const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** The gateway's request handler. */
export class DevGateway {
  readonly #options: GatewayOptions;
  readonly #routes: { method: string; path: RegExp; handler: Handler }[];
  #tokens = RATE_BURST;
  #filledAt: number;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#filledAt = options.clock();
    this.#routes = Object.entries(options.routes).map(([line, handler]) => {
      const [method = "", path = ""] = line.split(" ");
      const pattern = path.replace(/\{\w+\}/g, "([^/]+)");
      return { method, path: new RegExp(`^${pattern}$`), handler };
    });
  }

  /** Answers one request. */
  async handle(request: Request): Promise<Response> {
    let response: Response;
    try {
      response = await this.#answer(request);
    } catch (error) {
      response = refuse(error);
    }
    const { headers } = response;
    headers.set(
      "access-control-allow-headers",
      "Content-Type, Authorization, X-API-Key, X-Principal-Id, X-Principal-Role",
    );
    headers.set(
      "access-control-allow-methods",
      "GET, POST, DELETE, OPTIONS",
    );
    const origin = request.headers.get("origin");
    if (origin !== null && isAllowed(origin)) {
      headers.set("access-control-allow-origin", origin);
      headers.set("vary", "Origin");
    }
    return response;
  }

  async #answer(request: Request): Promise<Response> {
    const origin = request.headers.get("origin");
    if (origin !== null && !isAllowed(origin)) {
      throw new Refusal(403, "origin not allowed");
    }
    if (request.method === "OPTIONS") {
      return new Response(null, { status: 204 });
    }
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/api/")) {
      this.#takeToken();
      this.#checkKey(request);
      await this.#options.refresh();
    }
    const fault = this.#options.faults.onRoute?.(request.method, pathname);
    if (fault === "hang") return await this.#hang();
    if (typeof fault === "object") {
      throw new Refusal(fault.status, fault.body ?? "fault");
    }
    const response = await this.#route(request);
    return fault === "lose reply" ? breakOff() : response;
  }

  /** One bucket for everybody together, and no hint when to come back. */
  #takeToken(): void {
    const now = this.#options.clock();
    const gained = (now - this.#filledAt) / 1000 * RATE_PER_S;
    this.#tokens = Math.min(RATE_BURST, this.#tokens + gained);
    this.#filledAt = now;
    if (this.#tokens < 1) throw new Refusal(429, "rate limited");
    this.#tokens -= 1;
  }

  #checkKey({ headers }: Request): void {
    const { apiKey } = this.#options;
    const given = (headers.get("x-api-key") ?? "").trim()
      .replace(/^["']+|["']+$/g, "").trim();
    if (apiKey !== "" && given !== apiKey) {
      throw new Refusal(401, "unauthorized");
    }
  }

  #hang(): Promise<never> {
    const { signal } = this.#options;
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }

  async #route(request: Request): Promise<Response> {
    const { pathname, searchParams: query } = new URL(request.url);
    if (pathname.includes("//")) return redirect(pathname);
    const matching = this.#routes.filter(({ path }) => path.test(pathname));
    if (matching.length === 0) throw new Refusal(404, "404 page not found");
    const isHead = request.method === "HEAD";
    const method = isHead ? "GET" : request.method;
    const route = matching.find((route) => route.method === method);
    if (route === undefined) {
      const methods = matching.flatMap(({ method }) =>
        method === "GET" ? ["GET", "HEAD"] : [method]
      );
      const allow = methods.toSorted().join(", ");
      throw new Refusal(405, "Method Not Allowed", { allow });
    }
    const ids = route.path.exec(pathname)!.slice(1).map(decodeURIComponent);
    const answer = await route.handler({
      request,
      query,
      id: ids[0] ?? "",
      ids,
    });
    const response = answer instanceof Response ? answer : json(answer);
    return isHead ? new Response(null, response) : response;
  }
}

/** A successful answer. */
export function json(value: unknown, type = "application/json"): Response {
  const headers = { "content-type": type };
  return new Response(`${JSON.stringify(value)}\n`, { headers });
}

/** Reads a request's body, whatever it is. */
export async function readBytes({ body }: Request): Promise<Uint8Array> {
  return await readBounded(body, BODY_BYTES_MAX);
}

/**
 * Reads a body that is a JSON object.
 *
 * @param problem What the refusal says if it is none.
 * @param empty Whether nothing counts as `{}`.
 * @throws {Refusal}
 */
export async function readJson(
  request: Request,
  { problem = "invalid json", empty = false } = {},
): Promise<Json> {
  const text = new TextDecoder().decode(await readBytes(request));
  if (text === "" && empty) return {};
  const value = parseJson(text);
  if (isObject(value)) return value;
  if (value === null && empty) return {};
  throw new Refusal(400, problem);
}

function isAllowed(origin: string): boolean {
  const host = URL.parse(origin)?.hostname ?? "";
  return ["localhost", "127.0.0.1", "[::1]"].includes(host);
}

/** The connection breaks before the answer is out. */
function breakOff(): Response {
  const body = new ReadableStream({
    start: (stream) => stream.error(new Error("the reply is lost")),
  });
  return new Response(body);
}

function redirect(path: string): Response {
  const location = path.replace(/\/{2,}/g, "/");
  return new Response(`<a href="${location}">Temporary Redirect</a>.\n\n`, {
    status: 307,
    headers: { location, "content-type": "text/html; charset=utf-8" },
  });
}

function refuse(error: unknown): Response {
  const known = error instanceof Refusal ? error : undefined;
  const status = error instanceof BodyTooLargeError ? 400 : 500;
  return new Response(`${(error as Error).message}\n`, {
    status: known?.status ?? status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      ...known?.headers,
    },
  });
}
