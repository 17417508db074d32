import { assert, assertEquals } from "@std/assert";
import type { IncidentInput } from "../../lib/incident.ts";
import { readAlertmanagerDelivery } from "../../lib/sources/alertmanager/webhook.ts";
import { collectAlertmanager } from "../../lib/sources/alertmanager/evidence.ts";
import type { Findings } from "../../lib/sources/source.ts";
import { summarize } from "../../lib/summary/builtin.ts";
import { toMarkdown } from "../../lib/summary/markdown.ts";
import { spoil } from "../support/junk.ts";
import { bundleOf } from "../support/read_source.ts";
import sample from "../../deploy/samples/sample_alertmanager.json" with {
  type: "json",
};

const GAP = {
  what: "silences, inhibitions and the current state of the alerts",
  why: "Alertmanager's API was not asked; its webhook does not carry them",
  kind: "off" as const,
};
const LIST_WHY = "at most 100 are listed; the payload may hold the others";
const POD = "checkout-api-7c9f4-";

async function sampleIncident(): Promise<IncidentInput> {
  const delivery = await readAlertmanagerDelivery(sample);
  assert("incident" in delivery);
  return delivery.incident;
}

type Texts = Record<string, unknown>;

function alert(labels: Texts, annotations: Texts = {}, more: Texts = {}) {
  return {
    status: "firing",
    startsAt: "2026-01-15T09:30:00Z",
    endsAt: "0001-01-01T00:00:00Z",
    labels: { alertname: "Slow", ...labels },
    annotations,
    ...more,
  };
}

function read(
  alerts: unknown[],
  { title = "Slow", ...raw }: Texts & { title?: string } = {},
): Findings {
  return collectAlertmanager({
    incident_id: "alertmanager:x",
    title,
    source: { system: "alertmanager" },
    raw: { alerts, ...raw },
  });
}

function factsOf({ context: { facts = [] } }: Findings): [string, string][] {
  return facts.map(({ name, value }) => [name, value]);
}

function timelineOf({ context: { timeline = [] } }: Findings): string[] {
  return timeline.map(({ at, text }) => `${at.slice(11, 16)} ${text}`);
}

Deno.test("collectAlertmanager() puts the sample in plain fields", async () => {
  const { bundle, pieces } = await bundleOf(await sampleIncident());
  const context = bundle.normalized_context ?? {};
  assertEquals(context.status, "firing");
  assertEquals(
    context.description,
    `Oldest of 2 alerts: p99 of POST /checkout on ${POD}2xk8p is 2.4 s over 5 minutes; the objective is 500 ms.`,
  );
  assertEquals(context.facts, [
    ...[
      ["alerts", "2 firing, 1 resolved"],
      ["runbook", "https://runbooks.example.com/checkout/latency"],
      ["namespace", "shop"],
      ["cluster", "eu-west-1-prod"],
      ["team", "shop"],
    ].map(([name = "", value = ""]) => ({ name, value, evidence: ["E2"] })),
    { name: "receiver", value: "incident-enricher", evidence: ["E1"] },
  ]);
  const measured = (pod: string, p99: string) =>
    `p99 of POST /checkout on ${POD}${pod} is ${p99} over 5 minutes; the objective is 500 ms.`;
  const timeline: [at: string, text: string][] = [
    [
      "09:29:42",
      `fired (pod=${POD}tq6wn, severity=warning): ${
        measured("tq6wn", "1.2 s")
      }`,
    ],
    ["09:30:12", `fired (pod=${POD}2xk8p): ${measured("2xk8p", "2.4 s")}`],
    ["09:31:42", `fired (pod=${POD}m5d7q): ${measured("m5d7q", "2.1 s")}`],
    ["09:32:12", `resolved (pod=${POD}tq6wn, severity=warning)`],
  ];
  assertEquals(
    context.timeline,
    timeline.map(([at, text]) => ({
      at: `2026-01-15T${at}.417Z`,
      text: `CheckoutHighLatency ${text}`,
      evidence: ["E2"],
    })),
  );
  assertEquals(pieces["E1"], sample);
  assertEquals(pieces["E2"], sample.alerts);
  assertEquals(pieces["E3"], context);
  assertEquals(bundle.evidence.map(({ kind, title }) => [kind, title]), [
    ["incident.raw", "Alertmanager webhook as received"],
    ["alertmanager.alerts", "Alerts: 2 firing, 1 resolved"],
    ["incident.context", "Incident in plain fields"],
  ]);
  assertEquals(bundle.gaps, [GAP]);
});

