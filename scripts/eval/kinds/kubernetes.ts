/**
 * Pods, Deployments, warnings and nodes of a cluster, as our collector for
 * Kubernetes reads them from its API. Pure.
 *
 * @module
 */
import {
  isObject,
  type JsonObject,
  objectOf,
  stringOf,
} from "../../../lib/base/json.ts";
import { counted } from "../../../lib/base/text.ts";
import type { Finding, FoundFact } from "../../../lib/evidence/collector.ts";
import {
  readDeployment,
  readPod,
  readWarning,
} from "../../../lib/evidence/kubernetes/objects.ts";
import { hoursBefore } from "../../../lib/evidence/kubernetes/place.ts";
import {
  describeState,
  type State,
} from "../../../lib/evidence/kubernetes/state.ts";
import { deploymentOfPod } from "../../../lib/workload.ts";
import {
  type Kind,
  listOf,
  type Looking,
  type Reader,
  type Reply,
} from "../kind.ts";

const PAST_HOURS = 24;
const PRESSURES = ["memory_pressure", "disk_pressure", "pid_pressure"];
const NODES_SHOWN = 4;

export const kubernetesReplies: Reader = (kinds, looking) => {
  const own = kinds.map((kind) => ({ ...kind, value: named(kind.value) }))
    .filter(({ value }) =>
      Array.isArray(value["pods"]) || Array.isArray(value["deployments"]) ||
      Array.isArray(value["warning_events"]) || Array.isArray(value["nodes"])
    );
  const all = (name: string) => own.flatMap(({ value }) => listOf(value[name]));
  const nodes = all("nodes");
  const hasState = own.some(({ value }) =>
    ["pods", "deployments", "warning_events"].some((name) => name in value)
  );
  return {
    read: kinds.filter(({ name }) => own.some((one) => one.name === name)),
    replies: [
      ...hasState ? [stateReply(own, looking)] : [],
      ...nodes.length === 0 ? [] : [nodesReply(nodes)],
    ],
  };
};

/** Events of any type as those that warn, if they are of a cluster. */
function named(value: JsonObject): JsonObject {
  const events = listOf(value["events"]);
  const isOfCluster = events.length > 0 &&
    events.every((one) =>
      "reason" in one && ("involved_object" in one || "involvedObject" in one)
    );
  return !isOfCluster || "warning_events" in value ? value : {
    ...value,
    warning_events: events.filter(({ type }) => type !== "Normal"),
  };
}

function stateReply(own: readonly Kind[], { subject, now }: Looking): Reply {
  const all = (name: string) => own.flatMap(({ value }) => listOf(value[name]));
  const has = (name: string) => own.some(({ value }) => name in value);
  const deployments = all("deployments").map(toDeployment).map(readDeployment);
  const names = deployments.map(({ name }) => name);
  const known = [...names, subject.labels.get("workload_name") ?? ""]
    .filter((name) => name !== "");
  const since = hoursBefore(subject, PAST_HOURS);
  const namespace = subject.namespace ?? "the namespace";
  const state: State = {
    now,
    ...has("deployments") &&
      { deployments: { list: deployments, isWhole: false } },
    ...has("pods") && {
      pods: all("pods").map((pod) => readPod(toPod(pod, known), since)),
    },
    ...has("warning_events") &&
      { warnings: all("warning_events").map(toEvent).map(readWarning) },
  };
  return {
    collector: "kubernetes",
    question: {
      id: "state",
      what: `state of ${namespace}`,
      rank: 3,
      kind: "state",
    },
    findings: [describeState(state, {
      namespace,
      ...known[0] !== undefined && { hint: known[0] },
    })],
  };
}

function nodesReply(nodes: readonly JsonObject[]): Reply {
  const read = nodes.map((node) => {
    const troubles = [
      ...isYes(node["ready"] ?? true) ? [] : ["not ready"],
      ...PRESSURES.filter((name) => isYes(node[name])).map((name) =>
        name.replace("_", " ")
      ),
    ];
    return { name: stringOf(node["name"]) || "a node", troubles };
  });
  const ill = read.filter(({ troubles }) => troubles.length > 0);
  const facts: FoundFact[] = [
    ...ill.slice(0, NODES_SHOWN).map(({ name, troubles }): FoundFact => ({
      name: `node ${name}`,
      value: troubles.join(", "),
      health: "ill",
    })),
    ...ill.length > 0 ? [] : [{
      name: "nodes",
      value: `${counted(read.length, "node")} ready and without pressure`,
      health: "well" as const,
    }],
  ];
  const finding: Finding = {
    piece: { title: counted(read.length, "node"), value: nodes },
    facts,
  };
  return {
    collector: "kubernetes",
    question: { id: "nodes", what: "state of nodes", rank: 4, kind: "state" },
    findings: [finding],
  };
}

/** As the API writes conditions. */
function isYes(value: unknown): boolean {
  return value === true || /^true$/i.test(stringOf(value));
}

/** Takes objects of the API as they are. */
function toDeployment(given: JsonObject): JsonObject {
  if (isObject(given["metadata"])) return given;
  return {
    metadata: { name: given["name"], namespace: given["namespace"] },
    spec: { replicas: given["desired"] ?? given["replicas"] },
    status: {
      readyReplicas: given["ready"] ?? given["available"],
      updatedReplicas: given["updated"] ?? given["desired"],
      conditions: given["conditions"],
    },
  };
}

function toPod(given: JsonObject, workloads: readonly string[]): JsonObject {
  if (isObject(given["metadata"])) return given;
  const name = stringOf(given["name"]);
  const owner = workloads.find((workload) => name.startsWith(`${workload}-`)) ??
    deploymentOfPod(name);
  return {
    metadata: {
      name,
      namespace: given["namespace"],
      deletionTimestamp: given["deletion_timestamp"],
      ownerReferences: owner === undefined
        ? []
        : [{ controller: true, kind: "Deployment", name: owner }],
    },
    status: {
      phase: given["phase"],
      reason: given["reason"],
      message: given["message"],
      conditions: given["conditions"],
      containerStatuses: listOf(given["containers"]).map((one) => ({
        name: one["name"],
        ready: one["ready"],
        restartCount: one["restart_count"],
        state: toState(one["state"]),
        lastState: toState(one["last_state"] ?? one["last_terminated"]),
      })),
    },
  };
}

/** `{waiting: true, reason}` as `{waiting: {reason}}`. */
function toState(value: unknown): JsonObject {
  const { waiting, running, terminated, ...rest } = objectOf(value) ?? {};
  if (isObject(waiting) || isObject(terminated)) return { waiting, terminated };
  const ended = {
    ...rest,
    exitCode: rest["exit_code"],
    finishedAt: rest["finished_at"],
  };
  if (waiting === true) return { waiting: rest };
  if (terminated === true || running !== true && "exit_code" in rest) {
    return { terminated: ended };
  }
  return {};
}

function toEvent(given: JsonObject): JsonObject {
  if (isObject(given["involvedObject"])) return given;
  const [kind = "", name = ""] = stringOf(given["involved_object"]).split("/");
  return {
    reason: given["reason"],
    message: given["message"],
    count: given["count"],
    involvedObject: { kind, name },
    firstTimestamp: given["first_time"],
    lastTimestamp: given["last_time"],
  };
}
