/**
 * The collectors of Prometheus and Alertmanager against real ones: a rule that
 * fires, a series that rises, a past in back-filled blocks, a silence.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { stringify } from "@std/yaml";
import { readConfig } from "../../lib/base/config.ts";
import { alertmanager } from "../../lib/evidence/collect/alertmanager.ts";
import { prometheus } from "../../lib/evidence/collect/prometheus.ts";
import { toSubject } from "../../lib/evidence/subject.ts";
import type { IncidentInput } from "../../lib/incident.ts";
import { readAdmitted } from "../../lib/intake/delivery.ts";
import { INTAKE_SETTINGS } from "../../lib/intake/settings.ts";
import { WEBHOOKS } from "../../lib/intake/webhooks.ts";
import { freePort } from "../../scripts/launch/free_port.ts";
import {
  startRealAlertmanager,
  startRealPrometheus,
} from "../../scripts/launch/monitoring.ts";
import { collect, openIo } from "../support/collecting.ts";
import { until } from "../support/until.ts";

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
/** Nobody is there: what a collector calls is what its settings name. */
const ELSEWHERE = "http://prometheus.invalid:9090/mon";
const USER = "reader";
const PASSWORD = "reader-pass";
/** Of that password. */
const HASH = "$2b$04$abcdefghijklmnopqrstuuUF7fMioUdfsqprVze.Wu17Eit7ta.iK";
const LABELS = {
  instance: "checkout-1",
  job: "checkout-api",
  namespace: "shop",
  service: "checkout-api",
};
const EXPR = 'checkout_p99_seconds{namespace="shop"} > 2';

const ignore = await isMissing();

async function isMissing(): Promise<boolean> {
  const config = "{ route: { receiver: none }, receivers: [{ name: none }] }";
  await using probe = await startRealAlertmanager(config);
  await using other = probe && await startRealPrometheus({ config: "{}" });
  if (other !== undefined) return false;
  // deno-lint-ignore no-console -- Not testing something is worth a line.
  console.warn(
    "prometheus or prometheus-alertmanager is not on the PATH: their collectors are tested with stand-ins only",
  );
  return true;
}

/** What Prometheus has seen before it started. */
function historyOf(now: number): string {
  const labels = (more: Record<string, string>) =>
    Object.entries({ ...LABELS, ...more })
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",");
  const lines = ["# TYPE checkout_p99_seconds gauge"];
  const latency = (from: number, to: number, value: (at: number) => number) => {
    for (let at = from; at <= to; at += MINUTE_S) {
      lines.push(`checkout_p99_seconds{${labels({})}} ${value(at)} ${at}`);
    }
  };
  latency(now - 7 * DAY_S - 6 * HOUR_S, now - 7 * DAY_S, () => 0.6);
  latency(
    now - 6 * HOUR_S,
    now - 30,
    (at) => Math.max(0.3, latencyAt(at - now)),
  );
  lines.push("# TYPE ALERTS gauge");
  for (const [days, minutes] of [[19, 12], [6, 26]] as const) {
    for (let minute = 0; minute < minutes; minute++) {
      const at = now - days * DAY_S + minute * MINUTE_S;
      const more = {
        alertname: "CheckoutHighLatency",
        alertstate: "firing",
        severity: "critical",
      };
      lines.push(`ALERTS{${labels(more)}} 1 ${at}`);
    }
  }
  return [...lines, "# EOF", ""].join("\n");
}

/** Rises for ten minutes, and is over the limit soon after the test's start. */
function latencyAt(since: number): number {
  return 1.9 + since / 400 + (since > 0 ? 0.2 : 0);
}

const RULES = stringify({
  groups: [{
    name: "shop",
    rules: [
      {
        alert: "CheckoutHighLatency",
        expr: EXPR,
        for: "1s",
        labels: { severity: "critical" },
        annotations: { summary: "p99 above 2 s" },
      },
      {
        alert: "CheckoutErrors",
        expr: "checkout_error_ratio > 0.05",
        labels: { severity: "warning" },
        annotations: { summary: "8 % fail" },
      },
    ],
  }],
});

