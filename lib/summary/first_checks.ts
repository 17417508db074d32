/**
 * One first check for each well-known alert, as data: what to look at before
 * anything else, and who says so. Pure.
 *
 * A check changes nothing. `{…}` stands for a label's place: a line is told only
 * if the alert names it.
 *
 * @module
 */

export interface FirstCheck {
  /** One imperative clause. `{where}` is what is ill. */
  check: string;
  /** A public page about the alert. */
  source: string;
}

const RUNBOOKS = "https://runbooks.prometheus-operator.dev/runbooks";
const RULES =
  "https://github.com/samber/awesome-prometheus-alerts/blob/master/dist/rules";

/** Of the runbooks of kube-prometheus, by their folder. */
const OPERATOR: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  kubernetes: {
    CPUThrottlingHigh: "compare the CPU limit of {where} with what it uses",
    KubeAPIDown:
      "ask each API server for /readyz, and read the log of one that does not answer",
    KubeAPIErrorBudgetBurn:
      "look which verb and resource of the API server fails or is slow",
    KubeAggregatedAPIDown:
      "list the API services, and look at the pods behind one that is not available",
    KubeAggregatedAPIErrors:
      "list the API services, and read the log of the one with errors",
    KubeClientCertificateExpiration:
      "find the client whose certificate expires, in the API server's audit log",
    KubeContainerWaiting: "describe {where} and read why its container waits",
    KubeControllerManagerDown:
      "look at the controller manager's pods in kube-system",
    KubeDaemonSetMisScheduled:
      "compare the node selector and tolerations of {where} with the nodes' labels and taints",
    KubeDaemonSetNotScheduled:
      "describe a pending pod of {where} and read why no node takes it",
    KubeDaemonSetRolloutStuck:
      "find the pod of {where} that is not ready, and describe it",
    KubeDeploymentGenerationMismatch:
      "compare the generation of {where} with the one observed, and look at its last rollout",
    KubeDeploymentReplicasMismatch:
      "describe {where} and the pods that are not ready",
    KubeHpaMaxedOut:
      "compare the load of {where} with the maximum of its replicas",
    KubeHpaReplicasMismatch:
      "describe the autoscaler {where} and read its conditions",
    KubeJobFailed: "read the log of the last failed pod of {where}",
    KubeJobNotCompleted: "read the log of the running pod of {where}",
    KubeMemoryOvercommit:
      "compare the memory that pods request with what the nodes have",
    KubeCPUOvercommit:
      "compare the CPU that pods request with what the nodes have",
    KubeNodeNotReady: "describe the node {where} and read its conditions",
    KubeNodeReadinessFlapping:
      "read the kubelet's log on {where} around a change of readiness",
    KubeNodeUnreachable:
      "see if {where} answers at all, and what its provider says of it",
    KubePersistentVolumeErrors:
      "describe the volume {where} and read its events",
    KubePersistentVolumeFillingUp:
      "see what fills the volume {where}, and if it can grow",
    KubePersistentVolumeInodesFillingUp:
      "see which folder of the volume {where} holds so many files",
    KubePodCrashLooping:
      "read the log of the last run of {where}, and its exit code",
    KubePodNotReady:
      "describe {where}: its events say which probe or volume fails",
    KubeProxyDown: "look at the pods of kube-proxy on the nodes concerned",
    KubeQuotaAlmostFull: "see which workload uses the quota of {where}",
    KubeQuotaExceeded: "see which workload uses the quota of {where}",
    KubeSchedulerDown: "look at the scheduler's pods in kube-system",
    KubeStatefulSetReplicasMismatch:
      "describe the first pod of {where} that is not ready",
    KubeStatefulSetUpdateNotRolledOut:
      "describe the pod of {where} at which the update stopped",
    KubeVersionMismatch: "list the versions of the nodes and of the API server",
    KubeletDown: "read the kubelet's log on {where}",
    KubeletPlegDurationHigh: "see how busy the container runtime on {where} is",
    KubeletTooManyPods: "list the pods on {where}",
  },
  node: {
    NodeClockNotSynchronising:
      "see if the time service of {where} runs and reaches its server",
    NodeClockSkewDetected: "compare the clock of {where} with its time server",
    NodeFileDescriptorLimit:
      "find the process on {where} with the most open files",
    NodeFilesystemAlmostOutOfFiles:
      "see which folder on {where} holds so many files",
    NodeFilesystemAlmostOutOfSpace: "see which folder on {where} has grown",
    NodeFilesystemFilesFillingUp: "see which folder on {where} gains files",
    NodeFilesystemSpaceFillingUp: "see which folder on {where} grows",
    NodeHighNumberConntrackEntriesUsed:
      "see which peer holds the most connections on {where}",
    NodeMemoryMajorPagesFaults: "see which process on {where} uses the memory",
    NodeNetworkReceiveErrs:
      "compare the errors of both ends of the link of {where}",
    NodeNetworkTransmitErrs:
      "compare the errors of both ends of the link of {where}",
    NodeRAIDDegraded: "see which disk of the array on {where} is missing",
    NodeRAIDDiskFailure: "see which disk of the array on {where} has failed",
    NodeSystemSaturation:
      "see which processes on {where} wait for CPU or disks",
    NodeDiskIOSaturation:
      "see which process on {where} reads or writes so much",
  },
  etcd: {
    etcdHighCommitDurations: "look at the latency of the disk below {where}",
    etcdHighFsyncDurations: "look at the latency of the disk below {where}",
    etcdInsufficientMembers:
      "list etcd's members, and read the log of one that is missing",
    etcdMembersDown: "read the log of the member {where}",
    etcdNoLeader:
      "see if a majority of etcd's members runs and reaches each other",
    etcdBackendQuotaLowSpace:
      "compare the size of etcd's database with its quota",
  },
  alertmanager: {
    AlertmanagerClusterDown: "look at the pods of Alertmanager that do not run",
    AlertmanagerFailedReload:
      "read Alertmanager's log: it names the line of its configuration that is wrong",
    AlertmanagerFailedToSendAlerts:
      "read Alertmanager's log: it names the receiver that refuses",
    AlertmanagerMembersInconsistent:
      "see if the instances of Alertmanager reach each other",
  },
  prometheus: {
    PrometheusBadConfig:
      "read the log of {where}: it names the line of its configuration that is wrong",
    PrometheusNotConnectedToAlertmanagers:
      "see if {where} finds and reaches an Alertmanager",
    PrometheusRemoteWriteBehind:
      "look at the latency and the errors of what {where} writes to",
    PrometheusRuleFailures:
      "open the rules page of {where}: it shows the rule that fails",
    PrometheusTargetSyncFailure:
      "read the log of {where}: it names the scrape configuration that is wrong",
  },
  general: {
    TargetDown:
      "open the targets page of Prometheus: it shows the error of each scrape",
  },
};