Deno.test("the built-in summary of Alertmanager's sample reads well", async () => {
  const { bundle } = await bundleOf(await sampleIncident());
  const { claims } = summarize(bundle).report;
  assertEquals(claims.map(({ place, text }) => [place, text]), [
    ["headline", "p99 of POST /checkout above 2 s (worst 2.4 s)"],
    ["state", "Since 09:30:12 UTC, newest 09:31:42, 1 of 3 resolved"],
    [
      "happened",
      `CheckoutHighLatency ×2 on “${POD}2xk8p, ${POD}m5d7q” · ` +
      `“p99 of POST /checkout on ${POD}2xk8p is 2.4 s over 5 minutes; the ` +
      "objective is 500 ms”",
    ],
    ["happened", "“namespace: shop”"],
    [
      "small",
      "As of 2026-01-15 09:32:12 UTC, from the webhook alone · team shop",
    ],
  ]);
});

const both = (one: Texts, other: Texts) => [alert({}, one), alert({}, other)];
const DESCRIPTIONS: [
  what: string,
  alerts: unknown[],
  description: string | undefined,
][] = [
  ["nothing", [alert({})], undefined],
  ["one alert", [alert({}, { description: "p99 is 2 s" })], "p99 is 2 s"],
  ["one alert's message", [alert({}, { message: "p99" })], "p99"],
  ["a summary", [alert({}, { summary: "p99" })], "p99"],
  ["a summary that is the title", [alert({}, { summary: "Slow" })], undefined],
  [
    "alerts that agree",
    both({ description: "p99" }, { description: "p99" }),
    "p99",
  ],
  [
    "alerts that differ",
    [
      alert({}, { description: "new" }, { startsAt: "2026-01-15T09:40:00Z" }),
      alert({}, { description: "old" }),
    ],
    "Oldest of 2 alerts: old",
  ],
  [
    "a resolved alert that differs",
    [
      alert({}, { description: "now" }),
      alert({}, { description: "then" }, { status: "resolved" }),
    ],
    "now",
  ],
];
for (const [what, alerts, description] of DESCRIPTIONS) {
  Deno.test(`collectAlertmanager() describes ${what}`, () => {
    assertEquals(read(alerts).context.description, description);
  });
}

Deno.test("collectAlertmanager() takes for facts what all that fire share", () => {
  const facts = factsOf(read([
    alert({ zone: "a", severity: "page", pod: "1", job: "api" }, {
      dashboard_url: "https://d.example.com",
      owner: "shop",
      summary: "s",
    }),
    alert({ zone: "a", severity: "page", pod: "2", job: "api" }, {
      dashboard_url: "https://d.example.com",
      owner: "shop",
      summary: "s",
    }),
    alert({ zone: "b" }, {}, { status: "resolved" }),
  ]));
  assertEquals(facts, [
    ["alerts", "2 firing, 1 resolved"],
    ["dashboard", "https://d.example.com"],
    ["zone", "a"],
    ["job", "api"],
    ["owner", "shop"],
  ]);
});

Deno.test("collectAlertmanager() calls the receiver what its configuration calls it", () => {
  const facts = (receiver: unknown) => factsOf(read([alert({})], { receiver }));
  assertEquals(facts(String.raw`team\.web \(a\\b\)`).at(-1), [
    "receiver",
    String.raw`team.web (a\b)`,
  ]);
  assertEquals(facts(7).at(-1), ["receiver", "7"]);
});

Deno.test("collectAlertmanager() says once what the service is", () => {
  const incident = {
    incident_id: "x",
    service: "api",
    raw: { alerts: [alert({ job: "api", zone: "a" })] },
  };
  assertEquals(factsOf(collectAlertmanager(incident)), [
    ["alerts", "1 firing, 0 resolved"],
    ["zone", "a"],
  ]);
});

Deno.test("collectAlertmanager() tells when each alert fired and was resolved", () => {
  const later = "2026-01-15T09:40:00Z";
  assertEquals(
    timelineOf(read([
      alert({ pod: "2" }, { summary: "still" }, { startsAt: later }),
      alert({ pod: "1" }, { summary: "was" }, {
        status: "resolved",
        endsAt: "2026-01-15T11:50:00+02:00",
      }),
      { status: "firing", startsAt: "soon" },
      { status: "firing", startsAt: later, labels: 7 },
    ])),
    [
      "09:30 Slow fired (pod=1): was",
      "09:40 Slow fired (pod=2): still",
      "09:40 Alert fired",
      "09:50 Slow resolved (pod=1)",
    ],
  );
});

