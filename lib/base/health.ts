/**
 * What a process says of itself to those who watch over it.
 *
 * `GET /healthz` answers 200 as long as the process answers at all; restart it
 * when it does not. `GET /readyz` answers 200 if it can do its work, else 503,
 * with the problems by name; waiting may help, a restart does not.
 *
 * @module
 */
import type { Address } from "./config.ts";
import type { Log } from "./log.ts";
import { openServer } from "./server.ts";

/** What keeps a process from its work, and what an operator should know. */
export interface Report {
  /** One line by the name of what is missing: `nats`, `gateway`. */
  problems: Readonly<Record<string, string>>;
  /** What is odd but stops nothing. */
  warnings: readonly string[];
  /** What it has done since it started, by name. */
  counts?: Readonly<Record<string, number>>;
}

/** A server of the two paths. */
export interface Health extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  /** From now on it is not ready. */
  stopping(): void;
}

/** Options of {@linkcode openHealth}. */
export interface HealthOptions {
  /** Nothing is served without one. */
  address: Address | undefined;
  /** Told the address. */
  log: Log;
  /** Called for each `/readyz`. */
  report: () => Promise<Report>;
}

/** Those who watch are few; what they hold open stays little. */
const LIMITS = { connectionsMax: 32, graceMs: 500 };

/**
 * Serves both paths.
 *
 * @returns `undefined` without an address.
 * @throws If it cannot be listened on.
 */
export async function openHealth(
  { address, log, report }: HealthOptions,
): Promise<Health | undefined> {
  if (address === undefined) return undefined;
  let stopping = false;
  const server = await openServer({
    address,
    log,
    signal: new AbortController().signal,
    limits: LIMITS,
    async handle(request) {
      const { pathname } = new URL(request.url);
      if (pathname !== "/healthz" && pathname !== "/readyz") {
        const error = "No such path; there are /healthz and /readyz";
        return Response.json({ error }, { status: 404 });
      }
      if (request.method !== "GET" && request.method !== "HEAD") {
        const error = `${pathname} takes GET only`;
        const headers = { Allow: "GET, HEAD" };
        return Response.json({ error }, { status: 405, headers });
      }
      if (pathname === "/healthz") return Response.json({ status: "ok" });
      const { problems, warnings, counts } = await report();
      const all = stopping ? { ...problems, worker: "stopping" } : problems;
      const ready = Object.keys(all).length === 0;
      return Response.json({
        status: ready ? "ready" : "not ready",
        problems: all,
        warnings,
        ...(counts && { counts }),
      }, { status: ready ? 200 : 503 });
    },
  });
  log.info("Serving /healthz and /readyz", { url: server.url });
  return {
    url: server.url,
    stopping: () => stopping = true,
    [Symbol.asyncDispose]: () => server.close(),
  };
}
