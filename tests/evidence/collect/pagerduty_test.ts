import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  PAGERDUTY_KEY,
  type PagerDutyData,
  type PagerDutyRecords,
  startPagerDutyApi,
} from "../../../deploy/standins/pagerduty.ts";
import { readConfig } from "../../../lib/base/config.ts";
import { pagerduty } from "../../../lib/evidence/collect/pagerduty.ts";
import { GapError } from "../../../lib/evidence/collector.ts";
import type { GapKind, IncidentInput } from "../../../lib/incident.ts";
import { collect, openIo, testFaults } from "../../support/collecting.ts";

const ID = "PCHECK01";
const INCIDENT: IncidentInput = {
  incident_id: `pagerduty:${ID}`,
  title: "Checkout is slow",
  occurred_at: "2026-01-15T09:30:00Z",
  source: { system: "pagerduty" },
};
const user = (id: string, summary: string) => ({
  id,
  type: "user_reference",
  summary,
  email: "somebody@shop.example",
});
const ADA = user("PADA001", "Ada Example");
const GRACE = user("PGRACE1", "Grace Sample");
const CHECKOUT = {
  id: "PSVC1",
  type: "service_reference",
  summary: "checkout",
};

const RECORDS: PagerDutyRecords = {
  incident: {
    id: ID,
    incident_number: 481,
    title: "Checkout is slow",
    html_url: `https://shop.pagerduty.com/incidents/${ID}`,
    status: "acknowledged",
    urgency: "high",
    priority: { id: "PP2", summary: "P2" },
    service: CHECKOUT,
    created_at: "2026-01-15T09:30:00Z",
    last_status_change_at: "2026-01-15T04:33:00-05:00",
    last_status_change_by: ADA,
    assignments: [{ at: "2026-01-15T09:30:05Z", assignee: ADA }],
    acknowledgements: [{ at: "2026-01-15T09:33:00Z", acknowledger: ADA }],
    incidents_responders: [{
      state: "pending",
      message: "Ask dba@shop.example too",
      requested_at: "2026-01-15T04:40:00-05:00",
      user: GRACE,
    }],
    pending_actions: [{ type: "escalate", at: "2026-01-15T10:03:00Z" }],
  },
  alerts: [
    {
      summary: "orders-db does not answer",
      status: "triggered",
      severity: "critical",
      created_at: "2026-01-15T09:34:00Z",
      service: CHECKOUT,
      body: {
        type: "alert_body",
        details: { owner: "dba@shop.example", pool: "exhausted" },
        contexts: [
          { type: "link", href: "https://grafana.example/d/1", text: "Board" },
          { type: "link", href: "javascript:alert(1)" },
          { type: "link", href: "https://mail.example/?to=ada@shop.example" },
        ],
      },
    },
    {
      summary: "p99 is 2.4 s",
      status: "resolved",
      severity: "warning",
      created_at: "2026-01-15T09:30:00Z",
      body: { details: "p99=2.4" },
    },
  ],
  log: [
    {
      type: "acknowledge_log_entry",
      summary: "Acknowledged by Ada Example.",
      created_at: "2026-01-15T09:33:00Z",
      agent: ADA,
      channel: { type: "website" },
    },
    {
      type: "annotate_log_entry",
      summary: "Note added by Ada Example.",
      created_at: "2026-01-15T09:41:00Z",
      agent: ADA,
    },
    {
      type: "trigger_log_entry",
      summary: "Triggered through the API.",
      created_at: "2026-01-15T09:30:00Z",
    },
  ],
  notes: [{
    user: ADA,
    content: "Rolled back,\nmailed dba@shop.example",
    created_at: "2026-01-15T04:41:00-05:00",
  }],
  past: [
    {
      incident: {
        id: "POLD002",
        title: "Checkout errors",
        created_at: "2026-01-12T08:00:00Z",
      },
      score: 21.5,
    },
    {
      incident: {
        id: "POLD001",
        title: "Checkout was slow",
        created_at: "2026-01-05T08:00:00Z",
      },
      score: 47.2,
    },
  ],
  changes: [
    {
      summary: "Switched the flag back",
      timestamp: "2026-01-15T09:45:00Z",
      source: "flags",
      services: [CHECKOUT],
      links: [],
    },
    {
      summary: "Deployed checkout v1.2.3",
      timestamp: "2026-01-15T04:26:00-05:00",
      source: "ci",
      services: [CHECKOUT],
      links: [{ href: "https://ci.example/run/7", text: "Run" }],
      custom_details: { author: "ada@shop.example", sha: "a1b2c3d" },
      correlation_reason: { reason: "related_service" },
    },
  ],
};
const OLD: PagerDutyRecords = {
  notes: [
    {
      user: GRACE,
      content: "Pool was full",
      created_at: "2026-01-05T08:20:00Z",
    },
    {
      user: GRACE,
      content: "Doubled the pool",
      created_at: "2026-01-05T09:00:00Z",
    },
  ],
};

