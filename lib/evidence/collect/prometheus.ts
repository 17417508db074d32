/**
 * Asks Prometheus for the alert's own number, its course and its past, and for
 * targets that are down. Calls `PROMETHEUS_URL` alone, never the host that an
 * alert names.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/
 * @module
 */
import { optional as optionalSetting, url } from "../../base/config.ts";
import {
  isObject,
  type JsonObject,
  objectOf,
  stringOf,
} from "../../base/json.ts";
import { ageOf, counted } from "../../base/text.ts";
import {
  type Collector,
  type CollectorIo,
  type Finding,
  type FoundFact,
  GapError,
  type Question,
} from "../collector.ts";
import {
  courseOf,
  type Limit,
  numberText,
  type Sample,
  sparkline,
} from "../course.ts";
import { splitComparison } from "../promql.ts";
import {
  account,
  accountHeaders,
  authority,
  hostOf,
  listOf,
} from "../setup.ts";
import type { SubjectAlert } from "../subject.ts";

const SETTINGS = {
  prometheusUrl: optionalSetting(url("PROMETHEUS_URL", {
    about: "Prometheus to ask for the alert's series, its past and its targets",
  })),
  ...authority("prometheus", "PROMETHEUS", "Prometheus"),
  ...account("prometheus", "PROMETHEUS", {
    title: "Prometheus",
    systems: "Mimir, Cortex or Thanos",
  }),
};
type Io = CollectorIo<typeof SETTINGS>;

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const SPAN_S = 6 * HOUR_S;
const POINTS_MAX = 120;
const STEP_MIN_S = 15;
const SERIES_MAX = 5;
/** Alerts of different names whose series are asked for. */
const ALERTS_MAX = 2;
const PAST_DAYS = 30;
const PAST_STEP_S = 300;
const LISTED_MAX = 50;

export const prometheus = {
  name: "prometheus",
  title: "Prometheus",
  settings: SETTINGS,
  isOn: ({ prometheusUrl }) => prometheusUrl !== undefined,
  reach: ({ prometheusUrl }) => hostOf(prometheusUrl, "Prometheus"),
  connect: (config) => ({
    title: "Prometheus",
    url: config.prometheusUrl!,
    ca: config.prometheusCa,
    headers: () =>
      accountHeaders({
        token: config.prometheusToken,
        username: config.prometheusUsername,
        password: config.prometheusPassword,
        tenant: config.prometheusTenant,
      }),
  }),
  questions({ alerts }) {
    const named = alertsOf(alerts);
    const targets: Question = {
      id: "targets",
      what: "targets that are down",
      rank: 5,
      kind: "state",
    };
    return [
      ...named.map(({ name }, at): Question => ({
        id: `series-${at + 1}`,
        what: `course of ${name} over 6 h`,
        rank: 2,
        kind: "metric",
      })),
      ...named.slice(0, 1).map(({ name }): Question => ({
        id: "firings",
        what: `how often ${name} fired in ${PAST_DAYS} days`,
        rank: 3,
        kind: "history",
      })),
      targets,
    ];
  },
  ask({ id }, io) {
    const named = alertsOf(io.subject.alerts);
    if (id === "targets") return askTargets(io);
    if (id === "firings") return askFirings(named[0]!, io);
    return askSeries(named[Number(id.slice("series-".length)) - 1]!, io);
  },
  async check(io) {
    const { value } = await io.get("/api/v1/status/buildinfo");
    const { data } = envelope(value);
    return {
      says: `Prometheus ${stringOf(objectOf(data)?.["version"])}`.trim(),
    };
  },
} satisfies Collector<typeof SETTINGS>;

/** One alert of each name, those that fire first. */
function alertsOf(alerts: readonly SubjectAlert[]): SubjectAlert[] {
  const names = new Map<string, SubjectAlert>();
  for (const alert of alerts) {
    if (alert.name !== "" && !names.has(alert.name)) {
      names.set(alert.name, alert);
    }
  }
  return [...names.values()].slice(0, ALERTS_MAX);
}

