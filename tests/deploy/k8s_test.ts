/**
 * The manifest for Kubernetes.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { ClusterRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole";
import { ClusterRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Namespace } from "kubernetes-models/v1/Namespace";
import { ServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { Service } from "kubernetes-models/v1/Service";
import { variablesOf } from "../../lib/base/config.ts";
import { readConfigMap } from "../../scripts/launch/files/render.ts";
import {
  POD_FOLDER,
  secretsOf,
  secretValues,
} from "../../scripts/launch/files/secrets.ts";
import {
  splitNet,
  WORKER_SETTINGS,
  WORKERS,
} from "../../scripts/launch/permissions.ts";
import {
  derive,
  type KubeObject,
  parseManifest,
  read,
  readDeployment,
  ROOT,
  version,
} from "../support/deploy.ts";

const manifestText = await read("deploy/k8s/workers.yaml");
const objects = parseManifest(manifestText);
const roleObjects = parseManifest(await read("deploy/k8s/collector-role.yaml"));

Deno.test("k8s: every object is as Kubernetes' schemas say", () => {
  const models = {
    ClusterRole,
    ClusterRoleBinding,
    ConfigMap,
    Deployment,
    Namespace,
    NetworkPolicy,
    Service,
    ServiceAccount,
  };
  for (const object of [...objects, ...roleObjects]) {
    const Model = models[object.kind as keyof typeof models] as unknown as {
      new (data: unknown): { validate(): void };
      apiVersion: string;
    };
    assertEquals(object.apiVersion, Model.apiVersion, object.kind);
    new Model(object).validate();
  }
  const kinds = objects.map(({ kind }) => kind).toSorted();
  assertEquals(kinds, [
    "ConfigMap",
    ...WORKERS.map(() => "Deployment"),
    "Namespace",
    ...WORKERS.map(() => "NetworkPolicy"),
    "Service",
    "Service",
    "ServiceAccount",
  ]);
});

Deno.test("k8s: no object has a key that Kubernetes would drop", async () => {
  // The schemas let unknown keys pass; the types of object literals do not.
  const imports: Record<string, string> = {
    "v1": "kubernetes-models/v1",
    "apps/v1": "kubernetes-models/apps/v1",
    "networking.k8s.io/v1": "kubernetes-models/networking.k8s.io/v1",
    "rbac.authorization.k8s.io/v1":
      "kubernetes-models/rbac.authorization.k8s.io/v1",
  };
  const literals = [...objects, ...roleObjects].map((object, at) =>
    `import type { I${object.kind} as T${at} } from "${
      imports[object.apiVersion]
    }";\nexport const o${at}: T${at} = ${JSON.stringify(object)};\n`
  );
  const right = literals.join("");
  const wrong = right.replace('"livenessProbe"', '"livenesProbe"');
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/right.ts`, right);
    await Deno.writeTextFile(`${folder}/wrong.ts`, wrong);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "check",
        "--config",
        new URL("tests/deno.json", ROOT).pathname,
        `${folder}/right.ts`,
        `${folder}/wrong.ts`,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const said = new TextDecoder().decode(stderr);
    assertEquals(code, 1);
    // One place, and not in the manifest as it is.
    const places = [...said.matchAll(/at file:\S+\/(\w+\.ts):/g)];
    assertEquals(places.map(([, file]) => file), ["wrong.ts"], said);
    assert(said.includes('"livenesProbe"'), said);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("k8s: pods are restricted, probed, bounded, and one of each", () => {
  for (const worker of WORKERS) {
    const { spec, pod, container } = readDeployment(manifestText, worker);
    assertEquals(spec.replicas, 1);
    assertEquals(spec.strategy.type, "Recreate");
    assertEquals(pod["automountServiceAccountToken"], false);
    assertEquals(pod["terminationGracePeriodSeconds"], 45);
    assertEquals(pod["securityContext"], {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    });
    assertEquals(container["securityContext"], {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
    });
    assertEquals(container["resources"], {
      requests: {
        "cpu": "50m",
        "memory": "192Mi",
        "ephemeral-storage": "64Mi",
      },
      limits: { "cpu": "1", "memory": "512Mi", "ephemeral-storage": "256Mi" },
    });
    const probe = (name: string) =>
      (container[name] as { httpGet: { path: string; port: string } }).httpGet;
    const healthz = { path: "/healthz", port: "health" };
    assertEquals(probe("startupProbe"), healthz);
    assertEquals(probe("livenessProbe"), healthz);
    assertEquals(probe("readinessProbe"), { path: "/readyz", port: "health" });
    assertEquals(container.image, `incident-enricher-${worker}:${version}`);
    assertEquals(container["imagePullPolicy"], "Always");
  }
});

Deno.test("k8s: everything is in a namespace of its own, which refuses looser pods", () => {
  const [namespace] = objects as [
    KubeObject & { metadata: { labels: object } },
  ];
  assertEquals([namespace.kind, namespace.metadata.name], [
    "Namespace",
    "incident-enricher",
  ]);
  assertEquals(namespace.metadata.labels, {
    "app.kubernetes.io/part-of": "incident-enricher",
    "pod-security.kubernetes.io/enforce": "restricted",
  });
  for (const { kind, metadata } of objects.slice(1)) {
    assertEquals(metadata.namespace, "incident-enricher", kind);
  }
});

Deno.test("k8s: each pod has its own secrets, all as files that only it can read", () => {
  const map = readConfigMap(manifestText);
  for (const name of secretValues()) assert(!(name in map), name);
  for (const worker of WORKERS) {
    const { pod, container } = readDeployment(manifestText, worker);
    assertEquals(pod["serviceAccountName"], "incident-enricher");
    assertEquals(pod["volumes"], [{
      name: "secrets",
      secret: {
        secretName: `incident-enricher-${worker}`,
        defaultMode: 0o400,
      },
    }]);
    assertEquals(container["volumeMounts"], [{
      name: "secrets",
      mountPath: POD_FOLDER,
      readOnly: true,
    }]);
    const given = container.env.filter(({ value }) =>
      value?.startsWith(POD_FOLDER)
    );
    assertEquals(
      given,
      secretsOf(worker).map(({ name, variable }) => ({
        name: variable,
        value: `${POD_FOLDER}/${name}`,
      })),
      worker,
    );
  }
});

Deno.test("k8s: ports are those that the worker listens on", () => {
  const env = readConfigMap(manifestText);
  for (const worker of WORKERS) {
    const { container } = readDeployment(manifestText, worker);
    const { listens } = splitNet(derive(worker, env).net);
    const ports = container.ports.map(({ containerPort }) => containerPort);
    assertEquals(
      ports.toSorted(),
      listens.map(({ host }) => Number(host.split(":")[1])).toSorted(),
      worker,
    );
  }
});

Deno.test("k8s: ids and pools are the workers' own; each is given only what it reads", () => {
  for (const worker of WORKERS) {
    const { container } = readDeployment(manifestText, worker);
    const valueOf = (name: string) =>
      container.env.find((variable) => variable.name === name)?.value;
    const { workerId, workerPool } = WORKER_SETTINGS[worker];
    assertEquals(valueOf("WORKER_ID"), workerId?.fallback);
    assertEquals(valueOf("WORKER_POOL"), workerPool?.fallback);
    const names = variablesOf(WORKER_SETTINGS[worker]);
    for (const { name } of container.env) assert(names.includes(name), name);
  }
  const variables = new Set(
    WORKERS.flatMap((worker) => variablesOf(WORKER_SETTINGS[worker])),
  );
  for (const name of Object.keys(readConfigMap(manifestText))) {
    assert(variables.has(name), name);
  }
});

interface Rule {
  to: {
    podSelector?: { matchLabels: Record<string, string> };
    ipBlock?: { cidr: string; except: string[] };
  }[];
  ports: { protocol: string; port: number }[];
}

/** Whom each worker lets in that listens for others, and on which port. */
const INGRESS: Readonly<Record<string, readonly [from: string, port: string]>> =
  { ingester: ["ingress-nginx", "webhooks"], desk: ["oauth2-proxy", "pages"] };