const NEWER: PagerDutyRecords = {
  incident: {
    id: "POLD002",
    status: "resolved",
    created_at: "2026-01-12T08:00:00Z",
    resolved_at: "2026-01-12T08:41:00Z",
    last_status_change_by: GRACE,
  },
};

const start = (records: PagerDutyRecords = RECORDS, rest: PagerDutyData = {}) =>
  startPagerDutyApi({
    incidents: { [ID]: records, POLD001: OLD, POLD002: NEWER },
    ...rest,
  });
const env = (url: string) => ({
  PAGERDUTY_API_TOKEN: PAGERDUTY_KEY,
  PAGERDUTY_API_URL: url,
});
const ask = (url: string, rest = {}) =>
  collect(pagerduty, { env: env(url), incident: INCIDENT, ...rest });

testFaults({ collector: pagerduty, start, env, incident: INCIDENT });

Deno.test("pagerduty: people, alerts, log, notes, changes and the past become facts", async () => {
  await using api = start();
  const found = await ask(api.url);
  assertEquals(
    found.facts.map(({ name, value, kind }) => [kind, name, value]),
    [
      [
        "change",
        "last change",
        "Deployed checkout v1.2.3 on checkout from ci, 4 min before the start",
      ],
      [
        "change",
        "changes related by PagerDuty",
        "2, 1 of them since the start",
      ],
      [
        "history",
        "similar incidents",
        "2, the last: Checkout errors, 3 d before",
      ],
      [
        "history",
        "how the last one ended",
        "resolved after 41 min by Grace Sample",
      ],
      [
        "history",
        "last note of a similar incident",
        "Checkout was slow, 10 d before: Grace Sample: Doubled the pool",
      ],
      [
        "people",
        "PagerDuty status",
        "acknowledged by Ada Example, 3 min after the start",
      ],
      ["people", "assigned now to", "Ada Example"],
      ["people", "responders", "Grace Sample (pending)"],
      ["people", "next escalation", "2026-01-15 10:03:00 UTC"],
      [
        "alert",
        "alerts in the incident",
        "2, 1 of them not resolved, the worst critical",
      ],
      [
        "people",
        "last note",
        "Ada Example: Rolled back, mailed (e-mail)",
      ],
    ],
  );
  assertEquals(found.gaps, []);
  assertEquals(found.lookups.map(({ state }) => state), [
    "found",
    "found",
    "found",
  ]);
  assertEquals(api.mistakes, []);
  assertEquals(api.asked.length, 9);
  assert(
    api.asked.some((path) => path.includes("log_entries?is_overview=true&")),
  );
});

Deno.test("pagerduty: moments are in order and in UTC, each of its kind", async () => {
  await using api = start();
  const found = await ask(api.url);
  assertEquals(found.timeline.flatMap(({ change }) => change ?? []), [
    {
      what: "deployment",
      of: "checkout",
      by: "ci",
      says: "Deployed checkout v1.2.3",
      url: "https://ci.example/run/7",
    },
    {
      what: "flag",
      of: "checkout",
      by: "flags",
      says: "Switched the flag back",
    },
  ]);
  assertEquals(found.timeline.map(({ at, kind, text }) => [at, kind, text]), [
    [
      "2026-01-15T09:26:00.000Z",
      "change",
      "Change: Deployed checkout v1.2.3 on checkout from ci https://ci.example/run/7",
    ],
    ["2026-01-15T09:30:00.000Z", "alert", "Alert: p99 is 2.4 s (warning)"],
    [
      "2026-01-15T09:33:00.000Z",
      "people",
      "PagerDuty: Acknowledged by Ada Example.",
    ],
    [
      "2026-01-15T09:34:00.000Z",
      "alert",
      "Alert: orders-db does not answer (critical)",
    ],
    [
      "2026-01-15T09:41:00.000Z",
      "people",
      "Note of Ada Example: Rolled back, mailed (e-mail)",
    ],
    [
      "2026-01-15T09:45:00.000Z",
      "change",
      "Change: Switched the flag back on checkout from flags",
    ],
  ]);
});

