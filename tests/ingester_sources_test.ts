/**
 * Real senders at the ingester's door: signatures, tokens, what starts a run.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { serveRequests } from "../lib/service.ts";
import { handle, readiness, SETTINGS } from "../workers/ingester.ts";
import alertmanager from "./testdata/sample_alertmanager.json" with {
  type: "json",
};
import pagerduty from "./testdata/sample_pagerduty.json" with { type: "json" };
import { until } from "./support/until.ts";

const SECRET = "s3cret-of-pagerduty";
const TOKEN = "t0ken-of-alertmanager";
const JSON_TYPE = { "content-type": "application/json" };

interface Rig extends AsyncDisposable {
  url: string;
  /** Keys and inputs of the runs that were started. */
  starts: { key: string; input: Record<string, unknown> }[];
  log: string[];
  send(
    path: string,
    body: BodyInit,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
}

async function startRig(env: Record<string, string> = {}): Promise<Rig> {
  const starts: Rig["starts"] = [];
  const gateway = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      if (request.method === "POST") {
        const key = request.headers.get("idempotency-key")!;
        if (!starts.some((one) => one.key === key)) {
          starts.push({ key, input: await request.json() });
        } else await request.body?.cancel();
        return Response.json({ run_id: `run of ${key}` });
      }
      return Response.json({ status: "running" });
    },
  );
  const variables: Record<string, string> = {
    INGESTER_ADDR: "127.0.0.1:0",
    CORETEX_GATEWAY_URL: `http://127.0.0.1:${gateway.addr.port}`,
    CORETEX_API_KEY: "k3y",
    PAGERDUTY_WEBHOOK_SECRETS: `old-secret, ${SECRET}`,
    ALERTMANAGER_WEBHOOK_TOKENS: TOKEN,
    ...env,
  };
  const stop = new AbortController();
  const log: string[] = [];
  let url = "";
  const ended = serveRequests(
    { name: "ingester", settings: SETTINGS, handle, readiness },
    {
      env: (name) => variables[name],
      signal: stop.signal,
      write: (line) => log.push(line),
      onListen: (address) => url = address,
    },
  );
  await until("the ingester to listen", () => url !== "");
  return {
    url,
    starts,
    log,
    async send(path, body, headers = {}) {
      const response = await fetch(url + path, {
        method: "POST",
        body,
        headers: { ...JSON_TYPE, ...headers },
      });
      return { status: response.status, body: await response.json() };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      await gateway.shutdown();
    },
  };
}

async function sign(body: string, secret = SECRET): Promise<string> {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey(
    "raw",
    encoder.encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const digest = await crypto.subtle.sign("HMAC", key, encoder.encode(body));
  return `v1=${new Uint8Array(digest).toHex()}`;
}

async function sendSigned(rig: Rig, payload: unknown, secret = SECRET) {
  const body = JSON.stringify(payload);
  return await rig.send("/webhook/pagerduty", body, {
    "x-pagerduty-signature": await sign(body, secret),
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
    run_id: `run of ${key}`,
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
  const good = await sign(body);
  const rows: [body: string, signature: string | undefined][] = [
    [body, undefined],
    [body, ""],
    [body, await sign(body, "another secret")],
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

Deno.test("without its secret a webhook is closed, never open, and says so", async () => {
  await using rig = await startRig({
    PAGERDUTY_WEBHOOK_SECRETS: " , ",
    ALERTMANAGER_WEBHOOK_TOKENS: "",
    HEALTH_ADDR: "127.0.0.1:0",
  });
  for (const path of ["/webhook/pagerduty", "/webhook/alertmanager"]) {
    const { status, body } = await rig.send(path, "{}");
    assertEquals(status, 503);
    assertStringIncludes(String(body["error"]), "This webhook is closed");
  }
  const line = rig.log.map((line) => JSON.parse(line)).find(({ msg }) =>
    msg === "Serving /healthz and /readyz"
  );
  const ready = await fetch(`${line.url}/readyz`);
  const { warnings } = await ready.json();
  assertEquals(warnings.slice(0, 3), [
    "/webhook/pagerduty is closed: PAGERDUTY_WEBHOOK_SECRETS is not set",
    "/webhook/alertmanager is closed: ALERTMANAGER_WEBHOOK_TOKENS is not set",
    "/webhook/mock is open to everybody: MOCK_WEBHOOK_TOKENS is not set",
  ]);
});

Deno.test("a token for the mock webhook is required once there is one", async () => {
  await using rig = await startRig({ MOCK_WEBHOOK_TOKENS: "m0ck" });
  const body = JSON.stringify({ id: "A" });
  assertEquals((await rig.send("/webhook/mock", body)).status, 401);
  const authorization = "Bearer m0ck";
  const { status } = await rig.send("/webhook/mock", body, { authorization });
  assertEquals(status, 202);
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
  await using rig = await startRig({ INGEST_MAX_INFLIGHT: "1" });
  const body = JSON.stringify({ id: "A" });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => rig.send("/webhook/mock", body)),
  );
  const statuses = new Set(answers.map(({ status }) => status));
  assertEquals([...statuses].toSorted(), [202, 429]);
  assertEquals(rig.starts.length, 1);
});
