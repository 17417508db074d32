/**
 * Asks Prometheus for the alert's own number, its course and its past, and for
 * targets that are down. Calls `PROMETHEUS_URL` alone, never the host that an
 * alert names.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/
 * @module
 */
import { optional as optionalSetting, url } from "../../base/config.ts";
import { type JsonObject, objectOf, stringOf } from "../../base/json.ts";
import { ageOf, counted } from "../../base/text.ts";
import type {
  Collector,
  CollectorIo,
  Finding,
  Question,
} from "../collector.ts";
import type { Limit } from "../course.ts";
import { compareWeeks, factsOf, momentOf } from "../prometheus/facts.ts";
import { describeSeries, sharedLabels } from "../prometheus/series.ts";
import {
  askNow,
  askRange,
  envelope,
  isOf,
  pick,
  SERIES_MAX,
  stretchesOf,
} from "../prometheus/queries.ts";
import { splitComparison, unitOf } from "../promql.ts";
import { access, account, authority, hostOf, listOf } from "../setup.ts";
import { dependencyIn, type SubjectAlert } from "../subject.ts";

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

const DAY_S = 24 * 3600;
/** Of each alert, as a bundle has them. */
const COURSES_MAX = 3;
/** Alerts of different names whose series are asked for. */
const ALERTS_MAX = 2;
const PAST_DAYS = 30;
const PAST_STEP_S = 300;
const LISTED_MAX = 50;
/** Scraped in vain, or a probe that failed. */
const DOWN = "up == 0 or probe_success == 0";

export const prometheus = {
  name: "prometheus",
  title: "Prometheus",
  settings: SETTINGS,
  isOn: ({ prometheusUrl }) => prometheusUrl !== undefined,
  reach: ({ prometheusUrl }) => hostOf(prometheusUrl, "Prometheus"),
  connect: (config) => ({
    title: "Prometheus",
    url: config.prometheusUrl!,
    ...access({
      ca: config.prometheusCa,
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
  const watched = {
    alert: alert.name,
    expression: comparison.series,
    limit,
    step: now.step,
    unit: unitOf(comparison.series),
    shared: sharedLabels(now.series),
  };
  const courses = series.slice(0, COURSES_MAX).flatMap((one) =>
    describeSeries(one, watched)
  );
  yield { piece: { title, value }, facts, series: courses };
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
    series: [
      ...describeSeries(first!, watched, same.samples),
      ...courses.slice(1),
    ],
  };
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
  // Of several replicas, as one.
  const samples = own.flatMap(({ samples }) => samples)
    .toSorted(([a], [b]) => a - b);
  const stretches = stretchesOf(samples, PAST_STEP_S);
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

async function* askTargets(io: Io): AsyncGenerator<Finding> {
  const down = (await askNow(DOWN, io)).map(({ metric }) => metric);
  if (down.length === 0) {
    yield { nothing: "no target is down" };
    return;
  }
  const near = down.filter((metric) => isNear(metric, io));
  const nameOf = ({ job = "", instance = "" }: Record<string, string>) =>
    `${job} ${instance}`.trim();
  const dependencies = down.filter((metric) =>
    dependencyIn(Object.values(metric), io.subject) !== undefined
  );
  const sorted = [...new Set([...near, ...dependencies, ...down])];
  const list = (all: typeof down) => all.slice(0, 5).map(nameOf).join(", ");
  yield {
    piece: {
      title: `${counted(down.length, "target")} down`,
      value: sorted.slice(0, LISTED_MAX),
    },
    facts: [
      {
        name: "targets down",
        value: `${down.length}, ${near.length} of them here${
          near.length === 0 ? "" : `: ${list(near)}`
        }`,
        ...near.length > 0 && { health: "ill" as const },
      },
      ...dependencies.length === 0 ? [] : [{
        name: "dependencies down",
        value: list(dependencies),
        health: "ill" as const,
      }],
    ],
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