Deno.test("k8s: each worker's NetworkPolicy is what its permissions are", () => {
  const env = readConfigMap(manifestText);
  for (const worker of WORKERS) {
    const { spec } = objects.find(({ kind, metadata }) =>
      kind === "NetworkPolicy" &&
      metadata.name === `incident-enricher-${worker}`
    ) as unknown as {
      spec: {
        podSelector: unknown;
        policyTypes: string[];
        ingress: unknown[];
        egress: Rule[];
      };
    };
    assertEquals(spec.policyTypes, ["Ingress", "Egress"]);
    assertEquals(spec.podSelector, {
      matchLabels: { "app.kubernetes.io/name": `incident-enricher-${worker}` },
    });
    const { listens, peers } = splitNet(derive(worker, env).net);
    // Only webhooks and people come from elsewhere; the kubelet, which asks for
    // the health, is on the same node, and no policy applies to it.
    const [namespace, port] = INGRESS[worker] ?? [];
    const labels = { "kubernetes.io/metadata.name": namespace };
    const from = [{ namespaceSelector: { matchLabels: labels } }];
    assertEquals(
      spec.ingress,
      port === undefined ? [] : [{ from, ports: [{ protocol: "TCP", port }] }],
      worker,
    );
    const health = listens.filter(({ host }) => host.endsWith(":9000"));
    assertEquals(listens.length - health.length, port === undefined ? 0 : 1);
    const [resolver, ...rules] = spec.egress;
    assertEquals(
      resolver!.ports,
      [
        { protocol: "UDP", port: 53 },
        { protocol: "TCP", port: 53 },
      ] as Rule["ports"],
    );
    assertEquals(
      rules.map(({ to: [to], ports: [port] }) => {
        const pods = to!.podSelector?.matchLabels["app.kubernetes.io/name"];
        return `${pods ?? "outside"}:${port!.port}`;
      }),
      peers.map(({ host }) => host.replace(/^.*\..*:/, "outside:")),
      worker,
    );
    for (const { to, ports } of rules) {
      assertEquals([to.length, ports.length], [1, 1], worker);
      const { ipBlock } = to[0]!;
      if (ipBlock === undefined) continue;
      assertEquals(ipBlock.cidr, "0.0.0.0/0");
      for (
        const network of [
          "10.0.0.0/8",
          "169.254.0.0/16",
          "172.16.0.0/12",
          "192.168.0.0/16",
        ]
      ) assert(ipBlock.except.includes(network), network);
    }
  }
});

