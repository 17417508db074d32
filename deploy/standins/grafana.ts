/**
 * A stand-in for Grafana's HTTP API, for demos and tests.
 *
 * @see https://grafana.com/docs/grafana/latest/developers/http_api/
 * @module
 */
import { type ApiStandIn, startApi } from "./api.ts";

/** What the stand-in answers with. */
export interface GrafanaData {
  readonly annotations?: readonly {
    time: number;
    text?: unknown;
    tags?: readonly string[];
  }[];
  readonly dashboards?: readonly { title: string; url: string }[];
  /** Refuses any other token. */
  readonly token?: string;
}

/** Starts it on a free port of 127.0.0.1. */
export function startGrafanaApi(
  { annotations = [], dashboards = [], token }: GrafanaData = {},
): ApiStandIn {
  return startApi({
    admit: ({ headers, path }) =>
      token === undefined || path === "/api/health" ||
        headers.get("authorization") === `Bearer ${token}`
        ? undefined
        : failed(401),
    routes: {
      "/api/annotations": ({ query }) => {
        const limit = Number(query.get("limit") ?? 100);
        const from = Number(query.get("from") ?? 0);
        const to = Number(query.get("to") ?? Infinity);
        return annotations.filter(({ time }) => time >= from && time <= to)
          .toSorted((a, b) => b.time - a.time).slice(0, limit);
      },
      "/api/search": ({ query }) => {
        const words = (query.get("query") ?? "").toLowerCase();
        return dashboards.filter(({ title }) =>
          title.toLowerCase().includes(words)
        ).slice(0, Number(query.get("limit") ?? 1000));
      },
      "/api/health": () => ({ database: "ok", version: "11.2.0" }),
    },
    error: failed,
  });
}

function failed(status: number): Response {
  const message = status === 401 ? "Unauthorized" : `Failed with ${status}`;
  return Response.json({ message }, { status });
}
