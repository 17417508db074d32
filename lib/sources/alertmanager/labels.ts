/**
 * What an alert's labels are about: what is ill, or who measured it. Pure.
 *
 * Prometheus adds the labels of the target that it scraped to each alert. If
 * the target is an exporter, then `job`, `service`, `endpoint` and often
 * `instance`, `container`, `pod` and `namespace` are the exporter's, and the
 * exporter is not what is ill.
 *
 * @see https://prometheus.io/docs/concepts/jobs_instances/
 * @module
 */
import { textOf } from "../../base/json.ts";

/** Labels or annotations, by name. */
export type Texts = ReadonlyMap<string, string>;

/** An alert's labels, parted. */
export interface Parted {
  /** About what is ill. */
  about: Texts;
  /** About who measured it. */
  measuring: Texts;
}

const SUBJECT_CHARS_MAX = 200;

/** What can be ill, from the most to the least specific. */
const NAMESPACED = spellings(
  `deployment statefulset daemonset replicaset cronjob job
  horizontalpodautoscaler pod persistentvolumeclaim`,
);
const WORKLOADS = [...NAMESPACED, ...spellings("persistentvolume node")];
const NAMESPACES = spellings("namespace");
/** Teams name what they run by these. */
const SERVICES = `exported_service service service_name kubernetes_name app
  app_kubernetes_io_name application k8s_app exported_job job`.split(/\s+/);
/** Machines that no cluster manages. */
const HOSTS = ["nodename", "hostname", "host"];
const CONTAINERS = spellings("container");
/** Where machines and workloads are, from the narrowest. */
export const SITES: readonly string[] = [
  ...["cluster", "region", "datacenter", "dc", "environment", "env"],
];
/** The labels that name what can be ill, and where. */
export const SUBJECT_LABELS: ReadonlySet<string> = new Set([
  ...WORKLOADS,
  ...SERVICES,
  ...HOSTS,
  ...NAMESPACES,
  ...CONTAINERS,
  "cluster",
  "instance",
]);
/** The address of the target, as Prometheus scrapes it. */
const ADDRESSES = ["instance", "endpoint", "metrics_path"];
/** Whose rule it is that fires, not what it says. */
const RULERS = ["prometheus", "prometheus_replica"];
/** Where to look, by rank. */
const TELLING: ReadonlyMap<string, number> = new Map(
  [
    ...NAMESPACES,
    ...WORKLOADS,
    ...CONTAINERS,
    ...HOSTS,
    ...["instance", "reason"],
  ].map((name, at) => [name, at]),
);

/** Exporters that report on others, with the labels of these. */
const REPORTER = named(
  "kube-?state(?:-?metrics)?|ksm|cadvisor|kubelets?",
);
const EXPORTER = named(
  `kube-?state(?:-?metrics)?|ksm|cadvisor|kubelets?|[a-z0-9]*exporters?|
  black-?box|smokeping-prober|push-?gateway|metrics-server|
  node-problem-detector|telegraf|collectd|statsd|grafana-agent|vmagent|yace|
  (?:otel|opentelemetry)-?col(?:lector)?`,
);
/** A kubelet has no workload of its own. */
const REPORTER_WORKLOAD = named("kube-?state-?metrics|ksm|cadvisor");
/** Jobs that are exporters', though nothing else would be called so. */
const EXPORTER_JOB =
  /^(?:integrations-.*|probe-.*|snmp|icmp|ping|ipmi|nodes?|hosts?|linux|windows|unix)$/;
/** What a prober or an exporter of several targets was told to look at. */
const URL_TARGET = /^[a-z][a-z0-9+.-]*:\/\//i;
/** Jobs that say how targets are found, and nothing about them. */
const DISCOVERY_JOB = /^(?:kubernetes-.*|federate|prometheus-scrape)$/;
/** Names of an exporter's own namespace, or of its service. */
const MONITORING = named(
  "monitoring|observability|prometheus|metrics|telemetry|kube-system",
);