Deno.test("k8s: webhooks reach the ingester, and people the desk", () => {
  for (const worker of ["ingester", "desk"] as const) {
    const name = `incident-enricher-${worker}`;
    const service = objects.find(({ kind, metadata }) =>
      kind === "Service" && metadata.name === name
    ) as unknown as {
      spec: {
        selector: Record<string, string>;
        ports: { targetPort: string }[];
      };
    };
    const { container } = readDeployment(manifestText, worker);
    assertEquals(service.spec.selector, { "app.kubernetes.io/name": name });
    const [port] = service.spec.ports;
    assert(container.ports.some(({ name }) => name === port!.targetPort));
  }
});

Deno.test("k8s: the fetcher's account may get and list what its collector lists, and nothing else", () => {
  const [account, role, binding] = roleObjects as [
    KubeObject,
    KubeObject & { rules: Record<string, string[]>[] },
    KubeObject & { subjects: unknown[]; roleRef: unknown },
  ];
  assertEquals(roleObjects.length, 3);
  assertEquals(account["automountServiceAccountToken"], false);
  assertEquals(
    role.rules.flatMap(({ apiGroups = [], resources = [], verbs = [] }) =>
      resources.map((resource) => `${apiGroups}/${resource}: ${verbs}`)
    ),
    [
      "/events: get,list",
      "/pods: get,list",
      "apps/deployments: get,list",
      "apps/replicasets: get,list",
    ],
  );
  assertEquals(binding.roleRef, {
    apiGroup: "rbac.authorization.k8s.io",
    kind: "ClusterRole",
    name: role.metadata.name,
  });
  assertEquals(binding.subjects, [{
    kind: "ServiceAccount",
    name: account.metadata.name,
    namespace: "incident-enricher",
  }]);
});
