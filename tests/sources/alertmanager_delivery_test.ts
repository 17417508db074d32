import { assert, assertEquals, assertRejects } from "@std/assert";
import type { IncidentInput } from "../../lib/incident.ts";
import { readAlertmanagerDelivery } from "../../lib/sources/alertmanager/webhook.ts";
import { type Delivery, DeliveryError } from "../../lib/sources/source.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { spoil } from "../support/junk.ts";
import sample from "../../deploy/samples/sample_alertmanager.json" with {
  type: "json",
};

const checkIncident = compileCheck("IncidentInput");
const AT = "2026-01-15T09:30:00Z";

type Alert = Record<string, unknown>;

/** An alert that fires, named by its fingerprint. */
function alert(fingerprint: string, more: Alert = {}): Alert {
  return {
    status: "firing",
    labels: { alertname: "HighLatency", instance: fingerprint },
    annotations: {},
    startsAt: AT,
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "",
    fingerprint,
    ...more,
  };
}

function resolved(fingerprint: string, more: Alert = {}): Alert {
  return alert(fingerprint, { status: "resolved", ...more });
}

/** A delivery of these alerts. */
function webhook(alerts: Alert[], more: Record<string, unknown> = {}) {
  return {
    version: "4",
    receiver: "enricher",
    status: alerts.some(({ status }) => status === "firing")
      ? "firing"
      : "resolved",
    groupKey: '{}/{team="shop"}:{alertname="HighLatency", cluster="eu"}',
    groupLabels: { alertname: "HighLatency", cluster: "eu" },
    alerts,
    ...more,
  };
}

async function read(body: unknown): Promise<Delivery> {
  const delivery = await readAlertmanagerDelivery(body);
  assert("incident" in delivery);
  assertEquals(checkIncident(delivery.incident), undefined);
  return delivery;
}

async function incidentOf(
  alerts: Alert[],
  more: Record<string, unknown> = {},
): Promise<IncidentInput> {
  return (await read(webhook(alerts, more))).incident;
}

Deno.test("readAlertmanagerDelivery() reads the sample", async () => {
  assertEquals(await readAlertmanagerDelivery(sample), {
    key: "5d2bec55fdf097f0694210ff44a178ba",
    at: "2026-01-15T09:31:42.417Z",
    foldedBy: '["eu-west-1-prod","shop","checkout-api"]',
    incident: {
      incident_id: "alertmanager:6c20d41bd10cf1af52eb239fa5155dcc",
      source: {
        system: "alertmanager",
        url: "http://alertmanager.example.com:9093/",
      },
      title: "CheckoutHighLatency: p99 of POST /checkout above 2 s",
      severity: "critical",
      severity_rule: 'label severity "critical"',
      service: "checkout-api",
      dedup_key:
        '{}/{team="shop"}:{alertname="CheckoutHighLatency", cluster="eu-west-1-prod"}',
      occurred_at: "2026-01-15T09:30:12.417Z",
      raw: sample,
    },
  });
});

Deno.test("readAlertmanagerDelivery() makes do with what names an incident", async () => {
  const body = {
    version: "4",
    receiver: "r",
    groupLabels: {},
    alerts: [{ status: "firing", fingerprint: "f", startsAt: AT }],
  };
  const { incident } = await read(body);
  const { incident_id: _, ...rest } = incident;
  assertEquals(rest, {
    source: { system: "alertmanager" },
    title: "Alerts for r",
    occurred_at: "2026-01-15T09:30:00.000Z",
    raw: body,
  });
});

/** The fingerprint of an alert as Prometheus computes it: FNV-1a of 64 bits. */
function fingerprintOf(labels: Record<string, string>): string {
  const mask = (1n << 64n) - 1n;
  let hash = 0xcbf29ce484222325n;
  for (const [name, value] of Object.entries(labels).toSorted()) {
    for (const part of [name, value]) {
      for (const byte of [...new TextEncoder().encode(part), 0xff]) {
        hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & mask;
      }
    }
  }
  return hash.toString(16).padStart(16, "0");
}

Deno.test("the sample's fingerprints are those that Prometheus would give", () => {
  const vector = {
    alertname: "HighLatency",
    service: "checkout",
    severity: "critical",
  };
  assertEquals(fingerprintOf(vector), "c75f68922c9ebc87");
  for (const { labels, fingerprint } of sample.alerts) {
    assertEquals(fingerprintOf(labels), fingerprint);
  }
});

