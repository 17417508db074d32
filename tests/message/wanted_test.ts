/**
 * Messages as their reader needs them, whole, from payload facts alone.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import sample from "../../deploy/samples/sample_pagerduty.json" with {
  type: "json",
};
import type { IncidentInput } from "../../lib/incident.ts";
import { leadOf } from "../../lib/message/lead.ts";
import { renderText } from "../../lib/message/text.ts";
import { readAlertmanagerDelivery } from "../../lib/sources/alertmanager/webhook.ts";
import { PAGERDUTY } from "../../lib/sources/pagerduty/webhook.ts";
import { previewMessage } from "../../scripts/pictures/make.ts";
import { assertSlackTakes } from "../support/block_kit.ts";

const SETTINGS = {
  linkOrigins: [
    "https://runbooks.example.com",
    "https://grafana.example.com",
    "http://prometheus.example.com:9090",
    "https://meet.example.com",
    "https://alerts.example.com",
  ],
  dashboardRunUrl: undefined,
  evidenceUrl: undefined,
};

/** The lines of a message, without its last: who approved it. */
async function linesOf(incident: IncidentInput): Promise<string[]> {
  const { message } = await previewMessage(incident, SETTINGS);
  assertSlackTakes(message);
  const lines = renderText(message.blocks, { columns: 1e9, colour: false })
    .map((line) => line.slice(2)).filter((line) => line !== "");
  const headline = lines[0]!;
  assertEquals(message.text.split("\n")[0], headline);
  assertEquals(leadOf(message.blocks).headline, headline);
  return lines.slice(0, -1);
}

async function group(
  alerts: unknown[],
  groupLabels: Record<string, string> = {},
): Promise<IncidentInput> {
  const delivery = await readAlertmanagerDelivery({
    version: "4",
    receiver: "enricher",
    status: "firing",
    groupKey: "{}:{}",
    groupLabels,
    externalURL: "https://alerts.example.com",
    alerts,
  });
  assert("incident" in delivery);
  return { ...delivery.incident, incident_id: "alertmanager:1" };
}

Deno.test("the message of PagerDuty's sample says each thing once", async () => {
  const delivery = await PAGERDUTY.read(sample, {
    events: ["incident.triggered"],
  } as never);
  assert("incident" in delivery);
  assertEquals(await linesOf(delivery.incident), [
    "🔴 P1 · checkout-api: Checkout latency above 2 s in eu-west-1",
    "◆ Triggered 09:30:41 UTC, not acknowledged · “Ada Example” (“Shop on-call”) is assigned",
    "[Open #1042] https://shop.pagerduty.com/incidents/Q2EXAMPLE1042X",
    "[Join the bridge] https://meet.example.com/incident-1042",
    "[Prometheus] http://prometheus.example.com:9090/",
    "◆ As of 2026-01-15 09:30:41 UTC, from the webhook alone: no alerts, logs or changes were read · urgency high · team Shop · incident pagerduty:Q2EXAMPLE1042X",
  ]);
});

/** Four names on three machines, with what each alert says of its machine. */
const TWELVE: readonly [
  name: string,
  severity: string,
  page: string,
  says: (host: string, at: number) => string,
][] = [
  [
    "DiskFillsUp",
    "critical",
    "disk",
    (host, at) =>
      `${host} has ${[1.4, 2.2, 3.9][at]} % of its disk left (limit 10 %)`,
  ],
  [
    "WritesAreSlow",
    "critical",
    "writes",
    (host, at) =>
      `A write on ${host} takes ${[840, 310, 290][at]} ms; the limit is 200 ms`,
  ],
  [
    "BackupFailed",
    "warning",
    "backup",
    (host) => `The backup of ${host} has failed`,
  ],
  [
    "QueueGrows",
    "critical",
    "queue",
    (host, at) =>
      `${host} has ${
        ["51 000", "9 000", "8 000"][at]
      } messages to send (limit 5 000)`,
  ],
];

Deno.test("the message of twelve alerts has a line for each name", async () => {
  const alerts = TWELVE.flatMap(([alertname, severity, page, says], name) =>
    ["pay-1", "pay-2", "pay-3"].map((host, at) => ({
      status: "firing",
      fingerprint: `${name}${at}`,
      labels: {
        alertname,
        severity,
        cluster: "north-1",
        service: "payments",
        team: "ledger",
        instance: `${host}.prod:9187`,
      },
      annotations: {
        summary: `${alertname} on ${host}`,
        description: `${
          says(`${host}.prod`, at)
        }. Nobody can pay while this lasts.`,
        runbook_url: `https://runbooks.example.com/payments/${page}`,
        dashboard_url: `https://grafana.example.com/d/pay?var-host=${host}`,
      },
      startsAt: new Date(Date.UTC(2026, 2, 4, 8, 3 * name + at)).toISOString(),
      endsAt: "0001-01-01T00:00:00Z",
      generatorURL: `http://prometheus.example.com:9090/graph?g0.expr=${page}`,
    }))
  );
  const incident = await group(alerts, { service: "payments" });
  assertEquals(await linesOf(incident), [
    "🔴 CRITICAL · payments, north-1: 12 alerts on pay-1, pay-2, pay-3",
    "◆ Since 08:00:00 UTC, 9 of 12 critical, newest 08:11:00, none resolved. All 12 say: “Nobody can pay while this lasts.”",
    "[Runbook: disk] https://runbooks.example.com/payments/disk",
    "[Runbook: writes] https://runbooks.example.com/payments/writes",
    "[Dashboard pay-1] https://grafana.example.com/d/pay?var-host=pay-1",
    "[Graph] http://prometheus.example.com:9090/graph?g0.expr=disk",
    "[Silence] https://alerts.example.com/#/silences/new?filter=%7Bservice%3D%22payments%22%7D",
    "🔴 DiskFillsUp ×3, from 08:00 · “pay-1.prod has 1.4 % of its disk left (limit 10 %)”",
    "🔴 WritesAreSlow ×3, from 08:03 · “A write on pay-1.prod takes 840 ms; the limit is 200 ms”",
    "🔴 QueueGrows ×3, from 08:09 · “pay-1.prod has 51 000 messages to send (limit 5 000)”",
    "🟡 BackupFailed ×3, from 08:06 · “The backup of pay-1.prod has failed”",
    "• pay-1 was first each time",
    "◆ As of 2026-03-04 08:11:00 UTC, from the webhook alone · team ledger · incident alertmanager:1",
  ]);
});

