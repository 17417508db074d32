/**
 * Real senders at the ingester's door: signatures, tokens, what starts a run.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import alertmanager from "../../deploy/samples/sample_alertmanager.json" with {
  type: "json",
};
import pagerduty from "../../deploy/samples/sample_pagerduty.json" with {
  type: "json",
};
import { plain } from "../../deploy/standins/gateway.ts";
import {
  type Rig,
  SECRET,
  sign,
  startRig,
  TOKEN,
} from "../support/ingester.ts";
import { until } from "../support/until.ts";

async function sendSigned(rig: Rig, payload: unknown, secret = SECRET) {
  const body = JSON.stringify(payload);
  return await rig.send("/webhook/pagerduty", body, {
    "x-pagerduty-signature": sign(body, secret),
  });
}

function event(change: Record<string, unknown>): Record<string, unknown> {
  return { event: { ...pagerduty.event, ...change } };
}

Deno.test("a signed delivery of PagerDuty starts one run, however often it comes", async () => {
  await using rig = await startRig();
  const first = await sendSigned(rig, pagerduty);
  assertEquals(first.status, 202);
  const key = `incident-enricher:pagerduty:${pagerduty.event.id}`;
  assertEquals(first.body, {
    run_id: `run-of-${key}`,
    incident_id: `pagerduty:${pagerduty.event.data.id}`,
  });
  // While secrets are rotated, both are good.
  assertEquals(await sendSigned(rig, pagerduty, "old-secret"), first);
  assertEquals(rig.starts.map((one) => one.key), [key]);
  const { input } = rig.starts[0]!;
  assertEquals(input["title"], pagerduty.event.data.title);
  assertEquals(input["destination"], { mode: "artifact" });
});

Deno.test("what nobody signed is refused before it is parsed", async () => {
  await using rig = await startRig();
  const body = JSON.stringify(pagerduty);
  const good = sign(body);
  const rows: [body: string, signature: string | undefined][] = [
    [body, undefined],
    [body, ""],
    [body, sign(body, "another secret")],
    [body, good.replace("v1=", "v2=")],
    [body, good.slice(0, -1)],
    [`${body} `, good],
    ["{broken", good],
  ];
  for (const [sent, signature] of rows) {
    const headers: Record<string, string> = signature === undefined
      ? {}
      : { "x-pagerduty-signature": signature };
    const { status, body } = await rig.send(
      "/webhook/pagerduty",
      sent,
      headers,
    );
    assertEquals([sent.length, status], [sent.length, 401]);
    assertStringIncludes(String(body["error"]), "X-PagerDuty-Signature");
  }
  assertEquals(rig.starts, []);
  assert(!rig.log.join("").includes(SECRET));
});

Deno.test("events that start nothing are acknowledged and said", async () => {
  await using rig = await startRig();
  const rows = [
    ["incident.resolved", "event incident.resolved"],
    ["pagey.ping", "ping"],
    ["incident.invented_later", "unknown event incident.invented_later"],
  ] as const;
  for (const [event_type, ignored] of rows) {
    const { status, body } = await sendSigned(rig, event({ event_type }));
    assertEquals([status, body], [200, { ignored }]);
  }
  assertEquals(rig.starts, []);
});

Deno.test("which events start a run is configured", async () => {
  await using rig = await startRig({ INGEST_EVENTS: "incident.escalated" });
  const triggered = await sendSigned(rig, pagerduty);
  assertEquals(triggered.body, { ignored: "event incident.triggered" });
  const escalated = await sendSigned(
    rig,
    event({ event_type: "incident.escalated", id: "E2" }),
  );
  assertEquals(escalated.status, 202);
});

Deno.test("a signed body that cannot be used is refused with the field", async () => {
  await using rig = await startRig();
  const { status, body } = await sendSigned(rig, event({ id: 7 }));
  assertEquals(status, 400);
  assertStringIncludes(String(body["error"]), "event.id");
});

Deno.test("Alertmanager needs its token, and starts one run a group of alerts", async () => {
  await using rig = await startRig();
  const body = JSON.stringify(alertmanager);
  const path = "/webhook/alertmanager";
  for (
    const authorization of [undefined, "Bearer wrong", `Basic ${TOKEN}`, TOKEN]
  ) {
    const headers: Record<string, string> = authorization === undefined
      ? {}
      : { authorization };
    assertEquals((await rig.send(path, body, headers)).status, 401);
  }
  const authorization = `Bearer ${TOKEN}`;
  const first = await rig.send(path, body, { authorization });
  assertEquals(first.status, 202);
  assertEquals(await rig.send(path, body, { authorization }), first);
  assertEquals(rig.starts.length, 1);
  assert(String(first.body["incident_id"]).startsWith("alertmanager:"));
  const resolved = {
    ...alertmanager,
    status: "resolved",
    alerts: alertmanager.alerts.map((alert) => ({
      ...alert,
      status: "resolved",
    })),
  };
  const quiet = await rig.send(path, JSON.stringify(resolved), {
    authorization,
  });
  assertEquals([quiet.status, quiet.body], [200, { ignored: "resolved" }]);
});

/** Sends a group of firing alerts as Alertmanager does. */
async function sendGroup(
  rig: Rig,
  labels: Record<string, string>[],
  more: Record<string, unknown> = {},
) {
  const [alert] = alertmanager.alerts;
  const body = {
    ...alertmanager,
    ...more,
    alerts: labels.map((labels, at) => ({
      ...alert,
      labels,
      fingerprint: `${at}${JSON.stringify(labels)}`,
    })),
  };
  return await rig.send("/webhook/alertmanager", JSON.stringify(body), {
    authorization: `Bearer ${TOKEN}`,
  });
}

