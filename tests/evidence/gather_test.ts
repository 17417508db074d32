/**
 * What a webhook does not carry is a gap until a collector asks its sender.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { startAlertmanagerApi } from "../../deploy/standins/alertmanager.ts";
import {
  PAGERDUTY_KEY,
  startPagerDutyApi,
} from "../../deploy/standins/pagerduty.ts";
import { startPrometheusApi } from "../../deploy/standins/prometheus.ts";
import { readConfig } from "../../lib/base/config.ts";
import { createLog } from "../../lib/base/log.ts";
import { gather } from "../../lib/evidence/gather.ts";
import { COLLECTOR_SETTINGS } from "../../lib/evidence/settings.ts";
import { withholdContext } from "../../lib/evidence/withhold.ts";
import type { IncidentInput } from "../../lib/incident.ts";
import { INCIDENT, NOW } from "../support/collecting.ts";

const PAGERDUTY: IncidentInput = {
  incident_id: "pagerduty:PCHECK01",
  title: "Checkout is slow",
  source: { system: "pagerduty" },
};

/** What was not asked, and why nothing could be asked. */
async function gapsOf(
  incident: IncidentInput,
  env: Record<string, string>,
): Promise<string[]> {
  const { gaps } = await gather(incident, {
    settings: readConfig(COLLECTOR_SETTINGS, (name) => env[name]),
    level: "standard",
    now: NOW,
    signal: new AbortController().signal,
    leftMs: 30_000,
    log: createLog({}, { write: () => {} }),
    history: () => Promise.resolve([]),
  });
  return gaps.map(({ what, kind }) => `${kind}: ${what}`);
}

Deno.test("gather() keeps the course of the alert's number, unless policy withholds values", async () => {
  await using api = startPrometheusApi({
    series: { "latency_p99:5m": [{ metric: { pod: "a" }, at: () => 3 }] },
  });
  const read = async (level: "standard" | "full") => {
    const findings = await gather(INCIDENT, {
      settings: readConfig(
        COLLECTOR_SETTINGS,
        (name) => name === "PROMETHEUS_URL" ? api.url : undefined,
      ),
      level,
      now: NOW,
      signal: new AbortController().signal,
      leftMs: 30_000,
      log: createLog({}, { write: () => {} }),
      history: () => Promise.resolve([]),
    });
    return findings;
  };
  const { context } = await read("standard");
  assertEquals(context.series!.map(({ now, evidence }) => [now, evidence]), [
    [3, ["prometheus/series-1"]],
  ]);
  const { context: withheld, gaps } = await read("full");
  assertEquals(withheld.series, undefined);
  assertMatch(gaps.map(({ what }) => what).join(), /\b1 course\b/);
  // A second redaction counts nothing again.
  const again = withholdContext({ context: withheld, gaps });
  assertEquals(again.gaps, gaps);
});

const NOT_ASKED = "off: alerts, log entries and notes";

Deno.test("gather() names what PagerDuty's webhook lacks, until PagerDuty is asked", async () => {
  await using api = startPagerDutyApi({
    incidents: { PCHECK01: { incident: {} } },
  });
  const env = {
    PAGERDUTY_API_URL: api.url,
    PAGERDUTY_API_TOKEN: PAGERDUTY_KEY,
  };
  assertEquals(await gapsOf(PAGERDUTY, {}), [NOT_ASKED]);
  assertEquals(await gapsOf(PAGERDUTY, env), []);
  const strange = { ...PAGERDUTY, incident_id: "pagerduty:a/b" };
  assertEquals(await gapsOf(strange, env), [NOT_ASKED]);
  api.fault = "401";
  assertEquals(await gapsOf(PAGERDUTY, env), [
    "refused: changes that PagerDuty relates to it",
    "refused: similar incidents in PagerDuty",
    "refused: the incident in PagerDuty",
  ]);
});

Deno.test("gather() names what Alertmanager's webhook lacks, until Alertmanager is asked", async () => {
  await using api = startAlertmanagerApi();
  const gap = "silences, inhibitions and the current state of the alerts";
  const env = { ALERTMANAGER_URL: api.url };
  assertEquals(await gapsOf(INCIDENT, {}), [`off: ${gap}`]);
  assertEquals(await gapsOf(INCIDENT, env), []);
  const grafana = { ...INCIDENT, raw: { ...INCIDENT.raw, orgId: 1 } };
  assertEquals(await gapsOf(grafana, env), [`undefined: ${gap}`]);
});

Deno.test("gather() says what the catalogue knows, and what its dependencies do", async () => {
  const catalog = `services:
  - name: checkout
    match: { service: checkout, namespace: shop }
    owner: payments
    dashboards: [https://grafana.example/d/checkout]
    depends_on: [orders-db, mail]
`;
  await using api = startAlertmanagerApi({
    alerts: ["orders-db", "cart"].map((service) => ({
      labels: { alertname: `${service} down`, service },
      startsAt: "2026-01-15T09:20:00Z",
      status: { state: "active" },
    })),
  });
  const env: Record<string, string> = {
    CATALOG_FILE: "/catalog",
    ALERTMANAGER_URL: api.url,
  };
  const read = (level: "standard" | "full") =>
    gather(INCIDENT, {
      settings: readConfig(
        COLLECTOR_SETTINGS,
        (name) => env[name],
        () => catalog,
      ),
      level,
      now: NOW,
      signal: new AbortController().signal,
      leftMs: 30_000,
      log: createLog({}, { write: () => {} }),
      history: () => Promise.resolve([]),
    });
  const { context, pieces } = await read("standard");
  const facts = context.facts!.filter(({ kind }) => kind !== undefined);
  assertEquals(facts.map(({ name, value }) => `${name}: ${value}`), [
    "other alerts firing: 2, 0 of them here",
    "alerts of dependencies: orders-db down",
    "dependency firing: orders-db down, of no severity, since 2026-01-15 09:20:00 UTC",
    "owner: payments",
    "depends on: orders-db, mail",
    "dashboard: https://grafana.example/d/checkout",
  ]);
  assertEquals(pieces.at(-1)?.title, "Catalogue's entry checkout");
  assertEquals(facts.at(-1)?.evidence, [pieces.at(-1)!.name]);
  const withheld = await read("full");
  assertEquals(withheld.pieces.some(({ name }) => name === "catalog"), false);
});
