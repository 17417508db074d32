/**
 * Reads Kubernetes' objects, as far as an incident needs them. Pure; no object
 * is trusted to have its usual shape.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
 * @module
 */
import {
  isObject,
  type JsonObject,
  objectOf,
  optional,
  stringOf,
  textOf,
} from "../../base/json.ts";
import { toMoment } from "../../incident.ts";
import { RANDOM } from "../../workload.ts";
import { wordsOf } from "../wording.ts";

/** A Deployment's own state. */
export interface Deployment {
  readonly name: string;
  readonly labels: JsonObject;
  readonly replicas: number;
  readonly ready: number;
  readonly updated: number;
  /** What is wrong: `not Available (MinimumReplicasUnavailable)`. */
  readonly troubles: readonly string[];
  readonly images: readonly string[];
  /** As a request's `labelSelector`; empty if it has none, or one too long. */
  readonly selector: string;
  /** When a rollout last moved on. */
  readonly progressedAt?: string;
  /** Who last changed what it is to run, and when. */
  readonly editor?: { readonly name: string; readonly at: string };
}

/** One state of a Deployment's template, kept as a ReplicaSet. */
export interface Revision {
  readonly deployment: string;
  readonly number: number;
  /** When this template was rolled out for the first time. */
  readonly createdAt: string;
  readonly images: Readonly<Record<string, string>>;
  readonly restartedAt: string;
  readonly cause?: string;
}

/** Something wrong with a pod, with a reason of the pod's own. */
export interface Trouble {
  readonly reason: string;
  readonly container: string;
  readonly exitCode?: number;
  readonly message?: string;
  /** Empty while it lasts. */
  readonly at: string;
}

/** A pod, and what runs it. */
export interface Pod {
  readonly name: string;
  readonly owner: string;
  readonly phase: string;
  readonly isReady: boolean;
  /** Whether it was told to end, so that nothing of it is a fault any more. */
  readonly isLeaving?: boolean;
  readonly restarts: number;
  readonly troubles: readonly Trouble[];
}

/** A Warning. */
export interface Warning {
  readonly reason: string;
  readonly kind: string;
  readonly object: string;
  readonly count: number;
  readonly from: string;
  readonly to: string;
  readonly message: string;
}

const NAME_CHARS_MAX = 253;
const MESSAGE_CHARS_MAX = 300;
const LISTED_MAX = 20;
const SELECTOR_CHARS_MAX = 1000;
const STARTING = ["ContainerCreating", "PodInitializing"];

/** Whether an object's name is a workload's, or one that its controllers made of it. */
export function isNameOf(name: string, workload: string): boolean {
  return name === workload || name.startsWith(`${workload}-`) &&
      RegExp(`^(?:${RANDOM}{6,10})?(?:(?:^|-)${RANDOM}{5})?$`)
        .test(name.slice(workload.length + 1));
}

/** Reads a Deployment. */
export function readDeployment(whole: JsonObject): Deployment {
  const { name, labels, fields } = metaOf(whole);
  const spec = objectOf(whole["spec"]) ?? {};
  const status = objectOf(whole["status"]) ?? {};
  const conditions = objectsOf(status["conditions"]);
  const progress = conditions.find(({ type }) => type === "Progressing");
  const troubles = conditions.filter(({ type, status }) =>
    type === "ReplicaFailure" ? status === "True" : status === "False"
  ).map(({ type, reason }) =>
    `${type === "ReplicaFailure" ? "" : "not "}${textOf(type, 60) ?? "well"}` +
    ` (${textOf(reason, 60) ?? "no reason given"})`
  );
  return {
    name,
    labels,
    replicas: countOf(spec["replicas"] ?? 1),
    ready: countOf(status["readyReplicas"]),
    updated: countOf(status["updatedReplicas"]),
    troubles: spec["paused"] === true ? ["paused", ...troubles] : troubles,
    images: Object.values(imagesOf(spec)),
    selector: selectorOf(objectOf(spec["selector"]) ?? {}),
    ...optional("progressedAt", toMoment(progress?.["lastUpdateTime"])),
    ...optional("editor", editorOf(fields)),
  };
}