Deno.test("two routes with one receiver and the same labels are two runs of two incidents", async () => {
  await using rig = await startRig();
  const groupLabels = { alertname: "HighErrorRate" };
  const answers = [];
  for (const team of ["shop", "pay", "shop"]) {
    answers.push(
      await sendGroup(rig, [{ ...groupLabels, team }], {
        groupLabels,
        groupKey: `{}/{team="${team}"}:{alertname="HighErrorRate"}`,
      }),
    );
  }
  const [shop, pay, again] = answers;
  assertEquals(answers.map(({ status }) => status), [202, 202, 202]);
  assertEquals(again, shop);
  assertEquals(rig.starts.length, 2);
  assert(shop?.body["incident_id"] !== pay?.body["incident_id"]);
});

Deno.test("a cooldown folds by what is ill, never by an exporter", async () => {
  await using rig = await startRig({ INGEST_COOLDOWN_S: "86400" });
  const exporter = { job: "kube-state-metrics", service: "kps-state-metrics" };
  const send = async (alertname: string, more: Record<string, string>) =>
    (await sendGroup(rig, [{ alertname, ...exporter, ...more }], {
      groupKey: alertname,
    })).status;
  const shop = { namespace: "shop", pod: "cart-1" };
  assertEquals(await send("PodCrashLooping", shop), 202);
  assertEquals(await send("VolumeFull", { ...shop, namespace: "pay" }), 202);
  assertEquals(await send("PodNotReady", { ...shop, pod: "cart-2" }), 202);
  assertEquals(await send("QuotaExceeded", {}), 202);
  assertEquals(await send("QuotaLow", {}), 202);
  assertEquals(await send("ContainerWaiting", shop), 200);
  assertEquals(rig.starts.map(({ input }) => input["service"]), [
    "cart-1",
    "cart-1",
    "cart-2",
    undefined,
    undefined,
  ]);
});

Deno.test("Grafana's own alerting is taken where Alertmanager's is", async () => {
  await using rig = await startRig();
  const url = "https://grafana.example.com/";
  const { status } = await sendGroup(
    rig,
    [{ alertname: "Memory", zone: "a" }],
    {
      version: "1",
      orgId: 1,
      state: "alerting",
      title: "[FIRING:1]  (Memory a)",
      message: "**Firing**",
      externalURL: url,
      panelURL: `${url}d/abc?viewPanel=2`,
      silenceURL: `${url}alerting/silence/new`,
    },
  );
  assertEquals(status, 202);
  const { source, service } = rig.starts[0]!.input;
  assertEquals(source, {
    system: "alertmanager",
    url: `${url}d/abc?viewPanel=2`,
  });
  assertEquals(service, undefined);
});

/** What the ingester says of itself. */
async function readReadiness(rig: Rig) {
  const line = rig.log.map((line) => JSON.parse(line)).find(({ msg }) =>
    msg === "Serving /healthz and /readyz"
  );
  return await (await fetch(`${line.url}/readyz`)).json();
}

