/**
 * A stand-in for what PagerDuty's REST API v2 says about incidents, for demos
 * and tests.
 *
 * @see https://developer.pagerduty.com/api-reference/
 * @module
 */
import { type ApiRequest, type ApiStandIn, startApi } from "./api.ts";

/** One incident and what belongs to it. */
export interface PagerDutyRecords {
  readonly incident?: unknown;
  readonly alerts?: readonly unknown[];
  readonly log?: readonly unknown[];
  readonly notes?: readonly unknown[];
  readonly past?: readonly unknown[];
  readonly changes?: readonly unknown[];
}

/** What the stand-in answers with. */
export interface PagerDutyData {
  /** By id. */
  readonly incidents?: Readonly<Record<string, PagerDutyRecords>>;
  /** Whether the plan includes similar incidents and related changes. */
  readonly plan?: boolean;
}

/** The key that it takes. */
export const PAGERDUTY_KEY = "pd-example-key";

const WINDOW_MAX = 10_000;
const CODES: Readonly<Record<number, number>> = {
  400: 2001,
  401: 2006,
  402: 2014,
  403: 2010,
  404: 2100,
  429: 2020,
};

/** Starts it on a free port of 127.0.0.1. */
export function startPagerDutyApi(
  { incidents = {}, plan = true }: PagerDutyData = {},
): ApiStandIn {
  const known: Route = ({ part: { id = "" } }, answer) =>
    Object.hasOwn(incidents, id) ? answer(incidents[id]!) : error(404);
  const ofPlan: Route = (request, answer) =>
    plan ? known(request, answer) : error(402);
  const first = (
    { query }: ApiRequest,
    all: readonly unknown[],
    max: number,
    usual: number,
  ) => {
    const limit = Number(query.get("limit") ?? usual);
    return limit >= 1 && limit <= max ? all.slice(0, limit) : undefined;
  };
  return startApi({
    admit: ({ path, query, headers }) => {
      if (headers.get("authorization") !== `Token token=${PAGERDUTY_KEY}`) {
        return error(401);
      }
      if (
        !/^application\/vnd\.pagerduty\+json;version=2$/.test(
          headers.get("accept") ?? "",
        )
      ) return error(406);
      const takes = QUERIES[path.split("/")[3] ?? "incident"] ?? [];
      return [...query.keys()].every((name) => takes.includes(name))
        ? undefined
        : error(400);
    },
    routes: {
      "/incidents": () => ({
        incidents: Object.values(incidents).flatMap(({ incident }) =>
          incident ?? []
        ).slice(0, 1),
        limit: 1,
        offset: 0,
        more: false,
        total: null,
      }),
      "/incidents/:id": (request) =>
        known(request, ({ incident }) => ({ incident })),
      "/incidents/:id/alerts": (request) =>
        known(request, ({ alerts = [] }) => page(request, "alerts", alerts)),
      "/incidents/:id/log_entries": (request) =>
        known(request, ({ log = [] }) => page(request, "log_entries", log)),
      "/incidents/:id/notes": (request) =>
        known(request, ({ notes = [] }) => ({ notes })),
      "/incidents/:id/past_incidents": (request) =>
        ofPlan(request, ({ past = [] }) => {
          const past_incidents = first(request, past, 999, 5);
          return past_incidents === undefined
            ? error(400)
            : { past_incidents, total: past.length, limit: 5 };
        }),
      "/incidents/:id/related_change_events": (request) =>
        ofPlan(request, ({ changes = [] }) => {
          const change_events = first(request, changes, 100, 25);
          return change_events === undefined
            ? error(400)
            : { change_events, more: change_events.length < changes.length };
        }),
    },
    error,
    reset: {
      "ratelimit-limit": "960",
      "ratelimit-remaining": "0",
      "ratelimit-reset": "0",
    },
  });
}

type Route = (
  request: ApiRequest,
  answer: (records: PagerDutyRecords) => unknown,
) => unknown;

const PAGING = ["limit", "offset", "total"];
/** What each answer can be asked for. */
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  incident: ["limit", "include[]"],
  alerts: [...PAGING, "alert_key", "statuses[]", "sort_by", "include[]"],
  log_entries: [
    ...PAGING,
    "time_zone",
    "since",
    "until",
    "is_overview",
    "include[]",
  ],
  past_incidents: ["limit", "total"],
  related_change_events: ["limit"],
};

function page(
  { query }: ApiRequest,
  key: string,
  all: readonly unknown[],
): unknown {
  const limit = Number(query.get("limit") ?? 25);
  const offset = Number(query.get("offset") ?? 0);
  if (!(limit >= 1 && limit <= 100) || !(offset >= 0)) return error(400);
  if (offset + limit > WINDOW_MAX) return error(400);
  return {
    [key]: all.slice(offset, offset + limit),
    limit,
    offset,
    more: offset + limit < all.length,
    total: query.get("total") === "true" ? all.length : null,
  };
}

function error(status: number): Response {
  return Response.json({
    error: {
      message: `refused with ${status}`,
      ...CODES[status] && { code: CODES[status] },
    },
  }, { status });
}
