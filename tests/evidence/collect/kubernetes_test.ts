import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { startKubernetesApi } from "../../../deploy/standins/kubernetes.ts";
import { kubernetes } from "../../../lib/evidence/collect/kubernetes.ts";
import { derivePermissions } from "../../../scripts/launch/permissions.ts";
import { GapError } from "../../../lib/evidence/collector.ts";
import {
  collect,
  factsOf,
  incidentWith,
  openIo,
  statesOf,
  testFaults,
} from "../../support/collecting.ts";

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
          manager: "kubectl",
          operation: "Update",
          subresource: "scale",
          time: "2026-01-15T09:26:30Z",
          fieldsV1: { "f:spec": { "f:replicas": {} } },
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
  assertEquals(found.timeline[0]!.change, {
    what: "rollout",
    of: "checkout",
    version: "checkout 1.4.1 → 1.4.2",
    where: "shop",
    by: "helm",
  });
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

Deno.test("kubernetes: a check says the version, and fails without a token that counts", async () => {
  await using api = startKubernetesApi({ token: "another" });
  const refused = await assertRejects(
    () => kubernetes.check(openIo(kubernetes, env(api.url))),
    GapError,
    "Kubernetes answered 401 (Unauthorized)",
  );
  assertEquals(refused.kind, "refused");
  await using other = startKubernetesApi();
  assertEquals(
    (await kubernetes.check(openIo(kubernetes, env(other.url)))).says,
    "Kubernetes v1.34.4",
  );
});

Deno.test("kubernetes: a Deployment that is paused says so", async () => {
  const paused = deployment();
  Object.assign(paused.spec, { paused: true });
  await using api = startKubernetesApi({ ...DATA, deployments: [paused] });
  const found = await collect(kubernetes, { env: env(api.url) });
  assertMatch(factsOf(found)[1]!, /2 of 3 ready, paused, not Progressing/);
});

Deno.test("kubernetes: a rollback counts when the Deployment moved, and says what came back", async () => {
  // The old ReplicaSet got the highest number.
  const back = replicaSet(13, "2026-01-05T08:00:00Z", "1.4.1");
  await using api = startKubernetesApi({ ...DATA, replicasets: [back, NEW] });
  const found = await collect(kubernetes, { env: env(api.url) });
  assertEquals(factsOf(found).slice(0, 2), [
    "rollout: checkout was rolled back: checkout 1.4.2 → 1.4.1 (revision 13) at 2026-01-15 09:36:00 UTC, 6 min after the start",
    "rollout: checkout rolled out checkout:1.4.2 (revision 12) at 2026-01-15 09:26:00 UTC, 4 min before the start",
  ]);
});

Deno.test("kubernetes: a restart, other settings, another image and a new container are told apart", async () => {
  const restarted = { "kubectl.kubernetes.io/restartedAt": "x" };
  const cases: [unknown, string][] = [
    [
      replicaSet(12, "2026-01-15T09:26:00Z", "1.4.1", { template: restarted }),
      "was restarted",
    ],
    [
      replicaSet(12, "2026-01-15T09:26:00Z", "1.4.1"),
      "rolled out other settings of the same images",
    ],
    [
      replicaSet(12, "2026-01-15T09:26:00Z", `1.4.1@sha256:${"ab".repeat(32)}`),
      "rolled out checkout 1.4.1 → 1.4.1@sha256:abababababab",
    ],
    [
      {
        ...NEW,
        spec: {
          template: {
            spec: {
              containers: [
                { name: "app", image: "other:9" },
                { name: "proxy", image: "r.example:5000/envoy" },
              ],
            },
          },
        },
      },
      "rolled out checkout:1.4.1 → other:9, envoy added",
    ],
  ];
  for (const [newest, expected] of cases) {
    await using api = startKubernetesApi({
      ...DATA,
      replicasets: [newest, OLD],
    });
    const found = await collect(kubernetes, { env: env(api.url) });
    const value = found.facts[0]!.value;
    assert(value.startsWith(`checkout ${expected} (revision 12`), value);
  }
});

