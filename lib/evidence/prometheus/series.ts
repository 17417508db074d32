/**
 * A series of Prometheus as a bundle has it: where its number stands, and its
 * course. Pure.
 *
 * @module
 */
import { optional } from "../../base/json.ts";
import type { FoundSeries } from "../collector.ts";
import {
  courseOf,
  isBeyond,
  type Limit,
  type Sample,
  sparkline,
} from "../course.ts";
import { momentOf } from "./facts.ts";
import type { Series } from "./queries.ts";

const VALUES_MAX = 60;
const SPARK_CHARS = 12;
const HOUR_S = 3600;

/** What the course belongs to. */
export interface Watched {
  readonly alert: string;
  readonly expression: string;
  readonly limit?: Limit | undefined;
  /** Seconds from one sample to the next. */
  readonly step: number;
  readonly unit?: string | undefined;
  /** Labels that every series of the query has. */
  readonly shared: Readonly<Record<string, string>>;
}

/**
 * Describes one series, perhaps with the same one a week before; none without
 * a finite sample.
 */
export function describeSeries(
  { metric, samples }: Series,
  { alert, expression, limit, step, unit, shared }: Watched,
  weekBefore?: readonly Sample[],
): FoundSeries[] {
  const course = courseOf(samples, limit);
  if (course === undefined) return [];
  const { last, worst, crossed, trend } = course;
  const known = limit !== undefined && Number.isFinite(limit.value)
    ? limit
    : undefined;
  const of = Object.entries(metric).filter(([name, value]) =>
    name !== "__name__" && shared[name] !== value
  ).toSorted().map(([name, value]) => `${name}: ${value}`).join(", ");
  const hour = valueAt(samples, last[0] - HOUR_S, step);
  const week = weekBefore && courseOf(weekBefore)?.last[1];
  return [{
    alert,
    expression,
    ...of === "" ? {} : { of },
    ...optional("unit", unit),
    now: last[1],
    at: momentOf(last[0]),
    ...known === undefined ? {} : {
      limit: known.value,
      operator: known.operator as NonNullable<FoundSeries["operator"]>,
      beyond: isBeyond(last[1], known),
    },
    ...crossed === undefined ? {} : { crossed: momentOf(crossed[0]) },
    worst: worst[1],
    worst_at: momentOf(worst[0]),
    ...optional("hour_ago", hour),
    ...optional("week_ago", week),
    trend,
    spark: sparkline(samples, SPARK_CHARS),
    ...spread(samples, step),
  }];
}

/** Labels that all of them have. */
export function sharedLabels(
  all: readonly Series[],
): Record<string, string> {
  const [first, ...others] = all;
  return Object.fromEntries(
    Object.entries(first?.metric ?? {}).filter(([name, value]) =>
      others.every(({ metric }) => metric[name] === value)
    ),
  );
}

/** The finite sample nearest to a moment, if one is less than a step away. */
function valueAt(
  samples: readonly Sample[],
  at: number,
  step: number,
): number | undefined {
  const near = samples.filter(([time, value]) =>
    Number.isFinite(value) && Math.abs(time - at) < step
  ).toSorted(([a], [b]) => Math.abs(a - at) - Math.abs(b - at));
  return near[0]?.[1];
}

/**
 * Few values, each at its moment: of the samples in its share of the time the
 * one furthest from their mean, so that no peak is lost.
 */
function spread(
  samples: readonly Sample[],
  step: number,
): Pick<FoundSeries, "start" | "step_s" | "values"> {
  const start = samples[0]![0];
  const end = samples.at(-1)![0];
  const slots = Math.round((end - start) / step) + 1;
  const share = Math.max(1, Math.ceil(slots / VALUES_MAX));
  const finite = samples.filter(([, value]) => Number.isFinite(value));
  const mean = finite.reduce((sum, [, value]) => sum + value, 0) /
    finite.length;
  const values: (number | null)[] = Array.from(
    { length: Math.ceil(slots / share) },
    () => null,
  );
  for (const [at, value] of finite) {
    const slot = Math.floor(Math.round((at - start) / step) / share);
    const known = values[slot];
    if (
      known === null || known === undefined ||
      Math.abs(value - mean) > Math.abs(known - mean)
    ) values[slot] = value;
  }
  // The last one is where it stands now.
  values[values.length - 1] = finite.at(-1)![0] === end
    ? finite.at(-1)![1]
    : values.at(-1) ?? null;
  return { start: momentOf(start), step_s: step * share, values };
}