async function* askSeries(
  alert: SubjectAlert,
  io: Io,
): AsyncGenerator<Finding> {
  const expr = alert.expr ?? await findRule(alert, io);
  if (expr === undefined) {
    yield { nothing: `no rule is called ${alert.name}` };
    return;
  }
  const comparison = splitComparison(expr);
  if (comparison === undefined) {
    yield {
      gap: {
        what: `course of ${alert.name}`,
        why: "its expression compares nothing, so it cannot be drawn",
        kind: "unconcerned",
      },
    };
    return;
  }
  const end = Math.floor(io.now.getTime() / 1000);
  const now = await askRange(comparison.series, end, io);
  const series = pick(now.series, alert);
  if (series.length === 0) {
    yield { nothing: `${comparison.series} has no samples in 6 h` };
    return;
  }
  const limit = await findLimit(comparison, alert, io);
  const value = {
    expression: expr,
    series: comparison.series,
    operator: comparison.operator,
    limit: limit?.value ?? comparison.limit,
    step_s: now.step,
    lines: series.map(({ metric, samples }) => ({ metric, samples })),
    of: now.series.length,
  };
  const title = `Course of ${alert.name}, 6 h`;
  const [first] = series;
  const facts = factsOf(first!.samples, limit);
  yield { piece: { title, value }, facts };
  yield* gapsOf(now.warnings, `course of ${alert.name}`);
  if (now.series.length > series.length) {
    yield {
      gap: {
        what: `series of ${alert.name}`,
        why: `at most ${SERIES_MAX} are kept`,
        kind: "cut",
        got: series.length,
        of: now.series.length,
      },
    };
  }
  const before = await askRange(comparison.series, end - 7 * DAY_S, io);
  const [same] = pick(before.series, alert);
  if (same === undefined) return;
  yield {
    piece: { title, value: { ...value, week_before: same } },
    facts: [...facts, ...compareWeeks(first!.samples, same.samples)],
  };
}

function factsOf(samples: Sample[], limit: Limit | undefined): FoundFact[] {
  const course = courseOf(samples, limit);
  if (course === undefined) return [];
  const { last, worst, crossed, trend } = course;
  const at = ([time]: Sample) => clockOf(time);
  const bound = limit === undefined
    ? ""
    : `, limit ${limit.operator} ${numberText(limit.value)}`;
  return [
    {
      name: "now",
      value: `${numberText(last[1])} at ${at(last)}${bound}`,
    },
    ...crossed === undefined ? [] : [{
      name: "crossed its limit",
      value: `at ${at(crossed)} with ${numberText(crossed[1])}`,
    }],
    {
      name: "worst in 6 h",
      value: `${numberText(worst[1])} at ${at(worst)}`,
    },
    { name: "course over 6 h", value: `${trend} ${sparkline(samples)}`.trim() },
  ];
}

function compareWeeks(now: Sample[], before: Sample[]): FoundFact[] {
  const last = courseOf(now)?.last;
  const then = courseOf(before)?.last;
  if (last === undefined || then === undefined) return [];
  const ratio = then[1] === 0
    ? ""
    : `, now ${numberText(last[1] / then[1])} times that`;
  return [{
    name: "a week before",
    value: `${numberText(then[1])} at the same time${ratio}`,
  }];
}

/** The rule's expression, where the alert does not carry it. */
async function findRule(
  { name }: SubjectAlert,
  io: Io,
): Promise<string | undefined> {
  const { value } = await io.get("/api/v1/rules", {
    query: [["type", "alert"], ["rule_name[]", name]],
  });
  const groups = listOf(objectOf(envelope(value).data)?.["groups"], "groups");
  const rules = groups.flatMap((group) => listOf(group["rules"], "rules"));
  const rule = rules.find((rule) => rule["name"] === name);
  return rule === undefined ? undefined : stringOf(rule["query"]);
}

async function findLimit(
  { operator, limit, value }: {
    operator: string;
    limit: string;
    value?: number;
  },
  alert: SubjectAlert,
  io: Io,
): Promise<Limit | undefined> {
  if (value !== undefined) return { operator, value };
  const found = await askNow(limit, io);
  const [best] = pick(found, alert);
  const sample = best?.samples.at(-1);
  return sample === undefined ? undefined : { operator, value: sample[1] };
}

interface Series {
  metric: Record<string, string>;
  samples: Sample[];
}

async function askRange(
  query: string,
  end: number,
  io: Io,
  {
    spanS = SPAN_S,
    step = Math.max(STEP_MIN_S, Math.ceil(spanS / POINTS_MAX)),
  }: { spanS?: number; step?: number } = {},
): Promise<{ series: Series[]; step: number; warnings: string[] }> {
  // Both ends count, so one step less.
  const start = end - Math.max(1, Math.floor(spanS / step) - 1) * step;
  const { value } = await io.get("/api/v1/query_range", {
    query: [
      ["query", query],
      ["start", String(start)],
      ["end", String(end)],
      ["step", String(step)],
    ],
  });
  const { data, warnings } = envelope(value);
  return { series: readSeries(data), step, warnings };
}

async function askNow(query: string, io: Io): Promise<Series[]> {
  const { value } = await io.get("/api/v1/query", {
    query: [
      ["query", query],
      ["time", String(io.now.getTime() / 1000)],
    ],
  });
  return readSeries(envelope(value).data);
}

