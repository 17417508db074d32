import { assert, assertEquals, assertThrows } from "@std/assert";
import type { IncidentInput } from "../../lib/incident.ts";
import { type Delivery, DeliveryError } from "../../lib/sources/source.ts";
import {
  PAGERDUTY_INCIDENT_EVENTS,
  readPagerDutyDelivery,
} from "../../lib/sources/pagerduty/webhook.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { spoil } from "../support/junk.ts";
import sample from "../../deploy/samples/sample_pagerduty.json" with {
  type: "json",
};

const checkIncident = compileCheck("IncidentInput");
const STARTS = ["incident.triggered"];

/** The sample with other fields of the event and of the incident. */
function webhook(
  data: Record<string, unknown> = {},
  event: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    event: {
      ...sample.event,
      data: { ...sample.event.data, ...data },
      ...event,
    },
  };
}

function read(body: unknown, starts = STARTS): Delivery {
  const delivery = readPagerDutyDelivery(body, starts);
  assert("incident" in delivery);
  assertEquals(checkIncident(delivery.incident), undefined);
  return delivery;
}

function incidentOf(data: Record<string, unknown>): IncidentInput {
  return read(webhook(data)).incident;
}

Deno.test("readPagerDutyDelivery() reads the sample", () => {
  assertEquals(readPagerDutyDelivery(sample, STARTS), {
    key: "01EXAMPLE7C9F4ENRICHER0001",
    at: "2026-01-15T09:30:41.512Z",
    incident: {
      incident_id: "pagerduty:Q2EXAMPLE1042X",
      source: {
        system: "pagerduty",
        url: "https://shop.pagerduty.com/incidents/Q2EXAMPLE1042X",
      },
      title: "Checkout latency above 2 s in eu-west-1",
      severity: "critical",
      severity_rule: "priority P1, so critical",
      service: "checkout-api",
      urgency: "high",
      priority: "P1",
      dedup_key: "checkout-latency-prod",
      occurred_at: "2026-01-15T09:30:41.000Z",
      raw: sample,
    },
  });
});

Deno.test("readPagerDutyDelivery() makes do with what an incident cannot be without", () => {
  const body = {
    event: {
      id: "E",
      event_type: "incident.triggered",
      data: { id: "P" },
    },
  };
  assertEquals(read(body), {
    key: "E",
    incident: {
      incident_id: "pagerduty:P",
      source: { system: "pagerduty" },
      raw: body,
    },
  });
});

Deno.test("readPagerDutyDelivery() keys by the event, names by the incident", () => {
  const first = read(webhook());
  assertEquals(read(structuredClone(sample)), first);
  const later = read(webhook({}, { id: "01OTHER" }));
  assertEquals(later.key, "01OTHER");
  assertEquals(later.incident.incident_id, first.incident.incident_id);
});

Deno.test("readPagerDutyDelivery() dates an incident by its creation, a delivery by its event", () => {
  const reopened = read(
    webhook({ created_at: "2026-01-14T10:00:00+01:00" }, {
      event_type: "incident.reopened",
    }),
    ["incident.reopened"],
  );
  assertEquals(reopened.incident.occurred_at, "2026-01-14T09:00:00.000Z");
  assertEquals(reopened.at, "2026-01-15T09:30:41.512Z");
  assertEquals(
    incidentOf({ created_at: null }).occurred_at,
    "2026-01-15T09:30:41.512Z",
  );
});

/** As PagerDuty's documentation of Webhooks V3 lists them. */
const INCIDENT = [
  ...["triggered", "acknowledged", "unacknowledged", "reassigned"],
  ...["delegated", "escalated", "priority_updated", "reopened", "resolved"],
  ...["service_updated", "incident_type.changed"],
].map((name) => `incident.${name}`);
const PARTS = [
  ...["incident.annotated", "incident.status_update_published"],
  ...["incident.responder.added", "incident.responder.replied"],
  ...["incident.conference_bridge.updated", "incident.role.assigned"],
  ...["incident.custom_field_values.updated", "incident.task.created"],
  ...["incident.task.updated", "incident.task.completed"],
  ...["incident.action_invocation.created", "incident.workflow.started"],
  ...["incident.action_invocation.updated", "incident.workflow.completed"],
  ...["incident.action_invocation.terminated", "service.created"],
  ...["service.updated", "service.deleted"],
  ...["service.custom_field_values.updated"],
];

Deno.test("PAGERDUTY_INCIDENT_EVENTS are those that carry an incident", () => {
  assertEquals(PAGERDUTY_INCIDENT_EVENTS, INCIDENT);
});

for (const type of INCIDENT) {
  Deno.test(`readPagerDutyDelivery() starts with ${type} if it is told to`, () => {
    const body = webhook({}, { event_type: type });
    assertEquals(read(body, ["incident.x", type]).key, sample.event.id);
    assertEquals(readPagerDutyDelivery(body, []), { ignored: `event ${type}` });
  });
}