Deno.test("pagerduty: pieces keep no e-mail address, no offset and no script", async () => {
  await using api = start();
  const found = await ask(api.url);
  const all = found.pieces.map(({ content }) => content).join("\n");
  assert(!/@|-05:00|javascript/.test(all), all);
  const incident = JSON.parse(found.pieces[2]!.content);
  assertEquals(incident.status_since, "2026-01-15T09:33:00.000Z");
  assertEquals(incident.alerts[1].details, {
    owner: "(e-mail)",
    pool: "exhausted",
  });
  assertEquals(incident.alerts[1].links, [{
    href: "https://grafana.example/d/1",
    text: "Board",
  }]);
});

Deno.test("pagerduty: the same answers give the same bytes", async () => {
  await using api = start();
  assertEquals(await ask(api.url), await ask(api.url));
});

Deno.test("pagerduty: an incident with nothing to it is asked and says so", async () => {
  await using api = start({ incident: { id: ID, status: "triggered" } });
  const found = await ask(api.url);
  assertEquals(found.lookups.map(({ state, why }) => [state, why]), [
    ["nothing", "PagerDuty relates no change to it"],
    ["nothing", "PagerDuty knows no similar incident"],
    ["found", undefined],
  ]);
  assertEquals(found.facts.map(({ value }) => value), ["triggered"]);
  assertEquals(found.gaps, []);
});

for (const status of ["402", "403", "404"] as const) {
  Deno.test(`pagerduty: a plan that lacks two answers (${status}) loses only these`, async () => {
    await using api = start(RECORDS, { plan: status !== "402" });
    if (status !== "402") {
      api.fault = status;
      api.faultOn = (path) => /past_incidents|related_change/.test(path);
    }
    const found = await ask(api.url);
    const kind: GapKind = status === "404" ? "absent" : "refused";
    const why = (what: string) => ({
      what,
      why:
        `PagerDuty answered ${status} (refused with ${status}); the account's plan may lack it`,
      kind,
    });
    assertEquals(found.gaps, [
      why("changes that PagerDuty relates to it"),
      why("similar incidents in PagerDuty"),
    ]);
    assertEquals(found.pieces.map(({ name }) => name), ["pagerduty/incident"]);
  });
}

for (
  const [part, what, lost] of [
    [/\/PCHECK01$/, "the incident in PagerDuty", "assigned now to"],
    [/\/alerts$/, "alerts of the incident", "alerts in the incident"],
    [/\/log_entries$/, "log of the incident", undefined],
    [/PCHECK01\/notes$/, "notes of the incident", "last note"],
  ] as const
) {
  Deno.test(`pagerduty: without ${what} the rest of the incident stays`, async () => {
    await using api = start();
    api.fault = "403";
    api.faultOn = (path) => part.test(path);
    const found = await ask(api.url);
    assertEquals(found.gaps.map(({ what, kind }) => [what, kind]), [
      [what, "refused"],
    ]);
    const names = found.facts.map(({ name }) => name);
    assert(names.length >= 9 - 3, names.join());
    assert(lost === undefined || !names.includes(lost));
    assertEquals(found.pieces.length, 3);
  });
}

Deno.test("pagerduty: a log's note entry stands for a note that could not be read", async () => {
  await using api = start();
  api.fault = "403";
  api.faultOn = (path) => path.endsWith(`${ID}/notes`);
  const texts = (await ask(api.url)).timeline.map(({ text }) => text);
  assert(texts.includes("PagerDuty: Note added by Ada Example."));
});