Deno.test("kubernetes: rollouts of the day count only if there is none of the last two hours", async () => {
  const early = replicaSet(12, "2026-01-14T22:00:00Z", "1.4.2");
  const revisions = async (replicasets: unknown[]) => {
    await using api = startKubernetesApi({ ...DATA, replicasets });
    const found = await collect(kubernetes, { env: env(api.url) });
    return found.facts.filter(({ name }) => name === "rollout").map((
      { value },
    ) => value.replace(/ at .*, /, ", "));
  };
  assertEquals(await revisions([early, OLD]), [
    "checkout rolled out checkout 1.4.1 → 1.4.2 (revision 12), 11 h before the start",
  ]);
  const late = replicaSet(13, "2026-01-15T09:26:00Z", "1.4.3");
  assertEquals(await revisions([late, early, OLD]), [
    "checkout rolled out checkout 1.4.2 → 1.4.3 (revision 13, by helm), 4 min before the start",
  ]);
});

Deno.test("kubernetes: without a rollout it says when the last one was", async () => {
  await using api = startKubernetesApi({ ...DATA, replicasets: [OLD] });
  const found = await collect(kubernetes, { env: env(api.url) });
  assertEquals(
    statesOf(found)[0],
    "nothing: no rollout in the 24 h before; the last was 10 d before the start",
  );
});

Deno.test("kubernetes: an empty namespace and none at all look alike, and that is said", async () => {
  await using api = startKubernetesApi({ ...DATA, namespace: "other" });
  const found = await collect(kubernetes, { env: env(api.url) });
  assertEquals(statesOf(found), [
    "nothing: no Deployment in shop, or no such namespace",
    "nothing: no Deployment, pod or warning in shop, or no such namespace",
  ]);
  assertEquals(found.gaps, []);
});

Deno.test("kubernetes: without a namespace it is not concerned, and says what would help", async () => {
  await using api = startKubernetesApi(DATA);
  const incident = incidentWith({ service: "checkout" });
  const found = await collect(kubernetes, { env: env(api.url), incident });
  assertEquals(statesOf(found), [
    "unconcerned: no namespace is known: alerts need the label namespace, or the catalogue's entry kubernetes.namespace",
  ]);
  assertEquals(api.asked, []);
});

Deno.test("kubernetes: the catalogue's names come before the labels'", async () => {
  await using api = startKubernetesApi({ ...DATA, namespace: "prod" });
  const found = await collect(kubernetes, {
    env: env(api.url),
    subject: {
      entry: {
        name: "checkout",
        match: { service: "checkout" },
        kubernetes: { namespace: "prod", deployment: "checkout" },
      },
    },
  });
  assertEquals(found.lookups.map(({ state }) => state), [
    "found",
    "found",
  ]);
  assertMatch(api.asked[0]!, /\/prod\/.*metadata\.name%3Dcheckout/);
});

Deno.test("kubernetes: the catalogue's selector is for pods, whatever labels the Deployment has", async () => {
  const apart = pod(7, {}, "canary");
  apart.metadata.labels.app = "checkout-all";
  await using api = startKubernetesApi({
    ...DATA,
    pods: [...DATA.pods, apart],
  });
  const found = await collect(kubernetes, {
    env: env(api.url),
    subject: {
      entry: {
        name: "checkout",
        match: { service: "checkout" },
        kubernetes: { deployment: "checkout", selector: "app=checkout-all" },
      },
    },
  });
  const facts = factsOf(found);
  assert(facts.includes("pods: 1: 1 Running; 1 ready; 0 restarts"), `${facts}`);
  assert(facts.some((fact) => fact.startsWith("Deployment checkout: 2 of 3")));
});

