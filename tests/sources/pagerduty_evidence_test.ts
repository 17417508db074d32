import { assert, assertEquals } from "@std/assert";
import type { IncidentInput } from "../../lib/incident.ts";
import { readPagerDutyDelivery } from "../../lib/sources/pagerduty/webhook.ts";
import { collectPagerDuty } from "../../lib/sources/pagerduty/evidence.ts";
import { summarize } from "../../lib/summary/builtin.ts";
import { spoil } from "../support/junk.ts";
import { bundleOf } from "../support/read_source.ts";
import sample from "../../deploy/samples/sample_pagerduty.json" with {
  type: "json",
};

const GAP = {
  what: "alerts, log entries and notes",
  why: "PagerDuty's API was not asked; its webhook does not carry them",
  kind: "off" as const,
};

/** The incident that the ingester makes of the sample, changed. */
function incidentOf(
  data: Record<string, unknown> = {},
  event: Record<string, unknown> = {},
): IncidentInput {
  const body = {
    event: {
      ...sample.event,
      data: { ...sample.event.data, ...data },
      ...event,
    },
  };
  const type = body.event.event_type;
  const delivery = readPagerDutyDelivery(body, [type]);
  assert("incident" in delivery);
  return delivery.incident;
}

function factsOf(data: Record<string, unknown>): Record<string, string> {
  const { facts = [] } = collectPagerDuty(incidentOf(data)).context;
  return Object.fromEntries(facts.map(({ name, value }) => [name, value]));
}

function timelineOf(
  data: Record<string, unknown>,
  event: Record<string, unknown>,
): string[] {
  const { timeline = [] } = collectPagerDuty(incidentOf(data, event))
    .context;
  return timeline.map(({ at, text }) => `${at.slice(11, 19)} ${text}`);
}

Deno.test("collectPagerDuty() puts the sample in plain fields", async () => {
  const { bundle, pieces } = await bundleOf(incidentOf());
  const fact = (name: string, value: string) => ({
    name,
    value,
    evidence: ["E1"],
  });
  const context = {
    title: "Checkout latency above 2 s in eu-west-1",
    severity: "critical",
    severity_rule: "priority P1, so critical",
    service: "checkout-api",
    status: "triggered",
    source: {
      system: "pagerduty",
      url: "https://shop.pagerduty.com/incidents/Q2EXAMPLE1042X",
    },
    occurred_at: "2026-01-15T09:30:41.000Z",
    facts: [
      fact("assigned to", "Ada Example"),
      fact("escalation policy", "Shop on-call"),
      fact("teams", "Shop"),
      fact("conference bridge", "https://meet.example.com/incident-1042"),
      fact("urgency", "high"),
      fact("priority", "P1"),
      fact("incident number", "1042"),
      fact("sent by", "Prometheus"),
      fact("dedup key", "checkout-latency-prod"),
    ],
    timeline: [{
      at: "2026-01-15T09:30:41.000Z",
      text: "PagerDuty opened the incident on checkout-api",
      evidence: ["E1"],
    }],
    links: [
      { kind: "bridge", url: "https://meet.example.com/incident-1042" },
      {
        kind: "graph",
        url: "http://prometheus.example.com:9090/",
        of: "Prometheus",
      },
    ],
  };
  assertEquals<unknown>(bundle.normalized_context, context);
  assertEquals(pieces, { E1: sample, E2: context });
  assertEquals(bundle.evidence.map(({ kind, title }) => [kind, title]), [
    ["incident.raw", "PagerDuty webhook as received"],
    ["incident.context", "Incident in plain fields"],
  ]);
  assertEquals(bundle.gaps, [GAP]);
});

