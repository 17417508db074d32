/**
 * What holds for all of deploy/, and CI.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { dropInOf, readConfigMap } from "../../scripts/launch/files/render.ts";
import { WORKER_SETTINGS, WORKERS } from "../../scripts/launch/permissions.ts";
import {
  example,
  parseCompose,
  parseManifest,
  parseUnit,
  read,
  readDeployment,
  valuesOf,
} from "../support/deploy.ts";

const secrets = WORKERS.flatMap((worker) =>
  Object.values(WORKER_SETTINGS[worker])
).filter(({ secret }) => secret).flatMap(({ names }) => names);

Deno.test("no file holds a secret's value", async () => {
  const manifestText = await read("deploy/k8s/workers.yaml");
  for (const name of secrets) {
    assert(["", "devkey", undefined].includes(example[name]), name);
  }
  const map = readConfigMap(manifestText);
  for (const name of secrets) assert(!(name in map), name);
  const { stringData } = parseManifest(manifestText).find(({ kind }) =>
    kind === "Secret"
  ) as unknown as { stringData: Record<string, string> };
  for (const [name, value] of Object.entries(stringData)) {
    assert(secrets.includes(name), name);
    assertEquals(value, "", name);
  }
  const compose = await Promise.all(
    ["workers", "platform"].map((name) =>
      read(`deploy/docker-compose.${name}.yaml`).then(parseCompose)
    ),
  );
  const services = compose.flatMap(({ services }) => Object.values(services));
  for (const { environment = {} } of services) {
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