Deno.test("without its secret a webhook is closed, never open, and says so", async () => {
  await using rig = await startRig({
    PAGERDUTY_WEBHOOK_SECRETS: " , ",
    ALERTMANAGER_WEBHOOK_TOKENS: "",
    INGEST_MOCK_OPEN: "",
    HEALTH_ADDR: "127.0.0.1:0",
  });
  for (const [path] of EXPECTED_CLOSED) {
    const { status, body } = await rig.send(path, "{}");
    assertEquals(status, 503);
    assertStringIncludes(String(body["error"]), "This webhook is closed");
  }
  const { warnings } = await readReadiness(rig);
  assertEquals(
    warnings.slice(0, 3),
    EXPECTED_CLOSED.map(([path, variable]) =>
      `${path} is closed: ${variable} is not set`
    ),
  );
  // The log says so at the start, where nobody asks for /readyz.
  const said = rig.log.map((line) => JSON.parse(line)["msg"]);
  for (const warning of warnings.slice(0, 3)) assert(said.includes(warning));
  assertEquals(rig.starts, []);
});

const EXPECTED_CLOSED = [
  ["/webhook/pagerduty", "PAGERDUTY_WEBHOOK_SECRETS"],
  ["/webhook/alertmanager", "ALERTMANAGER_WEBHOOK_TOKENS"],
  ["/webhook/mock", "MOCK_WEBHOOK_TOKENS"],
] as const;

Deno.test("the mock webhook wants its token, unless it is open to everybody", async () => {
  await using rig = await startRig({
    MOCK_WEBHOOK_TOKENS: "m0ck",
    INGEST_MOCK_OPEN: "0",
  });
  const body = JSON.stringify({ id: "A" });
  assertEquals((await rig.send("/webhook/mock", body)).status, 401);
  const authorization = "Bearer m0ck";
  const { status } = await rig.send("/webhook/mock", body, { authorization });
  assertEquals(status, 202);
  await using open = await startRig({
    INGEST_MOCK_OPEN: "1",
    HEALTH_ADDR: "127.0.0.1:0",
  });
  assertEquals((await open.send("/webhook/mock", body)).status, 202);
  assertEquals(
    (await readReadiness(open)).warnings[0],
    "/webhook/mock is open to everybody: INGEST_MOCK_OPEN is set",
  );
});

const ELSEWHERE = {
  mode: "slack",
  slack_webhook_url: "https://hooks.slack.com/services/T0/B0/abcdefghij",
};

Deno.test("the caller chooses no destination", async () => {
  await using rig = await startRig();
  const body = JSON.stringify({ id: "A", destination: ELSEWHERE });
  assertEquals((await rig.send("/webhook/mock", body)).status, 202);
  const { input } = rig.starts[0]!;
  assertEquals(input["destination"], { mode: "artifact" });
  assert(!JSON.stringify(input).includes("abcdefghij"));
});

Deno.test("a caller that is trusted with it does", async () => {
  await using rig = await startRig({ INGEST_TRUST_DESTINATION: "1" });
  const send = (change: Record<string, unknown>) =>
    rig.send("/webhook/mock", JSON.stringify({ id: "A", ...change }));
  assertEquals((await send({ destination: ELSEWHERE })).status, 202);
  const { input } = rig.starts[0]!;
  assertEquals(input["destination"], ELSEWHERE);
  const { raw } = input as { raw: unknown };
  assert(!JSON.stringify(raw).includes("abcdefghij"));
  await send({ id: "B" });
  assertEquals(rig.starts[1]!.input["destination"], { mode: "artifact" });
  const wrong = [
    ["x", '"destination.mode" must be artifact or slack'],
    [{ mode: "email" }, '"destination.mode" must be artifact or slack'],
    [
      { ...ELSEWHERE, slack_webhook_url: "https://user:pw@hooks.slack.com/" },
      '"destination.slack_webhook_url" must be a plain http or https URL of at most 2000 characters',
    ],
  ] as const;
  for (const [destination, why] of wrong) {
    const { status, body } = await send({ id: "C", destination });
    assertEquals([status, body["error"]], [
      400,
      `Cannot use the webhook's body: ${why}`,
    ]);
  }
  assertEquals(rig.starts.length, 2);
});

