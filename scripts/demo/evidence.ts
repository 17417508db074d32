/**
 * What the demo's collectors find: stand-ins of the systems that they ask. They
 * tell one story. A deployment four minutes before the start makes checkout
 * slow; a new error fills its log; it was slow before. One system refuses an
 * answer, some are not set up.
 *
 * @module
 */
import { startAlertmanagerApi } from "../../deploy/standins/alertmanager.ts";
import type { ApiStandIn } from "../../deploy/standins/api.ts";
import {
  GITHUB_EXAMPLE_TOKEN,
  startGitHubApi,
} from "../../deploy/standins/github.ts";
import { startGrafanaApi } from "../../deploy/standins/grafana.ts";
import { startLokiApi } from "../../deploy/standins/loki.ts";
import {
  PAGERDUTY_KEY,
  startPagerDutyApi,
} from "../../deploy/standins/pagerduty.ts";
import {
  type FakeSeries,
  startPrometheusApi,
} from "../../deploy/standins/prometheus.ts";
import { toSubject } from "../../lib/evidence/subject.ts";
import {
  encodeHistory,
  type HistoryItem,
  historyKey,
} from "../../lib/history.ts";
import { openStore, REACH_MS } from "../../lib/operate/reach.ts";
import { StoreError } from "../../lib/platform/store.ts";
import type { Scene } from "./scene.ts";
import {
  DAY_S,
  fires,
  latencyAt,
  MINUTE_S,
  momentBefore,
  type Story,
} from "./story.ts";

const CATALOG = "deploy/samples/sample_catalog.yaml";
const VERSION = "2026.3.1";
const ADA = { id: "PUSR3A9", type: "user_reference", summary: "Ada Example" };

/**
 * Starts the stand-ins, but for those of Prometheus and Alertmanager.
 *
 * @param stack Ends them.
 * @returns The fetcher's variables, which name them.
 */
export function startStandIns(
  story: Story,
  stack: AsyncDisposableStack,
): Record<string, string> {
  const use = (api: ApiStandIn) => stack.use(api).url;
  return {
    CATALOG_FILE: CATALOG,
    PAGERDUTY_API_TOKEN: PAGERDUTY_KEY,
    PAGERDUTY_API_URL: use(startPagerDuty(story)),
    GITHUB_TOKEN: GITHUB_EXAMPLE_TOKEN,
    GITHUB_API_URL: use(startGitHub(story)),
    GRAFANA_URL: use(startGrafana()),
    LOKI_URL: use(startLoki(story)),
  };
}

/** Starts the stand-ins of Prometheus and Alertmanager in the same way. */
export function startMonitoringStandIns(
  story: Story,
  stack: AsyncDisposableStack,
): Record<string, string> {
  return {
    PROMETHEUS_URL: stack.use(startPrometheus(story)).url,
    ALERTMANAGER_URL: stack.use(startAlertmanager(story)).url,
  };
}

/**
 * Notes that a message about the same subject was posted six days before, unless
 * the platform knows of one: on a platform that was named, an earlier demo's.
 */
export async function notePast(
  { redis, say }: Pick<Scene, "redis" | "say">,
  story: Story,
): Promise<void> {
  const { signal } = say.context;
  const { key = "" } = toSubject(story.incident, story.startedAt);
  const list = historyKey("default", key);
  if (list === undefined) return;
  try {
    await using store = await openStore(redis, REACH_MS, signal);
    const [known] = await store.latest(list, 1, signal);
    if (known !== undefined) return;
    await store.append(list, encodeHistory(pastPost(story)), signal);
  } catch (error) {
    // The user that is named may not be allowed to: the story goes on without.
    if (!(error instanceof StoreError) || error.kind !== "refused") throw error;
    say.line(`no earlier incident: ${error.message}`);
  }
}

