import { assert, assertEquals } from "@std/assert";
import { buildBundle } from "../../lib/evidence/bundle.ts";
import { collectFindings } from "../../lib/evidence/collect.ts";
import { redactBundle } from "../../lib/evidence/redact_bundle.ts";
import type {
  AlertGroup,
  EvidenceBundle,
  IncidentInput,
} from "../../lib/incident.ts";
import { startRedaction } from "../../lib/redact/redaction.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { addCollected } from "../../lib/evidence/gather.ts";

const LASTS = "Nobody can pay while this lasts.";

/** A member of a group of three machines, each a minute after the last. */
function alert(
  alertname: string,
  { at = 0, says = "", ...labels }: {
    at?: number;
    says?: string;
    [label: string]: string | number;
  } = {},
) {
  return {
    status: "firing",
    labels: { alertname, cluster: "eu-1", service: "ledger", ...labels },
    annotations: {
      summary: `${alertname} fires`,
      ...says === "" ? {} : { description: says },
    },
    startsAt: new Date(Date.UTC(2026, 2, 4, 8, at)).toISOString(),
    endsAt: "0001-01-01T00:00:00Z",
    fingerprint: `${alertname}-${at}`,
  };
}

function incident(alerts: unknown[], more: object = {}): IncidentInput {
  return {
    incident_id: "alertmanager:1",
    source: { system: "alertmanager" },
    title: "Ledger",
    service: "ledger",
    raw: { status: "firing", alerts, groupLabels: {}, ...more },
  };
}

function groupsOf(...alerts: unknown[]): AlertGroup[] {
  return collectFindings(incident(alerts)).context.alerts?.groups ?? [];
}

Deno.test("collectAlertmanager() groups alerts by name, with the worst one's words", () => {
  const says = (place: string, percent: number) =>
    `Disk of ${place}.prod is ${percent} % full (limit 80 %). ${LASTS}`;
  const { alerts } = collectFindings(incident([
    alert("Slow", {
      at: 9,
      severity: "warning",
      instance: "a.prod:1",
      says: `a is slow. ${LASTS}`,
    }),
    alert("Full", {
      at: 1,
      severity: "page",
      instance: "a.prod:1",
      says: says("a", 81),
    }),
    alert("Full", {
      at: 3,
      severity: "page",
      instance: "c.prod:1",
      says: says("c", 99),
    }),
    alert("Full", {
      at: 2,
      severity: "page",
      instance: "b.prod:1",
      says: says("b", 90),
    }),
  ])).context;
  assertEquals(alerts, {
    firing: 4,
    resolved: 0,
    worst: 3,
    newest: "2026-03-04T08:09:00.000Z",
    all_say: LASTS,
    place: "eu-1",
    groups: [
      {
        name: "Full",
        severity: "critical",
        count: 3,
        since: "2026-03-04T08:01:00.000Z",
        newest: "2026-03-04T08:03:00.000Z",
        where: ["a", "b", "c"],
        says: "Disk of c.prod is 99 % full (limit 80 %)",
        worst: "c",
        value: "99 %",
        limit: "80 %",
        shared: "Full fires",
        evidence: ["alerts"],
      },
      {
        name: "Slow",
        severity: "warning",
        count: 1,
        since: "2026-03-04T08:09:00.000Z",
        where: ["a"],
        says: "a is slow",
        shared: "Slow fires",
        evidence: ["alerts"],
      },
    ],
  });
});

Deno.test("collectAlertmanager() tells alerts of several clusters apart by these", () => {
  const [group] = groupsOf(
    alert("TargetDown", { at: 1, cluster: "eu-1" }),
    alert("TargetDown", { at: 2, cluster: "us-1" }),
  );
  assertEquals(group?.where, ["eu-1", "us-1"]);
});

Deno.test("collectAlertmanager() parts alerts of one name by severity", () => {
  const { alerts } = collectFindings(incident([
    alert("Slow", { at: 1, severity: "warning", pod: "a" }),
    alert("Slow", { at: 2, severity: "warning", pod: "b" }),
    alert("Slow", { at: 9, severity: "critical", pod: "c" }),
  ])).context;
  assertEquals(
    alerts?.groups.map(({ severity, count, since, where }) =>
      [severity, count, since?.slice(11, 16), where].join(" ")
    ),
    ["critical 1 08:09 c", "warning 2 08:01 a,b"],
  );
  assertEquals(alerts?.worst, 1);
});

Deno.test("collectAlertmanager() counts what groups have no room for", () => {
  const many = Array.from({ length: 90 }, (_, at) =>
    alert(`N${at % 30}`, {
      at: at % 60,
      severity: at % 30 === 29 ? "warning" : "critical",
      pod: `pod-${at}`,
    }));
  const { context } = collectFindings(
    incident(many, { truncatedAlerts: 7 }),
  );
  assertEquals({ ...context.alerts, groups: [] }, {
    firing: 90,
    resolved: 0,
    cut: 7,
    worst: 87,
    newest: "2026-03-04T08:59:00.000Z",
    places: 90,
    place: "eu-1",
    groups: [],
    others: { groups: 10, alerts: 30, severity: "critical" },
  });
  for (const truncatedAlerts of [-1, 0.5, "7", 1e300]) {
    const { context } = collectFindings(incident(many, { truncatedAlerts }));
    assertEquals(context.alerts?.cut, undefined, String(truncatedAlerts));
  }
});

