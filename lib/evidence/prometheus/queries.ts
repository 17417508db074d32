/**
 * Queries to Prometheus, and what its answers hold.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/
 * @module
 */
import { isObject, objectOf, stringOf } from "../../base/json.ts";
import { type CollectorIo, GapError } from "../collector.ts";
import type { Sample } from "../course.ts";
import { listOf } from "../setup.ts";
import type { SubjectAlert } from "../subject.ts";

type Io = Pick<CollectorIo, "get" | "now">;

/** Six hours. */
const SPAN_S = 6 * 3600;
/** So many points of a series are kept. */
export const POINTS_MAX = 120;
const STEP_MIN_S = 15;
/** So many series of a query are kept. */
export const SERIES_MAX = 5;

/** A series; `samples` in their order of time. */
export interface Series {
  metric: Record<string, string>;
  samples: Sample[];
}

/** The course of a query, at most {@linkcode POINTS_MAX} points a series. */
export async function askRange(
  query: string,
  end: number,
  io: Io,
  {
    spanS = SPAN_S,
    step = Math.max(STEP_MIN_S, Math.ceil(spanS / POINTS_MAX)),
  }: { spanS?: number; step?: number } = {},
): Promise<{ series: Series[]; step: number; warnings: string[] }> {
  const pointsMax = Math.max(2, Math.floor(spanS / step));
  // Both ends count, so one step less.
  const start = end - (pointsMax - 1) * step;
  const { value } = await io.get("/api/v1/query_range", {
    query: [
      ["query", query],
      ["start", String(start)],
      ["end", String(end)],
      ["step", String(step)],
    ],
  });
  const { data, warnings } = envelope(value);
  // Whatever step a server takes.
  const series = readSeries(data).map(({ metric, samples }) => ({
    metric,
    samples: samples.slice(-pointsMax),
  }));
  return { series, step, warnings };
}

/** The value of a query at this moment. */
export async function askNow(query: string, io: Io): Promise<Series[]> {
  const { value } = await io.get("/api/v1/query", {
    query: [
      ["query", query],
      ["time", String(io.now.getTime() / 1000)],
    ],
  });
  return readSeries(envelope(value).data);
}

/** @throws {GapError} For anything but a good answer. */
export function envelope(
  value: unknown,
): { data: unknown; warnings: string[] } {
  if (!isObject(value) || value["status"] !== "success") {
    throw new GapError("broken", "Prometheus answered in another form");
  }
  const texts = [value["warnings"], value["infos"]].flat()
    .filter((text) => typeof text === "string");
  return { data: value["data"], warnings: texts };
}

function readSeries(data: unknown): Series[] {
  const { resultType, result } = objectOf(data) ?? {};
  if (resultType === "scalar") {
    return [{ metric: {}, samples: readSamples([result]) }];
  }
  return listOf(result, "series").map((one) => ({
    metric: Object.fromEntries(
      Object.entries(objectOf(one["metric"]) ?? {}).map(([name, text]) =>
        [name, stringOf(text)] as const
      ),
    ),
    samples: readSamples(one["values"] ?? [one["value"]]),
  }));
}

function readSamples(values: unknown): Sample[] {
  return (Array.isArray(values) ? values : []).flatMap((pair) => {
    if (!Array.isArray(pair)) return [];
    const [at, text] = pair;
    const value = Number(String(text).replace("Inf", "Infinity"));
    return typeof at === "number" && typeof text === "string"
      ? [[at, value] as const]
      : [];
  });
}

/**
 * The series with the alert's own labels first, at most {@linkcode SERIES_MAX}.
 * An alert has more labels than its series: Prometheus adds some when it sends.
 */
export function pick(
  all: readonly Series[],
  { labels }: SubjectAlert,
): Series[] {
  const shared = ({ metric }: Series) => {
    const names = Object.entries(metric).filter(([name]) =>
      name !== "__name__" && name !== "alertstate"
    );
    const same = names.filter(([name, value]) => labels.get(name) === value);
    return same.length === names.length ? Infinity : same.length;
  };
  return all.map((one) => [shared(one), one] as const)
    .toSorted(([a, one], [b, other]) =>
      a === b ? compare(nameOf(one), nameOf(other)) : b > a ? 1 : -1
    )
    .slice(0, SERIES_MAX).map(([, one]) => one);
}

function nameOf({ metric }: Series): string {
  return JSON.stringify(Object.entries(metric).toSorted());
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Stretches without a hole. */
export function stretchesOf(
  samples: readonly Sample[],
  stepS: number,
): { from: number; to: number }[] {
  const stretches: { from: number; to: number }[] = [];
  for (const [at] of samples) {
    const last = stretches.at(-1);
    if (last !== undefined && at - last.to <= stepS) last.to = at;
    else stretches.push({ from: at, to: at });
  }
  return stretches;
}

/**
 * Whether a series is of this very alert. It may have labels that the alert lacks,
 * such as a replica's: Prometheus drops these when it sends.
 */
export function isOf(
  metric: Record<string, string>,
  { labels }: SubjectAlert,
): boolean {
  return Object.entries(metric).every(([name, value]) =>
    name === "alertname" || (labels.get(name) ?? value) === value
  );
}
