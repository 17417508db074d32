/**
 * The files that carry the workers' flags, and the command that writes them.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { main } from "../../scripts/flags.ts";
import {
  dropInOf,
  imageEnvironment,
  LOOPBACK,
  podEnvironment,
  renderFiles,
  serviceEnvironment,
  WAYS,
} from "../../scripts/launch/files/render.ts";
import { type WorkerName, WORKERS } from "../../scripts/launch/permissions.ts";
import { call } from "../support/command.ts";
import {
  chainOf,
  derive,
  example,
  execForm,
  parseDockerfile,
  parseManifest,
  parseUnit,
  read,
  readDeployment,
  requirements,
  valuesOf,
} from "../support/deploy.ts";
import { runTask } from "../support/task.ts";

/** Each place where flags stand: the command there, and what it must be. */
async function readCommands(): Promise<Record<string, [string[], string[]]>> {
  const dockerfile = parseDockerfile(await read("deploy/Dockerfile"));
  const manifest = await read("deploy/k8s/workers.yaml");
  const commands: Record<string, [string[], string[]]> = {};
  for (const worker of WORKERS) {
    const { command } = config.tasks[`worker:${worker}`];
    const source = `workers/${worker}.ts`;
    commands[`task worker:${worker}`] = [command.split(" "), [
      ...["deno", "cache", "--quiet", source, "&&", "deno", "run"],
      ...derive(worker, LOOPBACK).flags,
      source,
    ]];

    const entry = chainOf(dockerfile, worker).findLast(({ name }) =>
      name === "ENTRYPOINT"
    );
    commands[`image ${worker}`] = [execForm(entry?.text ?? "[]"), [
      "/bin/deno",
      "run",
      ...derive(worker, imageEnvironment(worker, example)).flags,
      `/worker/${worker}.js`,
    ]];

    const unit = parseUnit(await read(dropInOf(worker)));
    const start = valuesOf(unit, "ExecStart").at(-1) ?? "";
    commands[`service ${worker}`] = [start.split(/\s+/), [
      "/usr/local/bin/deno",
      "run",
      ...derive(worker, serviceEnvironment(worker)).flags,
      `/opt/incident-enricher/${worker}.js`,
    ]];

    const { container } = readDeployment(manifest, worker);
    const { command: first = [], args = [] } = container;
    commands[`container ${worker}`] = [[...first, ...args], [
      "/bin/deno",
      "run",
      ...derive(worker, podEnvironment(worker, manifest)).flags,
      `/worker/${worker}.js`,
    ]];
  }
  return commands;
}

Deno.test("every file gives each worker exactly the derived flags", async () => {
  const commands = await readCommands();
  assertEquals(Object.keys(commands).length, 4 * WORKERS.length);
  for (const [place, [actual, expected]] of Object.entries(commands)) {
    assertEquals(actual, expected, `${place}; run deno task flags`);
  }
});

Deno.test("renderFiles() writes the files as they are", async () => {
  const files = await renderFiles(WAYS, { read, requirements });
  assertEquals(files.size, 5 + WORKERS.length);
  for (const [path, text] of files) {
    assertEquals(await read(path), text, `${path}; run deno task flags`);
  }
});

Deno.test("renderFiles() refuses a requirement that nothing is known of", async () => {
  for (const way of ["tasks", "image", "service", "k8s"] as const) {
    await assertRejects(
      () =>
        renderFiles([way], {
          read,
          requirements: { ...requirements, summarizer: ["llm", "gpu"] },
        }),
      RangeError,
      'Nothing is known of the requirement "gpu"',
    );
  }
});

Deno.test("renderFiles() says in which file there is no place for flags", async () => {
  const without = (path: string) =>
    read(path).then((text) => text.replace("# end flags poster", ""));
  await assertRejects(
    () => renderFiles(["image"], { read: without, requirements }),
    Error,
    "deploy/Dockerfile has no place for flags poster",
  );
});

