/**
 * The fetcher's part of the proof: every collector is set up and asks a stand-in,
 * so that a permission which one of them lacks shows in how its look-ups end.
 *
 * @module
 */
import { startAlertmanagerApi } from "../../deploy/standins/alertmanager.ts";
import { type ApiStandIn, startApi } from "../../deploy/standins/api.ts";
import {
  GITHUB_EXAMPLE_TOKEN,
  startGitHubApi,
} from "../../deploy/standins/github.ts";
import { startGrafanaApi } from "../../deploy/standins/grafana.ts";
import { startKubernetesApi } from "../../deploy/standins/kubernetes.ts";
import { startLokiApi } from "../../deploy/standins/loki.ts";
import {
  PAGERDUTY_KEY,
  startPagerDutyApi,
} from "../../deploy/standins/pagerduty.ts";
import { startPrometheusApi } from "../../deploy/standins/prometheus.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { COLLECTORS } from "../../lib/evidence/collectors.ts";
import type {
  EvidenceBundle,
  IncidentInput,
  Lookup,
} from "../../lib/incident.ts";
import { reject } from "../../lib/operate/approvals.ts";
import { WORKFLOW_ID } from "../../lib/operate/pack.ts";
import type { Stand } from "./stand.ts";

const PAGERDUTY_ID = "PROOF0001";
/** Names the repository, the workload and the logs of the first incident. */
const CATALOG = "deploy/samples/sample_catalog.yaml";
const TOKEN_FILE = "deploy/samples/sample_kubernetes_token";

/** What the collectors ask in a proof. */
export interface Systems {
  /** The fetcher's variables, which name them. */
  readonly env: Readonly<Record<string, string>>;
  /** Two, since one incident does not concern every collector. */
  readonly incidents: readonly IncidentInput[];
}

/**
 * Starts a stand-in for each system.
 *
 * @param stack Ends them.
 */
export async function startSystems(
  stack: AsyncDisposableStack,
): Promise<Systems> {
  const use = (api: ApiStandIn) => stack.use(api).url;
  const token = (await Deno.readTextFile(TOKEN_FILE)).trim();
  const runbooks = use(startApi({
    routes: {
      "/proof.md": () =>
        new Response("# Proof", { headers: { "Content-Type": "text/plain" } }),
    },
  }));
  const incident = { id: PAGERDUTY_ID, status: "triggered" };
  const repositories = { "example/checkout": {} };
  return {
    env: {
      CATALOG_FILE: CATALOG,
      PAGERDUTY_API_URL: use(
        startPagerDutyApi({ incidents: { [PAGERDUTY_ID]: { incident } } }),
      ),
      PAGERDUTY_API_TOKEN: PAGERDUTY_KEY,
      GITHUB_API_URL: use(startGitHubApi({ repositories })),
      GITHUB_TOKEN: GITHUB_EXAMPLE_TOKEN,
      KUBERNETES_API_URL: use(startKubernetesApi({ token })),
      KUBERNETES_TOKEN_FILE: TOKEN_FILE,
      GRAFANA_URL: use(startGrafanaApi()),
      PROMETHEUS_URL: use(startPrometheusApi()),
      ALERTMANAGER_URL: use(startAlertmanagerApi()),
      LOKI_URL: use(startLokiApi()),
      RUNBOOK_ORIGINS: runbooks,
    },
    incidents: [
      {
        incident_id: `pagerduty:${PAGERDUTY_ID}`,
        title: "Proof of permissions",
        service: "checkout-api",
        source: { system: "pagerduty" },
      },
      {
        incident_id: "alertmanager:proof",
        title: "Proof of permissions",
        source: { system: "alertmanager" },
        raw: {
          alerts: [{
            status: "firing",
            labels: { alertname: "Proof", app: "proof" },
            annotations: { runbook_url: `${runbooks}/proof.md` },
          }],
        },
      },
    ],
  };
}

/**
 * Has the fetcher look up the incidents.
 *
 * @throws {Error} If some collector could ask nothing, saying why.
 */
export async function checkCollectors(
  stand: Stand,
  { incidents }: Systems,
): Promise<void> {
  const lookups = await Promise.all(
    incidents.map((incident) => lookUp(stand, incident)),
  );
  const all = lookups.flat();
  for (const { name } of COLLECTORS) {
    const own = all.filter(({ collector }) => collector === name);
    if (own.some(({ state }) => state === "found" || state === "nothing")) {
      continue;
    }
    // The first may only say that others had to be asked before.
    const failed = own.findLast(({ state }) => state === "failed");
    const { why } = failed ?? own[0] ?? {};
    throw new Error(`${name}: ${why ?? "was asked nothing"}`);
  }
}

async function lookUp(
  stand: Stand,
  incident: IncidentInput,
): Promise<readonly Lookup[]> {
  const { platform, signal } = stand;
  const runId = await platform.gateway.startRun(WORKFLOW_ID, incident, {
    key: crypto.randomUUID(),
    signal,
  });
  const { jobId } = await stand.untilWaiting(runId);
  const { context } = await stand.readRun(runId);
  await reject(platform, jobId, "a proof posts nothing");
  const { steps } = context as { steps: Record<string, JsonObject> };
  const { lookups = [] } = steps["fetch"]!["output"] as EvidenceBundle;
  return lookups;
}