const LATER = "2026-01-15T09:35:00Z";
const FIRST = webhook([alert("a"), alert("b", { startsAt: LATER })]);
const SAME: [what: string, body: unknown][] = [
  ["a copy", structuredClone(FIRST)],
  [
    "the alerts in another order",
    webhook([alert("b", { startsAt: LATER }), alert("a")]),
  ],
  [
    "the group's labels in another order",
    { ...FIRST, groupLabels: { cluster: "eu", alertname: "HighLatency" } },
  ],
  ["the other of a pair", { ...FIRST, externalURL: "http://b.example.com" }],
  [
    "another zone",
    webhook([
      alert("a", { startsAt: "2026-01-15T10:30:00+01:00" }),
      alert("b", { startsAt: LATER }),
    ]),
  ],
  [
    "other words",
    webhook([
      alert("a", { annotations: { summary: "now 3 s" } }),
      alert("b", { startsAt: LATER }),
    ]),
  ],
  [
    "an alert that was resolved",
    webhook([
      alert("a"),
      alert("b", { startsAt: LATER }),
      resolved("c", { startsAt: "2026-01-15T08:00:00Z" }),
    ]),
  ],
  [
    "one alert twice",
    webhook([alert("a"), alert("a"), alert("b", { startsAt: LATER })]),
  ],
];
for (const [what, body] of SAME) {
  Deno.test(`readAlertmanagerDelivery() takes ${what} for the same delivery`, async () => {
    const first = await read(FIRST);
    const second = await read(body);
    assertEquals(second.key, first.key);
    assertEquals(second.incident.incident_id, first.incident.incident_id);
  });
}

const OTHERS: [what: string, body: unknown, sameIncident: boolean][] = [
  // Two routes may group by the same labels: their keys tell them apart.
  ["another route", { ...FIRST, groupKey: "{}/{a=b}:{}" }, false],
  [
    "a new alert in the group",
    webhook([
      alert("a"),
      alert("b", { startsAt: LATER }),
      alert("c", { startsAt: LATER }),
    ]),
    true,
  ],
  [
    "an alert resolved",
    webhook([alert("a"), resolved("b", { startsAt: LATER })]),
    true,
  ],
  [
    "an alert that fires again",
    webhook([alert("a"), alert("b", { startsAt: "2026-01-15T09:36:00Z" })]),
    true,
  ],
  [
    "next week's outage",
    webhook([
      alert("a", { startsAt: "2026-01-22T09:30:00Z" }),
      alert("b", { startsAt: "2026-01-22T09:35:00Z" }),
    ]),
    false,
  ],
  ["another receiver", { ...FIRST, receiver: "other" }, false],
  [
    "another group",
    {
      ...FIRST,
      groupKey: '{}/{team="shop"}:{alertname="HighLatency", cluster="us"}',
      groupLabels: { alertname: "HighLatency", cluster: "us" },
    },
    false,
  ],
  [
    "fingerprints that would look alike side by side",
    webhook([alert("a,b"), alert("", { fingerprint: "x" })]),
    true,
  ],
];
for (const [what, body, sameIncident] of OTHERS) {
  Deno.test(`readAlertmanagerDelivery() takes ${what} for another delivery of ${sameIncident ? "the same" : "another"} incident`, async () => {
    const first = await read(FIRST);
    const second = await read(body);
    assert(second.key !== first.key);
    assertEquals(
      second.incident.incident_id === first.incident.incident_id,
      sameIncident,
    );
  });
}

Deno.test("readAlertmanagerDelivery() dates an incident by its oldest alert, a delivery by its newest", async () => {
  const { incident, at } = await read(webhook([
    alert("a", { startsAt: LATER }),
    alert("b", { startsAt: AT }),
    alert("c", { startsAt: "2026-01-15T09:32:00Z" }),
    resolved("d", { startsAt: "2026-01-15T08:00:00Z" }),
    resolved("e", { startsAt: "2026-01-15T10:00:00Z" }),
  ]));
  assertEquals(
    [incident.occurred_at, at],
    ["2026-01-15T09:30:00.000Z", "2026-01-15T09:35:00.000Z"],
  );
});

