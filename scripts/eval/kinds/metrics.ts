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
  numberText,
  type Sample,
  sparkline,
} from "../../../lib/evidence/course.ts";
import { measureOf } from "../../../lib/sources/measure.ts";
import { sentencesOf } from "../../../lib/base/sentence.ts";
import { textsIn } from "../case.ts";
import type { Looking, Reader } from "../kind.ts";
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
}

const FACTS_MAX = 11;
const LOW_IS_BAD = /free|available|balance|credit|remaining|headroom|uptime/i;

export const metricReplies: Reader = (kinds, looking) => {
  const found = kinds.map((kind) => ({ kind, series: seriesIn(kind.value) }));
  const own = found.filter(({ series }) => series.length > 0);
  const judged = own.flatMap(({ series }) => series).flatMap((one) =>
    judge(one, looking)
  ).toSorted(tellingFirst);
  if (judged.length === 0) return { read: [], replies: [] };
  const still = judged.filter(({ health }) => health === "well");
  const shown = judged.filter(({ health }) => health !== "well")
    .slice(0, FACTS_MAX);
  const rest: FoundFact[] = still.length === 0 ? [] : [{
    name: "metrics",
    value: `${still.length} of ${counted(judged.length, "metric")} steady`,
    health: "well",
  }];
  const from = own[0]!.kind.name.replace(/_metrics?.*$/, "").split("_").at(-1)!;
  return {
    read: own.map(({ kind }) => kind),
    replies: [{
      collector: /^[a-z][a-z0-9-]*$/.test(from) ? from : "metrics",
      question: {
        id: "metrics",
        what: `metrics of ${[...new Set(judged.map(({ of }) => of))][0]}`,
        rank: 1,
        kind: "metric",
      },
      findings: [{
        piece: {
          title: `${counted(judged.length, "metric")} of ${
            [...new Set(judged.map(({ of }) => of))].slice(0, 2).join(", ")
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
          ...still.filter(({ isOwn, limit }) => isOwn && limit !== undefined)
            .slice(0, 2).map(factOf),
          ...rest,
        ],
      }],
    }],
  };
};

/** Whatever holds moments and values, however deep. */
function seriesIn(value: unknown): Series[] {
  if (Array.isArray(value)) return value.flatMap(seriesIn);
  if (!isObject(value)) return [];
  const { timestamps, values } = value;
  const name = stringOf(
    value["metric_name"] ?? value["label"] ?? value["name"],
  );
  if (Array.isArray(timestamps) && Array.isArray(values) && name !== "") {
    return [{
      name,
      of: ofWhat(value),
      unit: stringOf(value["unit"]),
      limit: limitOf(value),
      samples: timestamps.flatMap((at, index): Sample[] => {
        const number = values[index] as unknown;
        return typeof number === "number"
          ? [[Date.parse(stringOf(at)) / 1000, number]]
          : [];
      }),
    }];
  }
  return ["metric_data_results", "series", "items"].flatMap((name) =>
    seriesIn(value[name])
  );
}

function ofWhat({ dimensions, of }: JsonObject): string {
  const all = Array.isArray(dimensions) ? dimensions : [];
  return all.flatMap((one) =>
    isObject(one) ? stringOf(one["Value"] ?? one["value"]) || [] : []
  ).join("/") || stringOf(of) || "the service";
}

function limitOf({ limit, operator = ">" }: JsonObject): Limit | undefined {
  return typeof limit === "number"
    ? { operator: stringOf(operator), value: limit }
    : undefined;
}

function judge(series: Series, { said }: Looking): Judged[] {
  const { name, unit, of, samples } = series;
  const limit = series.limit ?? statedLimit(series, said);
  const isShare = /percent|%/i.test(unit);
  const moved = movementOf(samples, {
    unit,
    isLowBad: LOW_IS_BAD.test(name),
    isShare,
  }, limit);
  return moved === undefined ? [] : [{
    ...series,
    limit,
    ...moved,
    isOwn: of.split("/").some((part) => part !== "" && said.includes(part)),
  }];
}

/** The limit of the alert's sentence that names the metric. */
function statedLimit(
  { name, unit }: Series,
  said: string,
): Limit | undefined {
  const sentences = textsIn(JSON.parse(said)).flatMap(sentencesOf)
    .filter((sentence) => mentions(sentence, name));
  for (const sentence of sentences) {
    const stated = measureOf(sentence)?.limit ??
      /\b(?:above|exceed\w*|over|below|under|threshold \()\s*([\d.,]+\s*\S*)/i
        .exec(sentence)?.[1];
    const value = Number.parseFloat((stated ?? "").replaceAll(",", ""));
    const isPercent = /%/.test(stated ?? "");
    if (!Number.isFinite(value) || isPercent !== /percent|%/i.test(unit)) {
      continue;
    }
    return { operator: LOW_IS_BAD.test(name) ? "<" : ">", value };
  }
  return undefined;
}

/** `ReplicaLag` by its own name or as "replica lag". */
export function mentions(sentence: string, name: string): boolean {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/[_-]/g, " ");
  const text = sentence.toLowerCase();
  return text.includes(name.toLowerCase()) ||
    text.includes(words.toLowerCase());
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
    value: `${course}${bound} ${sparkline(samples)}`.trim(),
    health,
  };
}

const UNITS: Readonly<Record<string, string>> = {
  Percent: "%",
  Milliseconds: "ms",
  Seconds: "s",
  "Count/Second": "/s",
  Count: "",
};
const SIZES = ["B", "kB", "MB", "GB", "TB"];

function quantity(value: number, unit: string): string {
  if (/^Bytes/.test(unit)) {
    const at = Math.min(
      SIZES.length - 1,
      Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(value))) / 3)),
    );
    const per = unit.endsWith("/Second") ? "/s" : "";
    return `${numberText(value / 10 ** (3 * at))} ${SIZES[at]}${per}`;
  }
  return `${numberText(value)} ${UNITS[unit] ?? unit}`.trim();
}
