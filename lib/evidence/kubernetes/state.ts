/**
 * The state of workloads on Kubernetes, in a few words: each Deployment, and of
 * its pods only what has a reason of its own. Pure.
 *
 * @module
 */
import { counted, utcOf } from "../../base/text.ts";
import type { Health } from "../../incident.ts";
import type { Finding, FoundFact } from "../collector.ts";
import {
  type Deployment,
  isNameOf,
  type Pod,
  type Trouble,
  type Warning,
} from "./objects.ts";
import { deploymentOfPod } from "../../workload.ts";
import { wordsOf } from "../wording.ts";
import type { Place } from "./place.ts";
import { podsHealth, troubleHealth, warningHealth } from "./health.ts";

/** The Deployments that were looked at. */
export interface Looked {
  readonly list: readonly Deployment[];
  /** Whether these are all of the namespace, since none is known to be ill. */
  readonly isWhole: boolean;
}

/** What has been read; what is absent has not. */
export interface State {
  deployments?: Looked;
  pods?: readonly Pod[];
  warnings?: readonly Warning[];
  /** When it was read. */
  now?: Date;
}

const LISTED_MAX = 50;
/** Together no more than a question's facts. */
const DEPLOYMENTS_MAX = 3;
const TROUBLES_MAX = 4;
const WARNINGS_MAX = 3;

/** How Deployments and their pods are, and what the namespace warns of. */
export function describeState(state: State, place: Place): Finding {
  const { namespace, deployment } = place;
  const { list = [], isWhole = true } = state.deployments ?? {};
  const { pods = [], warnings = [] } = state;
  if (list.length + pods.length + warnings.length === 0) {
    const read = [
      ...state.deployments === undefined
        ? []
        : [`Deployment ${deployment ?? ""}`.trim()],
      ...state.pods === undefined ? [] : ["pod"],
      ...state.warnings === undefined ? [] : ["warning"],
    ];
    const none = read.join(", ").replace(/, ([^,]*)$/, " or $1");
    return { nothing: `no ${none} in ${namespace}, or no such namespace` };
  }
  const ill = list.filter(({ ready, replicas, troubles }) =>
    ready < replicas || troubles.length > 0
  );
  const shown = isWhole ? ill : list;
  const troubles = groupTroubles(pods);
  const groups = groupWarnings(state, place);
  const isMissing = state.deployments !== undefined && list.length === 0 &&
    deployment !== undefined;
  return {
    piece: {
      title: `State of ${counted(list.length, "Deployment")} and ${
        counted(pods.length, "pod")
      } in ${namespace}`,
      value: {
        namespace,
        deployments: shown.slice(0, LISTED_MAX).map((
          { labels: _, editor: _by, progressedAt: _at, ...rest },
        ) => rest),
        pods: pods.toSorted((a, b) => b.troubles.length - a.troubles.length)
          .slice(0, LISTED_MAX),
        warnings: groups.slice(0, LISTED_MAX).map((
          { isOwn: _, health: _how, ...one },
        ) => one),
        of: {
          deployments: list.length,
          pods: pods.length,
          warnings: groups.length,
        },
      },
    },
    facts: [
      ...isMissing
        ? [{
          name: `Deployment ${deployment}`,
          value: "none of that name",
          health: "ill" as const,
        }]
        : [],
      ...isWhole && list.length > 0
        ? [{
          name: "Deployments",
          value: `${list.length - ill.length} of ${list.length} are well`,
          health: ill.length === 0 ? "well" as const : "ill" as const,
        }]
        : [],
      ...shown.slice(0, DEPLOYMENTS_MAX).map((
        { name, replicas, ready, updated, troubles },
      ) => ({
        name: `Deployment ${name}`,
        value: [
          `${ready} of ${replicas} ready`,
          ...updated < replicas ? [`${updated} updated`] : [],
          ...troubles,
        ].join(", "),
        health: ready < replicas || troubles.length > 0
          ? "ill" as const
          : "well" as const,
      })),
      ...pods.length === 0 ? [] : [{
        name: "pods",
        value: countPods(pods),
        health: podsHealth(pods),
      }],
      ...troubles.slice(0, TROUBLES_MAX).map(factOf),
      ...groups.slice(0, WARNINGS_MAX).map((
        { reason, object, count, last, message, health },
      ) => ({
        name: reason,
        health,
        value: `${object} ×${count}, last at ${utcOf(last)}: ${
          wordsOf(message, 200) ?? ""
        }`,
      })),
    ],
    timeline: [
      ...troubles.filter(({ first }) => first !== "").map((one) => ({
        at: one.first,
        text:
          `${namespace}/${one.owner}: ${one.container} ended with ${one.reason}${
            one.pods === 1 ? "" : ` in ${one.pods} pods`
          }`,
      })),
      ...groups.slice(0, WARNINGS_MAX).map((
        { reason, object, first, message },
      ) => ({
        at: first,
        text: `${namespace}/${object}: ${reason}: ${
          wordsOf(message, 200) ?? ""
        }`,
      })),
    ],
  };
}