/** The message of six days before. */
export function pastPost({ startedAt }: Story): HistoryItem {
  return {
    at: momentBefore(startedAt, 6 * DAY_S - 9 * MINUTE_S),
    incidentId: "alertmanager:c4b1d09e77a26f35",
    severity: "critical",
    title: "CheckoutHighLatency: p99 of POST /checkout above 2 s",
    mode: "artifact",
    runId: "2f6b3c0e-5d0a-4a3e-9a51-6d1c8f1f6a01",
  };
}

function startPrometheus({ startedAt, incident }: Story): ApiStandIn {
  const { alerts } = toSubject(incident, startedAt);
  const [first] = alerts;
  const start = startedAt.getTime() / 1000;
  const series: Record<string, FakeSeries[]> = {};
  for (const { name, labels, expr } of alerts) {
    const drawn = expr?.replace(/ > .*$/s, "") ?? "";
    const pod = labels.get("pod") ?? "";
    (series[drawn] ??= []).push({
      metric: { pod },
      at: (time) => latencyAt(time - start, pod),
    });
    if (labels !== first?.labels) continue;
    // It fires now, and had fired twice before.
    const metric = Object.fromEntries([
      ...labels,
      ["__name__", "ALERTS"],
      ["alertstate", "firing"],
    ]);
    const query = `ALERTS{alertname=${
      JSON.stringify(name)
    },alertstate="firing"}`;
    series[query] = [{
      metric,
      at: (time) => fires(time - start) ? 1 : undefined,
    }];
  }
  return startPrometheusApi({ series });
}

function startGitHub({ startedAt }: Story): ApiStandIn {
  const at = (agoS: number) => momentBefore(startedAt, agoS);
  const ada = { login: "ada-example" };
  const [now, before] = ["7c9f4", "41b0e"].map((start) =>
    start.padEnd(40, "0")
  );
  const deployment = (id: number, [sha, ref]: string[], agoS: number) => ({
    id,
    sha,
    ref,
    task: "deploy",
    environment: "production",
    creator: ada,
    created_at: at(agoS),
    updated_at: at(agoS),
    production_environment: true,
  });
  const agoS = 4 * MINUTE_S;
  const success = {
    state: "success",
    created_at: at(agoS),
    log_url: "https://ci.example.com/runs/2112",
    creator: ada,
  };
  const subject = "Wait longer for a connection to the database (#412)";
  return startGitHubApi({
    repositories: {
      "example/checkout": {
        deployments: [
          deployment(2, [now!, `v${VERSION}`], agoS),
          deployment(1, [before!, "v2026.2.8"], 3 * DAY_S),
        ],
        statuses: {
          2: [success],
          1: [{ ...success, created_at: at(3 * DAY_S) }],
        },
        comparisons: {
          [`${before}...${now}`]: {
            status: "ahead",
            ahead_by: 1,
            behind_by: 0,
            total_commits: 1,
            html_url: "https://github.com/example/checkout/compare",
            commits: [{
              sha: now,
              html_url: `https://github.com/example/checkout/commit/${now}`,
              commit: {
                message: subject,
                author: { name: "Ada Example", date: at(2 * DAY_S) },
              },
              author: ada,
              parents: [{ sha: before }],
            }],
            files: [{
              filename: "src/pool.ts",
              status: "modified",
              changes: 4,
            }],
          },
        },
        pulls: {
          [now!]: [{
            number: 412,
            title: subject.replace(" (#412)", ""),
            html_url: "https://github.com/example/checkout/pull/412",
            merged_at: at(50 * MINUTE_S),
            user: ada,
          }],
        },
      },
    },
  });
}

/** Its token may read dashboards only. */
function startGrafana(): ApiStandIn {
  const api = startGrafanaApi({
    dashboards: [{
      title: "checkout-api overview",
      url: "/d/k7x/checkout-api",
    }],
  });
  api.fault = "403";
  api.faultOn = (path) => path === "/api/annotations";
  return api;
}