/** Reads a ReplicaSet; `undefined` if it is no Deployment's. */
export function readRevision(whole: JsonObject): Revision | undefined {
  const { annotations, createdAt, owner } = metaOf(whole);
  const number = annotations["deployment.kubernetes.io/revision"];
  if (owner?.kind !== "Deployment" || !/^\d{1,9}$/.test(stringOf(number))) {
    return undefined;
  }
  const spec = objectOf(whole["spec"]) ?? {};
  const template = objectOf(objectOf(spec["template"])?.["metadata"]) ?? {};
  const given = objectOf(template["annotations"]) ?? {};
  return {
    deployment: owner.name,
    number: Number(number),
    createdAt,
    images: imagesOf(spec),
    restartedAt: stringOf(given["kubectl.kubernetes.io/restartedAt"]),
    ...optional(
      "cause",
      wordsOf(annotations["kubernetes.io/change-cause"], MESSAGE_CHARS_MAX),
    ),
  };
}

/** Reads a pod. What ended before `since` is left out. */
export function readPod(whole: JsonObject, since: string): Pod {
  const { name, labels, owner, isLeaving } = metaOf(whole);
  const status = objectOf(whole["status"]) ?? {};
  const conditions = objectsOf(status["conditions"]);
  const condition = (wanted: string) =>
    conditions.find(({ type }) => type === wanted);
  const containers = [
    ...objectsOf(status["initContainerStatuses"]),
    ...objectsOf(status["containerStatuses"]),
  ];
  const scheduled = condition("PodScheduled");
  const hash = stringOf(labels["pod-template-hash"]);
  const isHashed = owner?.kind === "ReplicaSet" && hash !== "" &&
    owner.name.endsWith(`-${hash}`);
  const own = (of: JsonObject, reason: string, container = ""): Trouble => ({
    reason,
    container,
    at: "",
    ...optional("message", wordsOf(of["message"], MESSAGE_CHARS_MAX)),
  });
  return {
    name,
    owner: isHashed
      ? owner.name.slice(0, -hash.length - 1)
      : owner?.name ?? name,
    phase: textOf(status["phase"], 40) ?? "Unknown",
    isReady: condition("Ready")?.["status"] === "True",
    ...isLeaving && { isLeaving },
    restarts: containers.reduce(
      (sum, one) => sum + countOf(one["restartCount"]),
      0,
    ),
    troubles: [
      ...textOf(status["reason"], 60) === undefined
        ? []
        : [own(status, textOf(status["reason"], 60)!)],
      ...scheduled?.["status"] === "False"
        ? [own(scheduled, textOf(scheduled["reason"], 60) ?? "Unschedulable")]
        : [],
      ...containers.flatMap((one) => {
        const container = textOf(one["name"], NAME_CHARS_MAX) ?? "";
        const waiting = objectOf(objectOf(one["state"])?.["waiting"]);
        const reason = textOf(waiting?.["reason"], 60);
        return [
          ...waiting === undefined || reason === undefined ||
              STARTING.includes(reason)
            ? []
            : [own(waiting, reason, container)],
          ...[one["lastState"], one["state"]].flatMap((state) =>
            ended(objectOf(objectOf(state)?.["terminated"]), container)
          ).filter(({ at }) => at >= since),
        ];
      }),
    ],
  };
}

function ended(
  terminated: JsonObject | undefined,
  container: string,
): Trouble[] {
  const reason = textOf(terminated?.["reason"], 60);
  if (terminated === undefined || reason === undefined) return [];
  if (reason === "Completed") return [];
  const { exitCode } = terminated;
  return [{
    reason,
    container,
    at: momentOf(terminated["finishedAt"]),
    ...typeof exitCode === "number" ? { exitCode } : {},
    ...optional("message", wordsOf(terminated["message"], MESSAGE_CHARS_MAX)),
  }];
}

