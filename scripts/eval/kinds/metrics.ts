/**
 * Series of numbers, as a collector of metrics would tell their course. Pure.
 *
 * @module
 */
import { isObject, type JsonObject, stringOf } from "../../../lib/base/json.ts";
import { counted } from "../../../lib/base/text.ts";
import type { FoundFact } from "../../../lib/evidence/collector.ts";
import {
  type Limit,
  type Sample,
  sparkline,
} from "../../../lib/evidence/course.ts";
import { sentencesOf } from "../../../lib/base/sentence.ts";
import { mentions } from "../../../lib/summary/rules/mentions.ts";
import { textsIn } from "../case.ts";
import { limitIn, quantity } from "../units.ts";
import { limitOf, type Reader } from "../kind.ts";
import { type Movement, movementOf } from "../movement.ts";

interface Series {
  readonly name: string;
  readonly of: string;
  readonly unit: string;
  readonly samples: readonly Sample[];
  /** If the case states one. */
  readonly limit: Limit | undefined;
}

interface Judged extends Series, Movement {
  /** Whether it is of what the alert names. */
  readonly isOwn: boolean;
  /** Whether the alert speaks of this measure. */
  readonly isMeant: boolean;
}

const FACTS_MAX = 11;
const MEANT_SHOWN = 3;
const DEPTH_MAX = 4;
const SPARK_CHARS = 12;
const LOW_IS_BAD = /free|available|balance|credit|remaining|headroom|uptime/i;

export const metricReplies: Reader = (kinds, { said }) => {
  const found = kinds.map((kind) => ({ kind, series: seriesIn(kind.value) }));
  const own = found.filter(({ series }) => series.length > 0);
  const sentences = textsIn(JSON.parse(said)).flatMap(sentencesOf);
  const judged = own.flatMap(({ series }) => series).flatMap((one) =>
    judge(one, said, sentences)
  ).toSorted(tellingFirst);
  if (judged.length === 0) return { read: [], replies: [] };
  const whose = [...new Set(judged.map(({ of }) => of))];
  const still = judged.filter(({ health }) => health === "well");
  const shown = judged.filter(({ health }) => health !== "well")
    .slice(0, FACTS_MAX - MEANT_SHOWN);
  const rest: FoundFact[] = still.length === 0 ? [] : [{
    name: "metrics",
    value: `${still.length} of ${judged.length} steady`,
    health: "well",
  }];
  const from = own[0]!.kind.name.replace(/_metrics?.*$/, "").split("_").at(-1)!;
  return {
    read: own.map(({ kind }) => kind),
    replies: [{
      collector: /^[a-z][a-z0-9-]*$/.test(from) ? from : "metrics",
      question: {
        id: "metrics",
        what: `metrics of ${whose[0]}`,
        rank: 1,
        kind: "metric",
      },
      findings: [{
        piece: {
          title: `${counted(judged.length, "metric")} of ${
            whose.slice(0, 2).join(", ")
          }`,
          value: judged.map(({ name, of, unit, samples }) => ({
            name,
            of,
            unit,
            samples,
          })),
        },
        facts: [
          ...shown.map(factOf),
          ...still.filter((one) => one.isOwn && one.isMeant)
            .slice(0, MEANT_SHOWN).map(factOf),
          ...rest,
        ],
      }],
    }],
  };
};

/** Whatever holds moments and values, however deep. */
function seriesIn(value: unknown, key = "", depth = 0): Series[] {
  if (depth > DEPTH_MAX) return [];
  if (Array.isArray(value)) {
    return value.flatMap((one) => seriesIn(one, key, depth + 1));
  }
  // A database's load is told with its queries.
  if (!isObject(value) || Array.isArray(value["top_sql"])) return [];
  const samples = samplesOf(value);
  const name = stringOf(
    value["metric_name"] ?? value["label"] ?? value["name"],
  ) || key;
  if (samples === undefined || name === "") {
    return Object.entries(value).flatMap(([key, one]) =>
      seriesIn(one, key, depth + 1)
    );
  }
  return [{
    name,
    of: ofWhat(value),
    unit: stringOf(value["unit"]),
    limit: limitOf(value),
    samples,
  }];
}

/** `timestamps` beside `values`, or `datapoints` with both. */
function samplesOf(
  { timestamps, values, datapoints }: JsonObject,
): Sample[] | undefined {
  const pairs = Array.isArray(timestamps) && Array.isArray(values)
    ? timestamps.map((at, index) => [at, values[index] as unknown])
    : Array.isArray(datapoints)
    ? datapoints.filter(isObject).map((one) => [
      one["timestamp"] ?? one["Timestamp"],
      one["value"] ?? one["Value"] ?? one["average"] ?? one["Average"],
    ])
    : undefined;
  return pairs?.flatMap(([at, value]): Sample[] => {
    const ms = Date.parse(stringOf(at));
    return typeof value === "number" && Number.isFinite(value) &&
        !Number.isNaN(ms)
      ? [[ms / 1000, value]]
      : [];
  });
}

function ofWhat({ dimensions, of }: JsonObject): string {
  const all = Array.isArray(dimensions) ? dimensions : [];
  return all.flatMap((one) =>
    isObject(one) ? stringOf(one["Value"] ?? one["value"]) || [] : []
  ).join("/") || stringOf(of) || "the service";
}

/** @param all The sentences of what the alert has said. */
function judge(
  series: Series,
  said: string,
  all: readonly string[],
): Judged[] {
  const { name, unit, of, samples } = series;
  const sentences = all.filter((sentence) => mentions(sentence, name));
  const isLowBad = LOW_IS_BAD.test(name);
  const limit = series.limit ?? limitIn(sentences, { unit, isLowBad });
  const moved = movementOf(samples, {
    unit,
    isLowBad,
    isShare: /percent|%/i.test(unit),
  }, limit);
  return moved === undefined ? [] : [{
    ...series,
    limit,
    ...moved,
    isOwn: of.split("/").some((part) => part !== "" && said.includes(part)),
    isMeant: sentences.length > 0,
  }];
}

/** What the alert names first, then what moved furthest. */
function tellingFirst(a: Judged, b: Judged): number {
  const rank = ({ isOwn, health }: Judged) =>
    (health === "ill" ? 0 : health === "recovered" ? 2 : 4) + (isOwn ? 0 : 1);
  return rank(a) - rank(b) || Math.abs(b.size) - Math.abs(a.size) ||
    (a.name < b.name ? -1 : 1);
}

function factOf(
  { name, of, unit, samples, from, to, peak, health, limit, size }: Judged,
): FoundFact {
  const bound = limit === undefined
    ? ""
    : `, limit ${limit.operator} ${quantity(limit.value, unit)}`;
  const course = health === "recovered"
    ? `back to ${quantity(to, unit)} after ${quantity(peak, unit)}`
    : Math.abs(size) < 0.5
    ? quantity(to, unit)
    : `${quantity(to, unit)}, from ${quantity(from, unit)}`;
  return {
    name: `${name} of ${of}`,
    value: `${course}${bound} ${
      sparkline(samples, Math.min(SPARK_CHARS, samples.length))
    }`.trim(),
    health,
  };
}
