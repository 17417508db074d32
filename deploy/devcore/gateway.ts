/**
 * The stand-in's HTTP gateway: the gates that every request passes, its route,
 * and the form of the answers.
 *
 * @module
 */
import { aborted } from "../../lib/base/deadline.ts";
import { isObject, type JsonObject } from "../../lib/base/json.ts";
import { BodyTooLargeError, readBounded } from "../../lib/base/http.ts";
import { type Faults, need, parseJson, Refusal } from "./common.ts";

export interface Call {
  request: Request;
  query: URLSearchParams;
  /** The first path parameter, unescaped. */
  id: string;
  /** All of them. */
  ids: readonly string[];
}

/** Handlers by method and path; each gives JSON or a response of its own. */
export type Routes = Readonly<Record<string, (call: Call) => unknown>>;

export interface GatewayOptions {
  /** Empty switches the check off. */
  apiKey: string;
  clock: () => number;
  faults: Faults;
  /** By lines such as `GET /api/v1/jobs/{id}`. */
  routes: Routes;
  /** A refusal's JSON; `undefined` for text. */
  refusalBody: (refusal: Refusal) => JsonObject | undefined;
  /** Forgets what Redis has lost. */
  refresh: () => Promise<void>;
  /** Aborts when devcore stops. */
  signal: AbortSignal;
}

const RATE_PER_S = 50;
const RATE_BURST = 100;
const BODY_BYTES_MAX = 64 * 1024 * 1024;
const CORS = {
  "access-control-allow-headers":
    "Content-Type, Authorization, X-API-Key, X-Principal-Id, X-Principal-Role",
  "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
};

export function createGateway(
  options: GatewayOptions,
): (request: Request) => Promise<Response> {
  const { apiKey, clock, faults, routes, refresh, signal } = options;
  const takeToken = createBucket(clock);
  const known = Object.entries(routes).map(([line, handler]) => {
    const [method = "", path = ""] = line.split(" ");
    const pattern = path.replace(/\{\w+\}/g, "([^/]+)");
    return { method, path: new RegExp(`^${pattern}$`), handler };
  });

  async function answer(request: Request): Promise<Response> {
    if (!isAllowed(request.headers.get("origin"))) {
      throw new Refusal(403, "origin not allowed");
    }
    const { method } = request;
    if (method === "OPTIONS") return new Response(null, { status: 204 });
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/api/")) {
      takeToken();
      checkKey(request, apiKey);
      await refresh();
    }
    const fault = faults.onRoute?.(method, pathname);
    if (fault === "hang") {
      await aborted(signal);
      throw signal.reason;
    }
    if (typeof fault === "object") {
      return textLine(fault.body ?? "fault", fault.status);
    }
    const response = await route(request);
    return fault === "lose reply" ? breakOff() : response;
  }

  async function route(request: Request): Promise<Response> {
    const { pathname, searchParams: query } = new URL(request.url);
    if (pathname.includes("//")) return redirect(pathname);
    const matching = known.filter(({ path }) => path.test(pathname));
    if (matching.length === 0) throw new Refusal(404, "404 page not found");
    const isHead = request.method === "HEAD";
    const asked = isHead ? "GET" : request.method;
    const chosen = matching.find(({ method }) => method === asked);
    if (chosen === undefined) {
      const allow = matching.map(({ method }) =>
        method === "GET" ? "GET, HEAD" : method
      ).toSorted().join(", ");
      throw new Refusal(405, "Method Not Allowed", { allow });
    }
    const ids = chosen.path.exec(pathname)!.slice(1).map(decodeURIComponent);
    const [id = ""] = ids;
    const value = await chosen.handler({ request, query, id, ids });
    const response = value instanceof Response ? value : json(value);
    return isHead ? new Response(null, response) : response;
  }

  return async (request) => {
    const response = await answer(request)
      .catch((error) => refuse(error, options.refusalBody));
    const origin = request.headers.get("origin");
    const allowed = origin !== null && isAllowed(origin)
      ? { "access-control-allow-origin": origin, vary: "Origin" }
      : {};
    for (const [name, value] of Object.entries({ ...CORS, ...allowed })) {
      response.headers.set(name, value);
    }
    return response;
  };
}

/** One bucket for all clients, with no hint when to come back. */
function createBucket(clock: () => number): () => void {
  let tokens = RATE_BURST;
  let filledAt = clock();
  return () => {
    const now = clock();
    const gained = (now - filledAt) / 1000 * RATE_PER_S;
    tokens = Math.min(RATE_BURST, tokens + gained);
    filledAt = now;
    if (tokens < 1) throw new Refusal(429, "rate limited");
    tokens -= 1;
  };
}

function checkKey({ headers }: Request, apiKey: string): void {
  const given = (headers.get("x-api-key") ?? "").trim()
    .replace(/^["']+|["']+$/g, "");
  if (apiKey !== "" && given !== apiKey) throw new Refusal(401, "unauthorized");
}

function isAllowed(origin: string | null): boolean {
  const host = URL.parse(origin ?? "http://localhost")?.hostname ?? "";
  return ["localhost", "127.0.0.1", "[::1]"].includes(host);
}

export function json(value: unknown, type = "application/json"): Response {
  const headers = { "content-type": type };
  return new Response(`${JSON.stringify(value)}\n`, { headers });
}

export async function readBytes({ body }: Request): Promise<Uint8Array> {
  return await readBounded(body, BODY_BYTES_MAX);
}

/**
 * Reads a body that is a JSON object.
 *
 * @param empty Whether an empty body counts as `{}`.
 * @throws {Refusal} With `problem`, if it is anything else.
 */
export async function readJson(
  request: Request,
  { problem = "invalid json", empty = false } = {},
): Promise<JsonObject> {
  const text = new TextDecoder().decode(await readBytes(request));
  const value = text === "" ? null : parseJson(text);
  if (value === null && empty) return {};
  need(isObject(value), problem);
  return value;
}

/** Breaks the connection before the answer is out. */
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

function refuse(
  error: Error,
  refusalBody: GatewayOptions["refusalBody"],
): Response {
  const other = error instanceof BodyTooLargeError ? 400 : 500;
  const refusal = error instanceof Refusal
    ? error
    : new Refusal(other, error.message);
  const { status, message, headers } = refusal;
  const body = refusalBody(refusal);
  if (body !== undefined) return Response.json(body, { status, headers });
  return textLine(message, status, headers);
}

function textLine(
  text: string,
  status: number,
  more: Readonly<Record<string, string>> = {},
): Response {
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    ...more,
  };
  return new Response(`${text}\n`, { status, headers });
}