Deno.test("pagerduty: a key that is refused is not tried for every part", async () => {
  await using api = start();
  api.fault = "401";
  await ask(api.url);
  assertEquals(api.asked.length, 3);
});

Deno.test("pagerduty: a limit in the middle ends the question, and what came stays", async () => {
  await using api = start();
  api.fault = "429";
  api.faultOn = (path) => /\/notes$|alerts$/.test(path);
  const found = await ask(api.url);
  assertEquals(found.gaps.map(({ what, kind }) => [what, kind]), [
    ["notes of the similar incident POLD002", "limited"],
    ["alerts of the incident", "limited"],
  ]);
  assertEquals(found.pieces.length, 3);
});

Deno.test("pagerduty: of the similar incidents the last and the two most alike are asked for notes", async () => {
  const past = [
    [ID, 99, "2026-01-15"],
    ["POLD1", 20, "2026-01-10"],
    ["POLD2", 30, "2026-01-11"],
    ["POLD3", 20, "2026-01-12"],
    ["POLD4", 10, "2026-01-13"],
    ["", 40, "2026-01-13"],
  ].map(([id, score, day]) => ({
    incident: { id, title: `${id}`, created_at: `${day}T08:00:00Z` },
    score,
  }));
  const notes = [
    { content: "Restarted it", created_at: "2026-01-13T09:00:00Z", user: ADA },
    { content: " ", created_at: "2026-01-13T10:00:00Z", user: ADA },
  ];
  await using api = start({ ...RECORDS, past }, {
    incidents: {
      [ID]: { ...RECORDS, past: past.slice(0, 5) },
      POLD2: {},
      POLD3: {},
      POLD4: { notes },
    },
  });
  const found = await ask(api.url);
  assertEquals(
    api.asked.filter((path) => /POLD/.test(path)),
    [
      "/incidents/POLD4",
      ...["POLD4", "POLD2", "POLD3"].map((id) => `/incidents/${id}/notes`),
    ],
  );
  assertEquals(
    found.facts.filter(({ kind }) => kind === "history").map(({ value }) =>
      value
    ),
    [
      "4, the last: POLD4, 2 d before",
      "POLD4, 2 d before: Ada Example: Restarted it",
    ],
  );
});

Deno.test("pagerduty: nobody triggers an incident, and somebody resolves it", async () => {
  const by = { last_status_change_at: "2026-01-15T09:30:00Z" };
  for (
    const [incident, expected] of [
      [
        { status: "triggered", last_status_change_by: CHECKOUT, ...by },
        "triggered, at the start",
      ],
      [
        { status: "resolved", last_status_change_by: GRACE, ...by },
        "resolved by Grace Sample, at the start",
      ],
    ] as const
  ) {
    await using api = start({ incident });
    assertEquals((await ask(api.url)).facts[0]!.value, expected);
  }
});

Deno.test("pagerduty: the newest moments and the first people of many are kept", async () => {
  const log = Array.from({ length: 60 }, (_, at) => ({
    type: "notify_log_entry",
    summary: `step ${at}`,
    created_at: new Date(Date.UTC(2026, 0, 15, 9, 30, at)).toISOString(),
  }));
  const incidents_responders = Array.from({ length: 500 }, (_, at) => ({
    user: user(`P${at}`, `Person ${at}`),
    state: "joined",
  }));
  await using api = start({ incident: { incidents_responders }, log });
  const found = await ask(api.url);
  assertEquals(found.timeline.map(({ text }) => text), [
    ...log.slice(-20).map(({ summary }) => `PagerDuty: ${summary}`),
  ]);
  assertEquals(JSON.parse(found.pieces[0]!.content).responders.length, 20);
  assertEquals(found.facts[0]!.value.split(", ").length, 10);
});

Deno.test("pagerduty: more changes than one answer holds are a gap", async () => {
  const changes = Array.from({ length: 101 }, (_, at) => ({
    summary: `change ${at}`,
    timestamp: new Date(Date.UTC(2026, 0, 15, 9, 0, at)).toISOString(),
  }));
  await using api = start({ ...RECORDS, changes });
  const found = await ask(api.url);
  assertEquals(found.gaps, [{
    what: "related changes",
    why: "at most 100 are kept",
    kind: "cut",
    got: 100,
  }]);
  assertEquals(
    found.timeline.filter(({ kind }) => kind === "change").length,
    20,
  );
});