Deno.test("collectAlertmanager() sorts groups by severity, then start, then name", () => {
  const names = groupsOf(
    alert("D", { at: 1, severity: "warning" }),
    alert("C", { at: 5, severity: "critical" }),
    alert("B", { at: 6, severity: "critical" }),
    alert("A", { at: 6, severity: "critical" }),
  ).map(({ name }) => name);
  assertEquals(names, ["C", "A", "B", "D"]);
});

Deno.test("collectAlertmanager() takes a value below its limit as past it, too", () => {
  const [group] = groupsOf(
    alert("Low", { at: 1, pod: "a", says: "a has 4 % left (limit 5 %)." }),
    alert("Low", { at: 2, pod: "b", says: "b has 1 % left (limit 5 %)." }),
  );
  assertEquals([group?.worst, group?.value, group?.limit], ["b", "1 %", "5 %"]);
});

Deno.test("collectAlertmanager() says nothing of an alert that says nothing", () => {
  const poor = { status: "firing", labels: { alertname: "Down" } };
  assertEquals(groupsOf(poor), [{
    name: "Down",
    severity: "warning",
    count: 1,
    evidence: ["alerts"],
  }]);
});

Deno.test("collectAlertmanager() keeps the links of known fields, and makes one to silence", () => {
  const whole = {
    ...alert("Full"),
    generatorURL: "https://prometheus.example/graph?g0.expr=up",
    annotations: {
      runbook_url: "https://runbooks.example/full",
      dashboard_url: "https://grafana.example/d/1",
      advert: "https://elsewhere.example/",
    },
  };
  const more = {
    externalURL: "https://alerts.example",
    groupLabels: { service: "ledger" },
  };
  assertEquals(collectFindings(incident([whole], more)).context.links, [
    { kind: "runbook", url: "https://runbooks.example/full", of: "Full" },
    { kind: "dashboard", url: "https://grafana.example/d/1" },
    {
      kind: "graph",
      url: "https://prometheus.example/graph?g0.expr=up",
      of: "Full",
    },
    {
      kind: "silence",
      url:
        "https://alerts.example/#/silences/new?filter=%7Bservice%3D%22ledger%22%7D",
    },
  ]);
});

async function bundleOf(
  given: IncidentInput,
  level: "standard" | "full" = "standard",
): Promise<EvidenceBundle> {
  const findings = collectFindings(given, level);
  const fitted = addCollected(findings, {
    pieces: [],
    facts: [],
    timeline: [],
    series: [],
    gaps: [],
    lookups: [],
  }, { level, removed: findings.removed });
  const bundle = await buildBundle(given.incident_id, fitted, {
    now: new Date(0),
    put: () => Promise.resolve("redis://art:1"),
  });
  return redactBundle(bundle, startRedaction({ level }));
}

Deno.test("a bundle of 500 alerts with long texts is valid and at most 200 KiB", async () => {
  const long = "длинный ".repeat(100);
  const many = Array.from({ length: 500 }, (_, at) => ({
    ...alert(`Alert${at % 100}${long}`, {
      at,
      severity: "critical",
      pod: `${long}${at}`,
      says: `${at} ${long}. ${LASTS}`,
    }),
    generatorURL: `https://p.example/${"x".repeat(900)}${at}`,
  }));
  const bundle = await bundleOf(incident(many));
  const { alerts } = bundle.normalized_context!;
  assertEquals(compileCheck("EvidenceBundle")(bundle), undefined);
  assert(new TextEncoder().encode(JSON.stringify(bundle)).length <= 200 * 1024);
  const shown = alerts!.groups.reduce((sum, { count }) => sum + count, 0);
  assertEquals(shown + alerts!.others!.alerts, 500);
  assertEquals(alerts!.others!.groups, 80);
});

Deno.test("the level full leaves names, counts and times of the alerts alone", async () => {
  const given = incident([
    alert("Full", { at: 1, says: "Disk is 99 % full.", pod: "a" }),
    alert("All is lost: see below", { at: 2, says: "Really." }),
  ], { externalURL: "https://alerts.example", groupLabels: { service: "a" } });
  const { normalized_context } = await bundleOf(given, "full");
  assertEquals(normalized_context?.links, undefined);
  assertEquals(
    normalized_context?.alerts?.groups.map(({ evidence: _, ...rest }) => rest),
    [
      {
        name: "Full",
        severity: "warning",
        count: 1,
        since: "2026-03-04T08:01:00.000Z",
      },
      {
        name: "[withheld]",
        severity: "warning",
        count: 1,
        since: "2026-03-04T08:02:00.000Z",
      },
    ],
  );
});
