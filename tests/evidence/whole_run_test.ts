/**
 * All collectors at once, against a stand-in each: what some of them cannot say
 * costs the others nothing.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startAlertmanagerApi } from "../../deploy/standins/alertmanager.ts";
import { type ApiStandIn, startApi } from "../../deploy/standins/api.ts";
import {
  GITHUB_EXAMPLE_TOKEN,
  startGitHubApi,
} from "../../deploy/standins/github.ts";
import { startGrafanaApi } from "../../deploy/standins/grafana.ts";
import { startKubernetesApi } from "../../deploy/standins/kubernetes.ts";
import { startLokiApi } from "../../deploy/standins/loki.ts";
import { startPrometheusApi } from "../../deploy/standins/prometheus.ts";
import { readConfig } from "../../lib/base/config.ts";
import { createLog } from "../../lib/base/log.ts";
import { buildBundle } from "../../lib/evidence/bundle.ts";
import { gather } from "../../lib/evidence/gather.ts";
import { QUESTIONS_MAX } from "../../lib/evidence/run_collectors.ts";
import { COLLECTOR_SETTINGS } from "../../lib/evidence/settings.ts";
import type { EvidenceBundle, LookupState } from "../../lib/incident.ts";
import { compileCheck } from "../../lib/schema_check.ts";
import { fetchEvidence, SETTINGS } from "../../workers/fetcher.ts";
import { INCIDENT, NOW } from "../support/collecting.ts";
import { fakeContext } from "../support/job_context.ts";

const MINUTE_MS = 60_000;
const START_MS = Date.parse(INCIDENT.occurred_at!);
const before = (minutes: number) =>
  new Date(START_MS - minutes * MINUTE_MS).toISOString();
const CATALOG = new URL("../../dist/whole_run_catalog.yaml", import.meta.url);
const TOKEN = new URL("../testdata/kubernetes/token", import.meta.url);

/** Eight collectors and the systems that they ask. */
interface Systems extends AsyncDisposable {
  env: Readonly<Record<string, string>>;
  /** By collector, but for our own posts. */
  apis: Readonly<Record<string, ApiStandIn>>;
}

