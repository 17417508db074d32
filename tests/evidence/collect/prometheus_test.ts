import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type FakeSeries,
  startPrometheusApi,
} from "../../../deploy/standins/prometheus.ts";
import { prometheus } from "../../../lib/evidence/collect/prometheus.ts";
import { askRange } from "../../../lib/evidence/prometheus/queries.ts";
import {
  collect,
  factsOf,
  INCIDENT,
  NOW,
  testFaults,
} from "../../support/collecting.ts";

const END = NOW.getTime() / 1000;
const HOUR = 3600;
const QUERY = "latency_p99:5m";
const FIRING = 'ALERTS{alertname="CheckoutSlow",alertstate="firing"}';
const env = (url: string) => ({ PROMETHEUS_URL: url });

/** Flat at 0.3, then rising over 2 since half an hour; 1.2 a week before. */
const LATENCY: FakeSeries = {
  metric: { service: "checkout", namespace: "shop" },
  at: (time) =>
    time < END - 24 * HOUR
      ? 1.2
      : time < END - HOUR / 2
      ? 0.3
      : 2 + (time - (END - HOUR / 2)) / HOUR,
};
const OTHER: FakeSeries = { metric: { service: "cart" }, at: () => 0.1 };

testFaults({
  collector: prometheus,
  start: () => startPrometheusApi({ series: { [QUERY]: [LATENCY] } }),
  env,
});

Deno.test("prometheus: the alert's own series is drawn, its limit crossed, a week before compared", async () => {
  await using api = startPrometheusApi({
    series: { [QUERY]: [OTHER, LATENCY] },
  });
  const found = await collect(prometheus, { env: env(api.url) });
  assertEquals(factsOf(found), [
    "now: 2.5 at 2026-01-15 10:00 UTC, limit > 2",
    "crossed its limit: at 2026-01-15 09:33 UTC with 2.05",
    "worst in 6 h: 2.5 at 2026-01-15 10:00 UTC",
    "course over 6 h: rising ▁▁▁▁▁▁▁▁▁▁▂█",
    "a week before: 1.2 at the same time, now 2.08 times that",
  ]);
  const piece = JSON.parse(found.pieces[0]!.content);
  assertEquals([piece.series, piece.operator, piece.limit], [QUERY, ">", 2]);
  assertEquals(piece.lines[0].metric, LATENCY.metric);
  assertEquals(piece.lines[0].samples.length, 120);
  assertEquals(piece.week_before.samples.length, 120);
  const [course, ...others] = found.series;
  assertEquals(
    [course!.now, course!.limit, course!.hour_ago, course!.week_ago],
    [2.5, 2, 0.3, 1.2],
  );
  assertEquals([course!.crossed, course!.evidence], [
    "2026-01-15T09:33:00.000Z",
    ["prometheus/series-1"],
  ]);
  assertEquals(others.map(({ of, now }) => [of, now]), [[
    "service: cart",
    0.1,
  ]]);
  assertEquals(found.lookups.map(({ state, why }) => [state, why]), [
    ["found", undefined],
    ["nothing", "it had not fired in the 30 days before"],
    ["nothing", "no target is down"],
  ]);
  assertEquals(api.mistakes, []);
});

Deno.test("prometheus: the host that an alert names is never called", async () => {
  await using named = startPrometheusApi();
  await using api = startPrometheusApi({ series: { [QUERY]: [LATENCY] } });
  const [alert] = INCIDENT.raw!["alerts"] as Record<string, unknown>[];
  const incident = {
    ...INCIDENT,
    raw: {
      alerts: [{
        ...alert,
        generatorURL: `${named.url}/graph?g0.expr=latency_p99%3A5m+%3E+2`,
      }],
    },
  };
  await collect(prometheus, { env: env(api.url), incident });
  assertEquals(named.asked, []);
  assert(api.asked.length > 0);
});

Deno.test("prometheus: a rule is looked up where the alert carries no expression", async () => {
  await using api = startPrometheusApi({
    series: { [QUERY]: [LATENCY] },
    rules: [{ name: "Other", query: "x > 1" }, {
      name: "CheckoutSlow",
      query: `${QUERY} > 2`,
    }],
  });
  const [alert] = INCIDENT.raw!["alerts"] as Record<string, unknown>[];
  const { generatorURL: _, ...plain } = alert!;
  const incident = { ...INCIDENT, raw: { alerts: [plain] } };
  const found = await collect(prometheus, { env: env(api.url), incident });
  assertMatch(factsOf(found)[0]!, /^now: 2\.5 /);
});

Deno.test("prometheus: an expression that compares nothing cannot be drawn, and that is said", async () => {
  await using api = startPrometheusApi();
  const [alert] = INCIDENT.raw!["alerts"] as Record<string, unknown>[];
  const incident = {
    ...INCIDENT,
    raw: {
      alerts: [{
        ...alert,
        generatorURL: "http://p/graph?g0.expr=absent(up)",
      }],
    },
  };
  const found = await collect(prometheus, { env: env(api.url), incident });
  assertEquals(found.gaps.map(({ what, kind }) => [what, kind]), [
    ["course of CheckoutSlow", "unconcerned"],
  ]);
});