/** Of a well-known collection of rules, by the file. */
const COLLECTION: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "postgresql/postgres-exporter.yml": {
    PostgresqlDown:
      "see if PostgreSQL on {where} runs, and read the end of its log",
    PostgresqlTooManyConnections:
      "group the connections on {where} by user and state in pg_stat_activity",
    PostgresqlDeadLocks:
      "read the log of {where}: it names the statements that blocked each other",
    PostgresqlTooManyLocksAcquired:
      "find the sessions on {where} that wait, in pg_locks",
  },
  "host-and-hardware/node-exporter.yml": {
    HostOutOfMemory: "see which process on {where} uses the memory",
    HostHighCpuLoad: "see which process on {where} uses the CPU",
    HostOutOfDiskSpace: "see which folder on {where} has grown",
    HostOomKillDetected:
      "read the kernel's log on {where}: it names what was killed",
  },
};

/** Of PostgreSQL's own documentation, by the page. */
const POSTGRESQL: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "monitoring-stats.html": {
    PostgresqlReplicationLag:
      "compare what was sent and replayed for {where} in pg_stat_replication",
  },
};

/** By the alert's name. */
export const FIRST_CHECKS: ReadonlyMap<string, FirstCheck> = new Map([
  ...entries(
    OPERATOR,
    (folder, name) => `${RUNBOOKS}/${folder}/${name.toLowerCase()}/`,
  ),
  ...entries(
    POSTGRESQL,
    (page) => `https://www.postgresql.org/docs/current/${page}`,
  ),
  ...entries(COLLECTION, (file) => `${RULES}/${file}`),
]);

function entries(
  table: Readonly<Record<string, Readonly<Record<string, string>>>>,
  sourceOf: (place: string, name: string) => string,
): [string, FirstCheck][] {
  return Object.entries(table).flatMap(([place, checks]) =>
    Object.entries(checks).map(([name, check]): [string, FirstCheck] => [
      name,
      { check, source: sourceOf(place, name) },
    ])
  );
}
