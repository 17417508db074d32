/**
 * The sample incident with what all collectors find about it, at one fixed time:
 * real collectors against stand-ins, so that pictures show what people get.
 *
 * The demo's story, with a cluster and a runbook. The same bytes every time: the
 * one port that is told is replaced by a name.
 *
 * @module
 */
import { startApi } from "../../deploy/standins/api.ts";
import { startKubernetesApi } from "../../deploy/standins/kubernetes.ts";
import { readConfig } from "../../lib/base/config.ts";
import { mapTexts } from "../../lib/base/json.ts";
import { createLog } from "../../lib/base/log.ts";
import { gather } from "../../lib/evidence/gather.ts";
import { COLLECTOR_SETTINGS } from "../../lib/evidence/settings.ts";
import { encodeHistory } from "../../lib/history.ts";
import type { Findings } from "../../lib/sources/source.ts";
import {
  pastPost,
  startMonitoringStandIns,
  startStandIns,
} from "../demo/evidence.ts";
import { readSent } from "../demo/incident.ts";
import { createSender } from "../demo/senders.ts";
import { momentBefore, type Story } from "../demo/story.ts";

/** When the sample incident began, and when it was looked into. */
const STARTED_AT = new Date("2026-01-15T09:30:12.417Z");
export const NOW = new Date("2026-01-15T09:31:44.000Z");
const TOKEN_FILE = "deploy/samples/sample_kubernetes_token";
const WIKI = "https://runbooks.example.com";
const RUNBOOK = `# Checkout is slow

1. Compare the pool of connections: \`checkout_pool_in_use\` against its size of 64.
2. If the last deployment is younger than an hour, roll it back: \`kubectl -n shop rollout undo deployment/checkout-api\`.
3. Page payments if it goes on for more than 15 minutes.
`;

/** What was found about the incident, before it is stored. */
export interface SampleFindings {
  incidentId: string;
  findings: Findings;
}

/** Asks every collector. */
export async function collectSample(): Promise<SampleFindings> {
  await using stack = new AsyncDisposableStack();
  const sender = createSender("alertmanager");
  const body = await sender.body("", STARTED_AT.toISOString());
  const story = {
    startedAt: STARTED_AT,
    incident: await readSent(body, sender),
  };
  const wiki = stack.use(startWiki());
  // Of thirteen questions twelve are asked, and a runbook is worth more than a
  // Grafana that refuses its annotations.
  const { GRAFANA_URL: _, ...systems } = startStandIns(story, stack);
  const env: Record<string, string> = {
    ...systems,
    ...startMonitoringStandIns(story, stack),
    KUBERNETES_API_URL: stack.use(startCluster(story)).url,
    KUBERNETES_TOKEN_FILE: TOKEN_FILE,
    RUNBOOK_ORIGINS: wiki.url,
  };
  const incident = mapTexts(
    story.incident,
    (text) => text.replaceAll(WIKI, wiki.url),
  );
  const findings = await gather(incident, {
    settings: readConfig(COLLECTOR_SETTINGS, (name) => env[name]),
    level: "standard",
    now: NOW,
    signal: new AbortController().signal,
    leftMs: 60_000,
    log: createLog({}, { write() {} }),
    history: () => Promise.resolve([encodeHistory(pastPost(story))]),
  });
  return {
    incidentId: incident.incident_id,
    findings: mapTexts<Findings>(
      findings,
      (text) => text.replaceAll(wiki.url, WIKI),
    ),
  };
}

function startWiki() {
  return startApi({
    routes: {
      "/checkout/:page": () =>
        new Response(RUNBOOK, { headers: { "Content-Type": "text/markdown" } }),
    },
  });
}

/** Two revisions, the later of which makes a pod restart. */
function startCluster({ startedAt }: Story) {
  const at = (agoS: number) => momentBefore(startedAt, agoS);
  const name = "checkout-api";
  const metadata = { namespace: "shop", labels: { app: name } };
  const replicaSet = (hash: string, revision: string, created: string) => ({
    metadata: {
      ...metadata,
      name: `${name}-${hash}`,
      labels: { app: name, "pod-template-hash": hash },
      annotations: { "deployment.kubernetes.io/revision": revision },
      creationTimestamp: created,
      ownerReferences: [{ kind: "Deployment", name, controller: true }],
    },
    spec: {
      template: {
        metadata: {},
        spec: {
          containers: [{
            name: "app",
            image: `registry.example.com/${name}:${
              revision === "42" ? "2026.3.1" : "2026.2.8"
            }`,
          }],
        },
      },
    },
  });
  const pod = (suffix: string, restarts: number) => ({
    metadata: {
      ...metadata,
      name: `${name}-7c9f4-${suffix}`,
      labels: { app: name, "pod-template-hash": "7c9f4" },
      ownerReferences: [
        { kind: "ReplicaSet", name: `${name}-7c9f4`, controller: true },
      ],
    },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: restarts > 0 ? "False" : "True" }],
      containerStatuses: [{
        name: "app",
        restartCount: restarts,
        state: restarts > 0
          ? { waiting: { reason: "CrashLoopBackOff", message: "back-off 20s" } }
          : { running: { startedAt: at(230) } },
      }],
    },
  });
  return startKubernetesApi({
    deployments: [{
      metadata: { ...metadata, name },
      spec: { replicas: 3, selector: { matchLabels: { app: name } } },
      status: {
        replicas: 3,
        updatedReplicas: 3,
        readyReplicas: 2,
        conditions: [{ type: "Available", status: "True" }],
      },
    }],
    replicasets: [
      replicaSet("7c9f4", "42", at(250)),
      replicaSet("5d1b8", "41", at(3 * 24 * 3600)),
    ],
    pods: [pod("2xk8p", 0), pod("m5d7q", 0), pod("tq6wn", 2)],
    forbidden: ["events"],
  });
}