/** `5: 4 Running, 1 Pending; 3 ready; 12 restarts`. */
function countPods(pods: readonly Pod[]): string {
  const phases = Map.groupBy(pods, ({ phase }) => phase);
  const list = [...phases].toSorted().map(([phase, { length }]) =>
    `${length} ${phase}`
  ).join(", ");
  const ready = pods.filter(({ isReady }) => isReady).length;
  const leaving = pods.filter(({ isLeaving }) => isLeaving).length;
  const restarts = pods.reduce((sum, pod) => sum + pod.restarts, 0);
  return [
    `${pods.length}: ${list}`,
    `${ready} ready`,
    ...leaving === 0 ? [] : [`${leaving} terminating`],
    counted(restarts, "restart"),
  ].join("; ");
}

interface TroubleGroup extends Trouble {
  readonly owner: string;
  readonly pods: number;
  /** Of those with a time; or empty. */
  readonly first: string;
  readonly last: string;
  readonly health: Health;
}

/** One workload, container and reason each; those of the most pods first. */
function groupTroubles(pods: readonly Pod[]): TroubleGroup[] {
  const all = pods.flatMap((pod) =>
    pod.troubles.map((trouble) => ({
      ...trouble,
      name: pod.name,
      owner: pod.owner,
      health: troubleHealth(pod),
    }))
  );
  const groups = Map.groupBy(
    all,
    ({ owner, container, reason }) => `${reason}\n${owner}\n${container}`,
  );
  return [...groups].toSorted(([a, { length }], [b, other]) =>
    other.length - length || (a < b ? -1 : 1)
  ).map(([, group]) => {
    const { name: _, ...one } = group[0]!;
    const times = group.map(({ at }) => at).filter(Boolean).toSorted();
    return {
      ...one,
      pods: new Set(group.map(({ name }) => name)).size,
      first: times[0] ?? "",
      last: times.at(-1) ?? "",
      health: group.find(({ health }) => health === "ill")?.health ??
        one.health,
    };
  });
}

function factOf(
  { reason, owner, container, pods, last, exitCode, message, health }:
    TroubleGroup,
): FoundFact {
  const more = [
    ...container === "" ? [] : [`container ${container}`],
    ...exitCode === undefined ? [] : [`exit code ${exitCode}`],
    ...last === "" ? [] : [`last at ${utcOf(last)}`],
    wordsOf(message, 150) ?? "",
  ];
  return {
    name: reason,
    health,
    value: [`${counted(pods, "pod")} of ${owner}`, ...more].filter(Boolean)
      .join(", "),
  };
}

/** One reason and object each; those of the workload that is meant first. */
function groupWarnings(
  { warnings = [], pods = [], now }: State,
  { deployment, hint }: Place,
) {
  const workload = deployment ?? hint;
  const groups = Map.groupBy(warnings, ({ reason, kind, object }) => {
    const isOwn = workload !== undefined && isNameOf(object, workload);
    const owner = isOwn
      ? workload
      : kind === "Pod"
      ? pods.find(({ name }) => name === object)?.owner ??
        deploymentOfPod(object) ?? object
      : `${kind} ${object}`;
    return `${isOwn ? 0 : 1}\n${reason}\n${owner}`;
  });
  return [...groups].map(([key, group]) => {
    const [rank, reason, object] = key.split("\n") as [string, string, string];
    const last = group.toSorted((a, b) =>
      a.to === b.to ? (a.message < b.message ? -1 : 1) : a.to < b.to ? 1 : -1
    )[0]!;
    return {
      isOwn: rank === "0",
      reason,
      object,
      count: group.reduce((sum, { count }) => sum + count, 0),
      first: group.map(({ from }) => from).toSorted()[0]!,
      last: last.to,
      message: last.message,
      health: group.some((one) => warningHealth(one, pods, now) === "ill")
        ? "ill" as const
        : "recovered" as const,
    };
  }).toSorted((a, b) =>
    Number(b.isOwn) - Number(a.isOwn) || b.count - a.count ||
    (a.reason + a.object < b.reason + b.object ? -1 : 1)
  );
}