interface Rig extends AsyncDisposable {
  env: Record<string, string>;
  /** The incident that the webhook became. */
  incident: IncidentInput;
  post(path: string, body: unknown): Promise<void>;
}

/** Everything from a scrape to the webhook. */
async function startRig(): Promise<Rig> {
  await using stack = new AsyncDisposableStack();
  const begun = Math.floor(Date.now() / 1000);
  const serve = (handler: Deno.ServeHandler) => {
    const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
    const server = Deno.serve(options, handler);
    stack.defer(() => server.shutdown());
    return `127.0.0.1:${server.addr.port}`;
  };
  const target = serve(() =>
    new Response(
      `checkout_p99_seconds ${latencyAt(Date.now() / 1000 - begun)}\n` +
        "checkout_error_ratio 0.08\n",
    )
  );
  const received: Uint8Array[] = [];
  const hook = serve(async (request) => {
    received.push(await request.bytes());
    return new Response("ok");
  });
  const alerts = stack.use(
    await startRealAlertmanager(stringify({
      route: {
        receiver: "enricher",
        group_by: ["alertname"],
        group_wait: "500ms",
        group_interval: "1s",
        routes: [{ matchers: ["alertname=CheckoutErrors"], receiver: "none" }],
      },
      receivers: [{ name: "none" }, {
        name: "enricher",
        webhook_configs: [{ url: `http://${hook}/`, send_resolved: false }],
      }],
    })),
  )!;
  const scraped = (job: string, address: string, labels: JsonObject) => ({
    job_name: job,
    static_configs: [{ targets: [address], labels }],
  });
  const { job: _, ...labels } = LABELS;
  const metrics = stack.use(
    await startRealPrometheus({
      externalUrl: ELSEWHERE,
      config: stringify({
        global: {
          scrape_interval: "500ms",
          scrape_timeout: "500ms",
          evaluation_interval: "500ms",
          // Alertmanager's alerts have it, Prometheus's series do not.
          external_labels: { cluster: "eu" },
        },
        rule_files: ["rules.yml"],
        alerting: {
          alertmanagers: [{
            static_configs: [{ targets: [new URL(alerts.url).host] }],
          }],
        },
        scrape_configs: [
          scraped("checkout-api", target, labels),
          scraped("orders-db", `127.0.0.1:${freePort()}`, {
            instance: "orders-1",
            namespace: "shop",
          }),
          scraped("mail", `127.0.0.1:${freePort()}`, { namespace: "mail" }),
        ],
      }),
      rules: RULES,
      web: stringify({ basic_auth_users: { [USER]: HASH } }),
      history: historyOf(begun),
    }, { headers: { Authorization: `Basic ${btoa(`${USER}:${PASSWORD}`)}` } }),
  )!;
  await until("the webhook", () => received.length > 0, 30_000);
  const delivery = await readAdmitted(
    received[0]!,
    WEBHOOKS.get("/webhook/alertmanager")!,
    readConfig(INTAKE_SETTINGS, () => undefined),
  );
  assert("incident" in delivery);
  const moved = stack.move();
  return {
    incident: delivery.incident,
    env: {
      PROMETHEUS_URL: metrics.url,
      PROMETHEUS_USERNAME: USER,
      PROMETHEUS_PASSWORD: PASSWORD,
      ALERTMANAGER_URL: alerts.url,
    },
    async post(path, body) {
      const response = await fetch(alerts.url + path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      assert(response.ok, await response.text());
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

Deno.test({
  name: "collectors find in a real Prometheus and Alertmanager what is there",
  ignore,
  async fn(t) {
    await using rig = await startRig();
    const { env, incident } = rig;
    const ask = (more: Record<string, string> = {}) =>
      collect([prometheus, alertmanager], {
        env: { ...env, ...more },
        incident,
        now: new Date(),
      });
    const found = await ask();
    const facts = new Map(found.facts.map(({ name, value }) => [name, value]));
    const stateOf = (found: Awaited<ReturnType<typeof ask>>, text: string) =>
      found.lookups.find(({ question = "" }) => question.includes(text));

    await t.step(
      "the alert carries its expression, and a host that is not called",
      () => {
        const [alert] = incident.raw!["alerts"] as JsonObject[];
        assert(
          String(alert!["generatorURL"]).startsWith(`${ELSEWHERE}/graph?`),
        );
        const { alerts } = toSubject(incident, new Date());
        assertEquals(alerts.map(({ expr }) => expr), [EXPR]);
        assertEquals(alerts[0]!.labels.get("cluster"), "eu");
      },
    );

    await t.step(
      "its series is drawn: limit, crossing, rise, week before",
      () => {
        assertMatch(facts.get("now")!, /^2\.\d+ at .* UTC, limit > 2$/);
        assertMatch(facts.get("crossed its limit")!, /^at .* UTC with 2\.\d+$/);
        assertMatch(facts.get("course over 6 h")!, /^rising [▁-█]+$/u);
        assertMatch(
          facts.get("a week before")!,
          /^0\.6 at the same time, now [34]\.\d+ times that$/,
        );
        const piece = JSON.parse(found.pieces[0]!.content);
        assertEquals(piece.lines.length, 1);
        const { __name__, ...labels } = piece.lines[0].metric;
        assertEquals([__name__, labels], ["checkout_p99_seconds", LABELS]);
        assert(piece.lines[0].samples.length > 115);
      },
    );

    await t.step("past firings are counted, this one left out", () => {
      // Blocks that were filled in lack the mark that ends a series, so that it
      // seems to go on for 5 minutes.
      assertMatch(
        facts.get("fired in 30 days")!,
        /^2 times before, usually for (25|30) min$/,
      );
      assertMatch(facts.get("last fired")!, / for (25|30) min$/);
    });

    await t.step("targets that are down are named, near ones first", () => {
      assertEquals(
        facts.get("targets down"),
        "2, 1 of them here: orders-db orders-1",
      );
    });

    await t.step(
      "another alert is named, and no silence touches this one",
      () => {
        assertEquals(
          facts.get("other alerts firing"),
          "1, 1 of them here: CheckoutErrors",
        );
        assertEquals(
          stateOf(found, "silences and inhibitions")?.why,
          "no silence or inhibition touches it",
        );
        assertEquals(found.gaps, []);
      },
    );

    await t.step("a silence is found, with what it silences", async () => {
      const endsAt = new Date(Date.now() + 3600_000).toISOString();
      const matcher = (name: string, value: string, isRegex: boolean) => ({
        matchers: [{ name, value, isRegex, isEqual: true }],
        startsAt: new Date().toISOString(),
        endsAt,
        createdBy: "ada",
        comment: `for ${value}`,
      });
      await rig.post("/api/v2/silences", matcher("service", "check.*", true));
      await rig.post("/api/v2/silences", matcher("service", "mail", false));
      await until("it to be silenced", async () => {
        const { facts } = await ask();
        return facts.some(({ name }) =>
          name === "other alerts silenced or inhibited"
        );
      });
      const { facts } = await ask();
      assertEquals(
        facts.filter(({ name }) => name === "silenced").map(({ value }) =>
          value
        ),
        [`until ${endsAt} by ada: for check.*`],
      );
    });

    await t.step(
      "a wrong password is a gap, and the rest is found",
      async () => {
        const found = await ask({ PROMETHEUS_PASSWORD: "wrong" });
        const refused = found.gaps.map(({ kind, why }) => `${kind}: ${why}`);
        assertEquals(
          [...new Set(refused)],
          ["refused: Prometheus answered 401 (Unauthorized)"],
        );
        assertEquals(stateOf(found, "other alerts")?.state, "found");
      },
    );

    await t.step("check() says which versions these are", async () => {
      const one = await prometheus.check(openIo(prometheus, env));
      assertMatch(one.says, /^Prometheus \d+\.\d+/);
      const other = await alertmanager.check(openIo(alertmanager, env));
      assertMatch(other.says, /^Alertmanager \d+\.\d+/);
    });
  },
});
