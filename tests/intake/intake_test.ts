import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import type {
  IncidentInput,
  ReportedSeverity,
  SourceSystem,
} from "../../lib/incident.ts";
import type { Delivery } from "../../lib/sources/source.ts";
import { readPayload } from "../../lib/sources/required.ts";
import { DeliveryError } from "../../lib/sources/source.ts";
import { runKeys } from "../../lib/intake/run_key.ts";
import { readMockDelivery } from "../../lib/sources/mock/webhook.ts";
import {
  KeyBurnedError,
  type Runs,
  startOnce,
} from "../../lib/intake/start_run.ts";
import { compileCheck } from "../../lib/schema_check.ts";

const checkIncident = compileCheck("IncidentInput");

/** Reads a payload and checks that a worker would take the incident. */
function read(payload: Record<string, unknown>): IncidentInput {
  const { incident } = readMockDelivery(payload);
  assertEquals(checkIncident(incident), undefined);
  return incident;
}

function refuse(body: unknown): string {
  return assertThrows(() => readMockDelivery(body), DeliveryError).message;
}

Deno.test("readMockDelivery() reads every field that it knows", () => {
  const payload = {
    id: "INC-1",
    title: "Slow",
    severity: "Critical",
    service: "checkout-api",
    url: "https://example.com/1",
    occurred_at: "2026-01-15T10:30:00+01:00",
    status: "triggered",
  };
  assertEquals(readMockDelivery(payload), {
    key: "INC-1",
    incident: {
      incident_id: "mock:INC-1",
      source: { system: "mock", url: "https://example.com/1" },
      title: "Slow",
      severity: "critical",
      service: "checkout-api",
      occurred_at: "2026-01-15T09:30:00.000Z",
      raw: payload,
    },
  });
});

for (const nothing of [undefined, null, ""]) {
  Deno.test(`readMockDelivery() takes ${JSON.stringify(nothing)} for a field that is not there`, () => {
    const payload = {
      id: "INC-1",
      title: nothing,
      severity: nothing,
      service: nothing,
      url: nothing,
      occurred_at: nothing,
    };
    const { raw, ...rest } = readMockDelivery(payload).incident;
    assertEquals(rest, {
      incident_id: "mock:INC-1",
      source: { system: "mock" },
    });
    assertEquals(raw, payload);
  });
}

const IDS: [payload: Record<string, unknown>, id: string, key: string][] = [
  [{ id: "INC-1" }, "mock:INC-1", "INC-1"],
  [{ incident_id: "INC-1" }, "mock:INC-1", "INC-1"],
  [{ id: "INC-1", incident_id: "INC-2" }, "mock:INC-1", "INC-1"],
  [{ id: "mock:INC-1" }, "mock:INC-1", "INC-1"],
  [{ id: "pagerduty:P1" }, "mock:pagerduty:P1", "pagerduty:P1"],
  [{ id: "!" }, "mock:!", "!"],
  [{ id: "~".repeat(150) }, `mock:${"~".repeat(150)}`, "~".repeat(150)],
];
for (const [payload, incidentId, key] of IDS) {
  Deno.test(
    `readMockDelivery() makes ${incidentId.slice(0, 30)} of ${
      JSON.stringify(payload).slice(0, 50)
    }`,
    () => {
      assertEquals(read(payload).incident_id, incidentId);
      assertEquals(readMockDelivery(payload).key, key);
    },
  );
}

const WORDS: [word: string, severity: string, rule: string | undefined][] = [
  ["SEV_1", "critical", 'severity "SEV_1", so critical'],
  ["2 - High", "error", 'severity "2 - High", so error'],
  ["page", "critical", 'severity "page", so critical'],
  ["High", "high", undefined],
  ["low", "low", undefined],
  ["unknown", "unknown", undefined],
];
for (const [word, severity, rule] of WORDS) {
  Deno.test(`readMockDelivery() takes severity "${word}" for ${severity}`, () => {
    const incident = read({ id: "x", severity: word });
    assertEquals([incident.severity, incident.severity_rule], [severity, rule]);
  });
}

Deno.test("readMockDelivery() takes the year 1 for no time", () => {
  const incident = read({ id: "x", occurred_at: "0001-01-01T00:00:00Z" });
  assertEquals(incident.occurred_at, undefined);
});