function startAlertmanager({ startedAt, incident }: Story): ApiStandIn {
  const alert = (
    labels: Record<string, string>,
    [agoS, summary]: readonly [number, string],
  ) => ({
    labels,
    annotations: { summary },
    startsAt: momentBefore(startedAt, agoS),
    status: { state: "active", silencedBy: [], inhibitedBy: [] },
  });
  const own = toSubject(incident, startedAt).alerts.map(({ labels }) =>
    alert(Object.fromEntries(labels), [0, "p99 of POST /checkout above 2 s"])
  );
  return startAlertmanagerApi({
    alerts: [
      ...own,
      alert({
        alertname: "CheckoutErrorRatio",
        cluster: "eu-west-1-prod",
        namespace: "shop",
        service: "checkout-api",
        severity: "warning",
      }, [90, "8.3 % of POST /checkout fail"]),
      alert({
        alertname: "CertificateExpiresSoon",
        cluster: "eu-west-1-prod",
        namespace: "mail",
        service: "smtp-relay",
        severity: "info",
      }, [2 * DAY_S, "19 days left"]),
    ],
  });
}

function startLoki({ startedAt }: Story): ApiStandIn {
  const line = (agoS: number, text: string) =>
    [`${startedAt.getTime() - agoS * 1000}000000`, text] as const;
  const pods = ["checkout-api-7c9f4-2xk8p", "checkout-api-7c9f4-m5d7q"];
  return startLokiApi({
    streams: pods.map((pod, at) => ({
      stream: { namespace: "shop", app: "checkout-api", pod },
      lines: [
        line(2900 + at, `level=error msg="cart ${4107 + at} is empty"`),
        line(250 - at, `level=info msg="started version ${VERSION}"`),
        ...[200, 160, 95, 60, 20].map((agoS) =>
          line(
            agoS - at,
            `level=error msg="timed out after 30000 ms waiting for a connection from the pool (64 of 64 in use)"`,
          )
        ),
        line(70 + at, `level=error msg="cart ${4711 + at} is empty"`),
      ],
    })),
  });
}

function startPagerDuty({ startedAt, incident }: Story): ApiStandIn {
  const id = incident.incident_id.replace(/^pagerduty:/, "");
  const at = (agoS: number) => momentBefore(startedAt, agoS);
  const service = {
    id: "PSVC7Q1",
    type: "service_reference",
    summary: "checkout-api",
  };
  return startPagerDutyApi({
    incidents: {
      [id]: {
        incident: {
          id,
          incident_number: 1042,
          title: "Checkout latency above 2 s in eu-west-1",
          status: "triggered",
          urgency: "high",
          priority: { id: "PPRI1X4", summary: "P1" },
          service,
          created_at: at(0),
          assignments: [{ at: at(0), assignee: ADA }],
        },
        alerts: [{
          summary: "p99 of POST /checkout above 2 s",
          status: "triggered",
          severity: "critical",
          created_at: at(0),
          service,
        }],
        log: [{
          type: "trigger_log_entry",
          summary: "Triggered through Prometheus.",
          created_at: at(0),
        }],
        past: [{
          incident: {
            id: "Q1EXAMPLE0977P",
            title: "Checkout latency above 2 s in eu-west-1",
            created_at: at(6 * DAY_S),
          },
          score: 46.8,
        }],
        changes: [{
          summary: `Deployed checkout-api ${VERSION}`,
          timestamp: at(4 * MINUTE_S),
          source: "ci",
          services: [service],
          links: [],
        }],
      },
      Q1EXAMPLE0977P: {
        incident: {
          id: "Q1EXAMPLE0977P",
          title: "Checkout latency above 2 s in eu-west-1",
          status: "resolved",
          created_at: at(6 * DAY_S),
          resolved_at: at(6 * DAY_S - 41 * MINUTE_S),
          last_status_change_by: ADA,
        },
        notes: [{
          user: ADA,
          content: "Rolled back to 2026.2.8; the pool to the database was full",
          created_at: at(6 * DAY_S - 24 * MINUTE_S),
        }],
      },
    },
  });
}