Deno.test("prometheus: past firings are counted, this one left out", async () => {
  const fires =
    (...spans: [ago: number, minutes: number][]) => (time: number) =>
      spans.some(([ago, minutes]) =>
          time >= END - ago * 24 * HOUR &&
          time < END - ago * 24 * HOUR + minutes * 60
        )
        ? 1
        : undefined;
  const alert = {
    alertname: "CheckoutSlow",
    alertstate: "firing",
    service: "checkout",
    namespace: "shop",
  };
  await using api = startPrometheusApi({
    series: {
      [FIRING]: [
        {
          metric: alert,
          at: fires([20, 30], [10, 60], [3, 40], [0.02, 600]),
        },
        { metric: { ...alert, service: "cart" }, at: fires([5, 60]) },
      ],
    },
  });
  const found = await collect(prometheus, { env: env(api.url) });
  assertEquals(factsOf(found), [
    "fired in 30 days: 3 times before, usually for 40 min",
    "last fired: 2026-01-12T10:00:00.000Z for 40 min",
  ]);
});

Deno.test("prometheus: firings that replicas know are counted once", async () => {
  const replica = (name: string): FakeSeries => ({
    metric: {
      alertname: "CheckoutSlow",
      alertstate: "firing",
      service: "checkout",
      namespace: "shop",
      prometheus_replica: name,
    },
    at: (time) =>
      time > END - 25 * HOUR && time < END - 24 * HOUR ? 1 : undefined,
  });
  await using api = startPrometheusApi({
    series: { [FIRING]: [replica("a"), replica("b")] },
  });
  const found = await collect(prometheus, { env: env(api.url) });
  assertMatch(
    factsOf(found).find((fact) => fact.startsWith("fired in"))!,
    /^fired in 30 days: 1 time before/,
  );
});

Deno.test("prometheus: warnings are gaps", async () => {
  await using api = startPrometheusApi({
    series: { [QUERY]: [LATENCY] },
    warnings: ["store x is not reachable"],
  });
  const found = await collect(prometheus, { env: env(api.url) });
  assertMatch(found.gaps[0]!.why, /store x is not reachable/);
});

Deno.test("prometheus: no more points are kept than were asked for, whatever a server sends", async () => {
  const values = Array.from({ length: 100_000 }, (_, at) => [at, "1"]);
  const { series } = await askRange(QUERY, END, {
    now: NOW,
    get: () =>
      Promise.resolve({
        value: {
          status: "success",
          data: { resultType: "matrix", result: [{ metric: {}, values }] },
        },
        headers: new Headers(),
      }),
  });
  assertEquals(series[0]!.samples.length, 120);
  assertEquals(series[0]!.samples.at(-1), [99_999, 1]);
});

Deno.test("prometheus: at most five series, and the rest is said", async () => {
  const many = Array.from({ length: 40 }, (_, at): FakeSeries => ({
    metric: { service: "checkout", pod: `p-${at}` },
    at: () => at,
  }));
  await using api = startPrometheusApi({ series: { [QUERY]: many } });
  const found = await collect(prometheus, { env: env(api.url) });
  const piece = JSON.parse(found.pieces[0]!.content);
  assertEquals(piece.lines.length, 5);
  assertEquals(
    found.gaps.map(({ kind, got, of }) => [kind, got, of]),
    [["cut", 5, 40]],
  );
});

Deno.test("prometheus: user, password and tenant are sent", async () => {
  const seen: string[] = [];
  await using proxy = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      for (const name of ["authorization", "x-scope-orgid"]) {
        seen.push(`${name}: ${request.headers.get(name)}`);
      }
      return Response.json({}, { status: 403 });
    },
  );
  await collect(prometheus, {
    env: {
      PROMETHEUS_URL: `http://127.0.0.1:${proxy.addr.port}`,
      PROMETHEUS_USERNAME: "ada",
      PROMETHEUS_PASSWORD: "pä:ss",
      PROMETHEUS_TENANT: "team-a|b",
    },
  });
  assertEquals(seen.slice(0, 2), [
    `authorization: Basic ${btoa("ada:p\xc3\xa4:ss")}`,
    "x-scope-orgid: team-a|b",
  ]);
});

Deno.test("prometheus: targets and probes of dependencies that are down are named", async () => {
  const down = (metric: Record<string, string>): FakeSeries => ({
    metric,
    at: () => 0,
  });
  await using api = startPrometheusApi({
    series: {
      "up == 0 or probe_success == 0": [
        down({ job: "orders-db", instance: "orders-1:9100" }),
        down({ job: "other", instance: "o:1" }),
        down({ job: "probes", instance: "mail", target: "mail" }),
      ],
    },
  });
  const entry = {
    name: "checkout",
    match: { service: "checkout" },
    depends_on: ["orders-db", "mail"],
  };
  const found = await collect(prometheus, {
    env: env(api.url),
    subject: { entry },
  });
  assertEquals(factsOf(found), [
    "targets down: 3, 0 of them here",
    "dependencies down: orders-db orders-1:9100, probes mail",
  ]);
  assertEquals(found.facts.map(({ health }) => health), [undefined, "ill"]);
});