const BAD_ID = '"id" must be 1 to 150 visible ASCII characters without blanks';
const BAD_URL = '"url" must be an http or https URL of at most 2000 characters';
const BAD_MOMENT =
  '"occurred_at" must be a date-time such as 2026-01-15T09:30:00Z';
const BAD_SEVERITY =
  '"severity" must be one of critical, high, error, medium, warning, low, info, unknown';
const REFUSED: [what: string, body: unknown, message: string][] = [
  ["null", null, "the body must be a JSON object"],
  ["a text", "s3cret", "the body must be a JSON object"],
  ["a list", [{ id: "x" }], "the body must be a JSON object"],
  ["no id", {}, BAD_ID],
  ["an empty id", { id: "" }, BAD_ID],
  ["an id that is a number", { id: 7 }, BAD_ID],
  ["an id of 151 characters", { id: "x".repeat(151) }, BAD_ID],
  ["an id with a blank", { id: "a b" }, BAD_ID],
  ["an id with a line break", { id: "a\n" }, BAD_ID],
  ["an id beyond ASCII", { id: "\u00e9" }, BAD_ID],
  ["an id with a control character", { id: "a\x7f" }, BAD_ID],
  ["a title that is a number", { title: 7 }, '"title" must be a string'],
  ["a service that is a list", { service: [] }, '"service" must be a string'],
  ["an unknown severity", { severity: "s3cret" }, BAD_SEVERITY],
  ["a severity with a known word", { severity: "not critical" }, BAD_SEVERITY],
  ["a severity that is a number", { severity: 1 }, BAD_SEVERITY],
  ["a severity in a list", { severity: ["critical"] }, BAD_SEVERITY],
  ["a URL that is none", { url: "s3cret" }, BAD_URL],
  ["a URL that is a number", { url: 7 }, BAD_URL],
  ["a URL of another scheme", { url: "javascript:s3cret" }, BAD_URL],
  ["a file", { url: "file:///s3cret" }, BAD_URL],
  ["a host that no URI has", { url: "https://s3cret{b/" }, BAD_URL],
  ["a moment without a zone", { occurred_at: "2026-01-15T09:30" }, BAD_MOMENT],
  ["a moment that is a number", { occurred_at: 1768469400 }, BAD_MOMENT],
  ["a moment that is a year", { occurred_at: "12345" }, BAD_MOMENT],
  [
    "a moment beyond the year 9999",
    { occurred_at: "9999-12-31T23:59:59-01:00" },
    BAD_MOMENT,
  ],
];
for (const [what, body, message] of REFUSED) {
  Deno.test(`readMockDelivery() refuses ${what}, and quotes nothing`, () => {
    const isPart = typeof body === "object" && !Array.isArray(body) &&
      body !== null && message !== BAD_ID;
    assertEquals(refuse(isPart ? { id: "x", ...body } : body), message);
  });
}

const CUTS: [field: "title" | "service", charsMax: number][] = [
  ["title", 1000],
  ["service", 200],
];
for (const [field, charsMax] of CUTS) {
  Deno.test(`readMockDelivery() cuts a ${field} above ${charsMax} characters`, () => {
    const longest = "x".repeat(charsMax);
    assertEquals(read({ id: "x", [field]: longest })[field], longest);
    assertEquals(
      read({ id: "x", [field]: `${longest}x` })[field],
      `${longest.slice(0, -1)}…`,
    );
  });
}

const URLS: [text: string, url: string][] = [
  ["http://example.com", "http://example.com/"],
  ["HTTPS://Example.com:443/A?b#c", "https://example.com/A?b#c"],
  ["https://user:s3cret@example.com/a", "https://example.com/a"],
  ["http://[::1]:8080/a", "http://[::1]:8080/a"],
  ["https://example.com/a b\u00e9", "https://example.com/a%20b%C3%A9"],
  [
    "https://example.com/d?q={a|b}&v[]=^1",
    "https://example.com/d?q=%7Ba%7Cb%7D&v%5B%5D=%5E1",
  ],
  [
    "https://example.com/100%?a=%2f#b#c%",
    "https://example.com/100%25?a=%2f#b%23c%25",
  ],
];
for (const [text, url] of URLS) {
  Deno.test(`readMockDelivery() makes ${url} of ${text}`, () => {
    assertEquals(read({ id: "x", url: text }).source?.url, url);
  });
}

