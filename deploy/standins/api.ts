/**
 * The base of the stand-ins for APIs that collectors read, for demos and tests.
 *
 * Strict: a route that the real system does not have, or a missing header, is
 * answered as that system would and noted as a mistake. On request it fails in
 * the ways in which APIs fail. Net: one listening address on loopback.
 *
 * @module
 */
import { delay } from "../../lib/base/time.ts";

/** How an API can fail. */
export type Fault =
  | "401"
  | "403"
  | "404"
  | "429"
  /** 429 that says how long to wait: 0 or 1 s. */
  | "429 with reset"
  /** As before, but only once. */
  | "429 once"
  | "500"
  | "500 once"
  | "redirect"
  /** 200 and a page of HTML in place of JSON. */
  | "html"
  /** 200 and JSON that ends in the middle. */
  | "half"
  /** The connection ends in the middle of the body. */
  | "cut"
  /** Longer than anybody reads. */
  | "huge"
  /** No answer until the stand-in closes. */
  | "silent"
  /** 200 and an answer of another shape. */
  | "null"
  | "list";

/** Every {@linkcode Fault} that lasts. */
export const FAULTS: readonly Fault[] = [
  "401",
  "403",
  "404",
  "429",
  "429 with reset",
  "500",
  "redirect",
  "html",
  "half",
  "cut",
  "huge",
  "silent",
  "null",
  "list",
];

/** One request. */
export interface ApiRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  /** The groups of the route's pattern. */
  readonly part: Readonly<Record<string, string>>;
}

/** Answers a request: a response, or what becomes one of JSON. */
export type Route = (request: ApiRequest) => unknown;

/** What a stand-in is made of. */
export interface ApiOptions {
  /** By path, as `URLPattern` has it: `/repos/:owner/:repo/deployments`. */
  readonly routes: Readonly<Record<string, Route>>;
  /** Refuses a request that lacks something, in the system's own way. */
  readonly admit?: (request: ApiRequest) => Response | undefined;
  /** The body of an error, in the system's own form. */
  readonly error?: (status: number) => Response;
  /** The headers of a 429 that says how long to wait, here 0 s. */
  readonly reset?: Readonly<Record<string, string>>;
  /** A free one if absent. */
  readonly port?: number;
}

/** A running stand-in. */
export interface ApiStandIn extends AsyncDisposable {
  readonly url: string;
  /** Paths with their queries, in order. */
  readonly asked: readonly string[];
  /** Requests that the real system would not take. */
  readonly mistakes: readonly string[];
  /** How to fail, and on which paths; never if `undefined`. */
  fault: Fault | undefined;
  faultOn: (path: string) => boolean;
}

const HUGE = "x".repeat(64 * 1024);

/** Starts a stand-in on a free port of 127.0.0.1. */
export function startApi(
  {
    port = 0,
    routes,
    admit,
    error = plainError,
    reset = { "Retry-After": "0" },
  }: ApiOptions,
): ApiStandIn {
  const patterns = Object.entries(routes).map(([pathname, route]) =>
    [new URLPattern({ pathname }), route] as const
  );
  const asked: string[] = [];
  const mistakes: string[] = [];
  const closing = Promise.withResolvers<void>();
  let faults = 0;
  const answer = async (request: Request): Promise<Response> => {
    const { pathname: path, searchParams: query, search } = new URL(
      request.url,
    );
    asked.push(path + search);
    const { fault } = api;
    if (fault !== undefined && api.faultOn(path)) {
      const failed = await fail(fault, faults++);
      if (failed !== undefined) return failed;
    }
    for (const [pattern, route] of patterns) {
      const match = pattern.exec({ pathname: path });
      if (match === null) continue;
      const part = Object.fromEntries(
        Object.entries(match.pathname.groups).map(([name, value]) =>
          [name, decodeURIComponent(value ?? "")] as const
        ),
      );
      const one = { path, query, headers: request.headers, part };
      const refusal = request.method === "GET" ? admit?.(one) : error(405);
      if (refusal !== undefined) {
        mistakes.push(`${request.method} ${path}: ${refusal.status}`);
        return refusal;
      }
      const value = await route(one);
      return value instanceof Response ? value : Response.json(value);
    }
    mistakes.push(`${request.method} ${path}: no such route`);
    return error(404);
  };
  const fail = async (
    fault: Fault,
    nth: number,
  ): Promise<Response | undefined> => {
    switch (fault) {
      case "401":
      case "403":
      case "404":
      case "429":
      case "500":
        return error(Number(fault));
      case "500 once":
        return nth === 0 ? error(500) : undefined;
      case "429 once":
      case "429 with reset": {
        if (fault === "429 once" && nth > 0) return undefined;
        const response = error(429);
        for (const [name, value] of Object.entries(reset)) {
          response.headers.set(name, value);
        }
        return response;
      }
      case "redirect":
        return new Response(null, {
          status: 302,
          headers: { Location: "https://login.example/?next=secret" },
        });
      case "html":
        return new Response("<html><body>Log in</body></html>", {
          headers: { "Content-Type": "text/html; charset=utf-8" },
        });
      case "half":
        return new Response('{"status":"succ', {
          headers: { "Content-Type": "application/json" },
        });
      case "cut":
        return new Response(
          new ReadableStream({
            async start(controller) {
              controller.enqueue(new TextEncoder().encode('{"a":['));
              await delay(20);
              controller.error(new Error("cut"));
            },
          }),
          { headers: { "Content-Type": "application/json" } },
        );
      case "huge":
        return new Response(
          new ReadableStream({
            pull: (controller) =>
              controller.enqueue(new TextEncoder().encode(HUGE)),
          }),
          { headers: { "Content-Type": "application/json" } },
        );
      case "silent":
        await closing.promise;
        return error(503);
      case "null":
        return Response.json(null);
      case "list":
        return Response.json([null, 1, "x", [], { a: { b: {} } }]);
    }
  };
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port,
    onListen: () => {},
    onError: () => new Response(null, { status: 500 }),
  }, answer);
  const api: ApiStandIn = {
    url: `http://127.0.0.1:${server.addr.port}`,
    asked,
    mistakes,
    fault: undefined,
    faultOn: () => true,
    async [Symbol.asyncDispose]() {
      closing.resolve();
      await server.shutdown();
    },
  };
  return api;
}

function plainError(status: number): Response {
  return new Response(`error ${status}\n`, { status });
}