Deno.test("collectAlertmanager() lists those that fire first, the oldest first", () => {
  const alerts = [
    alert({ pod: "1" }, {}, { status: "resolved" }),
    alert({ pod: "2" }, {}, { startsAt: "2026-01-15T09:40:00Z" }),
    alert({ pod: "3" }),
  ];
  const list = JSON.parse(read(alerts).pieces[1]?.content ?? "");
  assertEquals(list, [alerts[2], alerts[1], alerts[0]]);
});

const CUTS: [truncatedAlerts: unknown, what?: string][] = [
  [0],
  [-1],
  ["3"],
  [null],
  [1, "1 more alert"],
  [3, "3 more alerts"],
];
for (const [truncatedAlerts, what] of CUTS) {
  Deno.test(`collectAlertmanager() has ${what ?? "no gap"} for truncatedAlerts ${JSON.stringify(truncatedAlerts)}`, () => {
    const left = truncatedAlerts === 1 ? "it" : "them";
    const why =
      `the webhook left ${left} out, as max_alerts of its receiver says`;
    assertEquals(
      read([alert({})], { truncatedAlerts }).gaps,
      what === undefined ? [GAP] : [{ what, why }, GAP],
    );
  });
}

Deno.test("collectAlertmanager() has no status where all that may fire was cut away", () => {
  const statusOf = (status: string, truncatedAlerts: number) =>
    read([alert({}, {}, { status })], { status, truncatedAlerts })
      .context.status;
  assertEquals(statusOf("resolved", 1), undefined);
  assertEquals(statusOf("resolved", 0), "resolved");
  assertEquals(statusOf("firing", 1), "firing");
});

Deno.test("collectAlertmanager() lists at most 100 alerts and 50 entries, and counts the rest", () => {
  const some = (count: number) =>
    Array.from({ length: count }, (_, pod) => alert({ pod: `${pod}` }));
  const listed = (findings: Findings) =>
    JSON.parse(findings.pieces[1]?.content ?? "").length;
  assertEquals(read(some(50)).gaps, [GAP]);
  const inside = read(some(100));
  assertEquals([listed(inside), inside.context.timeline?.length], [100, 50]);
  const entries = {
    what: "50 of 100 timeline entries",
    why: "the newest 50 are kept",
  };
  assertEquals(inside.gaps, [entries, GAP]);
  const outside = read([...some(101), null]);
  assertEquals(listed(outside), 100);
  assertEquals(outside.gaps, [
    { what: "2 of 102 alerts", why: LIST_WHY },
    entries,
    GAP,
  ]);
  assertEquals(factsOf(outside)[0], ["alerts", "101 firing, 0 resolved"]);
});

Deno.test("collectAlertmanager() makes do with an incident that a person wrote", async () => {
  const incident: IncidentInput = {
    incident_id: "x",
    source: { system: "alertmanager" },
  };
  const { bundle, pieces } = await bundleOf(incident);
  assertEquals(Object.keys(pieces), ["E1", "E2"]);
  assertEquals(pieces["E1"], incident);
  assertEquals(bundle.normalized_context?.facts, []);
});

Deno.test("collectAlertmanager() gives no more than a job's result may hold", async () => {
  // More than each may hold, in characters of three bytes.
  const wide = "\u4e16".repeat(5000);
  const texts = (same: string) =>
    Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [
        `${at}${wide.slice(0, 200)}`,
        same + wide.slice(0, 1100),
      ]),
    );
  await bundleOf({
    incident_id: "x".repeat(200),
    source: { system: "alertmanager" },
    title: wide.slice(0, 1000),
    service: wide.slice(0, 200),
    severity_rule: wide.slice(0, 200),
    raw: {
      status: wide,
      receiver: wide,
      truncatedAlerts: 1e308,
      alerts: Array.from(
        { length: 120 },
        (_, at) =>
          alert({ alertname: wide, ...texts("") }, {
            description: `${at}${wide}`,
            ...texts(""),
          }),
      ),
    },
  });
});

Deno.test("collectAlertmanager() gives a valid bundle whatever the payload holds", async () => {
  for (const raw of spoil(sample, 500)) {
    if (typeof raw !== "object" || raw === null || Array.isArray(raw)) continue;
    await bundleOf({
      incident_id: "x",
      source: { system: "alertmanager" },
      raw: raw as Record<string, unknown>,
    });
  }
});

const GRAFANA = "https://grafana.example.com";