Deno.test("readMockDelivery() takes a URL of 2000 characters, as it is written down", () => {
  const base = "https://example.com/";
  const longest = base + "x".repeat(2000 - base.length);
  assertEquals(read({ id: "x", url: longest }).source?.url, longest);
  assertEquals(refuse({ id: "x", url: `${longest}x` }), BAD_URL);
  // Short as it comes, but six characters each as a URI.
  const wide = base + "\u00e9".repeat(400);
  assertEquals(refuse({ id: "x", url: wide }), BAD_URL);
});

function nest(depth: number): unknown {
  return JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
}

Deno.test("readPayload() takes an object that is 64 deep and no deeper one", () => {
  assertEquals(readPayload(nest(64)), nest(64));
  const list = JSON.parse("[".repeat(64) + "]".repeat(64));
  for (const body of [nest(65), { a: list }, { a: [0, { b: nest(63) }] }]) {
    const error = assertThrows(() => readPayload(body), DeliveryError);
    assertEquals(error.message, "the body must be nested at most 64 deep");
  }
});

Deno.test("readMockDelivery() refuses a body that would overflow the stack", () => {
  const depth = 100_000;
  const text = `{"id":"x","a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  assertEquals(
    refuse(JSON.parse(text)),
    "the body must be nested at most 64 deep",
  );
});

Deno.test("readMockDelivery() keeps a key that is named like the prototype", () => {
  const { raw } = readMockDelivery(JSON.parse('{"id":"x","__proto__":{"a":1}}'))
    .incident;
  assertEquals(JSON.stringify(raw), '{"id":"x","__proto__":{"a":1}}');
});

/** A platform that answers with these runs, each there from some read on. */
function platform(runs: [runId: string, readsUntilThere: number][]) {
  const calls: string[] = [];
  const reads = new Map<string, number>();
  const api: Runs = {
    start(_, key) {
      calls.push(`start ${key}`);
      const [runId] =
        runs[calls.filter((call) => call.startsWith("start")).length - 1]!;
      return Promise.resolve(runId);
    },
    read(runId) {
      const count = (reads.get(runId) ?? 0) + 1;
      reads.set(runId, count);
      calls.push(`read ${runId}`);
      const [, there] = runs.find(([known]) => known === runId)!;
      return Promise.resolve(count >= there ? { id: runId } : undefined);
    },
    wait(ms) {
      calls.push(`wait ${ms}`);
      return Promise.resolve();
    },
  };
  return { api, calls };
}

const INCIDENT: IncidentInput = {
  incident_id: "mock:INC-1",
  source: { system: "mock" },
};
const NEVER = Infinity;
const KEY = "incident-enricher:mock:INC-1";
const LATE = ["wait 250", "wait 500", "wait 750"];

/** The calls that read a run `count` times. */
function readsOf(runId: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => [
    ...LATE.slice(at - 1, at),
    `read ${runId}`,
  ]).flat();
}

const STARTS: [
  what: string,
  runs: [string, number][],
  runId: string,
  calls: string[],
][] = [
  ["the run that is there at once", [["r1", 1]], "r1", [
    `start ${KEY}`,
    ...readsOf("r1", 1),
  ]],
  ["a run that appears at the 2nd read", [["r1", 2]], "r1", [
    `start ${KEY}`,
    ...readsOf("r1", 2),
  ]],
  ["a run that appears at the 3rd read", [["r1", 3]], "r1", [
    `start ${KEY}`,
    ...readsOf("r1", 3),
  ]],
  ["a run that appears at the 4th read", [["r1", 4]], "r1", [
    `start ${KEY}`,
    ...readsOf("r1", 4),
  ]],
  [
    "the second spelling's run if one key is burned",
    [["r1", 5], ["r2", 1]],
    "r2",
    [`start ${KEY}`, ...readsOf("r1", 4), `start ${KEY}:2`, "read r2"],
  ],
  [
    "the third spelling's run if two keys are burned",
    [["r1", NEVER], ["r2", NEVER], ["r3", 4]],
    "r3",
    [
      `start ${KEY}`,
      ...readsOf("r1", 4),
      `start ${KEY}:2`,
      ...readsOf("r2", 4),
      `start ${KEY}:3`,
      ...readsOf("r3", 4),
    ],
  ],
];
for (const [what, runs, runId, calls] of STARTS) {
  Deno.test(`startOnce() gives ${what}`, async () => {
    const { api, calls: made } = platform(runs);
    assertEquals(await startOnce(INCIDENT, KEY, api), {
      runId,
      run: { id: runId },
    });
    assertEquals(made, calls);
  });
}

Deno.test("startOnce() gives up after three burned keys", async () => {
  const { api, calls } = platform([
    ["r1", NEVER],
    ["r2", NEVER],
    ["r3", NEVER],
  ]);
  const error = await assertRejects(
    () => startOnce(INCIDENT, KEY, api),
    KeyBurnedError,
  );
  assertEquals(error.message, "Cannot start a run: 3 keys are burned");
  assertEquals(calls.filter((call) => call.startsWith("start")), [
    `start ${KEY}`,
    `start ${KEY}:2`,
    `start ${KEY}:3`,
  ]);
});

Deno.test("startOnce() starts with the incident, once", async () => {
  const { api } = platform([["r1", 1]]);
  const started: IncidentInput[] = [];
  await startOnce(INCIDENT, KEY, {
    ...api,
    start(incident, key) {
      started.push(incident);
      return api.start(incident, key);
    },
  });
  assertEquals(started, [INCIDENT]);
});

for (const broken of ["start", "read", "wait"] as const) {
  Deno.test(`startOnce() passes on what ${broken}() throws, and tries no other key`, async () => {
    const { api, calls } = platform([["r1", NEVER]]);
    const failing = {
      ...api,
      [broken]: () => Promise.reject(new RangeError("gone")),
    };
    await assertRejects(
      () => startOnce(INCIDENT, KEY, failing),
      RangeError,
      "gone",
    );
    assertEquals(
      calls.filter((call) => call.startsWith("start")).length,
      broken === "start" ? 0 : 1,
    );
  });
}

const NOW_MS = Date.parse("2026-01-15T09:35:30Z");

/** The first key of a delivery. */
async function runKey(
  delivery: Delivery,
  cooldownS: number,
): Promise<string> {
  return (await runKeys(delivery, cooldownS, NOW_MS)).key;
}

/** The keys that a delivery may be started with. */
async function keysOf(
  system: SourceSystem | undefined,
  key: string,
  cooldownS = 0,
): Promise<string[]> {
  const keys: string[] = [];
  const incident: IncidentInput = {
    incident_id: "x",
    service: "s",
    occurred_at: "2026-01-15T09:30:00Z",
    ...(system === undefined ? {} : { source: { system } }),
  };
  const base = await runKey({ incident, key }, cooldownS);
  await assertRejects(() =>
    startOnce(incident, base, {
      start(_, key) {
        keys.push(key);
        return Promise.resolve("r");
      },
      read: () => Promise.resolve(undefined),
      wait: () => Promise.resolve(),
    }), KeyBurnedError);
  return keys;
}

Deno.test("no key is ever used for two deliveries", async () => {
  const keys: string[] = [];
  for (const system of ["mock", "pagerduty", "alertmanager"] as const) {
    for (
      const key of [
        ...["INC-1", "INC-1:2", "INC-1:2:2", "INC-1:", "INC-1%3A2", ":", ""],
        ...["pagerduty:INC-1", "alertmanager:INC-1", "inc-1", "INC-1%", "%"],
        ...["cooldown", "cooldown:2"],
      ]
    ) {
      keys.push(...await keysOf(system, key));
    }
    for (const cooldownS of [1, 2, 3]) {
      keys.push(...await keysOf(system, "any", cooldownS));
    }
  }
  assertEquals(keys.length, 3 * (14 + 3) * 3);
  assertEquals(new Set(keys).size, keys.length);
});

Deno.test("every copy of a delivery has the same keys", async () => {
  const keys = await keysOf("pagerduty", "01ABC");
  assertEquals(keys, [
    "incident-enricher:pagerduty:01ABC",
    "incident-enricher:pagerduty:01ABC:2",
    "incident-enricher:pagerduty:01ABC:3",
  ]);
  assertEquals(await keysOf("pagerduty", "01ABC"), keys);
});

Deno.test("an incident without a source has a mock's keys", async () => {
  assertEquals(await keysOf(undefined, "k"), await keysOf("mock", "k"));
});

/** A delivery of a storm. */
function stormy(change: Partial<IncidentInput>, at?: string, key = "k") {
  const incident: IncidentInput = {
    incident_id: "pagerduty:P1",
    source: { system: "pagerduty" },
    service: "checkout-api",
    occurred_at: "2026-01-15T09:34:59.999Z",
    ...change,
  };
  return { incident, key, ...(at === undefined ? {} : { at }) };
}

Deno.test("within a cooldown one service has one key, by the event's own time", async () => {
  const key = await runKey(stormy({}), 300);
  assertMatch(
    key,
    /^incident-enricher:pagerduty:cooldown:300:5894898:[0-9a-f]{32}$/,
  );
  const same = [
    stormy({ incident_id: "pagerduty:P2" }, undefined, "k2"),
    stormy({ occurred_at: "2026-01-15T09:30:00Z" }),
    // The event counts, not the incident, which may be older.
    stormy({ occurred_at: "2025-01-01T00:00:00Z" }, "2026-01-15T09:31:00Z"),
  ];
  for (const delivery of same) assertEquals(await runKey(delivery, 300), key);
  const others = [
    stormy({ service: "checkout-web" }),
    stormy({ source: { system: "alertmanager" } }),
    stormy({ occurred_at: "2026-01-15T09:35:00Z" }),
    stormy({}, "2026-01-15T09:29:59Z"),
  ];
  const keys = await Promise.all(others.map((one) => runKey(one, 300)));
  assertEquals(new Set([key, ...keys]).size, 5);
  assertNotEquals(await runKey(stormy({}), 301), key);
});

Deno.test("a delivery says what it is folded by, if a service's name is not enough", async () => {
  const key = (foldedBy?: string, change: Partial<IncidentInput> = {}) =>
    runKey({ ...stormy(change), ...(foldedBy && { foldedBy }) }, 300);
  assertEquals(await key("shop/db-0"), await key("shop/db-0"));
  assertEquals(
    await key("shop/db-0"),
    await key("shop/db-0", { service: "other" }),
  );
  const keys = [await key(), await key("shop/db-0"), await key("pay/db-0")];
  assertEquals(new Set(keys).size, 3);
});

Deno.test("what names no service or no time is not folded", async () => {
  const { service: _, ...nameless } = stormy({}).incident;
  const { occurred_at: __, ...timeless } = stormy({}).incident;
  for (const incident of [nameless, timeless]) {
    assertEquals(
      await runKey({ incident, key: "k" }, 300),
      "incident-enricher:pagerduty:k",
    );
  }
});

Deno.test("a time more than 5 min ahead does not open a window", async () => {
  const at = (seconds: number) =>
    new Date(NOW_MS + seconds * 1000).toISOString();
  assertMatch(await runKey(stormy({}, at(300)), 60), /:cooldown:60:/);
  const ahead = [stormy({}, at(301)), stormy({ occurred_at: at(86_400) })];
  for (const delivery of ahead) {
    assertEquals(await runKeys(delivery, 60, NOW_MS), {
      key: "incident-enricher:pagerduty:k",
    });
  }
});

Deno.test("each severity has a key of its own for what is worse", async () => {
  const worse = async (severity?: ReportedSeverity) =>
    (await runKeys(stormy({ ...(severity && { severity }) }), 300, NOW_MS))
      .worse;
  assertMatch(
    await worse("critical") ?? "",
    /^incident-enricher:pagerduty:cooldown:300:5894898:critical:[0-9a-f]{32}$/,
  );
  assertEquals(await worse("high"), await worse("error"));
  assertEquals(await worse("unknown"), await worse());
  const keys = [await runKey(stormy({}), 300)];
  for (const severity of ["critical", "error", "warning", "info"] as const) {
    keys.push(await worse(severity) ?? "");
  }
  assertEquals(new Set(keys).size, 5);
});

Deno.test("without a cooldown nothing is folded", async () => {
  assertEquals(
    await runKey(stormy({}), 0),
    "incident-enricher:pagerduty:k",
  );
});