Deno.test("kubernetes: several Deployments of one app count together, and no pods but theirs", async () => {
  const parts = ["checkout-api", "checkout-jobs"].map((name) => {
    const one = deployment(name);
    one.metadata.labels.app = "checkout";
    return one;
  });
  await using api = startKubernetesApi({
    deployments: [...parts, deployment("cart")],
    pods: [
      pod(0, {}, "checkout-api"),
      pod(1, {}, "checkout-jobs"),
      pod(2, {}, "cart"),
    ],
  });
  const found = await collect(kubernetes, { env: env(api.url) });
  assertEquals(
    found.facts.map(({ name, value }) => [name, value.slice(0, 2)]),
    [
      ["Deployment checkout-api", "2 "],
      ["Deployment checkout-jobs", "2 "],
      ["pods", "2:"],
    ],
  );
});

Deno.test("kubernetes: a Deployment is known by its label, its pod's name or the service", async () => {
  const cart = deployment("cart");
  const data = { ...DATA, deployments: [cart, deployment()] };
  const own = `checkout-${HASHES[0]}-bcdf2`;
  for (
    const labels of [
      { deployment: "checkout" },
      { pod: own },
      { service: "checkout" },
      { app: "checkout" },
    ] as Record<string, string>[]
  ) {
    await using api = startKubernetesApi(data);
    const incident = incidentWith({ namespace: "shop", ...labels });
    const found = await collect(kubernetes, { env: env(api.url), incident });
    const names = found.facts.map(({ name }) => name);
    const said = JSON.stringify(labels);
    assert(names.includes("Deployment checkout"), said);
    assert(!names.includes("Deployment cart"), said);
  }
});

Deno.test("kubernetes: where no Deployment is meant, those of the namespace count that are not well", async () => {
  const well = deployment("cart", {
    status: { updatedReplicas: 3, readyReplicas: 3 },
  });
  await using api = startKubernetesApi({
    ...DATA,
    deployments: [well, deployment()],
  });
  const incident = incidentWith({ namespace: "shop" });
  const found = await collect(kubernetes, { env: env(api.url), incident });
  const facts = factsOf(found);
  assert(facts.includes("Deployments: 1 of 2 are well"), facts.join("\n"));
  assert(!facts.some((fact) => fact.startsWith("Deployment cart")));
});

Deno.test("kubernetes: what the role does not cover is refused in Kubernetes' words, the rest is kept", async () => {
  await using api = startKubernetesApi({ ...DATA, forbidden: ["pods"] });
  const found = await collect(kubernetes, { env: env(api.url) });
  assertEquals(statesOf(found), ["found", "found"]);
  assert(factsOf(found).some((fact) => fact.startsWith("Deployment checkout")));
  assertEquals(found.gaps.map(({ kind }) => kind), ["refused"]);
  assertMatch(found.gaps[0]!.why, /403 .*cannot list resource "pods"/);
});

Deno.test("kubernetes: pages are followed, at most five, and what is left is counted if it can be", async () => {
  const pods = (count: number) =>
    Array.from({ length: count }, (_, at) => {
      const one = pod(at, {});
      return { ...one, metadata: { ...one.metadata, name: `p-${at}` } };
    });
  const ask = async (count: number, labels: Record<string, string>) => {
    await using api = startKubernetesApi({ ...DATA, pods: pods(count) });
    const incident = incidentWith({ namespace: "shop", ...labels });
    const found = await collect(kubernetes, { env: env(api.url), incident });
    assertEquals(api.mistakes, []);
    return {
      facts: found.facts.filter(({ name }) => name === "pods")
        .map(({ value }) => value.split(":")[0]),
      gaps: found.gaps.map(({ what, kind, got, of }) => [what, kind, got, of]),
    };
  };
  assertEquals(await ask(250, { service: "checkout" }), {
    facts: ["250"],
    gaps: [],
  });
  // With a selector, the API does not say how many there are.
  assertEquals(await ask(10_000, { service: "checkout" }), {
    facts: ["500"],
    gaps: [["pods", "cut", 500, undefined]],
  });
  assertEquals(await ask(10_000, {}), {
    facts: ["500"],
    gaps: [["pods", "cut", 500, 10_000]],
  });
});

