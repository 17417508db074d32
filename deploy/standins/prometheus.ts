/**
 * A stand-in for Prometheus's API v1, for demos and tests. It knows no PromQL:
 * its series are found by the text of the query.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/
 * @module
 */
import { type ApiRequest, type ApiStandIn, startApi } from "./api.ts";

/** A series and its value at any time, in seconds; none where it has no sample. */
export interface FakeSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly at: (seconds: number) => number | undefined;
}

/** What the stand-in answers with. */
export interface PrometheusData {
  /** By query. */
  readonly series?: Readonly<Record<string, readonly FakeSeries[]>>;
  readonly rules?: readonly { name: string; query: string }[];
  readonly warnings?: readonly string[];
}

const POINTS_MAX = 11_000;

/** Starts it on a free port of 127.0.0.1. */
export function startPrometheusApi(
  { series = {}, rules = [], warnings = [] }: PrometheusData = {},
): ApiStandIn {
  const success = (data: unknown) => ({
    status: "success",
    data,
    ...warnings.length > 0 ? { warnings } : {},
  });
  const value = (number: number) =>
    Number.isFinite(number)
      ? String(number)
      : String(number).replace("Infinity", "Inf");
  const find = (query: URLSearchParams) =>
    series[query.get("query") ?? ""] ?? [];
  const range = ({ query }: ApiRequest) => {
    const [start, end, step] = ["start", "end", "step"].map((name) =>
      Number(query.get(name) ?? NaN)
    ) as [number, number, number];
    if (!query.get("query") || !(step > 0) || !(end >= start)) {
      return badData("invalid parameter");
    }
    if ((end - start) / step > POINTS_MAX) {
      return badData("exceeded maximum resolution of 11,000 points");
    }
    return success({
      resultType: "matrix",
      result: find(query).map(({ metric, at }) => {
        const values: [number, string][] = [];
        for (let time = start; time <= end; time += step) {
          const sample = at(time);
          if (sample !== undefined) values.push([time, value(sample)]);
        }
        return { metric, values };
      }).filter(({ values }) => values.length > 0),
    });
  };
  return startApi({
    routes: {
      "/api/v1/query_range": range,
      "/api/v1/query": ({ query }) => {
        const time = Number(query.get("time") ?? NaN);
        if (!query.get("query") || Number.isNaN(time)) {
          return badData("invalid parameter");
        }
        return success({
          resultType: "vector",
          result: find(query).flatMap(({ metric, at }) => {
            const sample = at(time);
            return sample === undefined
              ? []
              : [{ metric, value: [time, value(sample)] }];
          }),
        });
      },
      "/api/v1/rules": ({ query }) =>
        query.get("type") === "alert"
          ? success({
            groups: [{
              name: "g",
              rules: rules.map((rule) => ({ ...rule, type: "alerting" })),
            }],
          })
          : badData("not supported value"),
      "/api/v1/status/buildinfo": () => success({ version: "2.42.0" }),
    },
    error: (status) =>
      status === 401
        ? new Response("Unauthorized\n", { status })
        : Response.json({
          status: "error",
          errorType: "bad_data",
          error: `failed with ${status}`,
        }, { status }),
  });
}

function badData(error: string): Response {
  return Response.json({ status: "error", errorType: "bad_data", error }, {
    status: 400,
  });
}