Deno.test("renderFiles() writes odd addresses and paths as each file must have them", async () => {
  const env = {
    NATS_URL: "nats://localhost",
    REDIS_URL: "redis://[::1]:6380",
    CORETEX_GATEWAY_URL: "http://127.0.0.1:8081",
    CORETEX_TLS_CA: "/etc/100% mine/$ca.pem",
    HEALTH_ADDR: "[::]:9001",
  };
  const ways = ["tasks", "image", "service"] as const;
  const files = await renderFiles(ways, { read, requirements, env });
  const net = "--allow-net=[::]:9001,localhost:4222,[::1]:6380,127.0.0.1:8081";
  const task = JSON.parse(files.get("deno.json")!).tasks["worker:fetcher"];
  assert(task.command.includes(` ${net} `), task.command);
  assert(task.command.includes(` '--allow-read=/etc/100% mine/$ca.pem' `));
  const image = files.get("deploy/Dockerfile")!;
  assert(image.includes('"/worker/healthcheck.js", \\\n    "[::1]:9001"'));
  const dropIn = files.get(dropInOf("fetcher"))!;
  assert(dropIn.includes("/CORETEX_API_KEY,/etc/100%% mine/$$ca.pem,"));
  assert(dropIn.includes("listens on every address"));

  const closed = { ...env, HEALTH_ADDR: "[::1]:9001" };
  const local = await renderFiles(["service"], {
    read,
    requirements,
    env: closed,
  });
  assertEquals(
    valuesOf(parseUnit(local.get(dropInOf("fetcher"))!), "IPAddressAllow"),
    ["::1", "localhost", "127.0.0.1"],
  );
});

Deno.test("renderFiles() lets a fetcher in a cluster reach its API server and read its account", async () => {
  const own = async (path: string) =>
    (await read(path)).replace(
      "  HEALTH_ADDR: 0.0.0.0:9000\n",
      "  KUBERNETES_API_URL: https://kubernetes.default.svc\n",
    );
  const files = await renderFiles(["k8s"], { read: own, requirements });
  const text = files.get("deploy/k8s/workers.yaml")!;
  const flagOf = (worker: WorkerName, kind: string) =>
    readDeployment(text, worker).container.args!.find((arg) =>
      arg.startsWith(`--allow-${kind}=`)
    )!;
  const account = "/var/run/secrets/kubernetes.io/serviceaccount";
  assert(flagOf("fetcher", "net").endsWith(",kubernetes.default.svc:443"));
  assert(
    flagOf("fetcher", "read").endsWith(`,${account}/token,${account}/ca.crt`),
  );
  for (const worker of ["ingester", "summarizer", "poster"] as const) {
    for (const kind of ["net", "read"]) {
      assert(!flagOf(worker, kind).includes("kubernetes"), worker);
    }
  }
  const { spec } = parseManifest(text).find(({ kind, metadata }) =>
    kind === "NetworkPolicy" && metadata.name === "incident-enricher-fetcher"
  ) as unknown as { spec: { egress: unknown[] } };
  // No policy can name the API server: no pods are behind its Service.
  assertEquals(spec.egress.at(-1), {
    to: [{ ipBlock: { cidr: "0.0.0.0/0" } }],
    ports: [{ protocol: "TCP", port: 443 }, { protocol: "TCP", port: 6443 }],
  });
});