Deno.test("the message of a poor alert has four lines", async () => {
  const incident = await group([{
    status: "firing",
    fingerprint: "1",
    labels: { alertname: "ExportIsLate" },
    annotations: {},
    startsAt: "2026-03-04T08:00:12Z",
    endsAt: "0001-01-01T00:00:00Z",
  }]);
  const lines = await linesOf(incident);
  assertEquals(lines.slice(0, -1), [
    "🟡 WARNING: ExportIsLate",
    "◆ Since 08:00:12 UTC",
    "[Open the incident] https://alerts.example.com/",
    "• The alert says nothing more: it has no description, severity or runbook",
  ]);
});

Deno.test("a message of up to 500 alerts has at most 15 lines and 2,000 characters", async () => {
  let state = 11;
  const upTo = (max: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state >>> 4) / 2 ** 28 * (max + 1));
  };
  const severities = ["critical", "error", "warning", "info", "odd"];
  for (let round = 0; round < 40; round++) {
    const count = round === 0 ? 500 : 1 + upTo(round % 10 === 0 ? 499 : 30);
    const names = 1 + upTo(40);
    const alerts = Array.from({ length: count }, (_, at) => ({
      status: "firing",
      fingerprint: `${at}`,
      labels: {
        alertname: `Name${upTo(names)}${upTo(9) === 0 ? " of words" : ""}`,
        severity: severities[upTo(4)],
        ...upTo(1) ? { pod: `pod-${upTo(50)}` } : {},
        ...upTo(1) ? { service: `service-${upTo(2)}` } : {},
      },
      annotations: {
        description: "A sentence of some words. ".repeat(upTo(30)) +
          `It is ${upTo(100)} % (limit 50 %). ${"x".repeat(upTo(900))}`,
      },
      startsAt: new Date(Date.UTC(2026, 2, 4, 8, upTo(300))).toISOString(),
      endsAt: "0001-01-01T00:00:00Z",
    }));
    const lines = await linesOf(await group(alerts));
    const shown = lines.filter((line) => !line.startsWith("["));
    const text = shown.join("\n");
    assert(shown.length < 15, text);
    assert(text.length <= 1900, `${text.length}: ${text}`);
    const said = [...text.matchAll(/“([^”]*)”/g)].map(([, words]) => words);
    assertEquals(new Set(said).size, said.length, text);
    // All of them are shown or counted.
    const counts = shown.flatMap((line) => {
      const more = /^… \d+ more names? \((\d+) /.exec(line)?.[1];
      const times = /^[\u{1F534}\u{1F535}\u{1F7E0}\u{1F7E1}] .*? ×(\d+)/u
        .exec(line)?.[1];
      const isLine = /^[\u{1F534}\u{1F535}\u{1F7E0}\u{1F7E1}] (?!\w+(?: ·|: ))/u
        .test(line);
      return more ?? (isLine ? times ?? 1 : []);
    }).map(Number);
    const isLeft = text.includes("more lines in the stored summary") ||
      text.includes("more line in the stored summary");
    const sum = counts.reduce((total, one) => total + one, 0);
    assert(
      isLeft || sum === count || count === 1,
      `${sum} of ${count}: ${text}`,
    );
  }
});

Deno.test("no line stands in more than half of 30 different incidents", async () => {
  const words = ["disk", "queue", "latency", "errors", "backup", "lag"];
  const seen = new Map<string, number>();
  for (let nth = 0; nth < 30; nth++) {
    const word = words[nth % words.length]!;
    const isPoor = nth % 5 === 0;
    const lines = await linesOf(
      await group(
        Array.from({ length: 1 + nth % 4 }, (_, at) => ({
          status: "firing",
          fingerprint: `${nth}-${at}`,
          labels: {
            alertname: `Alert${word}${nth % 2 === 0 ? "" : at}`,
            ...isPoor ? {} : { severity: ["critical", "warning"][at % 2] },
            service: `${word}-${nth}`,
          },
          annotations: isPoor
            ? {}
            : { description: `The ${word} of ${nth} is at ${nth + at} %.` },
          startsAt: new Date(Date.UTC(2026, 2, 4, nth % 24, at)).toISOString(),
          endsAt: "0001-01-01T00:00:00Z",
        })),
      ),
    );
    // Headings, buttons and small print may.
    const told = lines.slice(0, -1).filter((line) => !line.startsWith("["));
    for (const line of new Set(told)) {
      seen.set(line, (seen.get(line) ?? 0) + 1);
    }
  }
  const often = [...seen].filter(([line, count]) =>
    count > 15 && !/^◆ (?:What changed|Seen before|Next)$/.test(line)
  );
  assertEquals(often, []);
});