Deno.test("kubernetes: that Deployments were left out is said of rollouts and of the state", async () => {
  const deployments = Array.from(
    { length: 600 },
    (_, at) => deployment(`d-${String(at).padStart(3, "0")}`),
  );
  await using api = startKubernetesApi({ deployments, replicasets: [NEW] });
  const incident = incidentWith({ namespace: "shop" });
  const found = await collect(kubernetes, { env: env(api.url), incident });
  assertEquals(
    found.gaps.map(({ what, kind, got, of }) => [what, kind, got, of]),
    [["deployments", "cut", 500, 600], ["deployments", "cut", 500, 600]],
  );
});

Deno.test("kubernetes: a page that expired starts the list again, once", async () => {
  const events = Array.from(
    { length: 250 },
    (_, at) => warning(`w-${at}`, "FailedMount", {}, "PersistentVolumeClaim"),
  );
  const ask = async (expired: number) => {
    await using api = startKubernetesApi({ ...DATA, events, expired });
    const found = await collect(kubernetes, { env: env(api.url) });
    return {
      kinds: JSON.parse(found.pieces.at(-1)!.content).of.warnings,
      calls: api.asked.filter((path) => path.includes("/events")).length,
      gaps: found.gaps.map(({ kind, got }) => [kind, got]),
    };
  };
  assertEquals(await ask(0), {
    kinds: 250,
    calls: 3,
    gaps: [],
  });
  assertEquals(await ask(1), {
    kinds: 250,
    calls: 5,
    gaps: [],
  });
  assertEquals(await ask(9), {
    kinds: 100,
    calls: 4,
    gaps: [["cut", 100]],
  });
});

Deno.test("kubernetes: pages that are too long are asked for in smaller ones", async () => {
  const heavy = Array.from({ length: 60 }, (_, at) => {
    const one = pod(at, { note: "x".repeat(30_000) });
    return { ...one, metadata: { ...one.metadata, name: `p-${at}` } };
  });
  await using api = startKubernetesApi({ ...DATA, pods: heavy });
  const found = await collect(kubernetes, { env: env(api.url) });
  assert(factsOf(found).includes("pods: 60: 60 Running; 60 ready; 0 restarts"));
  assertEquals(found.gaps, []);
});

Deno.test("kubernetes: a token that was replaced is used at once, and a missing one is a gap", async () => {
  const file = await Deno.makeTempFile();
  const given = (url: string) => ({ ...env(url), KUBERNETES_TOKEN_FILE: file });
  await using api = startKubernetesApi({ ...DATA, token: "second" });
  await Deno.writeTextFile(file, "first");
  const kinds = async () => {
    const found = await collect(kubernetes, { env: given(api.url) });
    for (const { why } of found.gaps) assert(!why.includes(file), why);
    return new Set(found.gaps.map(({ kind }) => kind));
  };
  assertEquals(await kinds(), new Set(["refused"]));
  await Deno.writeTextFile(file, "second\n");
  assertEquals(await kinds(), new Set());
  await Deno.remove(file);
  const asked = api.asked.length;
  assertEquals(await kinds(), new Set(["broken"]));
  assertEquals(api.asked.length, asked);
});

