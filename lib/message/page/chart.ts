/**
 * A number's course as SVG, with its limit and times in UTC. Pure.
 *
 * Colours come from the page's style. Who sees no picture reads the same in
 * its description.
 *
 * @module
 */
import { element, type Markup } from "./markup.ts";
import type { Sample, Series } from "./series.ts";

const WIDTH = 720;
const HEIGHT = 220;
const LEFT = 64;
const RIGHT = 12;
const TOP = 14;
const BOTTOM = 28;
/** More points than that say nothing on this width. */
const POINTS_MAX = 360;
/** Whole times that an axis may be divided by, in seconds. */
const STEPS = [
  ...[60, 120, 300, 600, 900, 1800, 3600],
  ...[2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400],
];
const TICKS_MAX = 7;

/** Draws a course of at least two samples. */
export function chart(series: Series): Markup {
  const { title, limit } = series;
  const samples = thinned(series.samples);
  const [start] = samples[0]!;
  const [end] = samples.at(-1)!;
  const [low, high] = rangeOf(samples, limit?.value);
  const x = (at: number) =>
    round(LEFT + (at - start) / (end - start || 1) * (WIDTH - LEFT - RIGHT));
  const y = (value: number) =>
    round(TOP + (high - value) / (high - low || 1) * (HEIGHT - TOP - BOTTOM));
  const points = samples.map(([at, value]) => `${x(at)},${y(value)}`);
  const last = samples.at(-1)!;
  const told = tell(series);
  const size = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" };
  return element(
    "figure",
    { class: "chart" },
    element("figcaption", {}, title),
    element(
      "svg",
      { ...size, "aria-label": `${title}: ${told}` },
      element("title", {}, `${title}: ${told}`),
      [low, (low + high) / 2, high].map((value) => [
        across("grid", y(value)),
        label([LEFT - 6, y(value) + 4], "end", numberText(value)),
      ]),
      ticksOf(start, end).map((at) =>
        label([x(at), HEIGHT - 8], "middle", clockOf(at, end - start))
      ),
      limit === undefined ? undefined : [
        across("limit", y(limit.value)),
        element(
          "text",
          { class: "limit", x: LEFT + 4, y: y(limit.value) - 5 },
          `limit ${limit.operator} ${numberText(limit.value)}`,
        ),
      ],
      element("polyline", { class: "course", points: points.join(" ") }),
      element("circle", {
        ...{ class: "now", cx: x(last[0]), cy: y(last[1]), r: 3.5 },
      }),
    ),
    element("p", {}, `${told[0]!.toUpperCase()}${told.slice(1)}.`),
  );
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

/** `from 03:31 to 09:31 UTC: 2.4 at the end, between 0.28 and 2.61; limit > 2.` */
function tell({ samples, limit }: Series): string {
  const [start] = samples[0]!;
  const [end, now] = samples.at(-1)!;
  const [low, high] = rangeOf(samples, undefined);
  const span = end - start;
  const bound = limit === undefined
    ? ""
    : `; the limit is ${limit.operator} ${numberText(limit.value)}`;
  return `from ${clockOf(start, span)} to ${clockOf(end, span)} UTC between ${
    numberText(low)
  } and ${numberText(high)}, ${numberText(now)} at the end${bound}`;
}

function rangeOf(
  samples: readonly Sample[],
  limit: number | undefined,
): [low: number, high: number] {
  let [low, high] = [limit ?? Infinity, limit ?? -Infinity];
  for (const [, value] of samples) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Of neighbours, the lowest and the highest stay: no peak is lost. */
function thinned(samples: readonly Sample[]): readonly Sample[] {
  if (samples.length <= POINTS_MAX) return samples;
  const size = Math.ceil(2 * samples.length / POINTS_MAX);
  const kept: Sample[] = [];
  for (let at = 0; at < samples.length; at += size) {
    const group = samples.slice(at, at + size);
    const by = group.toSorted((a, b) => a[1] - b[1]);
    const ends = new Set([by[0]!, by.at(-1)!]);
    kept.push(...group.filter((sample) => ends.has(sample)));
  }
  if (kept.at(-1) !== samples.at(-1)) kept.push(samples.at(-1)!);
  return kept;
}

/** Whole times within a span, a few of them. */
function ticksOf(start: number, end: number): number[] {
  const step = STEPS.find((step) => (end - start) / step <= TICKS_MAX) ??
    (end - start) / TICKS_MAX;
  const ticks: number[] = [];
  const margin = (end - start) / 24; // Where half a label still fits.
  for (let at = Math.ceil(start / step) * step; at <= end; at += step) {
    if (at - start >= margin && end - at >= margin) ticks.push(at);
    if (ticks.length > TICKS_MAX || at + step === at) break;
  }
  return ticks;
}

/** `09:30`, with the date if the span is longer than a day. */
function clockOf(seconds: number, span: number): string {
  const moment = new Date(Math.round(seconds) * 1000).toISOString();
  const [day = "", time = ""] = moment.split("T");
  return span <= 86_400
    ? time.slice(0, 5)
    : `${day.slice(-5)} ${time.slice(0, 5)}`;
}

/** Three digits that count. */
function numberText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) {
    return value.toExponential(2);
  }
  return size >= 100
    ? String(Math.round(value * 10) / 10)
    : String(Number(value.toPrecision(3)));
}
