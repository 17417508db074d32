/**
 * Liveness and readiness endpoints.
 *
 * `GET /healthz` answers 200 as long as the process answers at all; if it does
 * not, restart the process. `GET /readyz` answers 200 if the process can do its
 * work, otherwise 503 with the problems by name. Waiting may help then, but a
 * restart does not.
 *
 * @module
 */
import {
  type Address,
  address,
  alsoNamed,
  optional,
  type Setting,
} from "./config.ts";
import type { Log } from "./log.ts";
import { openServer } from "./server.ts";

/**
 * Where a worker serves its health: `HEALTH_ADDR`, or a variable of its own for
 * a file that several workers on one machine read.
 *
 * @param id Ends with the worker's name, as in `incident-enricher-fetcher`.
 */
export function healthAddress(id: string): Setting<Address | undefined> {
  const worker = id.slice(id.lastIndexOf("-") + 1);
  const own = address(`${worker.toUpperCase()}_HEALTH_ADDR`, {
    about: `host:port for the ${worker}'s /healthz and /readyz; off if unset`,
  });
  return optional(alsoNamed(own, "HEALTH_ADDR", (text) => text));
}

/** Whether a process can work, and what an operator should know. */
export interface Report {
  /** Problems by the name of the missing part: `nats`, `gateway`. */
  problems: Readonly<Record<string, string>>;
  /** Oddities that stop nothing. */
  warnings: readonly string[];
  /** Events since the start, by name. */
  counts?: Readonly<Record<string, number>>;
}

/** A server of both paths. */
export interface Health extends AsyncDisposable {
  /** Contains the actual port. */
  readonly url: string;
  /** From now on the process is not ready. */
  stopping(): void;
}

/** Few clients watch a process, so few connections need to be open. */
const LIMITS = { connectionsMax: 32, graceMs: 500 };

/**
 * Serves both paths.
 *
 * @param options `report` is called for each `/readyz`.
 * @returns `undefined` without an address.
 * @throws If the server cannot listen on the address.
 */
export async function openHealth(
  { address, log, report }: {
    address: Address | undefined;
    log: Log;
    report: () => Promise<Report>;
  },
): Promise<Health | undefined> {
  if (address === undefined) return undefined;
  let stopping = false;
  const open = openServer({
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
  const server = await open.catch((error) => {
    if (error?.code !== "EADDRINUSE") throw error;
    const { hostname, port } = address;
    throw new Error(
      `Cannot serve /healthz and /readyz on ${hostname}:${port}: EADDRINUSE, another process has it; workers on one machine need an address each, such as FETCHER_HEALTH_ADDR`,
    );
  });
  log.info("Serving /healthz and /readyz", { url: server.url });
  return {
    url: server.url,
    stopping: () => stopping = true,
    [Symbol.asyncDispose]: () => server.close(),
  };
}