Deno.test("kubernetes: the derived permissions suffice for a mounted token, and are needed", async () => {
  // As the kubelet mounts it: the link moves when the token is replaced.
  const mount = await Deno.makeTempDir();
  try {
    // Deno itself makes links only where it may read and write everything.
    const shell = (script: string) =>
      new Deno.Command("sh", { args: ["-ec", script], cwd: mount }).output();
    await shell(`
      mkdir ..first ..second; echo first >..first/token; echo second >..second/token
      ln -s ..first ..data; ln -s ..data/token token`);
    const given: Record<string, string> = {
      NATS_URL: "nats://127.0.0.1:1",
      REDIS_URL: "redis://127.0.0.1:2",
      CORETEX_GATEWAY_URL: "http://127.0.0.1:3",
      CORETEX_API_KEY: "any",
      KUBERNETES_API_URL: "http://127.0.0.1:4",
      KUBERNETES_TOKEN_FILE: `${mount}/token`,
    };
    const { flags } = derivePermissions(
      "fetcher",
      ["network:egress"],
      (name) => given[name],
    );
    const file = (path: string) => new URL(path, import.meta.url).href;
    const program = `
      import { readConfig } from "${file("../../../lib/base/config.ts")}";
      import { kubernetes } from "${
      file("../../../lib/evidence/collect/kubernetes.ts")
    }";
      const env = ${JSON.stringify(given)};
      const config = readConfig(kubernetes.settings, (name) => env[name]);
      try {
        console.log(kubernetes.connect(config).headers().Authorization);
      } catch (error) {
        console.log(error.message);
      }`;
    const run = async (flags: readonly string[]) => {
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          ...flags,
          `data:text/javascript,${encodeURIComponent(program)}`,
        ],
      }).output();
      return new TextDecoder().decode(stdout).trim() ||
        new TextDecoder().decode(stderr);
    };
    assertEquals(await run(flags), "Bearer first");
    await shell("ln -sfn ..second ..data");
    assertEquals(await run(flags), "Bearer second");
    const less = flags.filter((flag) => !flag.startsWith("--allow-read"));
    assertEquals(less.length, flags.length - 1);
    assertEquals(
      await run(less),
      "the file with its token cannot be read",
    );
  } finally {
    await Deno.remove(mount, { recursive: true });
  }
});

Deno.test("kubernetes: over TLS it trusts the certificate of the file, and no other", async () => {
  const tls = (name: string) =>
    new URL(`../../testdata/tls/${name}`, import.meta.url);
  await using api = startKubernetesApi(DATA);
  await using front = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      cert: await Deno.readTextFile(tls("server.pem")),
      key: await Deno.readTextFile(tls("server.key")),
    },
    ({ url, headers }) => {
      const { pathname, search } = new URL(url);
      return fetch(`${api.url}${pathname}${search}`, { headers });
    },
  );
  const ask = async (ca: string) => {
    const found = await collect(kubernetes, {
      env: {
        ...env(`https://127.0.0.1:${front.addr.port}`),
        KUBERNETES_CA_FILE: tls(ca).pathname,
      },
    });
    return found.lookups.map(({ state }) => state);
  };
  assertEquals(await ask("ca.pem"), ["found", "found"]);
  assertEquals(await ask("other_ca.pem"), ["failed", "failed"]);
  assertEquals(await ask("none.pem"), ["failed", "failed"]);
});

Deno.test("kubernetes: Warnings of any age of the API are grouped, the workload's own first", async () => {
  const own = `checkout-${HASHES[0]}-bcdf2`;
  const events = [
    warning("cart-0", "Unhealthy", { count: 90 }),
    warning(`cart-${HASHES[1]}-bcdf2`, "BackOff", { count: 2 }),
    warning(`checkout-worker-${HASHES[1]}-bcdf2`, "BackOff", { count: 3 }),
    warning(own, "FailedMount", { eventTime: "2026-01-15T09:35:00.123456Z" }),
    warning(own, "FailedMount", {
      eventTime: "2026-01-15T09:35:30.000000Z",
      series: { count: 4, lastObservedTime: "2026-01-15T09:50:00.000000Z" },
    }),
    warning("checkout", "ReplicaSetCreateError", {}, "Deployment"),
    warning("checkout-worker", "FailedCreate", {}, "Job"),
    { ...warning(own, "SuccessfulCreate"), type: "Normal" },
  ];
  await using api = startKubernetesApi({ ...DATA, events });
  const found = await collect(kubernetes, { env: env(api.url) });
  const { warnings } = JSON.parse(found.pieces.at(-1)!.content);
  const said = warnings.map((
    { reason, object, count, last }: Record<string, string>,
  ) => `${reason}: ${object} ×${count}, last ${last!.slice(11, 16)}`);
  assertEquals(said, [
    "FailedMount: checkout ×5, last 09:50",
    "ReplicaSetCreateError: checkout ×1, last 09:31",
    "Unhealthy: cart-0 ×90, last 09:31",
    "BackOff: checkout-worker ×3, last 09:31",
    "BackOff: cart ×2, last 09:31",
    "FailedCreate: Job checkout-worker ×1, last 09:31",
  ]);
  assertEquals(
    found.facts.slice(-3).map(({ name }) => name),
    ["FailedMount", "ReplicaSetCreateError", "Unhealthy"],
  );
});

