/**
 * The course of the alert's own number, in words and as a line of bars. Pure.
 *
 * @module
 */
import { named, quoted } from "../../base/foreign.ts";
import type { MetricSeries } from "../../collected.ts";
import { amount, exactAmount, unitOf } from "./amount.ts";
import { between, clock } from "./clock.ts";
import type { Known, Rule } from "./rule.ts";

const LINES_MAX = 2;
const NAME_CHARS_MAX = 80;
const OF_CHARS_MAX = 60;
const TEXT_CHARS_MAX = 300;
/** A value is still that of now if it is this young. */
const NOW_MS = 10 * 60 * 1000;
/** How far from the present value, as a share of it, the worst is worth telling. */
const WORSE = 0.05;
/** What people can read: a metric or a recording rule. */
const SIMPLE = /^[a-z_:][\w:]{0,79}/i;

/** What cannot pass for a sentence of ours. */
const UNIT = /^[%\p{L}°][\p{L}\d/%°]{0,5}$/u;

/** `latency_p99: 2.4 s now, limit 2 s, crossed 09:21, 0.3 s an hour ago ▁▂█`. */
export const metric: Rule = (known) => {
  const { series, facts } = known;
  const told = new Set<string>();
  const firsts = series.filter(({ alert }) =>
    !told.has(alert) && told.add(alert) !== undefined
  );
  if (firsts.length > 0) {
    return firsts.slice(0, LINES_MAX).map((one) => ({
      place: "happened" as const,
      text: lineOf(one, known),
      evidence: [...one.evidence],
      collected: true,
    }));
  }
  // A bundle of an older version has sentences only.
  return facts.filter(({ kind }) => kind === "metric").slice(0, 1)
    .map(({ name, value, evidence }) => ({
      place: "happened" as const,
      text: quoted(`${name}: ${value}`, TEXT_CHARS_MAX),
      evidence: [...evidence],
      collected: true,
    }));
};

function lineOf(series: MetricSeries, known: Known): string {
  const { alert, limit, now, at, hour_ago, week_ago, spark } = series;
  const { asOf, groups } = known;
  const group = groups.find(({ name }) => name === alert);
  const unit = series.unit !== undefined && UNIT.test(series.unit)
    ? series.unit
    : unitOf(group?.limit, limit);
  const bound = limit === undefined ? "" : exactAmount(limit, unit);
  const say = (value: number) => {
    const text = amount(value, unit);
    // Just beyond its limit is not at its limit.
    return text === bound && value !== limit ? exactAmount(value, unit) : text;
  };
  const isNow = asOf === undefined || between(at, asOf) < NOW_MS;
  const parts = [
    `${say(now)} ${isNow ? "now" : `at ${clock(at, asOf, MINUTES)}`}`,
    ...limit === undefined ? [] : ofLimit(series, bound, say, asOf),
    ...hour_ago === undefined ? [] : [`${say(hour_ago)} an hour ago`],
    // The same as ever is news, too.
    ...week_ago !== undefined && isBeyond(series, week_ago)
      ? [`${say(week_ago)} at this time a week before, too`]
      : [],
  ];
  const bars = spark.replace(/[^ ▁-█]/g, "");
  const name = nameOf(series, {
    isOnly: groups.length === 1,
    count: group?.count ?? 1,
    worst: group?.worst,
  });
  return `${name}: ${parts.join(", ")} ${bars}`.trim();
}

const MINUTES = { seconds: false };

/** What stands above need not be said again. */
function nameOf(
  { expression, alert, of }: MetricSeries,
  { isOnly, count, worst }: {
    isOnly: boolean;
    count: number;
    worst: string | undefined;
  },
): string {
  const [start = ""] = SIMPLE.exec(expression) ?? [];
  const rest = expression.slice(start.length);
  const isSimple = start !== "" && /^(?:\{[^{}]*\})?$/.test(rest);
  const name = isSimple
    ? start
    : isOnly
    ? "Measured"
    : named(alert, NAME_CHARS_MAX);
  if (of === undefined || count < 2) return name;
  const [, value] = /^[\w.]+: ([\w.:@/-]+)$/.exec(of) ?? [];
  if (isOnly && value === worst && value !== undefined) return name;
  return `${name} on ${
    value === undefined ? quoted(of, OF_CHARS_MAX) : named(value, OF_CHARS_MAX)
  }`;
}

function ofLimit(
  series: MetricSeries,
  limit: string,
  say: (value: number) => string,
  asOf: string | undefined,
): string[] {
  const { operator = ">", crossed, beyond, worst, worst_at, now } = series;
  const bound = {
    ">": "limit",
    ">=": "limit",
    "<": "lower limit",
    "<=": "lower limit",
    "==": "bad if",
    "!=": "bad unless",
  }[operator];
  const isLow = operator.startsWith("<");
  // Of a negative value, too, the share is a distance.
  const share = WORSE * Math.abs(now);
  const isWorse = isLow
    ? worst < now - share
    : worst > now + share && operator.startsWith(">");
  const peak = isWorse
    ? [`worst ${say(worst)} at ${clock(worst_at, asOf, MINUTES)}`]
    : [];
  const since = crossed === undefined
    ? []
    : [`crossed ${clock(crossed, asOf, MINUTES)}`];
  return beyond === false && crossed !== undefined
    ? [`back within its ${bound} ${limit}`, ...since, ...peak]
    : [`${bound} ${limit}`, ...since, ...peak];
}

function isBeyond(
  { limit, operator }: MetricSeries,
  value: number,
): boolean {
  if (limit === undefined) return false;
  return operator === ">" || operator === ">="
    ? value > limit
    : operator === "<" || operator === "<="
    ? value < limit
    : false;
}