/** Parts an alert's labels; both parts keep their order. */
export function part(labels: Texts): Parted {
  const has = (names: readonly string[], isMeant: (value: string) => boolean) =>
    names.some((name) => {
      const value = labels.get(name);
      return value !== undefined && isMeant(plain(value));
    });
  const targets = [...SERVICES, ...ADDRESSES];
  const isReported = has(targets, (value) => REPORTER.test(value));
  // Prometheus scrapes hosts and ports, so a URL is what another looks at.
  const isProbed = URL_TARGET.test(labels.get("instance") ?? "");
  const isExported = isReported || isProbed ||
    has(["job"], (value) => EXPORTER_JOB.test(value)) ||
    has(
      [...targets, ...WORKLOADS, ...CONTAINERS],
      (value) => EXPORTER.test(value),
    );
  /** Reports on another exporter are about what is ill. */
  const ownWorkload = isReported ? REPORTER_WORKLOAD : EXPORTER;
  const isOwn = (name: string, value: string): boolean => {
    // Prometheus keeps what the target says as `exported_…`.
    if (RULERS.includes(name) || labels.has(`exported_${name}`)) return true;
    if (WORKLOADS.includes(name) || CONTAINERS.includes(name)) {
      return ownWorkload.test(value);
    }
    if (SERVICES.includes(name)) {
      return EXPORTER.test(value) ||
        (isExported && MONITORING.test(value)) ||
        (name === "job" &&
          (isProbed || EXPORTER_JOB.test(value) || DISCOVERY_JOB.test(value)));
    }
    if (name === "instance") return isReported || EXPORTER.test(value);
    return isExported && ADDRESSES.includes(name);
  };
  const [about, measuring] = split(labels, isOwn);
  const isPlaced = NAMESPACED.some((name) => about.has(name));
  if (!isExported || isPlaced) return { about, measuring };
  // The namespace belongs to no workload, so it may be the exporter's.
  const [ill, place] = split(
    about,
    (name, value) => NAMESPACES.includes(name) && MONITORING.test(value),
  );
  return { about: ill, measuring: new Map([...measuring, ...place]) };
}

/**
 * What is ill: the workload, or a service or app, or at least a machine or
 * namespace.
 *
 * @param about The labels that all alerts share, without those of exporters.
 */
export function subjectOf(about: Texts): string | undefined {
  return firstOf(about, [...WORKLOADS, ...SERVICES, ...HOSTS, ...NAMESPACES]);
}

/** The subject and its place, since two namespaces may use one name. */
export function fullSubjectOf(about: Texts): string | undefined {
  const subject = subjectOf(about);
  return subject === undefined ? undefined : JSON.stringify([
    firstOf(about, ["cluster"]) ?? "",
    firstOf(about, NAMESPACES) ?? "",
    subject,
  ]);
}

/**
 * What tells an alert from the others of its delivery: a workload, a machine, a
 * target, a service, a namespace or a cluster; the exporter's target only if
 * nothing else differs.
 *
 * @param shared The labels that all alerts share.
 */
export function placeOf(
  { about, measuring }: Parted,
  shared: Texts,
): string | undefined {
  const names = [
    ...WORKLOADS,
    ...HOSTS,
    "instance",
    ...SERVICES,
    ...CONTAINERS,
    ...NAMESPACES,
    ...SITES,
  ].filter((name) => !shared.has(name));
  return firstOf(about, names) ??
    firstOf(measuring, names.filter((name) => name === "instance"));
}

/** What a single alert is about, more exactly than its service. */
export function wholePlaceOf({ about }: Parted): string | undefined {
  return firstOf(about, [...WORKLOADS, ...HOSTS, "instance"]);
}

/** Whether the headline says this label's value as the name of a service. */
export function isService(name: string): boolean {
  return SERVICES.includes(name);
}

/** Sorts labels that tell where to look before all others. */
export function tellingFirst(labels: Texts): [name: string, value: string][] {
  const rank = (name: string) => TELLING.get(name) ?? TELLING.size;
  return [...labels].sort(([a], [b]) => rank(a) - rank(b));
}

function firstOf(labels: Texts, names: readonly string[]): string | undefined {
  return names.map((name) => textOf(labels.get(name), SUBJECT_CHARS_MAX))
    .find((value) => value !== undefined);
}

function split(
  labels: Texts,
  isSecond: (name: string, value: string) => boolean,
): [Texts, Texts] {
  const { first = [], second = [] } = Object.groupBy(
    labels,
    ([name, value]) => isSecond(name, plain(value)) ? "second" : "first",
  );
  return [new Map(first), new Map(second)];
}

/** `kps/Kube_State` as `kps-kube-state`. */
function plain(value: string): string {
  return value.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

/** Finds names in a {@linkcode plain} value, but no parts of names. */
function named(names: string): RegExp {
  return new RegExp(`(?:^|-)(?:${names.replace(/\s+/g, "")})(?:-|$)`);
}

/**
 * Each kind as kube-state-metrics, service discovery and OpenTelemetry spell
 * it. What the target itself says comes first.
 */
function spellings(kinds: string): string[] {
  return kinds.split(/\s+/).flatMap((kind) =>
    [
      ...[`exported_${kind}`, kind, `exported_${kind}_name`, `${kind}_name`],
      ...[`kubernetes_${kind}`, `kubernetes_${kind}_name`, `k8s_${kind}_name`],
    ].filter((name) => !/^(?:exported_)?job$/.test(name)) // Prometheus's own.
  );
}