Deno.test("kubernetes: what could not be read is a gap, and never said to be absent", async () => {
  const names = (found: Awaited<ReturnType<typeof collect>>) =>
    found.facts.map(({ name }) => name);
  await using api = startKubernetesApi({
    ...DATA,
    forbidden: ["deployments", "replicasets"],
  });
  const found = await collect(kubernetes, { env: env(api.url) });
  assertEquals(found.lookups.map(({ state }) => state), ["failed", "found"]);
  assertEquals(names(found), [
    "pods",
    "CrashLoopBackOff",
    "OOMKilled",
    "BackOff",
  ]);
  assertEquals(found.gaps.map(({ what }) => what).at(-1), "deployments");
  const incident = incidentWith({ namespace: "shop", deployment: "checkout" });
  const named = await collect(kubernetes, { env: env(api.url), incident });
  assertEquals(names(named), names(found));
  await using other = startKubernetesApi({ forbidden: ["deployments"] });
  const none = await collect(kubernetes, { env: env(other.url) });
  assertEquals(
    none.lookups[1]!.why,
    "no pod or warning in shop, or no such namespace",
  );
});

Deno.test("kubernetes: a Deployment that the catalogue names and nobody has is said to be missing", async () => {
  await using api = startKubernetesApi(DATA);
  const incident = incidentWith({ namespace: "shop", deployment: "chekout" });
  const found = await collect(kubernetes, { env: env(api.url), incident });
  assertEquals(statesOf(found), [
    "nothing: no Deployment chekout in shop, or no such namespace",
    "found",
  ]);
  assertEquals(factsOf(found)[0], "Deployment chekout: none of that name");
  assert(api.asked.every((path) => !path.includes("/pods")));
});

Deno.test("kubernetes: pods are named by reasons of their own only, and old ones do not count", async () => {
  const pods = [
    pod(0, {
      phase: "Pending",
      conditions: [{
        type: "PodScheduled",
        status: "False",
        reason: "Unschedulable",
        message: "0/3 nodes are available",
      }],
    }),
    pod(1, {
      phase: "Failed",
      reason: "Evicted",
      message: "low on memory",
      conditions: [],
    }),
    pod(2, {
      containerStatuses: [{
        name: "app",
        restartCount: 1,
        state: { waiting: { reason: "ContainerCreating" } },
        lastState: {
          terminated: {
            reason: "Completed",
            exitCode: 0,
            finishedAt: "2026-01-15T09:50:00Z",
          },
        },
      }],
    }),
    pod(3, {
      containerStatuses: [{
        name: "app",
        restartCount: 1,
        state: { running: {} },
        lastState: {
          terminated: {
            reason: "OOMKilled",
            exitCode: 137,
            finishedAt: "2026-01-10T09:00:00Z",
          },
        },
      }],
    }),
  ];
  await using api = startKubernetesApi({ ...DATA, pods });
  const found = await collect(kubernetes, { env: env(api.url) });
  assertEquals(factsOf(found).slice(2, -1), [
    "pods: 4: 1 Failed, 1 Pending, 2 Running; 2 ready; 2 restarts",
    "Evicted: 1 pod of checkout, low on memory",
    "Unschedulable: 1 pod of checkout, 0/3 nodes are available",
  ]);
});

