import { assertEquals } from "@std/assert";
import type { Fact, NormalizedContext } from "../../../lib/incident.ts";
import { state } from "../../../lib/summary/rules/state.ts";
import { alertsOf, group, textsOf } from "./support.ts";

const AT = "2026-03-04T08:00:00.000Z";
const PAGED: NormalizedContext = {
  source: { system: "pagerduty" },
  occurred_at: AT,
  status: "triggered",
};
const fact = (name: string, value: string) => ({
  name,
  value,
  evidence: ["E1"],
});

const TOLD: readonly [what: string, NormalizedContext, text: string[]][] = [
  ["nothing of an incident without a time", {}, []],
  ["since when, and the status in its own words", {
    occurred_at: AT,
    status: "being looked at",
  }, ["Since 08:00:00 UTC, now “being looked at”"]],
  ["that nobody has acknowledged a page, and who is assigned", {
    ...PAGED,
    facts: [
      fact("assigned to", "Ada"),
      fact("escalation policy", "Shop on-call"),
    ],
  }, [
    "Triggered 08:00:00 UTC, not acknowledged · Ada (“Shop on-call”) is assigned",
  ]],
  ["that somebody has acknowledged a page", {
    ...PAGED,
    status: "acknowledged",
  }, ["Triggered 08:00:00 UTC, acknowledged"]],
  ["that a page is over", {
    ...PAGED,
    status: "resolved",
  }, ["Triggered 08:00:00 UTC, resolved"]],
  ["a single alert's start", alertsOf([group()]), ["Since 08:00:00 UTC"]],
  [
    "how many are as bad, the newest, and that some are resolved",
    alertsOf([
      group({ count: 2, newest: "2026-03-04T08:05:00.000Z" }),
      group({
        name: "Old",
        severity: "warning",
        since: "2026-03-01T08:00:00.000Z",
      }),
    ], { resolved: 1 }),
    [
      "Since 08:00:00 UTC, 2 of 3 critical, newest 08:05:00, 1 of 4 resolved",
    ],
  ],
  [
    "what all alerts say",
    alertsOf([group({ count: 2 })], {
      all_say: "Nobody can pay.",
    }),
    ["Since 08:00:00 UTC, 2 alerts, none resolved. Both say: “Nobody can pay.”"],
  ],
  [
    "the worst of alerts that groups have no room for",
    alertsOf([group()], {
      firing: 500,
      worst: 167,
      newest: "2026-03-04T08:59:00.000Z",
      others: { groups: 99, alerts: 499, severity: "critical" },
    }),
    [
      "Since 08:00:00 UTC, 167 of 500 critical, newest 08:59:00, none resolved",
    ],
  ],
  [
    "nothing of alerts that the sender left out",
    alertsOf([group({ count: 2 })], { firing: 2, cut: 9 }),
    ["Since 08:00:00 UTC, 2 alerts"],
  ],
  [
    "that only those are over which the sender did not leave out",
    alertsOf([group({ count: 2 })], { firing: 0, resolved: 2, cut: 9 }),
    ["Since 08:00:00 UTC, 2 alerts, all in the webhook are resolved"],
  ],
  [
    "that the only one is over which the sender did not leave out",
    alertsOf([group()], { firing: 0, resolved: 1, cut: 9 }),
    ["Since 08:00:00 UTC, the one in the webhook is resolved"],
  ],
  [
    "that all are over",
    alertsOf([group({ count: 2 })], {
      firing: 0,
      resolved: 2,
    }),
    ["Since 08:00:00 UTC, 2 alerts, all resolved"],
  ],
];
for (const [what, context, texts] of TOLD) {
  Deno.test(`state tells ${what}`, () => {
    assertEquals(textsOf(state, context), texts);
  });
}

Deno.test("state tells how long ago it began if another system was asked", () => {
  const lookups = [{ collector: "github", state: "nothing" as const }];
  assertEquals(textsOf(state, { occurred_at: AT }, { lookups }), [
    "Since 08:00:00 UTC (60 min ago)",
  ]);
});

const people = (name: string, value: string) => ({
  name,
  value,
  kind: "people" as const,
  evidence: ["E2"],
});
const NOW: readonly [what: string, facts: Fact[], text: string][] = [
  [
    "who has acknowledged it since",
    [
      fact("assigned to", "Bo"),
      people(
        "PagerDuty status",
        "acknowledged by Ada Example, 3 min after the start",
      ),
      people("assigned now to", "Ada Example, Bo"),
      people("next escalation", "2026-03-04 08:33:00 UTC"),
    ],
    "Triggered 08:00:00 UTC (60 min ago), acknowledged by “Ada Example” 3 min after · “Ada Example, Bo” are assigned",
  ],
  [
    "that nobody has, and when it escalates",
    [
      people("PagerDuty status", "triggered, at the start"),
      people("next escalation", "2026-03-04 09:33:00 UTC"),
    ],
    "Triggered 08:00:00 UTC (60 min ago), not acknowledged · escalates at 09:33 UTC",
  ],
  ["that it is over", [
    people("PagerDuty status", "resolved by Ada, 40 min after the start"),
  ], "Triggered 08:00:00 UTC (60 min ago), resolved by Ada 40 min after"],
  ["the webhook's word where PagerDuty's is in another form", [
    people("PagerDuty status", "fine [E1]"),
  ], "Triggered 08:00:00 UTC (60 min ago), not acknowledged"],
];
for (const [what, facts, text] of NOW) {
  Deno.test(`state tells from PagerDuty ${what}`, () => {
    const lookups = [{ collector: "pagerduty", state: "found" as const }];
    assertEquals(textsOf(state, { ...PAGED, facts }, { lookups }), [text]);
  });
}

Deno.test("state tells that Alertmanager has none of the alerts any more", () => {
  const lookups = [{
    collector: "alertmanager",
    question: "silences and inhibitions",
    state: "nothing" as const,
    why: "Alertmanager has none of its alerts now",
  }];
  const told = (firing: number) =>
    textsOf(
      state,
      alertsOf([group({ count: 2 })], { firing, resolved: 2 - firing }),
      {
        lookups,
      },
    );
  assertEquals(told(2), [
    "Since 08:00:00 UTC (60 min ago), 2 alerts, Alertmanager has none of them now",
  ]);
  assertEquals(told(0), [
    "Since 08:00:00 UTC (60 min ago), 2 alerts, all resolved",
  ]);
});
