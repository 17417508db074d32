/**
 * The webhooks of which pictures are made: poor and rich ones, and groups of
 * alerts of three sizes. Each is the same every time.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { collectFindings } from "../../lib/evidence/collect.ts";
import { qualifiedId } from "../../lib/incident_id.ts";
import { readSent } from "../demo/incident.ts";
import { createSender, type SenderName } from "../demo/senders.ts";
import { collectSample, type SampleFindings } from "./collected.ts";

/** One subject of a picture. */
export interface PictureSample {
  /** A part of file names. */
  name: string;
  findings: () => Promise<SampleFindings>;
}

export const PICTURE_SAMPLES: readonly PictureSample[] = [
  { name: "pagerduty-poor", findings: () => read("pagerduty", POOR) },
  { name: "pagerduty-rich", findings: readRich },
  { name: "group-1", findings: () => read("alertmanager", group(1, 1)) },
  { name: "group-12", findings: () => read("alertmanager", group(3, 4)) },
  { name: "group-500", findings: () => read("alertmanager", group(100, 5)) },
  { name: "collected", findings: collectSample },
];

async function read(
  sender: SenderName,
  body: JsonObject,
): Promise<SampleFindings> {
  const incident = await readSent(JSON.stringify(body), createSender(sender));
  return {
    incidentId: qualifiedId(incident),
    findings: collectFindings(incident, "standard"),
  };
}

async function readRich(): Promise<SampleFindings> {
  const text = await Deno.readTextFile("deploy/samples/sample_pagerduty.json");
  return read("pagerduty", JSON.parse(text));
}

/** What an incident holds that somebody opens by hand. */
const POOR: JsonObject = {
  event: {
    id: "01EXAMPLE7C9F4ENRICHER0002",
    event_type: "incident.triggered",
    resource_type: "incident",
    occurred_at: "2026-01-15T09:27:09.120Z",
    data: {
      id: "Q2EXAMPLE1043Y",
      type: "incident",
      html_url: "https://shop.pagerduty.com/incidents/Q2EXAMPLE1043Y",
      number: 1043,
      status: "triggered",
      created_at: "2026-01-15T09:27:09Z",
      title: "Customers cannot log in",
      service: { id: "PSVC2L5", summary: "login", type: "service_reference" },
      urgency: "high",
    },
  },
};

/** What may go wrong on a node, in the order in which it does. */
const RULES: readonly {
  name: string;
  severity: string;
  says: (node: number) => string;
}[] = [
  {
    name: "NodeDiskFull",
    severity: "critical",
    says: (node) =>
      `/var/lib/kafka has ${
        (2 + node % 40 / 10).toFixed(1)
      } % left (limit 10 %)`,
  },
  {
    name: "KafkaUnderReplicated",
    severity: "critical",
    says: (node) => `${14 + node % 30} partitions lack a replica (limit 0)`,
  },
  {
    name: "KafkaConsumerLag",
    severity: "warning",
    says: (node) =>
      `Group billing is ${
        12_000 + 130 * (node % 70)
      } messages behind (limit 5000)`,
  },
  {
    name: "NodeLoadHigh",
    severity: "warning",
    says: (node) => `Load is ${(31 + node % 20).toFixed(1)} on 16 cores`,
  },
  {
    name: "NodeClockSkew",
    severity: "info",
    says: (node) => `The clock is ${80 + node % 50} ms off (limit 50 ms)`,
  },
];

const MINUTE_MS = 60_000;
const START_MS = Date.parse("2026-01-15T09:12:00Z");

/** A group of one alert for each node and rule. */
function group(nodes: number, rules: number): JsonObject {
  const labels = { cluster: "eu-north-1", team: "streaming" };
  const annotations = {
    summary: "Events arrive late or not at all while this lasts.",
  };
  const alerts = RULES.slice(0, rules).flatMap(({ name, severity, says }, at) =>
    Array.from({ length: nodes }, (_, node): JsonObject => ({
      status: "firing",
      labels: {
        ...labels,
        alertname: name,
        instance: `kafka-${node + 1}.prod:9100`,
        severity,
      },
      annotations: {
        ...annotations,
        description: `${says(node)}.`,
        runbook_url: `https://runbooks.example.com/kafka/${name}`,
        dashboard_url: "https://grafana.example.com/d/kafka/nodes",
      },
      startsAt: new Date(START_MS + 3 * at * MINUTE_MS + node * 700)
        .toISOString(),
      endsAt: "0001-01-01T00:00:00Z",
      generatorURL:
        `http://prometheus.example.com:9090/graph?g0.expr=${name}&g0.tab=1`,
      fingerprint: `${at}${node}`.padStart(16, "0"),
    }))
  );
  return {
    receiver: "incident-enricher",
    status: "firing",
    alerts,
    groupLabels: { cluster: labels.cluster },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: "http://alertmanager.example.com:9093",
    version: "4",
    groupKey: `{}:{cluster="${labels.cluster}"}`,
    truncatedAlerts: 0,
  };
}