for (const type of PARTS) {
  Deno.test(`readPagerDutyDelivery() starts nothing with ${type}, whatever it is told`, () => {
    assertEquals(
      readPagerDutyDelivery(webhook({}, { event_type: type }), [type]),
      {
        ignored: `event ${type}`,
      },
    );
  });
}

const IGNORED: [what: string, event: Record<string, unknown>, why: string][] = [
  ["a ping", { event_type: "pagey.ping", data: { type: "ping" } }, "ping"],
  ["a ping without data", { event_type: "pagey.ping", data: null }, "ping"],
  [
    "another's data",
    { event_type: "incident.annotated", data: null },
    "event incident.annotated",
  ],
  [
    "a new type",
    { event_type: "incident.merged_v2" },
    "unknown event incident.merged_v2",
  ],
  [
    "a type that says more",
    { event_type: 'x"\n<b>é' },
    "unknown event x???b??",
  ],
  [
    "a type like the prototype's",
    { event_type: "constructor" },
    "unknown event constructor",
  ],
  [
    "a type in another case",
    { event_type: "Incident.Triggered" },
    "unknown event Incident.Triggered",
  ],
  [
    "a type that holds a credential",
    { event_type: `incident.${["ghp", "7Zq".repeat(12)].join("_")}` },
    "unknown event",
  ],
  [
    "a type of 60 characters",
    { event_type: "x".repeat(60) },
    `unknown event ${"x".repeat(60)}`,
  ],
  [
    "a type of 61 characters",
    { event_type: "x".repeat(61) },
    `unknown event ${"x".repeat(59)}…`,
  ],
];
for (const [what, event, ignored] of IGNORED) {
  Deno.test(`readPagerDutyDelivery() ignores ${what} and says so`, () => {
    const starts = [...STARTS, "constructor", "incident.merged_v2"];
    assertEquals(readPagerDutyDelivery(webhook({}, event), starts), {
      ignored,
    });
  });
}

const SEVERITIES: [
  priority: unknown,
  urgency: unknown,
  severity: string | undefined,
  rule: string | undefined,
][] = [
  [{ summary: "P1" }, "low", "critical", "priority P1, so critical"],
  [{ summary: "P2" }, "low", "error", "priority P2, so error"],
  [{ summary: "P3" }, "high", "warning", "priority P3, so warning"],
  [{ summary: "P4" }, "high", "info", "priority P4, so info"],
  [{ summary: "P5" }, "high", "info", "priority P5, so info"],
  [{ name: "SEV-0" }, null, "critical", "priority SEV-0, so critical"],
  [
    { summary: "sev 2 (major)" },
    null,
    "error",
    "priority sev 2 (major), so error",
  ],
  [{ summary: "High" }, null, "error", "priority High, so error"],
  [
    { summary: "P12" },
    "high",
    "error",
    'priority "P12" is not known; urgency high, so error',
  ],
  [
    { summary: "P6" },
    "low",
    "warning",
    'priority "P6" is not known; urgency low, so warning',
  ],
  [
    { summary: "Wichtig" },
    "high",
    "error",
    'priority "Wichtig" is not known; urgency high, so error',
  ],
  [
    { summary: "constructor" },
    "high",
    "error",
    'priority "constructor" is not known; urgency high, so error',
  ],
  [{ summary: "SEV_1" }, "low", "critical", "priority SEV_1, so critical"],
  [
    { summary: "not critical" },
    "high",
    "error",
    'priority "not critical" is not known; urgency high, so error',
  ],
  [
    { summary: "Wichtig" },
    null,
    "unknown",
    'priority "Wichtig" is not a known severity, so warning',
  ],
  [null, "high", "error", "urgency high, so error"],
  [null, "low", "warning", "urgency low, so warning"],
  [null, "HIGH", undefined, undefined],
  [null, null, undefined, undefined],
  ["P1", undefined, undefined, undefined],
];
for (const [priority, urgency, severity, rule] of SEVERITIES) {
  Deno.test(
    `readPagerDutyDelivery() makes ${severity} of priority ${
      JSON.stringify(priority)
    } and urgency ${urgency}`,
    () => {
      const incident = incidentOf({ priority, urgency });
      assertEquals([incident.severity, incident.severity_rule], [
        severity,
        rule,
      ]);
    },
  );
}

Deno.test("readPagerDutyDelivery() leaves out what describes an incident and is not as it should be", () => {
  const { raw: _, ...rest } = incidentOf({
    title: 7,
    html_url: "javascript:alert(1)",
    service: "checkout",
    urgency: {},
    priority: [],
    incident_key: null,
    created_at: "yesterday",
  });
  assertEquals(rest, {
    incident_id: "pagerduty:Q2EXAMPLE1042X",
    source: { system: "pagerduty" },
    occurred_at: "2026-01-15T09:30:41.512Z",
  });
});

