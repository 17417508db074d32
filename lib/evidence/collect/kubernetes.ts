/**
 * Asks Kubernetes what was rolled out, how the workload is, and what it warns of.
 *
 * It lists Deployments, ReplicaSets, pods and events of one namespace, and reads
 * no secret and no log; deploy/k8s/collector-role.yaml grants just that.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/
 * @module
 */
import {
  type Config,
  optional as optionalSetting,
  readReplacedFile,
  text,
  url,
} from "../../base/config.ts";
import { type JsonObject, objectOf, stringOf } from "../../base/json.ts";
import { utcOf } from "../../base/text.ts";
import type { Gap } from "../../incident.ts";
import {
  type Collector,
  type CollectorIo,
  type Finding,
  GapError,
  type Question,
} from "../collector.ts";
import { pathOf, toGapError } from "../connection.ts";
import {
  type Deployment,
  readDeployment,
  readPod,
  readRevision,
  readWarning,
} from "../kubernetes/objects.ts";
import { hoursBefore, type Place, placeOf } from "../kubernetes/place.ts";
import { describeRollouts, PAST_HOURS } from "../kubernetes/rollouts.ts";
import { describeState, type Looked, type State } from "../kubernetes/state.ts";
import { inParts } from "../parts.ts";
import { hostOf, listOf } from "../setup.ts";

/** Where a pod finds its service account. */
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const SETTINGS = {
  kubernetesUrl: optionalSetting(url("KUBERNETES_API_URL", {
    about:
      "Kubernetes to ask for rollouts, pods and warnings; `https://kubernetes.default.svc` inside a cluster",
  })),
  kubernetesTokenFile: text("KUBERNETES_TOKEN_FILE", {
    about: "file with the token for it, read anew for each request",
    fallback: `${ACCOUNT}/token`,
  }),
  kubernetesCaFile: optionalSetting(text("KUBERNETES_CA_FILE", {
    about:
      "PEM file with the CA certificates to trust for it, read anew for each job; the service account's if the token is",
  })),
};
type Io = CollectorIo<typeof SETTINGS>;

const PAGE_ITEMS = 100;
/** After an answer that was too long. */
const PAGE_ITEMS_SHORT = 20;
const PAGES_MAX = 5;

export const kubernetes = {
  name: "kubernetes",
  title: "Kubernetes",
  settings: SETTINGS,
  isOn: ({ kubernetesUrl }) => kubernetesUrl !== undefined,
  reach(config) {
    const hosts = hostOf(config.kubernetesUrl, "Kubernetes");
    if (hosts.length === 0) return [];
    const { token, ca } = filesOf(config);
    return [
      ...hosts,
      { file: token, why: "KUBERNETES_TOKEN_FILE" },
      ...ca === undefined ? [] : [{ file: ca, why: "KUBERNETES_CA_FILE" }],
    ];
  },
  connect(config) {
    const { token, ca } = filesOf(config);
    return {
      title: "Kubernetes",
      url: config.kubernetesUrl!,
      headers: () => ({
        Authorization: `Bearer ${readOwn(token, "token")}`,
      }),
      ca: ca && readOwn(ca, "CA certificate"),
    };
  },
  questions(subject) {
    const place = placeOf(subject);
    if (place === undefined) {
      return "no namespace is known: alerts need the label namespace, or the catalogue's entry kubernetes.namespace";
    }
    const { namespace, deployment } = place;
    const name = deployment === undefined
      ? namespace
      : `${namespace}/${deployment}`;
    const since = utcOf(hoursBefore(subject, PAST_HOURS));
    return [
      {
        id: "rollouts",
        what: `rollouts of ${name} since ${since}`,
        rank: 1,
        kind: "change",
      },
      {
        id: "state",
        what: `state of ${name}, with warnings of the last hour`,
        rank: 5,
        kind: "state",
      },
    ] satisfies Question[];
  },
  ask({ id }, io) {
    const place = placeOf(io.subject)!;
    return id === "rollouts" ? askRollouts(place, io) : askState(place, io);
  },
  async check(io) {
    const { value } = await io.get("/version");
    return {
      says: `Kubernetes ${stringOf(objectOf(value)?.["gitVersion"])}`.trim(),
    };
  },
} satisfies Collector<typeof SETTINGS>;

function filesOf({ kubernetesTokenFile: token, kubernetesCaFile }: Config<
  typeof SETTINGS
>): { token: string; ca: string | undefined } {
  const mounted = token === `${ACCOUNT}/token`
    ? `${ACCOUNT}/ca.crt`
    : undefined;
  return { token, ca: kubernetesCaFile ?? mounted };
}

/** Reads one of its files anew, since Kubernetes replaces both. */
function readOwn(path: string, what: string): string {
  const text = readReplacedFile(path);
  if (text !== undefined) return text;
  throw new GapError("broken", `the file with its ${what} cannot be read`);
}

/**
 * Reads a list page by page. Yields all that came so far after each one; a
 * failure after the first is a gap.
 *
 * @throws {GapError} If nothing came.
 */