Deno.test("pagerduty: similar incidents stay without the notes of one", async () => {
  await using api = start();
  api.fault = "500";
  api.faultOn = (path) => path.endsWith("POLD001/notes");
  const found = await ask(api.url);
  assertEquals(found.gaps.map(({ what }) => what), [
    "notes of the similar incident POLD001",
  ]);
  assertEquals(
    found.facts.filter(({ name }) => /similar/.test(name)).length,
    1,
  );
});

Deno.test("pagerduty: what came before the time was over stays", async () => {
  await using api = start();
  api.fault = "silent";
  api.faultOn = (path) => /\/notes$/.test(path);
  const found = await ask(api.url, { timeMs: 300 });
  assertEquals(found.pieces.map(({ name }) => name), [
    "pagerduty/changes",
    "pagerduty/past",
    "pagerduty/incident",
  ]);
  assertEquals(found.gaps.map(({ kind }) => kind), ["late", "late"]);
});

Deno.test("pagerduty: five pages are read, and what is left is counted", async () => {
  const alerts = Array.from({ length: 10_000 }, (_, at) => ({
    summary: `alert ${at}`,
    status: "triggered",
    created_at: new Date(Date.UTC(2026, 0, 15, 9, 30, at)).toISOString(),
  }));
  await using api = start({ ...RECORDS, alerts });
  const found = await ask(api.url);
  assertEquals(found.gaps, [{
    what: "alerts of the incident",
    why: "at most 100 are kept",
    kind: "cut",
    got: 100,
    of: 10_000,
  }]);
  const { alerts: kept } = JSON.parse(found.pieces[2]!.content);
  assertEquals([kept.length, kept[0].summary], [100, "alert 0"]);
  assertEquals(
    api.asked.filter((path) => /alerts\?/.test(path)),
    [0, 100, 200, 300, 400].map((offset) =>
      `/incidents/${ID}/alerts?limit=100&offset=${offset}&total=true`
    ),
  );
  assertEquals(api.mistakes, []);
});

Deno.test("pagerduty: a second page that fails leaves the first", async () => {
  const log = Array.from({ length: 250 }, (_, at) => ({
    type: "notify_log_entry",
    summary: `step ${at}`,
    created_at: new Date(Date.UTC(2026, 0, 15, 9, 30, at)).toISOString(),
  }));
  await using api = start({ ...RECORDS, log });
  let pages = 0;
  api.fault = "403";
  api.faultOn = (path) => path.endsWith("log_entries") && pages++ > 0;
  const found = await ask(api.url);
  assertEquals(
    found.gaps.map(({ what, kind, got, of }) => [what, kind, got, of]),
    [
      ["log of the incident", "refused", 100, 250],
    ],
  );
});

Deno.test("pagerduty: a list of 10,000 in one answer is bounded", async () => {
  const notes = Array.from({ length: 10_000 }, (_, at) => ({
    content: `note ${at}`,
    created_at: new Date(Date.UTC(2026, 0, 15, 9, 30, at)).toISOString(),
  }));
  await using api = start({ ...RECORDS, notes });
  const found = await ask(api.url);
  const { notes: kept } = JSON.parse(found.pieces[2]!.content);
  assertEquals([kept.length, kept.at(-1).text], [100, "note 9999"]);
  assertEquals(found.gaps.map(({ what, got, of }) => [what, got, of]), [
    ["notes of the incident", 100, 10_000],
  ]);
});

Deno.test("pagerduty: hostile texts stay short, one line, and are redacted", async () => {
  const secret = `ghp_${"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2"}`;
  await using api = start({
    ...RECORDS,
    incident: {
      ...RECORDS.incident as object,
      status: { toString: "x" },
      assignments: [{ assignee: { summary: "A".repeat(100_000) } }, null, 1],
      acknowledgements: "nobody",
    },
    notes: [
      { content: `${"a@".repeat(50_000)} ${secret}`, created_at: "soon" },
      {
        content: `key ${secret}`,
        user: null,
        created_at: "2026-01-15T09:41:00Z",
      },
    ],
    changes: [{
      summary: `<!channel> ${"\n".repeat(500)} ${secret}`,
      timestamp: "2026-01-15T09:26:00Z",
      links: [{ href: `https://u:${secret}@ci.example/` }, { href: 7 }],
      custom_details: { deep: Array(5000).fill({ a: [secret] }) },
    }],
  });
  const found = await ask(api.url);
  assert(!JSON.stringify(found).includes(secret));
  for (const { value } of found.facts) assert(value.length <= 500);
  assert(found.pieces.every(({ content }) => content.length < 50_000));
  assertEquals(found.gaps, []);
});

