import { assertEquals } from "@std/assert";
import { startKubernetesApi } from "../../../deploy/standins/kubernetes.ts";
import { kubernetes } from "../../../lib/evidence/collect/kubernetes.ts";
import { collect, testFaults } from "../../support/collecting.ts";

const TOKEN = new URL("../../testdata/kubernetes/token", import.meta.url)
  .pathname;
const env = (url: string) => ({
  KUBERNETES_API_URL: url,
  KUBERNETES_TOKEN_FILE: TOKEN,
});

const HASHES = ["5b8c7d9f4c", "6d4f8b7c9d", "7f9b6c5d8b"];

/** What a Deployment lists, with two of three pods ready. */
function deployment(name = "checkout", more: Record<string, unknown> = {}) {
  return {
    metadata: {
      name,
      namespace: "shop",
      labels: { app: name },
      managedFields: [
        {
          manager: "helm",
          operation: "Apply",
          time: "2026-01-15T09:25:58Z",
          fieldsV1: { "f:spec": { "f:template": {} } },
        },
        {
          manager: "kube-controller-manager",
          operation: "Update",
          subresource: "status",
          time: "2026-01-15T09:59:00Z",
          fieldsV1: { "f:status": {} },
        },
      ],
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: name } },
      template: {
        spec: {
          containers: [{ name: "app", image: `r.example/${name}:1.4.2` }],
        },
      },
    },
    status: {
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 2,
      conditions: [
        {
          type: "Available",
          status: "True",
          reason: "MinimumReplicasAvailable",
        },
        {
          type: "Progressing",
          status: "False",
          reason: "ProgressDeadlineExceeded",
          lastUpdateTime: "2026-01-15T09:36:00Z",
        },
      ],
    },
    ...more,
  };
}

function replicaSet(
  revision: number,
  createdAt: string,
  tag: string,
  { name = "checkout", annotations = {}, template = {} } = {},
) {
  const hash = HASHES[revision % 3]!;
  return {
    metadata: {
      name: `${name}-${hash}`,
      namespace: "shop",
      labels: { app: name, "pod-template-hash": hash },
      annotations: {
        "deployment.kubernetes.io/revision": String(revision),
        ...annotations,
      },
      creationTimestamp: createdAt,
      ownerReferences: [{ kind: "Deployment", name, controller: true }],
    },
    spec: {
      template: {
        metadata: { annotations: template },
        spec: {
          containers: [{ name: "app", image: `r.example/${name}:${tag}` }],
        },
      },
    },
  };
}

function pod(at: number, status: Record<string, unknown>, name = "checkout") {
  return {
    metadata: {
      name: `${name}-${HASHES[0]}-bcd${"fghjk"[at % 5]}${"2456789"[at % 7]}`,
      namespace: "shop",
      labels: { app: name, "pod-template-hash": HASHES[0] },
      ownerReferences: [
        { kind: "ReplicaSet", name: `${name}-${HASHES[0]}`, controller: true },
      ],
    },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      ...status,
    },
  };
}

const KILLED = (finishedAt: string) => ({
  conditions: [{ type: "Ready", status: "False" }],
  containerStatuses: [{
    name: "app",
    restartCount: 4,
    state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s" } },
    lastState: {
      terminated: { reason: "OOMKilled", exitCode: 137, finishedAt },
    },
  }],
});

function warning(
  name: string,
  reason: string,
  more: Record<string, unknown> = {},
  kind = "Pod",
) {
  return {
    metadata: {
      name: `${name}.${reason}`,
      creationTimestamp: "2026-01-15T09:31:00Z",
    },
    type: "Warning",
    reason,
    message: `${reason} of ${name}`,
    involvedObject: { kind, name },
    firstTimestamp: null,
    lastTimestamp: null,
    ...more,
  };
}

const OLD = replicaSet(11, "2026-01-05T08:00:00Z", "1.4.1");
const NEW = replicaSet(12, "2026-01-15T09:26:00Z", "1.4.2");
const DATA = {
  deployments: [deployment()],
  replicasets: [NEW, OLD],
  pods: [
    pod(0, {}),
    pod(1, KILLED("2026-01-15T09:41:00Z")),
    pod(2, KILLED("2026-01-15T09:44:00Z")),
  ],
  events: [
    warning(`checkout-${HASHES[0]}-bcdf2`, "BackOff", {
      count: 12,
      firstTimestamp: "2026-01-15T09:32:00Z",
      lastTimestamp: "2026-01-15T09:59:00Z",
    }),
  ],
};

function factsOf(found: Awaited<ReturnType<typeof collect>>) {
  return found.facts.map(({ name, value }) => `${name}: ${value}`);
}

testFaults({
  collector: kubernetes,
  start: () => startKubernetesApi(DATA),
  env,
});

Deno.test("kubernetes: a rollout, a sick workload and its warnings are found in five calls", async () => {
  await using api = startKubernetesApi(DATA);
  const found = await collect(kubernetes, { env: env(api.url) });
  assertEquals(api.mistakes, []);
  assertEquals(api.asked.length, 5);
  assertEquals(factsOf(found), [
    "rollout: checkout rolled out checkout 1.4.1 → 1.4.2 (revision 12, by helm) at 2026-01-15 09:26:00 UTC, 4 min before the start",
    "Deployment checkout: 2 of 3 ready, not Progressing (ProgressDeadlineExceeded)",
    "pods: 3: 3 Running; 1 ready; 8 restarts",
    "CrashLoopBackOff: 2 pods of checkout, container app, back-off 40s",
    "OOMKilled: 2 pods of checkout, container app, exit code 137, last at 2026-01-15 09:44:00 UTC",
    `BackOff: checkout ×12, last at 2026-01-15 09:59:00 UTC: BackOff of checkout-${
      HASHES[0]
    }-bcdf2`,
  ]);
  assertEquals(found.timeline.map(({ at, kind, text }) => [at, kind, text]), [
    [
      "2026-01-15T09:26:00.000Z",
      "change",
      "shop/checkout rolled out checkout 1.4.1 → 1.4.2 (revision 12, by helm)",
    ],
    [
      "2026-01-15T09:32:00.000Z",
      "state",
      `shop/checkout: BackOff: BackOff of checkout-${HASHES[0]}-bcdf2`,
    ],
    [
      "2026-01-15T09:41:00.000Z",
      "state",
      "shop/checkout: app ended with OOMKilled in 2 pods",
    ],
  ]);
  assertEquals(found.gaps, []);
});