Deno.test("renderFiles() writes NetworkPolicies for the addresses of the ConfigMap", async () => {
  const own = async (path: string) =>
    (await read(path))
      .replace("nats://nats:4222", "nats://nats.platform.svc:4222")
      .replace("REDIS_ADDR: redis:6379", "REDIS_ADDR: 10.0.0.5:6380")
      .replace("  HEALTH_ADDR: 0.0.0.0:9000\n", "  NATS_TLS_CA: /run/ca.pem\n")
      .replace("name: ingress-nginx", "name: edge");
  const files = await renderFiles(["k8s"], { read: own, requirements });
  const text = files.get("deploy/k8s/workers.yaml")!;
  const { spec } = parseManifest(text).find((
    { kind, metadata },
  ) =>
    kind === "NetworkPolicy" && metadata.name === "incident-enricher-fetcher"
  ) as unknown as { spec: { egress: unknown[] } };
  // What is not derived stays as the operator wrote it.
  assert(text.includes("kubernetes.io/metadata.name: edge\n"));
  const { args = [] } = readDeployment(text, "fetcher").container;
  const grant = args.find((arg) => arg.startsWith("--allow-read="));
  assert(grant?.split(/[=,]/).includes("/run/ca.pem"), grant);
  const tcp = (port: number) => [{ protocol: "TCP", port }];
  assertEquals(spec.egress.slice(1), [
    {
      to: [{
        podSelector: { matchLabels: { "app.kubernetes.io/name": "nats" } },
        namespaceSelector: {
          matchLabels: { "kubernetes.io/metadata.name": "platform" },
        },
      }],
      ports: tcp(4222),
    },
    { to: [{ ipBlock: { cidr: "10.0.0.5/32" } }], ports: tcp(6380) },
    {
      to: [{
        podSelector: { matchLabels: { "app.kubernetes.io/name": "gateway" } },
      }],
      ports: tcp(8081),
    },
  ]);
});

/** A folder with copies of every file that carries flags. */
async function copyFiles(): Promise<
  AsyncDisposable & { path: (name: string) => string; folder: string }