Deno.test("collectAlertmanager() uses what Grafana adds to an alert", () => {
  const findings = read([{
    ...alert({ zone: "us-1" }, { summary: "Memory is short", __orgId__: "1" }),
    values: { B: 44.23943737541908, C: 1, odd: "x" },
    dashboardURL: `${GRAFANA}/d/abc`,
    panelURL: "javascript:alert(1)",
    silenceURL: `${GRAFANA}/alerting/silence/new`,
    imageURL: `${GRAFANA}/a.png`,
  }], { orgId: 1, silenceURL: `${GRAFANA}/alerting/silence/new` });
  assertEquals(factsOf(findings), [
    ["alerts", "1 firing, 0 resolved"],
    ["values", "B=44.2394, C=1"],
    ["dashboard", `${GRAFANA}/d/abc`],
    ["image", `${GRAFANA}/a.png`],
    ["zone", "us-1"],
  ]);
  assertEquals(findings.pieces[0]?.title, "Grafana webhook as received");
  assertEquals(findings.gaps.map(({ why }) => why), [
    "Grafana's API was not asked; its webhook does not carry them",
  ]);
});

Deno.test("collectAlertmanager() uses what Grafana sends beside the alerts", () => {
  const findings = read([alert({}), alert({ zone: "a" })], {
    version: "1",
    values: { B: 1e9 },
    panelURL: `${GRAFANA}/d/abc?viewPanel=2`,
    message: "Orders are stuck",
  });
  assertEquals(factsOf(findings).slice(1), [
    ["values", "B=1000000000"],
    ["panel", `${GRAFANA}/d/abc?viewPanel=2`],
  ]);
  assertEquals(findings.context.description, "Orders are stuck");
});

Deno.test("collectAlertmanager() takes only a message that a team wrote, and an alert's own words before it", () => {
  const describe = (message: unknown, annotations: Texts = {}) =>
    read([alert({}, annotations)], { message }).context.description;
  assertEquals(describe("**Firing**\n\nValue: B=1"), undefined);
  assertEquals(describe("**Resolved**"), undefined);
  assertEquals(describe(7), undefined);
  assertEquals(describe("stuck", { summary: "s" }), "stuck");
  assertEquals(describe("stuck", { description: "p99" }), "p99");
});

Deno.test("collectAlertmanager() says what Grafana measured for each alert", () => {
  const measured = (zone: string, more: Texts) =>
    alert({ zone }, { description: `${zone} is full` }, more);
  const findings = read([
    measured("a", { values: { B: 97.5 } }),
    measured("b", { values: null, valueString: "[ var='B' value=98 ]" }),
    measured("c", { values: {} }),
  ]);
  assertEquals(timelineOf(findings), [
    "09:30 Slow fired (zone=a): a is full [B=97.5]",
    "09:30 Slow fired (zone=b): b is full [[ var='B' value=98 ]]",
    "09:30 Slow fired (zone=c): c is full",
  ]);
  assertEquals(factsOf(findings).length, 1);
});

const STATE_METRICS = {
  container: "web",
  endpoint: "http",
  instance: "10.42.0.16:8080",
  job: "kube-state-metrics",
  namespace: "shop",
  pod: "cart-1",
  prometheus: "monitoring/kps",
  reason: "CrashLoopBackOff",
  region: "eu",
  service: "kps-kube-state-metrics",
  uid: "9a2c",
};

Deno.test("collectAlertmanager() says first where to look, and last who measured it", async () => {
  const incident: IncidentInput = {
    incident_id: "x",
    source: { system: "alertmanager" },
    service: "cart-1",
    raw: { alerts: [alert(STATE_METRICS)] },
  };
  assertEquals(factsOf(collectAlertmanager(incident)), [
    ["alerts", "1 firing, 0 resolved"],
    ["namespace", "shop"],
    ["pod", "cart-1"],
    ["container", "web"],
    ["reason", "CrashLoopBackOff"],
    ["region", "eu"],
    ["uid", "9a2c"],
    [
      "measured by",
      "instance=10.42.0.16:8080, endpoint=http, job=kube-state-metrics, " +
      "prometheus=monitoring/kps, service=kps-kube-state-metrics",
    ],
  ]);
  const { bundle } = await bundleOf(incident);
  const { subject, claims } = summarize(bundle).report;
  const shown = [subject, ...claims.map(({ text }) => text)].join("\n");
  assert(shown.includes("cart-1") && shown.includes("namespace: shop"));
  assert(!/kube-state-metrics|10\.42/.test(shown), shown);
});

