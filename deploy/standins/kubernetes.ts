/**
 * A stand-in for Kubernetes' API, as far as it lists Deployments, ReplicaSets,
 * pods and events, for demos and tests. It pages, selects and refuses as
 * kube-apiserver 1.34 does.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/
 * @module
 */
import { type ApiRequest, type ApiStandIn, startApi } from "./api.ts";

type Item = Record<string, unknown> & {
  metadata: { name: string; labels?: Record<string, string> };
};

/** The resources that it knows. */
export type Resource = "deployments" | "replicasets" | "pods" | "events";

/** What the stand-in answers with. */
export interface KubernetesData
  extends Readonly<Partial<Record<Resource, readonly unknown[]>>> {
  /** Of everything above; another one is empty. */
  readonly namespace?: string;
  /** Wanted as a bearer token. */
  readonly token?: string;
  /** What the token's account may not list. */
  readonly forbidden?: readonly Resource[];
  /** So many tokens of a page are answered as if they had expired. */
  readonly expired?: number;
}

const FIELDS: Readonly<Record<Resource, readonly string[]>> = {
  deployments: ["metadata.name"],
  replicasets: ["metadata.name"],
  pods: ["metadata.name", "status.phase"],
  events: ["involvedObject.name", "involvedObject.kind", "type", "reason"],
};
const PARAMETERS = ["limit", "continue", "fieldSelector", "labelSelector"];

/** Starts it on a free port of 127.0.0.1. */
export function startKubernetesApi(
  { namespace = "shop", token = "k8s-token", forbidden = [], ...data }:
    KubernetesData = {},
): ApiStandIn {
  let expired = data.expired ?? 0;
  const list = (resource: Resource) => ({ query, part }: ApiRequest) => {
    if (forbidden.includes(resource)) {
      return status(
        403,
        "Forbidden",
        `${resource} is forbidden: User "system:serviceaccount:ops:enricher" cannot list resource "${resource}" in the namespace "${
          part["namespace"]
        }"`,
      );
    }
    const wrong = [...query.keys()].find((name) => !PARAMETERS.includes(name));
    const limit = Number(query.get("limit") ?? NaN);
    if (wrong !== undefined || !(limit > 0)) {
      return status(400, "BadRequest", `invalid parameter ${wrong ?? "limit"}`);
    }
    const fields = termsOf(query.get("fieldSelector"));
    const labels = termsOf(query.get("labelSelector"));
    for (const [name] of fields) {
      if (FIELDS[resource].includes(name)) continue;
      return status(
        400,
        "BadRequest",
        `field label not supported: ${name}`,
      );
    }
    const all = part["namespace"] === namespace
      ? (data[resource] ?? []) as Item[]
      : [];
    const chosen = all.filter((item) =>
      fields.every(([name, value]) => valueAt(item, name) === value) &&
      labels.every(([name, value]) => item.metadata.labels?.[name] === value)
    );
    const next = query.get("continue");
    if (next !== null && !/^page:\d+$/.test(next)) {
      return status(400, "BadRequest", `invalid continue token: ${next}`);
    }
    if (next !== null && expired-- > 0) {
      return status(
        410,
        "Expired",
        "The provided continue parameter is too old",
      );
    }
    const start = Number(next?.slice("page:".length) ?? 0);
    const end = start + limit;
    const left = chosen.length - end;
    const selects = fields.length + labels.length > 0;
    return {
      kind: "List",
      apiVersion: "v1",
      metadata: {
        resourceVersion: "219",
        ...left > 0 ? { continue: `page:${end}` } : {},
        ...left > 0 && !selects ? { remainingItemCount: left } : {},
      },
      items: chosen.slice(start, end),
    };
  };
  return startApi({
    routes: {
      "/version": () => ({ major: "1", minor: "34", gitVersion: "v1.34.4" }),
      "/api/v1/namespaces/:namespace/pods": list("pods"),
      "/api/v1/namespaces/:namespace/events": list("events"),
      "/apis/apps/v1/namespaces/:namespace/deployments": list("deployments"),
      "/apis/apps/v1/namespaces/:namespace/replicasets": list("replicasets"),
    },
    admit({ headers }) {
      const given = headers.get("authorization");
      if (given === `Bearer ${token}`) return undefined;
      return given === null
        ? status(403, "Forbidden", 'forbidden: User "system:anonymous"')
        : status(401, "Unauthorized", "Unauthorized");
    },
    error: (code) => status(code, "Failed", `failed with ${code}`),
  });
}

function status(code: number, reason: string, message: string): Response {
  return Response.json({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    code,
  }, { status: code });
}

/** Equalities alone: `a=b,c=d`. */
function termsOf(selector: string | null): [name: string, value: string][] {
  return (selector ?? "").split(",").filter(Boolean).map((term) => {
    const at = term.indexOf("=");
    return [term.slice(0, at), term.slice(at + 1)];
  });
}

function valueAt(item: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (value, name) => (value as Record<string, unknown> | undefined)?.[name],
    item,
  );
}