Deno.test("a storm of one service becomes one run, and says what it folded", async () => {
  await using rig = await startRig({
    INGEST_COOLDOWN_S: "600",
    HEALTH_ADDR: "127.0.0.1:0",
  });
  // The 10 minutes from 09:30 on.
  const storm = (id: string, minute: string, service = "PSVC1") =>
    event({
      id: `E-${id}`,
      occurred_at: `2026-01-15T09:${minute}:00Z`,
      data: {
        ...pagerduty.event.data,
        id,
        service: { ...pagerduty.event.data.service, summary: service },
      },
    });
  const first = await sendSigned(rig, storm("P1", "30"));
  assertEquals(first.status, 202);
  const runId = first.body["run_id"];
  for (const id of ["P2", "P3"]) {
    const { status, body } = await sendSigned(rig, storm(id, "39"));
    assertEquals([status, body], [200, {
      run_id: runId,
      incident_id: `pagerduty:${id}`,
      folded_into: "pagerduty:P1",
    }]);
  }
  // The first one again is still itself.
  assertEquals(await sendSigned(rig, storm("P1", "30")), first);
  assertEquals(rig.starts.length, 1);
  assertEquals((await sendSigned(rig, storm("P4", "40"))).status, 202);
  assertEquals((await sendSigned(rig, storm("P5", "31", "web"))).status, 202);
  await sendSigned(rig, event({ event_type: "incident.resolved" }));
  await sendSigned(rig, pagerduty, "wrong");
  assertEquals(rig.starts.map(({ input }) => input["incident_id"]), [
    "pagerduty:P1",
    "pagerduty:P4",
    "pagerduty:P5",
  ]);
  const { counts } = await readReadiness(rig);
  assertEquals(counts, {
    "taken": 4,
    "folded": 2,
    "ignored: event incident.resolved": 1,
    "refused: 401": 1,
  });
  const said = rig.log.map((line) => JSON.parse(line)).filter(({ msg }) =>
    msg === "Folded a webhook into a run"
  );
  assertEquals(
    said.map(({ incident, into }) => [incident, into]),
    [["pagerduty:P2", "pagerduty:P1"], ["pagerduty:P3", "pagerduty:P1"]],
  );
});

Deno.test("a storm folds what is as severe or less, and nothing that is worse", async () => {
  await using rig = await startRig({ INGEST_COOLDOWN_S: "86400" });
  const send = async (id: string, severity?: string) => {
    const { status, body } = await rig.send(
      "/webhook/mock",
      JSON.stringify({
        id,
        service: "checkout",
        occurred_at: "2026-01-15T09:30:00Z",
        ...(severity && { severity }),
      }),
    );
    return [status, body["folded_into"]];
  };
  assertEquals(await send("w1", "medium"), [202, undefined]);
  assertEquals(await send("w2", "warning"), [200, "mock:w1"]);
  assertEquals(await send("unknown"), [200, "mock:w1"]);
  assertEquals(await send("c1", "critical"), [202, undefined]);
  assertEquals(await send("c2", "critical"), [200, "mock:c1"]);
  assertEquals(await send("i1", "info"), [200, "mock:w1"]);
  assertEquals(await send("e1", "high"), [202, undefined]);
  // Each of them again is still itself.
  assertEquals(await send("w1", "medium"), [202, undefined]);
  assertEquals(await send("c1", "critical"), [202, undefined]);
  assertEquals(rig.starts.map(({ input }) => input["incident_id"]), [
    "mock:w1",
    "mock:c1",
    "mock:e1",
  ]);
});

Deno.test("an incident that gets worse within a cooldown starts another run", async () => {
  await using rig = await startRig({ INGEST_COOLDOWN_S: "86400" });
  for (const severity of ["warning", "critical", "error", "info"]) {
    const incident = {
      id: "one",
      service: "checkout",
      occurred_at: "2026-01-15T09:30:00Z",
      severity,
    };
    const { status } = await rig.send(
      "/webhook/mock",
      JSON.stringify(incident),
    );
    assertEquals(status, 202);
  }
  assertEquals(rig.starts.map(({ input }) => input["severity"]), [
    "warning",
    "critical",
    "error",
  ]);
});

Deno.test("a time far ahead folds nothing that is yet to happen", async () => {
  let now = "2026-01-15T09:30:00Z";
  await using rig = await startRig({ INGEST_COOLDOWN_S: "600" }, {
    waits: { now: () => Date.parse(now) },
  });
  const send = async (id: string, occurred_at: string) => {
    const body = JSON.stringify({ id, service: "checkout", occurred_at });
    return (await rig.send("/webhook/mock", body)).status;
  };
  assertEquals(await send("ahead", "2026-01-15T09:41:00Z"), 202);
  now = "2026-01-15T09:41:00Z";
  assertEquals(await send("real", "2026-01-15T09:41:00Z"), 202);
  assertEquals(await send("next", "2026-01-15T09:46:00Z"), 200);
  assertEquals(rig.starts.length, 2);
});

