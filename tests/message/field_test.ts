/**
 * Kinds of webhooks by which messages were misleading, each with what its reader
 * needs instead.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { unescapeMrkdwn } from "../../lib/message/block_kit.ts";
import { renderText } from "../../lib/message/text.ts";
import { readAlertmanagerDelivery } from "../../lib/sources/alertmanager/webhook.ts";
import { PAGERDUTY } from "../../lib/sources/pagerduty/webhook.ts";
import { previewMessage } from "../../scripts/pictures/make.ts";
import { assertSlackTakes } from "../support/block_kit.ts";

const SETTINGS = {
  linkOrigins: undefined,
  dashboardRunUrl: undefined,
  evidenceUrl: undefined,
};

interface Given {
  name: string;
  severity?: string;
  /** Minutes after eight. */
  at?: number;
  labels?: Record<string, string>;
  says?: string;
  summary?: string;
}

/** The lines of the message about these alerts, as people read them. */
async function linesOf(...given: Given[]): Promise<string[]> {
  const delivery = await readAlertmanagerDelivery({
    version: "4",
    receiver: "enricher",
    status: "firing",
    groupKey: "{}:{}",
    groupLabels: {},
    externalURL: "https://alerts.example.com",
    alerts: given.map((
      { name, severity, at = 0, labels, says, summary },
      nth,
    ) => ({
      status: "firing",
      fingerprint: `${nth}`,
      labels: {
        alertname: name,
        ...severity === undefined ? {} : { severity },
        ...labels,
      },
      annotations: {
        ...says === undefined ? {} : { description: says },
        ...summary === undefined ? {} : { summary },
      },
      startsAt: new Date(Date.UTC(2026, 4, 6, 8, at)).toISOString(),
      endsAt: "0001-01-01T00:00:00Z",
    })),
  });
  assert("incident" in delivery);
  const { message } = await previewMessage(delivery.incident, SETTINGS);
  assertSlackTakes(message);
  const [headline, ...lines] = renderText(message.blocks, {
    columns: 1e9,
    colour: false,
  }).map((line) => unescapeMrkdwn(line.slice(2)))
    // Where the alerts stand is the same for all of them.
    .filter((line) => line !== "" && !line.startsWith("◆ Alertmanager: "));
  return [headline!, ...lines];
}

function find(lines: readonly string[], start: string): string | undefined {
  return lines.find((line) => line.startsWith(start));
}

Deno.test("an alert about a deployment is no change, and nothing to undo", async () => {
  const lines = await linesOf(
    {
      name: "KubeDeploymentReplicasMismatch",
      severity: "warning",
      labels: {
        namespace: "books",
        deployment: "ledger-api",
        job: "kube-state-metrics",
        pod: "ksm-kube-state-metrics-0",
      },
      says: "Deployment books/ledger-api lacks replicas since its release.",
    },
    {
      name: "KubeDeploymentReplicasMismatch",
      severity: "warning",
      at: 2,
      labels: { namespace: "books", deployment: "config-api" },
      says: "Deployment books/config-api lacks replicas since its rollout.",
    },
  );
  assertEquals(find(lines, "◆ What changed"), undefined);
  assert(!lines.join("\n").includes("roll it back"));
  // The workloads are ill, not who measured them.
  assert(lines.join("\n").includes("ledger-api, config-api"));
  assert(!lines.join("\n").includes("kube-state-metrics"));
});

Deno.test("the one critical alert of many stands first", async () => {
  const noise = Array.from({ length: 14 }, (_, at) => ({
    name: `A${at}Chatter`,
    severity: "info",
    at,
    says: `noise ${at}`,
  }));
  const lines = await linesOf(
    ...noise.slice(0, 5),
    {
      name: "QuorumLost",
      severity: "critical",
      at: 7,
      says: "No quorum is left.",
    },
    ...noise.slice(5),
  );
  assertEquals(lines.slice(0, 3), [
    "\u{1F534} CRITICAL: No quorum is left",
    "◆ Since 08:07:00 UTC, 1 of 15 critical, newest 08:13:00, none resolved",
    "\u{1F534} QuorumLost, from 08:07",
  ]);
  assertEquals(
    find(lines, "…"),
    "… 10 more names (10 alerts), at worst info, in the stored summary",
  );
});

Deno.test("an old warning gives a new critical alert neither its start nor its words", async () => {
  const lines = await linesOf(
    {
      name: "CertEnds",
      severity: "warning",
      at: -3000,
      says: "The certificate ends in 9 days.",
    },
    {
      name: "PaymentsStopped",
      severity: "critical",
      says: "No payment for 3 minutes.",
    },
  );
  assertEquals(lines.slice(0, 4), [
    "\u{1F534} CRITICAL: No payment for 3 minutes",
    "◆ Since 08:00:00 UTC, 1 of 2 critical, none resolved",
    "\u{1F534} PaymentsStopped, from 08:00",
    "\u{1F7E1} CertEnds, from 2026-05-04 06:00 · “The certificate ends in 9 days”",
  ]);
});