for (
  const [labels, subject] of [
    [STATE_METRICS, "cart-1"],
    [{ job: "node-exporter", service: "kps-kube-state-metrics" }, undefined],
    [{ job: "cart", service: "cart-api" }, "kps-kube-state-metrics"],
  ] as const
) {
  Deno.test(`collectAlertmanager() calls ${subject} ill if an exporter is given and the labels are ${JSON.stringify(labels)}`, () => {
    const { context } = collectAlertmanager({
      incident_id: "x",
      source: { system: "alertmanager" },
      service: "kps-kube-state-metrics",
      raw: { alerts: [alert(labels)] },
    });
    assertEquals(context.service, subject);
  });
}

Deno.test("collectAlertmanager() tells alerts apart by what is ill, and by the exporter only if all else is the same", () => {
  const at = (instance: string, more: Texts = {}) =>
    alert({ job: "kubelet", instance, ...more });
  assertEquals(
    timelineOf(read([at("1:8080", { pod: "a" }), at("2:8080", { pod: "b" })])),
    ["09:30 Slow fired (pod=a)", "09:30 Slow fired (pod=b)"],
  );
  assertEquals(timelineOf(read([at("1:8080"), at("2:8080")])), [
    "09:30 Slow fired (instance=1:8080)",
    "09:30 Slow fired (instance=2:8080)",
  ]);
});

Deno.test("collectAlertmanager() counts the labels beyond 38", () => {
  const labels = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`l${at}`, at])
        .map(([name, at]) => [name, `v${at}`]),
    );
  assertEquals(read([alert(labels(38))]).gaps, [GAP]);
  assertEquals(read([alert(labels(39))]).gaps, [{
    what: "1 of 39 labels and annotations that all alerts share",
    why: "at most 38 are facts; the alerts hold all",
  }, GAP]);
});

const ZERO = { startsAt: "0001-01-01T00:00:00Z" };

Deno.test("collectAlertmanager() repeats no time that is none, and leaves out no alert", async () => {
  const incident: IncidentInput = {
    incident_id: "x",
    source: { system: "alertmanager" },
    occurred_at: ZERO.startsAt,
    raw: {
      alerts: [
        alert({ rule: "CPU" }, { description: "no data from a" }, ZERO),
        alert({ rule: "RAM" }, { description: "no data from b" }),
      ],
    },
  };
  const findings = collectAlertmanager(incident);
  assertEquals(findings.context.occurred_at, undefined);
  assertEquals(factsOf(findings)[1], [
    "start unknown",
    "Slow fires (rule=CPU): no data from a",
  ]);
  assertEquals(timelineOf(findings), [
    "09:30 Slow fired (rule=RAM): no data from b",
  ]);
  assertEquals(
    findings.context.description,
    "Oldest of 2 alerts: no data from b",
  );
  const { bundle } = await bundleOf(incident);
  const said = toMarkdown(summarize(bundle), bundle);
  assert(said.includes("no data from a") && !said.includes("0001"), said);
});

Deno.test("collectAlertmanager() lists at most 5 alerts without a start, and counts the rest", async () => {
  const some = (count: number) =>
    Array.from(
      { length: count },
      (_, at) => alert({ pod: `${at}` }, { description: `${at}` }, ZERO),
    );
  const inside = read(some(5));
  assertEquals(
    factsOf(inside).filter(([name]) => name === "start unknown").length,
    5,
  );
  assertEquals(inside.context.description, "One of 5 alerts: 0");
  assertEquals(inside.gaps, [GAP]);
  assertEquals(read(some(7)).gaps, [{
    what: "2 of 7 alerts without a start",
    why: "at most 5 are facts, since no timeline has them",
  }, GAP]);
  // Every fact at once is still within the schema.
  const labels = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [`l${at}`, "v"]),
  );
  const urls = Object.fromEntries(
    ["panelURL", "dashboardURL", "imageURL"].map((name) => [name, GRAFANA]),
  );
  await bundleOf({
    incident_id: "x",
    source: { system: "alertmanager" },
    raw: {
      receiver: "r",
      alerts: some(9).map((one) => ({
        ...one,
        ...urls,
        labels: { ...one.labels, ...labels, job: "node-exporter" },
        values: { B: 1 },
      })),
    },
  });
});

Deno.test("collectAlertmanager() quotes an alert's name that is more than a word", () => {
  const fired = (alertname: string) =>
    timelineOf(read([alert({ alertname })]))[0];
  assertEquals(fired("HighLatency"), "09:30 HighLatency fired");
  assertEquals(
    fired("Approved by ada” resolved"),
    '09:30 “Approved by ada" resolved” fired',
  );
});