async function startSystems(): Promise<Systems> {
  const stack = new AsyncDisposableStack();
  const wiki = startApi({
    routes: {
      "/:page": () =>
        new Response("# Look at the pool", {
          headers: { "Content-Type": "text/markdown" },
        }),
    },
  });
  const apis = {
    github: startGitHubApi({
      repositories: {
        "shop/checkout": {
          deployments: [{
            id: 1,
            sha: "a".repeat(40),
            ref: "v1",
            task: "deploy",
            environment: "production",
            created_at: before(4),
            updated_at: before(4),
          }],
          statuses: { "1": [{ state: "success", created_at: before(3) }] },
        },
      },
    }),
    kubernetes: startKubernetesApi(),
    grafana: startGrafanaApi({
      annotations: [{ time: START_MS - 4 * MINUTE_MS, text: "Deployed v1" }],
    }),
    prometheus: startPrometheusApi({
      series: {
        "latency_p99:5m": [{
          metric: { pod: "a" },
          at: (second) => second * 1000 < START_MS ? 1 : 3,
        }],
      },
    }),
    alertmanager: startAlertmanagerApi({
      alerts: [{
        labels: { alertname: "CheckoutErrors", service: "checkout" },
        annotations: {},
        startsAt: before(1),
        status: { state: "active", silencedBy: [], inhibitedBy: [] },
      }],
    }),
    loki: startLokiApi({
      streams: [{
        stream: { namespace: "shop", app: "checkout" },
        lines: [[`${START_MS - MINUTE_MS}000000`, "level=error msg=timeout"]],
      }],
    }),
    runbook: wiki,
  };
  for (const api of Object.values(apis)) stack.use(api);
  await Deno.mkdir(new URL(".", CATALOG), { recursive: true });
  await Deno.writeTextFile(
    CATALOG,
    `services:
  - name: checkout
    match: { service: checkout }
    repository: shop/checkout
    logs: '{namespace="shop"}'
    runbook: ${wiki.url}/slow.md
`,
  );
  stack.defer(() => Deno.remove(CATALOG));
  return {
    apis,
    env: {
      CATALOG_FILE: CATALOG.pathname,
      GITHUB_TOKEN: GITHUB_EXAMPLE_TOKEN,
      GITHUB_API_URL: apis.github.url,
      KUBERNETES_API_URL: apis.kubernetes.url,
      KUBERNETES_TOKEN_FILE: TOKEN.pathname,
      GRAFANA_URL: apis.grafana.url,
      PROMETHEUS_URL: apis.prometheus.url,
      ALERTMANAGER_URL: apis.alertmanager.url,
      LOKI_URL: apis.loki.url,
      RUNBOOK_ORIGINS: wiki.url,
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What a job with so much time left makes of the incident. */
async function bundleOf(
  env: Readonly<Record<string, string>>,
  leftMs: number,
  history = () => Promise.resolve<readonly string[]>([]),
): Promise<EvidenceBundle> {
  const findings = await gather(INCIDENT, {
    settings: readConfig(COLLECTOR_SETTINGS, (name) => env[name]),
    level: "standard",
    now: NOW,
    signal: new AbortController().signal,
    leftMs,
    log: createLog({}, { write: () => {} }),
    history,
  });
  let stored = 0;
  const bundle = await buildBundle(INCIDENT.incident_id, findings, {
    now: NOW,
    put: () => Promise.resolve(`redis://art:${++stored}`),
  });
  assertEquals(compileCheck("EvidenceBundle")(bundle), undefined);
  return bundle;
}

/** The states of each collector that is set up. */
function statesOf({ lookups = [] }: EvidenceBundle) {
  const states = new Map<string, LookupState[]>();
  for (const { collector, state, why = "" } of lookups) {
    if (state === "off" || /^at most/.test(why)) continue;
    states.set(collector, [...states.get(collector) ?? [], state]);
  }
  return states;
}

Deno.test("three of eight collectors that fail cost three gaps, and no byte of the rest", async () => {
  await using systems = await startSystems();
  const { env, apis } = systems;
  const whole = await bundleOf(env, 30_000);
  const failing = ["github", "history", "loki"];
  apis["github"]!.fault = "500";
  apis["loki"]!.fault = "silent";
  const away = () => Promise.reject(new Error("Redis is away"));
  const started = performance.now();
  const bundles = [
    await bundleOf(env, 7_000, away),
    await bundleOf(env, 7_000, away),
  ];
  assert(performance.now() - started < 2 * 30_000);
  assertEquals(JSON.stringify(bundles[0]), JSON.stringify(bundles[1]));
  const [bundle] = bundles as [EvidenceBundle];
  const setUp = bundle.lookups!.filter(({ state }) => state !== "off")
    .map(({ collector }) => collector);
  assertEquals(new Set(setUp).size, 8);
  const states = statesOf(bundle);
  for (const [collector, of] of states) {
    const isFailed = of.every((state) => state === "failed");
    assertEquals([collector, isFailed], [
      collector,
      failing.includes(collector),
    ]);
  }
  const gaps = bundle.gaps!.filter(({ why }) => !/^at most/.test(why));
  assertEquals(gaps.map(({ kind, why }) => [kind, why]), [
    ["broken", "GitHub answered 500 (failed with 500)"],
    ["broken", "The list of posts could not be read (Redis is away)"],
    ["late", "Loki did not finish within 2 s"],
  ]);
  // Each question that is left has the same artifact and the same facts.
  const kept = ({ evidence }: EvidenceBundle) =>
    evidence.filter(({ kind }) =>
      kind !== "incident.context" && !failing.includes(kind.split(".", 1)[0]!)
    ).map(({ kind, sha256 }) => [kind, sha256]);
  assertEquals(kept(bundle), kept(whole));
  assert(kept(bundle).length >= 5, JSON.stringify(kept(bundle)));
  assertEquals(Object.values(apis).flatMap(({ mistakes }) => mistakes), []);
});

Deno.test("a whole run asks at most so many questions, and says which it did not", async () => {
  await using systems = await startSystems();
  const { lookups = [], gaps = [] } = await bundleOf(systems.env, 30_000);
  const left = gaps.filter(({ kind }) => kind === "limited");
  const questions = lookups.filter(({ question }) => question !== undefined);
  assertEquals(questions.length - left.length, QUESTIONS_MAX);
  for (const { why } of left) {
    assertEquals(why, `at most ${QUESTIONS_MAX} questions are asked`);
  }
});

Deno.test("a job with less than 5 s left asks nobody, and says that it is late", async () => {
  await using systems = await startSystems();
  const { env, apis } = systems;
  let read = 0;
  const bundle = await bundleOf(env, 4_900, () => {
    read++;
    return Promise.resolve([]);
  });
  const asked = Object.values(apis).flatMap(({ asked }) => asked);
  assertEquals([asked, read], [[], 0]);
  const states = [...statesOf(bundle).values()].flat();
  assertEquals(new Set(states), new Set(["failed"]));
  const kinds = bundle.gaps!.map(({ kind }) => kind);
  assertEquals(new Set<unknown>(kinds), new Set(["late", "limited"]));
  assert(bundle.gaps!.some(({ why }) => /no time is left/.test(why)));
});

Deno.test("where no collector is set up, the fetcher makes no call more", async () => {
  for (const env of [{ HISTORY_DAYS: "0" }, { HISTORY_DAYS: "30" }]) {
    const { context, artifacts } = fakeContext(SETTINGS, { env });
    const calls: string[] = [];
    const bundle = await fetchEvidence(INCIDENT, {
      ...context,
      gateway: {
        putArtifact: (artifact) => {
          calls.push("putArtifact");
          return context.gateway.putArtifact(artifact);
        },
        readArtifact: () => Promise.reject(new Error("not needed")),
        readJob: () => Promise.reject(new Error("not needed")),
      },
    });
    // The payload, the table of alerts, and the incident in plain fields.
    assertEquals([calls.length, artifacts.size], [3, 3]);
    assertEquals(bundle.evidence.length, 3);
    assertEquals(bundle.gaps!.map(({ kind }) => kind), ["off"]);
  }
});
