/**
 * What holds for all of deploy/, and CI.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
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
  const kinds = parseManifest(manifestText).map(({ kind }) => kind);
  assert(!kinds.includes("Secret"), "applying it again would empty them");
  const compose = await Promise.all(
    ["workers", "platform"].map((name) =>
      read(`deploy/docker-compose.${name}.yaml`).then(parseCompose)
    ),
  );
  const services = compose.flatMap(({ services }) => Object.values(services));
  for (const { environment = {} } of services) {
    for (const name of secrets.filter((name) => name in environment)) {
      assert(/^$|^\$\{|^\/run\//.test(environment[name]!), name);
    }
  }
  for (const worker of WORKERS) {
    const { container } = readDeployment(manifestText, worker);
    for (const { name, ...rest } of container.env) {
      assertEquals(Object.keys(rest), ["value"], `${worker} ${name}`);
      assert(!secrets.includes(name) || rest.value?.startsWith("/run/"), name);
    }
    const dropIn = parseUnit(await read(dropInOf(worker)));
    for (const line of valuesOf(dropIn, "Environment")) {
      assertMatch(line, /^[A-Z_]+=\/run\/credentials\/[^ ]+\/[A-Z_]+$/);
    }
    for (const line of valuesOf(dropIn, "SetCredential")) {
      assertMatch(line, /^[A-Z_]+:\\n$/);
    }
  }
  assert((await read(".gitignore")).split("\n").includes("/deploy/.env"));
});

Deno.test("every setting that is named like a secret is one, so that no file forgets it", () => {
  const named = WORKERS.flatMap((worker) =>
    Object.values(WORKER_SETTINGS[worker])
  ).filter(({ name }) =>
    /(SECRET|TOKEN|PASSWORD|KEY|CREDENTIAL)S?$|WEBHOOK_URL$/.test(name)
  );
  assert(named.length > 20, `${named.length}`);
  for (const { name, secret } of named) {
    assertEquals(secret, !/_PUBLIC_KEYS?$/.test(name), name);
  }
});

Deno.test("ci.yml does what .ci/run does, builds every image, keeps the bundle", async () => {
  const text = await read(".github/workflows/ci.yml");
  const ci = parse(text) as {
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
  // A tag can be moved to another commit; the comment says which one it is.
  const used = text.match(/uses: .*/g) ?? [];
  assertEquals(used.length, steps.filter(({ uses }) => uses).length);
  for (const line of used) {
    assertMatch(line, /^uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
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