Deno.test("kubernetes: pods that do not come in time leave the Deployment's state", async () => {
  await using api = startKubernetesApi(DATA);
  api.fault = "silent";
  api.faultOn = (path) => path.endsWith("/pods");
  const found = await collect(kubernetes, { env: env(api.url), timeMs: 500 });
  assertEquals(statesOf(found), ["found", "found"]);
  assert(factsOf(found).some((fact) => fact.startsWith("Deployment checkout")));
  assertEquals(found.gaps.map(({ kind }) => kind), ["late"]);
});

Deno.test("kubernetes: the order of an answer changes nothing", async () => {
  await using api = startKubernetesApi({
    ...DATA,
    deployments: [deployment(), deployment("cart")],
  });
  const incident = incidentWith({ namespace: "shop" });
  const one = await collect(kubernetes, { env: env(api.url), incident });
  await using other = startKubernetesApi({
    deployments: [deployment("cart"), deployment()],
    replicasets: DATA.replicasets.toReversed(),
    pods: DATA.pods.toReversed(),
    events: DATA.events.toReversed(),
  });
  const two = await collect(kubernetes, { env: env(other.url), incident });
  assertEquals(two, one);
});

Deno.test("kubernetes: of a credential in a message no part is left, wherever it is cut", async () => {
  const secret = `ghp_${"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2"}`;
  for (const length of [150, 200, 300]) {
    for (let before = length - 50; before < length; before += 3) {
      const message = `${"x ".repeat(before / 2)}${secret} ada@shop.example`;
      await using api = startKubernetesApi({
        ...DATA,
        events: [warning("checkout", "FailedMount", { message })],
        pods: [pod(0, { phase: "Failed", reason: "Evicted", message })],
      });
      const found = await collect(kubernetes, { env: env(api.url) });
      const all = JSON.stringify(found);
      assert(all.includes("Evicted") && all.includes("FailedMount"));
      for (let from = 0; from + 4 <= secret.length; from++) {
        const part = secret.slice(from, from + 4);
        assert(!all.includes(part), `${part} of ${before} in ${length}`);
      }
      assert(!all.includes("shop.example"));
    }
  }
});

Deno.test("kubernetes: hostile texts and shapes stay bounded, and ask for no other path", async () => {
  const evil = "\u202e<!channel>\n\u0000" + "x".repeat(100_000);
  const odd = {
    metadata: {
      name: evil,
      labels: [],
      creationTimestamp: evil,
      ownerReferences: [null, 7, {
        kind: "Deployment",
        name: evil,
        controller: true,
      }],
      annotations: { "deployment.kubernetes.io/revision": "1e99" },
      managedFields: "x",
    },
    spec: {
      replicas: -1,
      selector: { matchExpressions: [{ key: evil }] },
      template: 7,
    },
    status: {
      phase: evil,
      conditions: [{ type: evil, status: "False" }],
      reason: evil,
    },
    involvedObject: { kind: evil, name: evil },
    type: "Warning",
    reason: evil,
    count: 1e300,
  };
  const list = [odd, { metadata: null }, { metadata: {}, type: "Warning" }];
  await using api = startKubernetesApi({
    deployments: list.slice(0, 1),
    replicasets: list.slice(0, 1),
    pods: list.slice(0, 1),
    events: list.slice(0, 1),
  });
  for (const namespace of ["shop", "../../secrets", "..", "a/b?x=1"]) {
    const found = await collect(kubernetes, {
      env: env(api.url),
      incident: incidentWith({ namespace }),
    });
    const size = JSON.stringify(found).length;
    assert(size < 20_000, `${namespace}: ${size}`);
  }
  const wrong = api.asked.filter((path) =>
    !/^\/(?:api\/v1|apis\/apps\/v1)\/namespaces\/(?:shop|\.\.%2F\.\.%2Fsecrets|a%2Fb%3Fx%3D1)\/\w+\?/
      .test(path)
  );
  assertEquals(wrong, []);
});
