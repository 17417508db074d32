/**
 * Workers as the files of deploy/ start them: command, variables and secrets
 * taken as they stand there, and moved to this machine's folders and ports.
 *
 * @module
 */
import { parseEnv } from "node:util";
import {
  dropInOf,
  IMAGE_ENV,
  readConfigMap,
} from "../../scripts/launch/files/render.ts";
import {
  WORKER_SETTINGS,
  type WorkerName,
} from "../../scripts/launch/permissions.ts";
import {
  chainOf,
  execForm,
  parseCompose,
  parseDockerfile,
  parseUnit,
  read,
  readDeployment,
  valuesOf,
} from "./deploy.ts";

/** One worker, as one of the files starts it. */
export interface Shipped {
  /** The command's words. */
  command: string[];
  env: Record<string, string>;
  /** Where the worker finds its secrets. */
  folder: string;
  /** Puts them there, from a folder with the operator's files. */
  mount: (from: string, to: string) => Promise<void>;
}

/** The ways, each with what it needs of the operator's shared variables. */
export const SHIPPED: Readonly<
  Record<
    string,
    (
      worker: WorkerName,
      shared: Readonly<Record<string, string>>,
    ) => Promise<Shipped>
  >
> = { systemd: readService, compose: readComposed, k8s: readPod };

/** systemd: the unit and the worker's drop-in, `shared` as its environment file. */
async function readService(
  worker: WorkerName,
  shared: Readonly<Record<string, string>>,
): Promise<Shipped> {
  const unit = [
    ...parseUnit(await read("deploy/systemd/incident-enricher@.service")),
    ...parseUnit(await read(dropInOf(worker))),
  ];
  const variables = valuesOf(unit, "Environment").flatMap((line) =>
    line.split(" ").map((item) => item.split("=") as [string, string])
  );
  const env = { ...Object.fromEntries(variables), ...shared };
  for (const name of valuesOf(unit, "UnsetEnvironment")) delete env[name];
  const loads = valuesOf(unit, "LoadCredential").map((line) => line.split(":"));
  const defaults = new Map(
    valuesOf(unit, "SetCredential").map((line) =>
      line.split(":") as [string, string]
    ),
  );
  const command = valuesOf(unit, "ExecStart").at(-1)!.split(/\s+/);
  return {
    command,
    env,
    folder: `/run/credentials/incident-enricher@${worker}.service`,
    async mount(from, to) {
      for (const [id, path = ""] of loads) {
        const [, name] = path.split(`/etc/incident-enricher/${worker}/`);
        let value: string;
        try {
          value = await Deno.readTextFile(`${from}/${name}`);
        } catch (error) {
          // Without a default systemd does not start the unit.
          const text = defaults.get(id!);
          if (!text) throw error;
          value = text.replaceAll("\\n", "\n");
        }
        await Deno.writeTextFile(`${to}/${id}`, value, { mode: 0o400 });
      }
    },
  };
}

/** Compose: the image's entry point, `shared` as deploy/.env. */
async function readComposed(
  worker: WorkerName,
  shared: Readonly<Record<string, string>>,
): Promise<Shipped> {
  const image = chainOf(
    parseDockerfile(await read("deploy/Dockerfile")),
    worker,
  );
  const { services, secrets = {} } = parseCompose(
    await read("deploy/docker-compose.workers.yaml"),
  );
  const { environment = {}, secrets: mounted = [] } = services[worker]!;
  const entry = image.findLast(({ name }) => name === "ENTRYPOINT");
  const own = image.filter(({ name }) => name === "ENV").map(({ text }) =>
    parseEnv(text.replaceAll(/ +/g, "\n")) as Record<string, string>
  );
  return {
    command: execForm(entry!.text),
    env: Object.assign({}, ...own, shared, environment),
    folder: "/run/secrets",
    async mount(from, to) {
      for (const { source, target } of mounted) {
        const [, name] = secrets[source]!.file.split(`./secrets/${worker}/`);
        // Compose starts nothing without the file.
        await Deno.copyFile(`${from}/${name}`, `${to}/${target}`);
      }
    },
  };
}

/** Kubernetes: the container's command, `shared` in the ConfigMap. */
async function readPod(
  worker: WorkerName,
  shared: Readonly<Record<string, string>>,
): Promise<Shipped> {
  const text = await read("deploy/k8s/workers.yaml");
  const { container } = readDeployment(text, worker);
  const { command = [], args = [], env } = container;
  const [mount] = container["volumeMounts"] as [{ mountPath: string }];
  return {
    command: [...command, ...args],
    env: {
      ...IMAGE_ENV as Record<string, string>,
      ...readConfigMap(text) as Record<string, string>,
      ...shared,
      ...Object.fromEntries(env.map(({ name, value }) => [name, value!])),
    },
    folder: mount.mountPath,
    /** As the kubelet does, so that it can swap all files at once. */
    async mount(from, to) {
      await Deno.mkdir(`${to}/..2026`);
      await link("..2026", `${to}/..data`);
      for await (const { name } of Deno.readDir(from)) {
        await Deno.copyFile(`${from}/${name}`, `${to}/..2026/${name}`);
        await link(`..data/${name}`, `${to}/${name}`);
      }
    },
  };
}

/** Deno itself makes links only with permission for every file there is. */
async function link(target: string, path: string): Promise<void> {
  const args = ["-c", 'ln -s "$0" "$1"', target, path];
  const { success } = await new Deno.Command("sh", { args }).output();
  if (!success) throw new Error(`Cannot link ${path}`);
}

/** The same with other words in its command and variables. */
export function moved(
  { command, env, ...rest }: Shipped,
  places: ReadonlyMap<string, string>,
): Shipped {
  const words = [...places.keys()].map((word) =>
    word.replaceAll(/[.@]/g, "\\$&")
  );
  // All at once, so that nothing is moved twice; a port must end where it does.
  const pattern = new RegExp(`(?:${words.join("|")})(?!\\d)`, "g");
  const move = (text: string) =>
    text.replaceAll(pattern, (word) => places.get(word)!);
  return {
    ...rest,
    command: command.map(move),
    env: Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, move(value)]),
    ),
  };
}

/** Every variable that names a file of a worker's secrets, in their order. */
export function secretVariables(worker: WorkerName): string[] {
  return Object.values(WORKER_SETTINGS[worker])
    .filter(({ secret }) => secret)
    .map(({ name, file }) => file ? name : `${name}_FILE`);
}