Deno.test("readAlertmanagerDelivery() tells two routes of one receiver and label apart", async () => {
  const by = (team: string) =>
    webhook([alert(team)], {
      groupKey: `{}/{team="${team}"}:{alertname="HighLatency"}`,
    });
  const [shop, pay] = [await read(by("shop")), await read(by("pay"))];
  assert(shop.incident.incident_id !== pay.incident.incident_id);
  assert(shop.key !== pay.key);
  assertEquals(await read(by("shop")), shop);
});

for (const groupKey of [undefined, null, "", 7, {}]) {
  const without = (alerts: Alert[], more: Record<string, unknown> = {}) =>
    webhook(alerts, { groupKey, ...more });
  const first = without([
    alert("b"),
    alert("a"),
    alert("c", {
      startsAt: LATER,
    }),
  ]);
  const rows: [what: string, body: unknown, sameId: boolean, same: boolean][] =
    [
      ["a copy", structuredClone(first), true, true],
      ["an end", without([alert("b"), alert("a")]), true, false],
      ["an alert that joins", without([alert("0"), alert("z")]), false, false],
      ["another group", { ...first, groupLabels: {} }, false, false],
      [
        "labels that would look alike",
        { ...first, groupLabels: { alertname: "HighLatency,cluster=eu" } },
        false,
        false,
      ],
      ["another receiver", { ...first, receiver: "other" }, false, false],
    ];
  Deno.test(`readAlertmanagerDelivery() tells groups with the key ${JSON.stringify(groupKey)} apart by labels and oldest alert`, async () => {
    const { key, incident: { incident_id } } = await read(first);
    for (const [what, body, sameId, same] of rows) {
      const other = await read(body);
      assertEquals(
        [what, other.incident.incident_id === incident_id, other.key === key],
        [what, sameId, same],
      );
    }
  });
}

