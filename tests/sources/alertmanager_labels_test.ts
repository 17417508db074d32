import { assertEquals } from "@std/assert";
import { part, subjectOf } from "../../lib/sources/alertmanager/labels.ts";

type Labels = Record<string, string>;

const partOf = (labels: Labels) => part(new Map(Object.entries(labels)));

/** Labels that Prometheus adds for kube-state-metrics. */
const STATE_METRICS = {
  endpoint: "http",
  instance: "10.42.0.16:8080",
  job: "kube-state-metrics",
  service: "kps-kube-state-metrics",
};
/** The same without `honor_labels`. */
const OWN_LABELS = {
  ...STATE_METRICS,
  container: "kube-state-metrics",
  namespace: "monitoring",
  pod: "kps-kube-state-metrics-6f8b5-x2x4p",
};
const NODE_EXPORTER = {
  container: "node-exporter",
  endpoint: "http-metrics",
  instance: "10.0.0.7:9100",
  job: "node-exporter",
  namespace: "monitoring",
  pod: "kps-prometheus-node-exporter-x7k2p",
  service: "kps-prometheus-node-exporter",
};
const KUBELET = {
  endpoint: "https-metrics",
  instance: "10.0.0.3:10250",
  job: "kubelet",
  metrics_path: "/metrics/cadvisor",
  service: "kps-kubelet",
};
/** What Prometheus' example configuration adds. */
const DISCOVERED = {
  job: "kubernetes-service-endpoints",
  kubernetes_name: "prometheus-kube-state-metrics",
  kubernetes_namespace: "monitoring",
};

const SUBJECTS: [what: string, labels: Labels, subject?: string][] = [
  ["a workload before its service", { service: "cart", pod: "c-1" }, "c-1"],
  ["a service before its namespace", { service: "c", namespace: "n" }, "c"],
  ["an app", { app_kubernetes_io_name: "cart", job: "j" }, "cart"],
  ["a job that is no exporter", { job: "shop/cart" }, "shop/cart"],
  ["a namespace if there is nothing else", { namespace: "shop" }, "shop"],
  ["nothing", { team: "shop", instance: "10.0.0.1:80" }],
  ["no instance", { instance: "db-1" }],
  // kube-state-metrics reports on workloads.
  ["a deployment", { ...OWN_LABELS, deployment: "cart" }, "cart"],
  ["a stateful set", { ...OWN_LABELS, statefulset: "db" }, "db"],
  ["a daemon set", { ...OWN_LABELS, daemonset: "fluentd" }, "fluentd"],
  ["a job", { ...OWN_LABELS, job_name: "backup-1" }, "backup-1"],
  ["a node", { ...OWN_LABELS, node: "node-7" }, "node-7"],
  [
    "a deployment before its pod",
    { ...STATE_METRICS, pod: "cart-1", deployment: "cart" },
    "cart",
  ],
  ["a pod", { ...STATE_METRICS, namespace: "shop", pod: "cart-1" }, "cart-1"],
  ["a namespace", { ...STATE_METRICS, namespace: "shop" }, "shop"],
  ["kube-state-metrics", STATE_METRICS],
  ["its service", { ...STATE_METRICS, service: "kps-metrics" }],
  ["another service", { ...STATE_METRICS, service: "cart-api" }, "cart-api"],
  ["kube-state-metrics with its own labels", OWN_LABELS],
  [
    "an exported pod",
    { ...OWN_LABELS, exported_namespace: "shop", exported_pod: "cart-1" },
    "cart-1",
  ],
  ["an exported namespace", { ...OWN_LABELS, exported_namespace: "s" }, "s"],
  ["a discovered target", DISCOVERED],
  ["its pod", { ...DISCOVERED, namespace: "shop", pod: "cart-1" }, "cart-1"],
  // An exporter may be ill itself; then another reports on it.
  [
    "an exporter's pod",
    { ...NODE_EXPORTER, ...STATE_METRICS },
    NODE_EXPORTER.pod,
  ],
  [
    "an exporter's daemon set",
    { ...OWN_LABELS, daemonset: "node-exporter" },
    "node-exporter",
  ],
  // node-exporter measures its node.
  ["node-exporter's node", { ...NODE_EXPORTER, node: "node-7" }, "node-7"],
  ["node-exporter's host", { ...NODE_EXPORTER, nodename: "db-1" }, "db-1"],
  ["a service before its host", { host: "db-1", service: "cart" }, "cart"],
  ["no node", NODE_EXPORTER],
  [
    "node-exporter of an app",
    { ...NODE_EXPORTER, app: "checkout" },
    "checkout",
  ],
  // The kubelet and cadvisor measure their pods and volumes.
  [
    "a volume before the kubelet's node",
    { ...KUBELET, node: "n-3", persistentvolumeclaim: "data-0" },
    "data-0",
  ],
  ["a container's pod", { ...KUBELET, node: "n-3", pod: "c-1" }, "c-1"],
  ["the kubelet's node", { ...KUBELET, node: "n-3" }, "n-3"],
  ["the kubelet", { ...KUBELET, namespace: "kube-system" }],
  // A target that is a URL is probed, whatever the job is called.
  ["a probed site", { job: "http_2xx", instance: "https://shop.example" }],
  ["a probed store", { job: "caches", instance: "redis://cache-1:6379" }],
  ["its service", { job: "web", instance: "HTTP://s", service: "s" }, "s"],
  ["no URL", { job: "cart", instance: "cart:8080" }, "cart"],
  // An exporter beside what it measures.
  [
    "a pod with an exporter in it",
    { container: "redis-exporter", job: "cart-redis", pod: "cart-redis-0" },
    "cart-redis-0",
  ],
  [
    "the namespace of a database's exporter",
    { job: "postgres-exporter", namespace: "pay", pod: "postgres-exporter-1" },
    "pay",
  ],
];
for (const [what, labels, subject] of SUBJECTS) {
  Deno.test(`subjectOf() finds ${subject} for ${what}`, () => {
    assertEquals(subjectOf(partOf(labels).about), subject);
  });
}

