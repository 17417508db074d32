/**
 * A number's course as SVG, with its limit and times in UTC. Pure.
 *
 * Colours come from the page's style. Who sees no picture reads the same in a
 * sentence.
 *
 * @module
 */
import { foreignLine, named } from "../../base/foreign.ts";
import { numberText, shorten } from "../../base/text.ts";
import type { MetricSeries } from "../../collected.ts";
import { cites } from "./cites.ts";
import { type Child, element, type Markup } from "./markup.ts";

const WIDTH = 720;
const HEIGHT = 220;
const LEFT = 64;
const RIGHT = 12;
const TOP = 14;
const BOTTOM = 28;
/** Whole times that an axis may be divided by, in seconds. */
const STEPS = [
  ...[60, 120, 300, 600, 900, 1800, 3600],
  ...[2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400],
];
const TICKS_MAX = 7;
const EXPRESSION_CHARS_MAX = 300;
/** The last moment that `Date` knows. */
const SECONDS_MAX = 8.64e12;

/** Seconds since the epoch, and the value. */
type Sample = readonly [at: number, value: number];

/** A course with its name and what it shows in words. */
export function chart(series: MetricSeries): Markup {
  const { alert, of, expression, evidence } = series;
  const title = of === undefined ? foreignLine(alert) : foreignLine(
    `${alert}, ${of}`,
  );
  return element(
    "figure",
    { class: "chart" },
    element("figcaption", {}, title),
    element("p", {}, tell(series), " ", cites(evidence)),
    draw(series, `${title}: ${tell(series)}`),
    element(
      "p",
      { class: "faint" },
      element(
        "code",
        {},
        shorten(foreignLine(expression), EXPRESSION_CHARS_MAX),
      ),
    ),
  );
}

/** `2.38 s at 09:31 UTC, rising; limit > 2 s, crossed at 09:27; worst …`. */
function tell(series: MetricSeries): string {
  const { now, at, limit, operator, crossed, trend, worst, worst_at } = series;
  const { hour_ago, week_ago } = series;
  const unit = series.unit === undefined ? "" : ` ${named(series.unit, 20)}`;
  const number = (value: number) => `${numberText(value)}${unit}`;
  const parts = [
    `${number(now)} at ${clock(at)} UTC, ${trend}`,
    ...limit === undefined ? [] : [
      `the limit is ${operator ?? ""} ${number(limit)}` +
      (crossed === undefined ? "" : `, crossed at ${clock(crossed)}`),
    ],
    `at worst ${number(worst)} at ${clock(worst_at)}`,
    ...hour_ago === undefined ? [] : [`${number(hour_ago)} an hour ago`],
    ...week_ago === undefined ? [] : [`${number(week_ago)} a week ago`],
  ];
  return `${parts.join("; ")}.`;
}

/** The picture; none of fewer than two values, or of values without a scale. */
function draw(series: MetricSeries, description: string): Child {
  const { limit, operator = "", values, step_s } = series;
  const start = Date.parse(series.start) / 1000;
  const end = start + (values.length - 1) * step_s;
  const known = values.flatMap((value): number[] =>
    value === null || !Number.isFinite(value) ? [] : [value]
  );
  const all = limit === undefined ? known : [...known, limit];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const isDrawn = known.length > 1 && Number.isFinite(high - low) &&
    Math.abs(start) < SECONDS_MAX && Math.abs(end) < SECONDS_MAX &&
    end > start;
  if (!isDrawn) return undefined;
  const x = (at: number) =>
    round(LEFT + (at - start) / (end - start) * (WIDTH - LEFT - RIGHT));
  const y = (value: number) =>
    round(TOP + (high - value) / (high - low || 1) * (HEIGHT - TOP - BOTTOM));
  const samples = values.map((value, at) =>
    [start + at * step_s, value] as const
  );
  const lines = stretchesOf(samples).map((stretch) =>
    element("polyline", {
      class: "course",
      points: stretch.map(([at, value]) => `${x(at)},${y(value)}`).join(" "),
    })
  );
  const last = stretchesOf(samples).at(-1)!.at(-1)!;
  return element(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": description,
    },
    [...new Set([low, (low + high) / 2, high])].map((value) => [
      across("grid", y(value)),
      label([LEFT - 6, y(value) + 4], "end", numberText(value)),
    ]),
    ticksOf(start, end).map((at) =>
      label([x(at), HEIGHT - 8], "middle", tickText(at, end - start))
    ),
    limit === undefined ? undefined : [
      across("limit", y(limit)),
      element(
        "text",
        {
          class: "limit",
          x: LEFT + 4,
          y: y(limit) - 5 < TOP ? y(limit) + 16 : y(limit) - 5,
        },
        `limit ${operator} ${numberText(limit)}`,
      ),
    ],
    lines,
    element("circle", { class: "now", cx: x(last[0]), cy: y(last[1]), r: 3.5 }),
  );
}

/** Values without a gap between them. */
function stretchesOf(
  samples: readonly (readonly [number, number | null])[],
): Sample[][] {
  const stretches: Sample[][] = [[]];
  for (const [at, value] of samples) {
    if (value === null) stretches.push([]);
    else stretches.at(-1)!.push([at, value]);
  }
  return stretches.filter(({ length }) => length > 0);
}

function across(name: string, y: number): Markup {
  const ends = { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y };
  return element("line", { class: name, ...ends });
}

function label([x, y]: readonly number[], anchor: string, text: string) {
  return element("text", { x, y, "text-anchor": anchor }, text);
}

/** To a tenth of a pixel. */
function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

/** Whole times within a span, a few of them, where their label fits. */
function ticksOf(start: number, end: number): number[] {
  const step = STEPS.find((step) => (end - start) / step <= TICKS_MAX) ??
    (end - start) / TICKS_MAX;
  const margin = (end - start) / 24;
  const first = Math.ceil((start + margin) / step) * step;
  return Array.from({ length: TICKS_MAX }, (_, at) => first + at * step)
    .filter((at) => at <= end - margin);
}

/** `09:30`, with month and day if the span is longer than a day. */
function tickText(seconds: number, span: number): string {
  const [day = "", time = ""] = new Date(Math.round(seconds) * 1000)
    .toISOString().split("T");
  const short = time.slice(0, 5);
  return span <= 86_400 ? short : `${day.slice(-5)} ${short}`;
}

/** To the minute, in UTC. */
function clock(at: string): string {
  const moment = new Date(at);
  return Number.isNaN(moment.getTime())
    ? named(at, 40)
    : moment.toISOString().slice(11, 16);
}