/** @throws {GapError} For anything but a good answer. */
function envelope(value: unknown): { data: unknown; warnings: string[] } {
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
function pick(all: readonly Series[], { labels }: SubjectAlert): Series[] {
  const shared = ({ metric }: Series) => {
    const names = Object.entries(metric).filter(([name]) =>
      name !== "__name__" && name !== "alertstate"
    );
    const same = names.filter(([name, value]) => labels.get(name) === value);
    return same.length === names.length ? Infinity : same.length;
  };
  return all.map((one) => [shared(one), one] as const)
    .toSorted(([a], [b]) => a === b ? 0 : b > a ? 1 : -1)
    .slice(0, SERIES_MAX).map(([, one]) => one);
}

async function* askFirings(
  alert: SubjectAlert,
  io: Io,
): AsyncGenerator<Finding> {
  const end = Math.floor(io.now.getTime() / 1000);
  const query = `ALERTS{alertname=${
    JSON.stringify(alert.name)
  },alertstate="firing"}`;
  const { series, warnings } = await askRange(query, end, io, {
    spanS: PAST_DAYS * DAY_S,
    step: PAST_STEP_S,
  });
  const own = series.filter(({ metric }) => isOf(metric, alert));
  const stretches = own.flatMap(({ samples }) => stretchesOf(samples))
    .toSorted((a, b) => a.from - b.from);
  // The one that goes on is this incident itself.
  const past = stretches.filter(({ to }) => to < end - 2 * PAST_STEP_S);
  if (past.length === 0) {
    yield { nothing: `it had not fired in the ${PAST_DAYS} days before` };
    yield* gapsOf(warnings, "past firings");
    return;
  }
  const { from, to } = past.at(-1)!;
  const lengths = past.map(({ from, to }) => to - from + PAST_STEP_S);
  const middle = lengths.toSorted((a, b) => a - b)[lengths.length >> 1]!;
  yield {
    piece: {
      title: `Firings of ${alert.name} in ${PAST_DAYS} days`,
      value: {
        query,
        step_s: PAST_STEP_S,
        firings: past.slice(-LISTED_MAX).map(({ from, to }) => ({
          from: momentOf(from),
          to: momentOf(to),
        })),
      },
    },
    facts: [
      {
        name: `fired in ${PAST_DAYS} days`,
        value: `${counted(past.length, "time")} before, usually for ${
          ageOf(middle * 1000)
        }`,
      },
      {
        name: "last fired",
        value: `${momentOf(from)} for ${
          ageOf((to - from + PAST_STEP_S) * 1000)
        }`,
      },
    ],
  };
  yield* gapsOf(warnings, "past firings");
}

/** Stretches without a hole. */
function stretchesOf(samples: readonly Sample[]) {
  const stretches: { from: number; to: number }[] = [];
  for (const [at] of samples) {
    const last = stretches.at(-1);
    if (last !== undefined && at - last.to <= PAST_STEP_S) last.to = at;
    else stretches.push({ from: at, to: at });
  }
  return stretches;
}

function isOf(
  metric: Record<string, string>,
  { labels }: SubjectAlert,
): boolean {
  return Object.entries(metric).every(([name, value]) =>
    ["__name__", "alertname", "alertstate"].includes(name) ||
    labels.get(name) === value
  );
}

async function* askTargets(io: Io): AsyncGenerator<Finding> {
  const down = (await askNow("up == 0", io)).map(({ metric }) => metric);
  if (down.length === 0) {
    yield { nothing: "no target is down" };
    return;
  }
  const near = down.filter((metric) => isNear(metric, io));
  const nameOf = ({ job = "", instance = "" }: Record<string, string>) =>
    `${job} ${instance}`.trim();
  const sorted = [...near, ...down.filter((one) => !near.includes(one))];
  yield {
    piece: {
      title: `${counted(down.length, "target")} down`,
      value: sorted.slice(0, LISTED_MAX),
    },
    facts: [{
      name: "targets down",
      value: `${down.length}, ${near.length} of them here${
        near.length === 0 ? "" : `: ${near.slice(0, 5).map(nameOf).join(", ")}`
      }`,
    }],
  };
}

function isNear(
  metric: JsonObject,
  { subject: { service, namespace, entry } }: Io,
): boolean {
  const values = new Set(Object.values(metric));
  return [service, namespace, entry?.name].some((name) =>
    name !== undefined && values.has(name)
  );
}

function* gapsOf(
  warnings: readonly string[],
  what: string,
): Generator<Finding> {
  for (const why of warnings.slice(0, 3)) {
    yield { gap: { what, why: `Prometheus warns: ${why}`, kind: "cut" } };
  }
}

function momentOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** `2026-01-15 09:30 UTC`. */
function clockOf(seconds: number): string {
  return `${momentOf(seconds).slice(0, 16).replace("T", " ")} UTC`;
}