async function* listAll(
  path: string,
  selectors: Record<string, string | undefined>,
  io: Io,
): AsyncGenerator<{ items: JsonObject[]; gap?: Gap }> {
  const what = path.slice(path.lastIndexOf("/") + 1);
  let items: JsonObject[] = [];
  let next: string | undefined;
  let limit = PAGE_ITEMS;
  let isAgain = false;
  for (let page = 1; page <= PAGES_MAX; page++) {
    let value: unknown;
    try {
      ({ value } = await io.get(path, {
        query: [
          ...Object.entries(selectors),
          ["limit", String(limit)],
          ["continue", next],
        ],
      }));
    } catch (error) {
      const { kind, message: why, status } = toGapError(error, "Kubernetes");
      if (kind === "cut" && limit > PAGE_ITEMS_SHORT) {
        limit = PAGE_ITEMS_SHORT;
      } else if (status === 410 && next !== undefined && !isAgain) {
        // The list has changed too much to go on with it.
        [isAgain, next, items, page] = [true, undefined, [], 0];
      } else if (items.length === 0) throw error;
      else {
        const got = items.length;
        yield {
          items,
          gap: { what, why, kind: status === 410 ? "cut" : kind, got },
        };
        return;
      }
      continue;
    }
    const meta = objectOf(objectOf(value)?.["metadata"]) ?? {};
    items = [...items, ...listOf(objectOf(value)?.["items"], what)];
    next = stringOf(meta["continue"]) || undefined;
    if (next !== undefined && page === PAGES_MAX) {
      const left = meta["remainingItemCount"];
      const why = `at most ${PAGES_MAX} pages are read, and there are more`;
      const got = items.length;
      const of = typeof left === "number" ? { of: got + left } : {};
      yield { items, gap: { what, why, kind: "cut", got, ...of } };
      return;
    }
    yield { items };
    if (next === undefined) return;
  }
}

interface Found extends Looked {
  readonly gap: Gap | undefined;
}

/** The Deployment that the incident concerns, or all of its namespace. */
async function findDeployments(
  { namespace, deployment, selector, hint }: Place,
  io: Io,
): Promise<Found> {
  const path = pathOf`/apis/apps/v1/namespaces/${namespace}/deployments`;
  const selectors = {
    fieldSelector: deployment && `metadata.name=${deployment}`,
    labelSelector: deployment === undefined ? selector : undefined,
  };
  let all: Deployment[] = [];
  let gap: Gap | undefined;
  for await (const page of listAll(path, selectors, io)) {
    all = page.items.map(readDeployment).toSorted(byName);
    gap = page.gap;
  }
  if (deployment !== undefined) return { list: all, isWhole: false, gap };
  const meant = all.filter(({ name, labels }) =>
    [name, labels["app.kubernetes.io/name"], labels["app"]].includes(hint)
  );
  return meant.length === 0
    ? { list: all, isWhole: true, gap }
    : { list: meant, isWhole: false, gap };
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

async function* askRollouts(place: Place, io: Io): AsyncGenerator<Finding> {
  const found = await findDeployments(place, io);
  const { list } = found;
  if (found.gap !== undefined) yield { gap: found.gap };
  if (list.length === 0) {
    return yield describeState({ deployments: found }, place);
  }
  const path = pathOf`/apis/apps/v1/namespaces/${place.namespace}/replicasets`;
  const selector = list.length === 1 ? list[0]!.selector : place.selector;
  const selectors = { labelSelector: selector || undefined };
  for await (const { items, gap } of listAll(path, selectors, io)) {
    const revisions = items.flatMap((item) => readRevision(item) ?? []);
    yield describeRollouts(revisions, list, place, io);
    if (gap !== undefined) yield { gap };
  }
}

async function* askState(place: Place, io: Io): AsyncGenerator<Finding> {
  const { namespace, deployment, selector } = place;
  const state: State = { now: io.now };
  yield* inParts([
    {
      what: "deployments",
      async read() {
        const found = await findDeployments(place, io);
        state.deployments = found;
        return found.gap;
      },
    },
    {
      what: "events",
      async read() {
        const path = pathOf`/api/v1/namespaces/${namespace}/events`;
        const pages = listAll(path, { fieldSelector: "type=Warning" }, io);
        for await (const { items, gap } of pages) {
          state.warnings = items.map(readWarning);
          if (gap !== undefined) return gap;
        }
      },
    },
    {
      what: "pods",
      async read() {
        const { list, isWhole } = state.deployments ??
          { list: undefined, isWhole: deployment === undefined };
        const labelSelector = selector ??
          (list?.length === 1 && !isWhole ? list[0]!.selector : undefined);
        const names = list?.map(({ name }) => name) ?? [deployment];
        if (names.length === 0 && !isWhole && !labelSelector) return;
        const path = pathOf`/api/v1/namespaces/${namespace}/pods`;
        const since = hoursBefore(io.subject, PAST_HOURS);
        const pages = listAll(path, { labelSelector }, io);
        for await (const { items, gap } of pages) {
          state.pods = items.map((item) => readPod(item, since))
            .filter(({ owner }) =>
              isWhole || selector !== undefined || names.includes(owner)
            ).toSorted(byName);
          if (gap !== undefined) return gap;
        }
      },
    },
  ], () => describeState(state, place));
}