/** Reads an event of core/v1. */
export function readWarning(whole: JsonObject): Warning {
  const object = objectOf(whole["involvedObject"]) ?? {};
  const series = objectOf(whole["series"]) ?? {};
  const to = [
    series["lastObservedTime"],
    whole["lastTimestamp"],
    whole["eventTime"],
    metaOf(whole).createdAt,
  ].map(momentOf).find((at) => at !== "") ?? "";
  return {
    reason: textOf(whole["reason"], 60) ?? "Warning",
    kind: textOf(object["kind"], 60) ?? "object",
    object: textOf(object["name"], NAME_CHARS_MAX) ?? "",
    count: Math.max(1, countOf(series["count"]), countOf(whole["count"])),
    from: [whole["firstTimestamp"], whole["eventTime"]].map(momentOf)
      .find((at) => at !== "") ?? to,
    to,
    message: wordsOf(whole["message"], MESSAGE_CHARS_MAX) ?? "",
  };
}

/** `registry/checkout:1.4.2` as `checkout:1.4.2`; a digest in its first letters. */
export function imageName(image: string): string {
  const name = image.slice(image.lastIndexOf("/") + 1);
  return name.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1");
}

function metaOf(whole: JsonObject) {
  const meta = objectOf(whole["metadata"]) ?? {};
  const owner = objectsOf(meta["ownerReferences"]).find(({ controller }) =>
    controller === true
  );
  return {
    name: textOf(meta["name"], NAME_CHARS_MAX) ?? "",
    labels: objectOf(meta["labels"]) ?? {},
    annotations: objectOf(meta["annotations"]) ?? {},
    createdAt: momentOf(meta["creationTimestamp"]),
    fields: objectsOf(meta["managedFields"]),
    isLeaving: momentOf(meta["deletionTimestamp"]) !== "",
    owner: owner && {
      kind: stringOf(owner["kind"]),
      name: textOf(owner["name"], NAME_CHARS_MAX) ?? "",
    },
  };
}

/** The program that last changed the spec itself, and not its scale or status. */
function editorOf(fields: readonly JsonObject[]): Deployment["editor"] {
  const edits = fields.filter(({ subresource, fieldsV1 }) =>
    stringOf(subresource) === "" &&
    objectOf(fieldsV1)?.["f:spec"] !== undefined
  ).map(({ manager, time }) => ({
    name: textOf(manager, 80) ?? "",
    at: momentOf(time),
  })).filter(({ name }) => name !== "");
  return edits.toSorted((a, b) => a.at < b.at ? 1 : -1)[0];
}

function imagesOf(spec: JsonObject): Record<string, string> {
  const template = objectOf(objectOf(spec["template"])?.["spec"]) ?? {};
  return Object.fromEntries(
    objectsOf(template["containers"]).map(({ name, image }) => [
      textOf(name, NAME_CHARS_MAX) ?? "",
      textOf(image, 500) ?? "",
    ]),
  );
}

function selectorOf({ matchLabels, matchExpressions }: JsonObject): string {
  const equal = Object.entries(objectOf(matchLabels) ?? {}).map((
    [name, value],
  ) => `${name}=${stringOf(value)}`);
  const others = objectsOf(matchExpressions).map(
    ({ key, operator, values }) => {
      const name = stringOf(key);
      if (operator === "Exists") return name;
      if (operator === "DoesNotExist") return `!${name}`;
      const list = Array.isArray(values) ? values.map(stringOf).join(",") : "";
      return `${name} ${operator === "In" ? "in" : "notin"} (${list})`;
    },
  );
  const selector = [...equal, ...others].join(",");
  return selector.length > SELECTOR_CHARS_MAX ? "" : selector;
}

function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value)
    ? value.slice(0, LISTED_MAX).filter(isObject)
    : [];
}

/** RFC 3339 in UTC with milliseconds, which sorts as text; or empty. */
function momentOf(value: unknown): string {
  return toMoment(stringOf(value)) ?? "";
}

function countOf(value: unknown): number {
  return Number.isSafeInteger(value) && value as number > 0
    ? value as number
    : 0;
}