Deno.test("readPagerDutyDelivery() takes the year 1 for no time", () => {
  const { occurred_at } = incidentOf({ created_at: "0001-01-01T00:00:00Z" });
  assertEquals(occurred_at, "2026-01-15T09:30:41.512Z");
});

Deno.test("readPagerDutyDelivery() names a service by its id if it has no name", () => {
  assertEquals(
    incidentOf({ service: { id: "PSVC", summary: " " } }).service,
    "PSVC",
  );
});

Deno.test("readPagerDutyDelivery() cuts what is too long, with a mark", () => {
  const cuts: [
    field: string,
    charsMax: number,
    read: (text: string) => string | undefined,
  ][] = [
    ["title", 1000, (title) => incidentOf({ title }).title],
    ["service", 200, (summary) => incidentOf({ service: { summary } }).service],
    [
      "priority",
      100,
      (summary) => incidentOf({ priority: { summary } }).priority,
    ],
    ["key", 300, (incident_key) => incidentOf({ incident_key }).dedup_key],
  ];
  for (const [field, charsMax, read] of cuts) {
    const longest = "x".repeat(charsMax);
    assertEquals(read(longest), longest, field);
    assertEquals(read(`${longest}x`), `${longest.slice(0, -1)}…`, field);
  }
  const rule = incidentOf({ priority: { summary: `P1 ${"x".repeat(300)}` } })
    .severity_rule;
  assert(
    rule?.startsWith("priority P1 xxx") && rule.endsWith("…, so critical"),
  );
});

const BAD_ID = "must be 1 to 150 visible ASCII characters without blanks";
const REFUSED: [what: string, body: unknown, message: string][] = [
  ["null", null, "the body must be a JSON object"],
  ["a text", "s3cret", "the body must be a JSON object"],
  ["a list", [sample], "the body must be a JSON object"],
  ["no event", {}, '"event" must be an object'],
  ["an event that is a list", { event: [] }, '"event" must be an object'],
  [
    "no type",
    webhook({}, { event_type: undefined }),
    '"event.event_type" must be a text',
  ],
  [
    "an empty type",
    webhook({}, { event_type: "" }),
    '"event.event_type" must be a text',
  ],
  ["no event id", webhook({}, { id: undefined }), `"event.id" ${BAD_ID}`],
  [
    "an event id that is a number",
    webhook({}, { id: 7 }),
    `"event.id" ${BAD_ID}`,
  ],
  [
    "an event id with a blank",
    webhook({}, { id: "s3 cret" }),
    `"event.id" ${BAD_ID}`,
  ],
  [
    "an event id of 151 characters",
    webhook({}, { id: "x".repeat(151) }),
    `"event.id" ${BAD_ID}`,
  ],
  ["no data", webhook({}, { data: null }), '"event.data" must be an object'],
  ["no incident id", webhook({ id: null }), `"event.data.id" ${BAD_ID}`],
  [
    "an incident id beyond ASCII",
    webhook({ id: "é" }),
    `"event.data.id" ${BAD_ID}`,
  ],
  [
    "what would overflow the stack",
    { event: JSON.parse("[".repeat(50_000) + "]".repeat(50_000)) },
    "the body must be nested at most 64 deep",
  ],
];
for (const [what, body, message] of REFUSED) {
  Deno.test(`readPagerDutyDelivery() refuses ${what}, and quotes nothing`, () => {
    const refused = () => readPagerDutyDelivery(body, STARTS);
    assertEquals(assertThrows(refused, DeliveryError).message, message);
  });
}

Deno.test("readPagerDutyDelivery() takes ids of 150 characters", () => {
  const id = "~".repeat(150);
  const { key, incident } = read(webhook({ id }, { id }));
  assertEquals([key, incident.incident_id], [id, `pagerduty:${id}`]);
});

Deno.test("readPagerDutyDelivery() throws nothing but DeliveryError, and gives what a worker takes", () => {
  const counts = { read: 0, ignored: 0, refused: 0 };
  for (const body of spoil(sample, 3000)) {
    try {
      const delivery = readPagerDutyDelivery(body, STARTS);
      if ("ignored" in delivery) {
        counts.ignored++;
        assert(delivery.ignored.length <= 100);
        continue;
      }
      counts.read++;
      assert(delivery.key !== "");
      const problem = checkIncident(
        JSON.parse(JSON.stringify(delivery.incident)),
      );
      assertEquals(problem, undefined, JSON.stringify(body));
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      counts.refused++;
    }
  }
  assert(Math.min(...Object.values(counts)) > 50, JSON.stringify(counts));
});