Deno.test("pagerduty: another system's incident does not concern it, nor a strange id", async () => {
  await using api = start();
  const other = await collect(pagerduty, { env: env(api.url) });
  assertEquals(other.lookups.map(({ state, why }) => [state, why]), [
    ["unconcerned", "the incident is not PagerDuty's"],
  ]);
  const strange = await ask(api.url, {
    incident: { ...INCIDENT, incident_id: "pagerduty:../users" },
  });
  assertEquals(strange.lookups[0]!.state, "unconcerned");
  assertEquals(api.asked, []);
});

Deno.test("pagerduty: a key is enough, and an address opens its host where keys lie in files", () => {
  const read = (env: Record<string, string>) => {
    const config = readConfig(pagerduty.settings, (name) => env[name]);
    return [pagerduty.isOn(config), pagerduty.reach(config)];
  };
  const reach = [{ host: "api.eu.pagerduty.com:443", why: "PagerDuty" }];
  const address = { PAGERDUTY_API_URL: "https://api.eu.pagerduty.com/" };
  const key = { PAGERDUTY_API_TOKEN: "x" };
  assertEquals(read({}), [false, []]);
  assertEquals(read(key), [true, [{
    host: "api.pagerduty.com:443",
    why: "PagerDuty",
  }]]);
  assertEquals(read(address), [false, reach]);
  assertEquals(read({ ...address, ...key }), [true, reach]);
});

Deno.test("pagerduty: a wait that the limit names is kept, one too long is not waited for", () => {
  const config = readConfig(
    pagerduty.settings,
    (name) => (env("http://p") as Record<string, string>)[name],
  );
  const { resetMs } = pagerduty.connect(config);
  const wait = (value?: string) =>
    resetMs(
      new Headers(value === undefined ? {} : { "ratelimit-reset": value }),
    );
  assertEquals(wait("12"), 12_000);
  for (const none of [undefined, "", "-1", "soon", "9999999"]) {
    assertEquals(wait(none), undefined);
  }
});

Deno.test("pagerduty: its check names the account", async () => {
  await using api = start();
  const { says } = await pagerduty.check(openIo(pagerduty, env(api.url)));
  assertEquals(says, "PagerDuty shop.pagerduty.com");
  api.fault = "401";
  await assertRejects(
    () => pagerduty.check(openIo(pagerduty, env(api.url))),
    GapError,
    "PagerDuty answered 401",
  );
  await using none = startPagerDutyApi();
  assertEquals(await pagerduty.check(openIo(pagerduty, env(none.url))), {
    says: "PagerDuty without incidents",
  });
});

Deno.test("pagerduty: of a credential in a text no part is left, wherever it is cut", async () => {
  const secret = `ghp_${"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2"}`;
  for (const length of [100, 200, 300, 2000]) {
    for (let before = length - 50; before < length; before += 3) {
      const text = `${"x ".repeat(before / 2)}${secret} and more`;
      await using api = start({
        incident: {
          title: text,
          assignments: [{ assignee: { summary: text } }],
        },
        alerts: [{ summary: text, body: { details: text } }],
        log: [{
          type: text,
          summary: text,
          created_at: "2026-01-15T09:31:00Z",
        }],
        notes: [{ content: text, user: { name: text } }],
        past: [{ incident: { id: text, title: text }, score: 1 }],
        changes: [{ summary: text, custom_details: { deep: [text] } }],
      });
      const all = JSON.stringify(await ask(api.url));
      for (let from = 0; from + 4 <= secret.length; from++) {
        const part = secret.slice(from, from + 4);
        assert(!all.includes(part), `${part} of ${before} in ${length}`);
      }
    }
  }
});