const ZEROS = [
  ...["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
  ...["0001-01-01T00:00:00+02:00", "0001-01-01T00:00:00-11:00"],
  ...["1970-01-01T00:00:00Z", "1970-01-01T01:00:00+01:00"],
];
for (const startsAt of ZEROS) {
  Deno.test(`readAlertmanagerDelivery() takes ${startsAt} for no time`, async () => {
    const { incident, at, key } = await read(webhook([
      alert("a", { startsAt }),
      alert("b", { startsAt: AT }),
    ]));
    const since = "2026-01-15T09:30:00.000Z";
    assertEquals([incident.occurred_at, at], [since, since]);
    const { incident: other } = await read(webhook([alert("b")]));
    assertEquals(other.incident_id, incident.incident_id);
    const unset = await read(webhook([alert("a", { startsAt })]));
    assert(!("occurred_at" in unset.incident) && !("at" in unset));
    assert(unset.key !== key);
    // Its incident has no start, so it is the group's, at any time.
    const again = await read(webhook([alert("a", { startsAt: ZEROS[0] })]));
    assertEquals(again.key, unset.key);
  });
}

Deno.test("readAlertmanagerDelivery() takes times near the zero times", async () => {
  for (const startsAt of ["0002-01-01T00:00:00Z", "1970-01-01T00:00:01Z"]) {
    const { occurred_at = "" } = await incidentOf([alert("a", { startsAt })]);
    assertEquals(Date.parse(occurred_at), Date.parse(startsAt));
  }
});

const GRAFANA = "https://grafana.example.com";
/** What Grafana's own alerting sends, as far as it differs. */
function grafana(alerts: Alert[], more: Record<string, unknown> = {}) {
  return webhook(alerts, {
    version: "1",
    orgId: 1,
    externalURL: `${GRAFANA}/`,
    title: "[FIRING:1]  (HighLatency eu)",
    state: "alerting",
    message: "**Firing**\n\nValue: B=44.23",
    ...more,
  });
}

Deno.test("readAlertmanagerDelivery() takes what Grafana's own alerting sends", async () => {
  const one = await read(grafana([alert("a")]));
  const four = await read(grafana([alert("a")], { version: "4" }));
  const bare = await read(webhook([alert("a")], { version: "1" }));
  assertEquals([four.key, bare.key], [one.key, one.key]);
  assertEquals(
    [four, bare].map(({ incident }) => incident.incident_id),
    [one.incident.incident_id, one.incident.incident_id],
  );
  assertEquals(one.incident.title, "HighLatency (cluster=eu)");
  assertEquals(one.incident.source?.url, `${GRAFANA}/`);
});

const GRAFANA_TITLES: [title: unknown, expected: string][] = [
  ["[RESOLVED] x", "HighLatency (cluster=eu)"],
  ["[firing:2, resolved:1] x", "HighLatency (cluster=eu)"],
  [" ", "HighLatency (cluster=eu)"],
  [7, "HighLatency (cluster=eu)"],
  ["Checkout is slow", "Checkout is slow"],
  ["[shop] Checkout is slow", "[shop] Checkout is slow"],
];
for (const [title, expected] of GRAFANA_TITLES) {
  Deno.test(`readAlertmanagerDelivery() makes "${expected}" of Grafana's title ${JSON.stringify(title)}`, async () => {
    const { incident } = await read(grafana([alert("a")], { title }));
    assertEquals(incident.title, expected);
  });
}

const page = (name: string) => ({ [`${name}URL`]: `${GRAFANA}/${name}` });
const PAGES: [
  alerts: Record<string, unknown>[],
  more: Record<string, unknown>,
  page: string,
][] = [
  [
    [{ ...page("panel"), ...page("dashboard"), ...page("silence") }],
    {},
    "panel",
  ],
  [[{ ...page("dashboard"), ...page("generator") }], {}, "dashboard"],
  [[{ panelURL: "", dashboardURL: "", ...page("generator") }], {}, "generator"],
  [[{ panelURL: "javascript:alert(1)" }], {}, ""],
  [[page("silence")], page("silence"), ""],
  [
    [{ panelURL: `${GRAFANA}/alerting/silence/new?matcher=a%3Db` }],
    { dashboardURL: `${GRAFANA}/#/silences/new` },
    "",
  ],
  [[{}], page("dashboard"), "dashboard"],
  [
    [{ ...page("panel"), ...page("dashboard") }, page("dashboard")],
    {},
    "dashboard",
  ],
  [[page("panel"), page("dashboard")], {}, ""],
];
for (const [alerts, more, expected] of PAGES) {
  Deno.test(`readAlertmanagerDelivery() opens "${expected}" for ${JSON.stringify(alerts)}`, async () => {
    const { incident } = await read(
      grafana(alerts.map((urls, at) => alert(`${at}`, urls)), more),
    );
    assertEquals(incident.source?.url, `${GRAFANA}/${expected}`);
  });
}

const OVER: [what: string, body: Record<string, unknown>][] = [
  ["a group that is over", webhook([resolved("a"), resolved("b")])],
  ["a group of nothing", webhook([])],
  ["nothing that fires, though the group is said to", {
    ...webhook([resolved("a")]),
    status: "firing",
    truncatedAlerts: 0,
  }],
];
for (const [what, body] of OVER) {
  Deno.test(`readAlertmanagerDelivery() ignores ${what}`, async () => {
    assertEquals(await readAlertmanagerDelivery(body), { ignored: "resolved" });
  });
}

// A real Alertmanager says resolved: its status is that of what is left.
for (const status of ["firing", "resolved"]) {
  Deno.test(`readAlertmanagerDelivery() starts for a ${status} group whose firing alerts were cut away`, async () => {
    const body = {
      ...webhook([resolved("a"), resolved("b", { startsAt: LATER })]),
      status,
      truncatedAlerts: 3,
    };
    const { incident } = await read(body);
    assertEquals(incident.occurred_at, "2026-01-15T09:30:00.000Z");
    assertEquals(incident.raw, body);
  });
}

Deno.test("readAlertmanagerDelivery() takes the end of a cut group for the delivery in which it fired", async () => {
  const cut = { truncatedAlerts: 3 };
  const fired = await read(webhook([alert("a"), alert("b")], cut));
  const over = await read(webhook([resolved("a"), resolved("b")], cut));
  assertEquals(over.key, fired.key);
});

const severity = (word: string, more: Alert = {}) =>
  alert(word, { labels: { severity: word }, ...more });
const SEVERITIES: [
  alerts: Alert[],
  severity: string | undefined,
  rule: string | undefined,
][] = [
  [[severity("critical")], "critical", 'label severity "critical"'],
  [[severity("page")], "critical", 'label severity "page", so critical'],
  [[severity("High")], "error", 'label severity "High", so error'],
  [[severity("warn")], "warning", 'label severity "warn", so warning'],
  [[severity("none")], "info", 'label severity "none", so info'],
  [[severity("P2")], "error", 'label severity "P2", so error'],
  [[severity("info"), severity("info")], "info", 'label severity "info"'],
  [
    [severity("info"), severity("page"), severity("warning")],
    "critical",
    'label severity "page", so critical, the worst of 3 alerts',
  ],
  [
    [severity("odd"), severity("info"), alert("none")],
    "unknown",
    'label severity "odd" is not a known severity, so warning, the worst of 2 alerts',
  ],
  [
    [severity("odd"), severity("SEV_2"), severity("info")],
    "error",
    'label severity "SEV_2", so error, the worst of 3 alerts',
  ],
  [
    [severity("warning"), severity("critical", { status: "resolved" })],
    "warning",
    'label severity "warning"',
  ],
  [
    [alert("a", { labels: { priority: "P1" } })],
    "critical",
    'label priority "P1", so critical',
  ],
  [
    [alert("a", { labels: { priority: "P1", severity: "info" } })],
    "info",
    'label severity "info"',
  ],
  [
    [alert("a", { labels: { Severity: "Critical" } })],
    "critical",
    'label Severity "Critical", so critical',
  ],
  [
    [alert("a", { labels: { priority: "P1", severity: "tbd" } })],
    "critical",
    'label priority "P1", so critical',
  ],
  [
    [severity("odd")],
    "unknown",
    'label severity "odd" is not a known severity, so warning',
  ],
  [
    [severity("constructor")],
    "unknown",
    'label severity "constructor" is not a known severity, so warning',
  ],
  [[alert("a")], undefined, undefined],
  [[alert("a", { labels: { severity: 1 } })], undefined, undefined],
];
for (const [alerts, expected, rule] of SEVERITIES) {
  const words = alerts.map(({ labels }) => JSON.stringify(labels)).join(" ");
  Deno.test(`readAlertmanagerDelivery() makes ${expected} of ${words}`, async () => {
    const { severity, severity_rule } = await incidentOf(alerts);
    assertEquals([severity, severity_rule], [expected, rule]);
  });
}

const named = (fingerprint: string, alertname: string, summary?: string) =>
  alert(fingerprint, { labels: { alertname }, annotations: { summary } });
const TITLES: [alerts: Alert[], more: Record<string, unknown>, string][] = [
  [[named("a", "Slow", "p99 above 2s")], {}, "Slow: p99 above 2s"],
  [
    [named("a", "Slow", "same"), named("b", "Slow", "same")],
    {},
    "Slow: same",
  ],
  [
    [named("a", "Slow", "one"), named("b", "Slow", "other")],
    {},
    "Slow (cluster=eu)",
  ],
  [[named("a", "Slow")], { groupLabels: { alertname: "Slow" } }, "Slow"],
  [
    [named("a", "Slow")],
    { groupLabels: { zone: "1", alertname: "Slow", app: "b" } },
    "Slow (app=b, zone=1)",
  ],
  [
    ["d", "c", "a", "b", "a"].map((name, at) => named(`${at}`, name)),
    { groupLabels: {} },
    "a, b, c and 1 more",
  ],
  [
    [alert("a", { labels: {} })],
    { groupLabels: { cluster: "eu" } },
    "Alerts of cluster=eu",
  ],
  [[alert("a", { labels: {} })], { groupLabels: {} }, "Alerts for enricher"],
  [
    [alert("a", { labels: {} })],
    { groupLabels: {}, receiver: String.raw`team\.web \(a\\b\)` },
    String.raw`Alerts for team.web (a\b)`,
  ],
  [
    [
      named("a", "Slow", "now"),
      resolved("b", { annotations: { summary: "then" } }),
    ],
    {},
    "Slow: now",
  ],
  [
    [alert("a", { annotations: { title: "As Grafana calls it" } })],
    {},
    "HighLatency: As Grafana calls it",
  ],
];
for (const [alerts, more, title] of TITLES) {
  Deno.test(`readAlertmanagerDelivery() calls an incident "${title}"`, async () => {
    assertEquals((await incidentOf(alerts, more)).title, title);
  });
}

const labelled = (fingerprint: string, labels: Record<string, unknown>) =>
  alert(fingerprint, { labels });
const SERVICES: [alerts: Alert[], service: string | undefined][] = [
  [[labelled("a", { job: "j", service: "s" })], "s"],
  [[labelled("a", { job: "j", app: "a" })], "a"],
  [[labelled("a", { namespace: "n", job: "j" })], "j"],
  [[labelled("a", { namespace: "n" })], "n"],
  [
    [
      labelled("a", { service: "s", namespace: "n" }),
      labelled("b", { service: "t", namespace: "n" }),
    ],
    "n",
  ],
  [[labelled("a", { service: "s" }), labelled("b", {})], undefined],
  [[labelled("a", { service: " ", job: {} })], undefined],
  [[labelled("a", {})], undefined],
  // What measures is not what is ill.
  [[labelled("a", { job: "kube-state-metrics", pod: "cart-1" })], "cart-1"],
  [
    [
      labelled("a", { job: "kube-state-metrics", namespace: "n", pod: "c-1" }),
      labelled("b", { job: "kube-state-metrics", namespace: "n", pod: "c-2" }),
    ],
    "n",
  ],
  [
    [
      labelled("a", { job: "node-exporter", namespace: "monitoring" }),
      labelled("b", { job: "blackbox", namespace: "monitoring" }),
    ],
    undefined,
  ],
];
for (const [alerts, service] of SERVICES) {
  const labels = alerts.map(({ labels }) => JSON.stringify(labels)).join(" ");
  Deno.test(`readAlertmanagerDelivery() finds service ${service} in ${labels}`, async () => {
    assertEquals((await incidentOf(alerts)).service, service);
  });
}

Deno.test("readAlertmanagerDelivery() names no exporter in a title", async () => {
  const labels = { job: "kube-state-metrics", instance: "10.42.0.16:8080" };
  const more = {
    groupLabels: { alertname: "PodDown", ...labels, namespace: "shop" },
  };
  const down = { alertname: "PodDown", ...labels, namespace: "shop", pod: "p" };
  assertEquals(
    (await incidentOf([labelled("a", down)], more)).title,
    "PodDown (namespace=shop)",
  );
  const { alertname: _, ...nameless } = down;
  assertEquals(
    (await incidentOf([labelled("a", nameless)], { groupLabels: labels }))
      .title,
    "Alerts for enricher",
  );
});

Deno.test("readAlertmanagerDelivery() folds by what is ill, in its place", async () => {
  const foldedBy = async (labels: Record<string, string>) =>
    (await read(webhook([labelled("a", labels)]))).foldedBy;
  const of = { job: "kube-state-metrics", service: "kps-kube-state-metrics" };
  const shop = await foldedBy({ ...of, namespace: "shop", pod: "db-0" });
  assertEquals(shop, '["","shop","db-0"]');
  assertEquals(
    await foldedBy({ app: "x", namespace: "shop", pod: "db-0", zone: "1" }),
    shop,
  );
  for (
    const other of [
      { ...of, namespace: "pay", pod: "db-0" },
      { ...of, namespace: "shop", pod: "db-1" },
      { ...of, namespace: "shop", pod: "db-0", cluster: "eu" },
      { ...of, namespace: "shop" },
      { ...of, pod: "db-0" },
      of,
    ]
  ) {
    assert(await foldedBy(other) !== shop);
  }
  assertEquals(await foldedBy(of), undefined);
  assertEquals(
    await foldedBy({ ...of, node: "n" }),
    await foldedBy({ node: "n" }),
  );
});

const QUERY = "http://prometheus.example.com/graph?g0.expr=up%3D%3D0";
const URLS: [
  externalURL: unknown,
  generatorURL: unknown,
  url: string | undefined,
][] = [
  ["https://a.example.com/am", QUERY, "https://a.example.com/am"],
  ["https://u:s3cret@a.example.com/", QUERY, "https://a.example.com/"],
  ["", QUERY, QUERY],
  ["javascript:alert(1)", QUERY, QUERY],
  ["http://a{b/", "file:///etc/passwd", undefined],
  [7, null, undefined],
];
for (const [externalURL, generatorURL, url] of URLS) {
  Deno.test(`readAlertmanagerDelivery() links ${externalURL} or ${generatorURL} as ${url}`, async () => {
    const { source } = await incidentOf([alert("a", { generatorURL })], {
      externalURL,
    });
    assertEquals(source?.url, url);
  });
}

Deno.test("readAlertmanagerDelivery() cuts what is too long, with a mark", async () => {
  const long = "x".repeat(2000);
  const { title, service, dedup_key, severity_rule } = await incidentOf([
    alert("a", {
      labels: { service: long, severity: long },
      annotations: { summary: long },
    }),
  ], { groupKey: long });
  assertEquals(
    [title, service, dedup_key].map((text) => [text?.length, text?.at(-1)]),
    [[1000, "…"], [200, "…"], [300, "…"]],
  );
  assert((severity_rule?.length ?? 999) <= 200);
});

const VERSION = '"version" must be "4", or "1" as Grafana sends it';
const REFUSED: [what: string, body: unknown, message: string][] = [
  ["null", null, "the body must be a JSON object"],
  ["a list", [sample], "the body must be a JSON object"],
  ["no version", { ...FIRST, version: undefined }, VERSION],
  ["version 3", { ...FIRST, version: "3" }, VERSION],
  [
    "a version that is a number",
    { ...FIRST, version: 4 },
    VERSION,
  ],
  ["no receiver", { ...FIRST, receiver: "" }, '"receiver" must be a text'],
  [
    "a receiver that is a number",
    { ...FIRST, receiver: 7 },
    '"receiver" must be a text',
  ],
  [
    "no group labels",
    { ...FIRST, groupLabels: null },
    '"groupLabels" must be an object',
  ],
  [
    "a list of group labels",
    { ...FIRST, groupLabels: [] },
    '"groupLabels" must be an object',
  ],
  [
    "a group label that is a number",
    { ...FIRST, groupLabels: { s3cret: 7 } },
    'each of "groupLabels" must be a text',
  ],
  ["no alerts", { ...FIRST, alerts: undefined }, '"alerts" must be a list'],
  [
    "an alert that is null",
    { ...FIRST, alerts: [null] },
    '"alerts[0]" must be an object',
  ],
  [
    "an alert in another state",
    webhook([alert("a"), alert("b", { status: "s3cret" })]),
    '"alerts[1].status" must be firing or resolved',
  ],
  [
    "an alert without a fingerprint",
    webhook([alert("a", { fingerprint: undefined })]),
    '"alerts[0].fingerprint" must be a text',
  ],
  [
    "a moment that is none",
    webhook([alert("a", { startsAt: "s3cret" })]),
    '"alerts[0].startsAt" must be a date-time such as 2026-01-15T09:30:00Z',
  ],
  [
    "what would overflow the stack",
    { ...FIRST, x: JSON.parse("[".repeat(50_000) + "]".repeat(50_000)) },
    "the body must be nested at most 64 deep",
  ],
];
for (const [what, body, message] of REFUSED) {
  Deno.test(`readAlertmanagerDelivery() refuses ${what}, and quotes nothing`, async () => {
    const error = await assertRejects(
      () => readAlertmanagerDelivery(body),
      DeliveryError,
    );
    assertEquals(error.message, message);
  });
}

Deno.test("readAlertmanagerDelivery() takes fields that it does not know", async () => {
  const more = {
    notification_reason: "new alerts added",
    routeLabels: { a: "b" },
  };
  assertEquals(
    (await read({ ...FIRST, ...more })).key,
    (await read(FIRST)).key,
  );
});

Deno.test("readAlertmanagerDelivery() throws nothing but DeliveryError, and gives what a worker takes", async () => {
  const counts = { read: 0, ignored: 0, refused: 0 };
  for (const body of spoil(sample, 3000)) {
    try {
      const delivery = await readAlertmanagerDelivery(body);
      if ("ignored" in delivery) {
        counts.ignored++;
        continue;
      }
      counts.read++;
      const problem = checkIncident(
        JSON.parse(JSON.stringify(delivery.incident)),
      );
      assertEquals(problem, undefined, JSON.stringify(body));
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      counts.refused++;
    }
  }
  // Few are ignored: both alerts that fire would have to go.
  assert(counts.ignored > 0, JSON.stringify(counts));
  assert(Math.min(counts.read, counts.refused) > 50, JSON.stringify(counts));
});