const EXPORTERS = [
  ...["kube-state-metrics", "kps-kube-state-metrics", "kube_state_metrics"],
  ...["node-exporter", "node_exporter", "nodeexporter", "NodeExporter"],
  ...["prometheus-node-exporter-x7k2p", "kube-prometheus-exporter-node"],
  ...["cadvisor", "kubelet", "kps-kubelet", "blackbox", "blackbox-exporter"],
  ...["postgres-exporter", "redis_exporter", "mysqld-exporter", "pg_exporter"],
  ...["windows_exporter", "x509-certificate-exporter", "smokeping-prober"],
  ...["pushgateway", "prometheus-pushgateway", "metrics-server", "telegraf"],
  ...["otel-collector", "monitoring/node-exporter", "redis-exporter:9121"],
  ...["integrations/kubernetes/cadvisor", "integrations/node_exporter"],
];
for (const exporter of EXPORTERS) {
  for (
    const name of [
      ...["service", "job", "instance", "endpoint"],
      ...["app", "container", "pod"],
    ]
  ) {
    Deno.test(`part() takes ${name} "${exporter}" for who measures`, () => {
      const { about, measuring } = partOf({ team: "shop", [name]: exporter });
      assertEquals(Object.fromEntries(about), { team: "shop" });
      assertEquals(Object.fromEntries(measuring), { [name]: exporter });
    });
  }
}

for (
  const job of [
    ...["kubernetes-pods", "kubernetes-nodes", "kubernetes-apiservers"],
    ...["kubernetes-nodes-cadvisor", "kubernetes-service-endpoints-slow"],
    ...["node", "nodes", "snmp", "icmp", "federate", "probe/shop/front"],
    ...["integrations/unix", "integrations/mysql"],
  ]
) {
  Deno.test(`subjectOf() does not find the scrape job "${job}"`, () => {
    assertEquals(subjectOf(partOf({ job }).about), undefined);
    assertEquals(subjectOf(partOf({ job, app: "cart" }).about), "cart");
  });
}

for (
  const service of [
    ...["checkout-api", "exports", "export-api", "exporting", "node"],
    ...[
      "postgres",
      "redis-metrics",
      "kubernetes-dashboard",
      "state-metrics-ui",
    ],
    ...[
      "prometheus",
      "grafana",
      "black-friday",
      "box",
      "approval",
      "prober-ui",
    ],
  ]
) {
  Deno.test(`subjectOf() finds the service "${service}"`, () => {
    assertEquals(subjectOf(partOf({ service }).about), service);
  });
}

Deno.test("part() leaves an app's own labels, but for Prometheus' own", () => {
  const labels = {
    container: "web",
    endpoint: "http",
    instance: "10.42.1.9:8080",
    job: "cart-api",
    namespace: "shop",
    pod: "cart-api-1",
    prometheus: "monitoring/kps",
    service: "cart-api",
  };
  const { prometheus, ...own } = labels;
  const { about, measuring } = partOf(labels);
  assertEquals(Object.fromEntries(about), own);
  assertEquals(Object.fromEntries(measuring), { prometheus });
});

Deno.test("part() takes a label for the target's if the target exports its own", () => {
  const own = { exported_pod: "cart-1", exported_namespace: "shop" };
  const target = { namespace: "tools", pod: "bridge-1" };
  const { about, measuring } = partOf({ ...own, ...target });
  assertEquals(Object.fromEntries(about), own);
  assertEquals(Object.fromEntries(measuring), target);
});

Deno.test("part() is quick with many labels", () => {
  const labels = Object.fromEntries(
    Array.from({ length: 50_000 }, (_, at) => [`label${at}`, "x-".repeat(5)]),
  );
  const start = performance.now();
  assertEquals(partOf(labels).about.size, 50_000);
  assertEquals(performance.now() - start < 2000, true);
});
