/**
 * A stand-in for Loki's HTTP API, for demos and tests. Of LogQL it knows stream
 * selectors that compare with `=` and `=~`, and filters of lines.
 *
 * @see https://grafana.com/docs/loki/latest/reference/loki-http-api/
 * @module
 */
import { type ApiRequest, type ApiStandIn, startApi } from "./api.ts";

/** A stream and its lines; times in nanoseconds. */
export interface FakeStream {
  readonly stream: Readonly<Record<string, string>>;
  readonly lines: readonly (readonly [ns: string, line: string])[];
}

/** What the stand-in answers with. */
export interface LokiData {
  readonly streams?: readonly FakeStream[];
  /** Wanted as X-Scope-OrgID. */
  readonly tenant?: string;
  /** Gives each line structured metadata, as newer versions may. */
  readonly metadata?: boolean;
}

const LIMIT_MAX = 5000;

/** Starts it on a free port of 127.0.0.1. */
export function startLokiApi(
  { streams = [], tenant, metadata = false }: LokiData = {},
): ApiStandIn {
  const range = ({ query }: ApiRequest) => {
    const [start, end] = ["start", "end"].map((name) => query.get(name) ?? "");
    const limit = Number(query.get("limit") ?? 100);
    const isForward = query.get("direction") === "forward";
    if (!/^\d{19}$/.test(start!) || !/^\d{19}$/.test(end!) || start! >= end!) {
      return refuse(
        400,
        "end timestamp must not be before or equal to start time",
      );
    }
    if (!(limit > 0 && limit <= LIMIT_MAX)) {
      return refuse(
        400,
        `max entries limit per query exceeded, limit > max_entries_limit_per_query (${limit} > ${LIMIT_MAX})`,
      );
    }
    const wanted = parseQuery(query.get("query") ?? "");
    if (wanted === undefined) {
      return refuse(400, "parse error at line 1, col 1: syntax error");
    }
    const order = isForward ? 1 : -1;
    const chosen = streams.filter(({ stream }) => wanted.takes(stream))
      .flatMap(({ stream, lines }) =>
        lines.filter(([at, line]) =>
          at >= start! && at < end! && wanted.keeps(line)
        ).map(([at, line]) => ({ stream, at, line }))
      )
      .toSorted((a, b) => order * (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
      .slice(0, limit);
    return {
      status: "success",
      data: {
        resultType: "streams",
        result: [...Map.groupBy(chosen, ({ stream }) => stream)].map((
          [stream, group],
        ) => ({
          stream,
          values: group.map(({ at, line }) =>
            metadata ? [at, line, { trace_id: "abc" }] : [at, line]
          ),
        })),
        stats: { summary: { totalLinesProcessed: chosen.length } },
      },
    };
  };
  return startApi({
    routes: {
      "/loki/api/v1/query_range": range,
      "/loki/api/v1/labels": () => ({
        status: "success",
        data: [
          ...new Set(streams.flatMap(({ stream }) => Object.keys(stream))),
        ],
      }),
    },
    admit: ({ headers }) =>
      tenant === undefined || headers.get("x-scope-orgid") === tenant
        ? undefined
        : refuse(401, "no org id"),
    error: (status) => refuse(status, `failed with ${status}`),
  });
}

function refuse(status: number, message: string): Response {
  return new Response(`${message}\n`, {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8" },
  });
}

/** Reads `{a="b", c=~"d.*"} |~ "(?i)error"`. */
function parseQuery(query: string) {
  const [, inner, rest = ""] =
    /^\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}\s*(.*)$/s.exec(query) ?? [];
  const matchers = [
    ...(inner ?? "").matchAll(/(\w+)\s*(=~?)\s*("(?:[^"\\]|\\.)*")/g),
  ].map(([, name, operator, value]) =>
    [name!, operator!, JSON.parse(value!) as string] as const
  );
  const filters = [...rest.matchAll(/\|([=~])\s*("(?:[^"\\]|\\.)*"|`[^`]*`)/g)]
    .map(([, operator, value]) =>
      [
        operator!,
        value!.startsWith("`")
          ? value!.slice(1, -1)
          : JSON.parse(value!) as string,
      ] as const
    );
  if (matchers.length === 0) return undefined;
  const isLike = (text: string, pattern: string) =>
    new RegExp(
      pattern.replace("(?i)", ""),
      pattern.includes("(?i)") ? "i" : "",
    ).test(text);
  return {
    takes: (stream: Readonly<Record<string, string>>) =>
      matchers.every(([name, operator, value]) =>
        operator === "="
          ? stream[name] === value
          : isLike(stream[name] ?? "", `^(?:${value})$`)
      ),
    keeps: (line: string) =>
      filters.every(([operator, value]) =>
        operator === "=" ? line.includes(value) : isLike(line, value)
      ),
  };
}