const DAY_S = 86_400;
const AGES: [seconds: number, ignored: string | undefined][] = [
  [0, undefined],
  [DAY_S, undefined],
  [DAY_S + 1, "older than INGEST_MAX_AGE_S"],
  [400 * DAY_S, "older than INGEST_MAX_AGE_S"],
  [-DAY_S, undefined],
  [-DAY_S - 1, "ahead by over INGEST_MAX_AGE_S"],
];
Deno.test("an event of PagerDuty may be a day old, or ahead, and others are ignored and counted", async () => {
  const nowMs = Date.parse("2026-01-15T09:30:00Z");
  await using rig = await startRig({
    INGEST_MAX_AGE_S: "",
    HEALTH_ADDR: "127.0.0.1:0",
  }, { waits: { now: () => nowMs } });
  for (const [seconds, ignored] of AGES) {
    const occurred_at = new Date(nowMs - seconds * 1000).toISOString();
    const { status, body } = await sendSigned(
      rig,
      event({ id: `E${seconds}`, occurred_at }),
    );
    if (ignored === undefined) assertEquals(status, 202, occurred_at);
    else assertEquals([status, body], [200, { ignored }]);
  }
  // Nobody's signature covers these times.
  const mock = JSON.stringify({
    id: "old",
    occurred_at: "2020-01-01T00:00:00Z",
  });
  assertEquals((await rig.send("/webhook/mock", mock)).status, 202);
  const { status } = await rig.send(
    "/webhook/alertmanager",
    JSON.stringify(alertmanager),
    { authorization: `Bearer ${TOKEN}` },
  );
  assertEquals(status, 202);
  assertEquals((await readReadiness(rig)).counts, {
    "taken": 5,
    "ignored: older than INGEST_MAX_AGE_S": 2,
    "ignored: ahead by over INGEST_MAX_AGE_S": 1,
  });
});

Deno.test("an event of PagerDuty may be of any age if that is set", async () => {
  await using rig = await startRig({ INGEST_MAX_AGE_S: "0" });
  const old = event({ id: "E1", occurred_at: "2020-01-01T00:00:00Z" });
  assertEquals((await sendSigned(rig, old)).status, 202);
});

Deno.test("a run that the platform has lost is not started again by an old replay", async () => {
  let nowMs = Date.parse("2026-01-15T09:30:00Z");
  let lost = false;
  await using rig = await startRig({ INGEST_MAX_AGE_S: "" }, {
    waits: { now: () => nowMs, pause: () => Promise.resolve() },
    gateway: (asked, works) =>
      lost && asked.request.method === "GET"
        ? plain(404, "not found\n")
        : works(),
  });
  const occurred_at = new Date(nowMs).toISOString();
  const recorded = event({ id: "E1", occurred_at });
  assertEquals((await sendSigned(rig, recorded)).status, 202);
  lost = true;
  nowMs += (DAY_S + 1) * 1000;
  const before = rig.asked.length;
  const { status, body } = await sendSigned(rig, recorded);
  assertEquals([status, body], [200, {
    ignored: "older than INGEST_MAX_AGE_S",
  }]);
  assertEquals([rig.starts.length, rig.asked.length], [1, before]);
});

Deno.test("an event that PagerDuty does not have cannot be asked for", async () => {
  const error = await startRig({ INGEST_EVENTS: "incident.trigered" })
    .then(() => undefined, (error) => error);
  assertStringIncludes(String(error), "INGEST_EVENTS");
  assertStringIncludes(String(error), "incident.triggered");
});

Deno.test("another type than JSON is refused where a machine sends", async () => {
  await using rig = await startRig();
  const { status, body } = await rig.send("/webhook/pagerduty", "{}", {
    "content-type": "text/plain",
  });
  assertEquals([status, body["error"]], [
    415,
    "The body must be of type application/json",
  ]);
});

Deno.test("beyond so many webhooks at once the rest come again later", async () => {
  let atOnce = 0;
  let most = 0;
  await using rig = await startRig({ INGEST_MAX_INFLIGHT: "3" }, {
    async gateway(_, works) {
      most = Math.max(most, ++atOnce);
      await until("a fourth to be let in, or none", () => most > 3, 100)
        .catch(() => {});
      atOnce--;
      return works();
    },
  });
  const answers = await Promise.all(
    Array.from(
      { length: 20 },
      (_, nth) => rig.send("/webhook/mock", JSON.stringify({ id: `A${nth}` })),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  assertEquals(new Set(statuses), new Set([202, 429]));
  assertEquals(
    rig.starts.length,
    statuses.filter((status) => status === 202).length,
  );
  assertEquals(most, 3);
});