const HEADLINES: readonly [what: string, says: string, headline: string][] = [
  [
    "a full stop that ends no sentence",
    "No. of letters (e.g. returned) is approx. 41 000 vs. a limit of 4 000. Nothing moves.",
    "No. of letters (e.g. returned) is approx. 41 000 vs. a limit of 4 000",
  ],
  [
    "colours of a terminal",
    "\x1b[1;31mERROR\x1b[0m\tcannot open /srv\u200b",
    "ERROR cannot open /srv",
  ],
  [
    "a word between colons, in a headline that shows no picture",
    "Peer fe80:1:ab:2::7 lost :fire:",
    "Peer fe80:1:ab:2::7 lost :fire:",
  ],
  [
    "text that is code, which can be copied",
    'sum by (__name__) ({job=~"a.*", path=~"/x_y/*"}) > 5',
    'sum by (__name__) ({job=~"a.*", path=~"/x_y/*"}) > 5',
  ],
];
for (const [what, says, headline] of HEADLINES) {
  Deno.test(`a headline keeps ${what}`, async () => {
    const [first] = await linesOf({ name: "Odd", severity: "warning", says });
    assertEquals(first, `\u{1F7E1} WARNING: ${headline}`);
  });
}

Deno.test("two alerts at one moment have one start", async () => {
  const lines = await linesOf(
    {
      name: "NoData",
      severity: "critical",
      labels: { host: "a" },
      summary: "no data",
    },
    {
      name: "NoData",
      severity: "critical",
      labels: { host: "b" },
      summary: "no data",
    },
  );
  assertEquals(lines[1], "◆ Since 08:00:00 UTC, 2 alerts, none resolved");
});

Deno.test("a pod's workload is ill, whoever measured it, and no label is left out unsaid", async () => {
  const lines = await linesOf({
    name: "PodRestarts",
    severity: "critical",
    labels: {
      az: "b",
      container: "web",
      endpoint: "http",
      instance: "10.7.0.3:8080",
      job: "kube-state-metrics",
      namespace: "books",
      node: "n-4",
      pod: "ledger-api-6c5f7d8b9c-4hx2z",
      reason: "Error",
      service: "ksm-kube-state-metrics",
      tier: "gold",
      uid: "0b9c",
      zone: "north",
    },
    says: "It restarts.",
  });
  assertEquals(lines[0], "\u{1F534} CRITICAL · ledger-api: It restarts");
  assertEquals(
    find(lines, "\u{1F534} PodRestarts"),
    "\u{1F534} PodRestarts on ledger-api-6c5f7d8b9c-4hx2z",
  );
  const [, shown = "", left] = /^• “(.*)” and (\d+) more labels$/
    .exec(find(lines, "• “")!) ?? [];
  assertEquals(
    [shown.split(", ").length, shown.startsWith("namespace: books, ")],
    [4, true],
  );
  assertEquals(left, "4");
  assert(!lines.join("\n").includes("kube-state-metrics"));
});

Deno.test("a long text says what is cut, and where all of it is", async () => {
  const long = "All of the queue is stuck behind one letter, and ".repeat(400);
  const lines = await linesOf({
    name: "Stuck",
    severity: "warning",
    says: long,
  });
  const text = lines.join("\n");
  assert(text.length < 2000, text);
  assertEquals(lines[0]!.at(-1), "…");
  assertMatch(
    find(lines, "◆ As of")!,
    / · the whole description is in the payload, E1 \(\d+(?:\.\d)? KiB\) · /,
  );
  assertMatch(find(lines, "◆ As of")!, /1 text that is cut here$/);
  // What the headline begins stands below as far as there is room, once.
  assertEquals(lines.filter((line) => line.includes("one letter")).length, 2);
});

Deno.test("a text of nothing that can be seen is none, and the id stands for it", async () => {
  const delivery = await PAGERDUTY.read({
    event: {
      id: "01BLANK",
      event_type: "incident.triggered",
      resource_type: "incident",
      occurred_at: "2026-05-06T08:00:00Z",
      data: {
        id: "QBLANK01",
        html_url: "https://books.pagerduty.com/incidents/QBLANK01",
        number: 12,
        status: "triggered",
        title: "\u2060\u200d \ufeff\u{E0041}",
        created_at: "2026-05-06T08:00:00Z",
        service: { id: "P1", summary: "\u200b\u2063" },
        urgency: "high",
      },
    },
  }, { events: ["incident.triggered"] } as never);
  assert("incident" in delivery);
  const { message } = await previewMessage(delivery.incident, SETTINGS);
  const [headline, ...lines] = message.text.split("\n");
  assertEquals(headline, "\u{1F7E0} ERROR: pagerduty:QBLANK01");
  assertEquals(lines, ["Triggered 08:00:00 UTC, not acknowledged"]);
});