Deno.test("the built-in summary of PagerDuty's sample reads well", async () => {
  const { claims } = summarize((await bundleOf(incidentOf())).bundle).report;
  assertEquals(claims.map(({ place, text }) => [place, text]), [
    ["headline", "Checkout latency above 2 s in eu-west-1"],
    [
      "state",
      "Triggered 09:30:41 UTC, not acknowledged · “Ada Example” " +
      "(“Shop on-call”) is assigned",
    ],
    [
      "small",
      "As of 2026-01-15 09:30:41 UTC, from the webhook alone: no alerts, " +
      "logs or changes were read · urgency high · team Shop",
    ],
  ]);
});

Deno.test("collectPagerDuty() names at most 10 people and counts the rest", () => {
  const people = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ summary: `u${at}` }));
  const ten = "u0, u1, u2, u3, u4, u5, u6, u7, u8, u9";
  assertEquals(factsOf({ assignees: people(10) })["assigned to"], ten);
  assertEquals(
    factsOf({ assignees: people(12) })["assigned to"],
    `${ten}, 2 more`,
  );
});

Deno.test("collectPagerDuty() has no fact of what is not said", () => {
  const facts = factsOf({
    assignees: [],
    teams: [null, {}, { summary: " " }],
    escalation_policy: null,
    conference_bridge: null,
    urgency: null,
    priority: null,
    incident_key: null,
    number: {},
  });
  assertEquals(facts, { "sent by": "Prometheus" });
});

Deno.test("collectPagerDuty() names an incident type of the account's own", () => {
  assertEquals(
    factsOf({ incident_type: { name: "security" } })["incident type"],
    "security",
  );
});

const ESCALATED = {
  event_type: "incident.escalated",
  occurred_at: "2026-01-15T09:45:00Z",
  agent: { type: "user_reference", summary: "Ada Example" },
};
const TIMELINES: [
  what: string,
  data: Record<string, unknown>,
  event: Record<string, unknown>,
  timeline: string[],
][] = [
  ["an incident without its moment", { created_at: null }, {}, []],
  ["an incident without a service", { service: null }, {}, [
    "09:30:41 PagerDuty opened the incident",
  ]],
  ["a person's event", {}, ESCALATED, [
    "09:30:41 PagerDuty opened the incident on checkout-api",
    "09:45:00 PagerDuty reported incident.escalated by “Ada Example”",
  ]],
  ["an event of nobody", {}, { ...ESCALATED, agent: null }, [
    "09:30:41 PagerDuty opened the incident on checkout-api",
    "09:45:00 PagerDuty reported incident.escalated",
  ]],
  [
    "an incident reopened",
    { reopened_at: "2026-01-15T11:50:00+02:00" },
    { ...ESCALATED, event_type: "incident.priority_updated" },
    [
      "09:30:41 PagerDuty opened the incident on checkout-api",
      "09:45:00 PagerDuty reported incident.priority_updated by “Ada Example”",
      "09:50:00 PagerDuty reopened the incident",
    ],
  ],
];
for (const [what, data, event, timeline] of TIMELINES) {
  Deno.test(`collectPagerDuty() tells the time of ${what}`, () => {
    assertEquals(timelineOf(data, event), timeline);
  });
}

Deno.test("collectPagerDuty() makes do with an incident that a person wrote", async () => {
  const incident: IncidentInput = {
    incident_id: "pagerduty:P1",
    source: { system: "pagerduty" },
    urgency: "low",
  };
  const { bundle, pieces } = await bundleOf(incident);
  assertEquals(pieces["E1"], incident);
  assertEquals(bundle.normalized_context?.facts?.map(({ name }) => name), [
    "urgency",
  ]);
  assertEquals(bundle.gaps, [GAP]);
});

Deno.test("collectPagerDuty() gives a valid bundle whatever the payload holds", async () => {
  for (const raw of spoil(sample, 500)) {
    if (typeof raw !== "object" || raw === null || Array.isArray(raw)) continue;
    await bundleOf({
      incident_id: "x",
      source: { system: "pagerduty" },
      raw: raw as Record<string, unknown>,
    });
  }
});