> {
  const folder = await Deno.makeTempDir();
  for (const name of (await renderFiles(WAYS, { read, requirements })).keys()) {
    const parent = `${folder}/${name}`.replace(/\/[^/]*$/, "");
    await Deno.mkdir(parent, { recursive: true });
    await Deno.writeTextFile(`${folder}/${name}`, await read(name));
  }
  return {
    folder,
    path: (name) => `${folder}/${name}`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("deno task flags --check passes as things are", async () => {
  const { code, stdout } = await runTask("flags", ["--check"]);
  assertEquals([code, stdout], [0, "All flags are up to date\n"]);
});

Deno.test("flags names every file that has drifted, and mends it", async () => {
  const drifts: [path: string, from: string, to: string][] = [
    ["deploy/env.example", "# WORKER_MAX_PARALLEL=16\n", ""],
    ["deno.json", "127.0.0.1:6379,127.0.0.1:8081", "127.0.0.1"],
    ["deploy/Dockerfile", '    "--cached-only", \\\n', ""],
    ["deploy/docker-compose.workers.yaml", "target: NATS_TOKEN", "target: X"],
    [dropInOf("fetcher"), "IPAddressDeny=any", "IPAddressDeny="],
    ["deploy/k8s/workers.yaml", "port: 4222", "port: 4223"],
  ];
  await using copy = await copyFiles();
  for (const [path, from, to] of drifts) {
    const right = await read(path);
    const wrong = right.replace(from, to);
    assertNotEquals(wrong, right, path);
    await Deno.writeTextFile(copy.path(path), wrong);
  }
  const check = await call(main, ["--check", "--root", copy.folder]);
  const paths = drifts.map(([path]) => path);
  assertEquals(check.code, 1);
  assertEquals(
    check.stderr,
    `error: Out of date: ${paths.join(", ")}; run deno task flags\n`,
  );

  const write = await call(main, ["--root", copy.folder]);
  assertEquals(write.code, 0, write.stderr);
  for (const path of paths) {
    assertEquals(await Deno.readTextFile(copy.path(path)), await read(path));
  }
});

Deno.test("flags renders for an operator's own addresses", async () => {
  await using copy = await copyFiles();
  await Deno.writeTextFile(
    copy.path("mine.env"),
    [
      "NATS_URL=tls://10.1.2.3",
      "REDIS_ADDR=10.1.2.4:6380",
      "CORETEX_GATEWAY_URL=https://gateway.example",
      "NATS_TLS_CA=/etc/ssl/nats.pem",
      "HEALTH_ADDR=",
    ].join("\n"),
  );
  const { code, stderr } = await call(main, [
    "image",
    "service",
    "--env-file",
    copy.path("mine.env"),
    "--root",
    copy.folder,
  ]);
  assertEquals(code, 0, stderr);
  const dockerfile = parseDockerfile(
    await Deno.readTextFile(copy.path("deploy/Dockerfile")),
  );
  const { text = "" } =
    chainOf(dockerfile, "fetcher").findLast(({ name }) =>
      name === "ENTRYPOINT"
    ) ?? {};
  const net = "--allow-net=10.1.2.3:4222,10.1.2.4:6380,gateway.example:443";
  assert(execForm(text).includes(net));
  const files = execForm(text).find((word) => word.startsWith("--allow-read="));
  assert(files?.split(/[=,]/).includes("/etc/ssl/nats.pem"), files);
  // With an empty HEALTH_ADDR there is nothing to ask.
  assert(
    chainOf(dockerfile, "fetcher").some(({ name, text }) =>
      name === "HEALTHCHECK" && text === "NONE"
    ),
  );
  const unit = await Deno.readTextFile(copy.path(dropInOf("fetcher")));
  assert(unit.includes(net));
  assert(unit.includes("# gateway.example. Here"));
  assertEquals(
    await Deno.readTextFile(copy.path("deno.json")),
    await read("deno.json"),
  );
});

Deno.test("flags names the images that Kubernetes is to run, by digest alone", async () => {
  await using copy = await copyFiles();
  const digest = (at: number) => `sha256:${`${at}`.repeat(64)}`;
  const images = WORKERS.map((worker, at) =>
    [worker, `registry.example:5000/team/${worker}@${digest(at)}`] as const
  );
  const write = (list: string, ...args: string[]) =>
    call(main, [...args, "--images", list, "--root", copy.folder]);
  const list = images.map((pair) => pair.join("=")).join(",");
  const { code, stderr } = await write(list, "k8s");
  assertEquals(code, 0, stderr);
  const text = await Deno.readTextFile(copy.path("deploy/k8s/workers.yaml"));
  for (const [worker, image] of images) {
    assertEquals(readDeployment(text, worker).container.image, image);
  }
  // They stay until others are named.
  const check = await call(main, ["k8s", "--check", "--root", copy.folder]);
  assertEquals(check.code, 0, check.stderr);

  const [, pinned] = images[0]!;
  for (
    const [list, args, problem] of [
      [`ingester=${pinned}`, ["service"], "--images goes with k8s alone"],
      [`other=${pinned}`, [], 'There is no worker "other"'],
      ["poster=registry.example/poster:1.0", [], "--images wants WORKER="],
      [`poster=x\n    y@${digest(1)}`, [], "--images wants WORKER="],
    ] as const
  ) {
    const { code, stderr } = await write(list, ...args);
    assertEquals(code, 2, list);
    assertStringIncludes(stderr, problem);
  }
});

Deno.test("flags refuses what it does not know", async () => {
  const none = await call(main, ["podman"]);
  assertEquals([none.code, none.stderr], [
    2,
    'error: There is no way "podman"; there are example, tasks, image, compose, service, k8s; see --help\n',
  ]);
  const file = await call(main, ["--check", "--env-file", "no/such"]);
  assertEquals(file.code, 2);
  assert(file.stderr.startsWith("error: Cannot read no/such: "), file.stderr);
  const help = await call(main, ["--help"]);
  assertEquals(help.code, 0);
  assert(help.stdout.includes("--env-file F"));
});

Deno.test("services on one machine have a health address each, from one file", async () => {
  const ports = new Map(WORKERS.map((worker, at) => [worker, 9001 + at]));
  const own = [...ports].map(([worker, port]) =>
    [`${worker.toUpperCase()}_HEALTH_ADDR`, `127.0.0.1:${port}`] as const
  );
  const env = { ...LOOPBACK, ...Object.fromEntries(own) };
  const files = await renderFiles(["service"], { read, requirements, env });
  for (const [worker, port] of ports) {
    const [, net = ""] = /--allow-net=(\S+)/.exec(
      files.get(dropInOf(worker))!,
    )!;
    const health = net.split(",").filter((host) => /:900\d$/.test(host));
    assertEquals([worker, health], [worker, [`127.0.0.1:${port}`]]);
  }
});
