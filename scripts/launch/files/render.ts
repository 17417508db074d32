/**
 * The files that carry the workers' permission flags, written from the
 * permissions that each worker's topic implies.
 *
 * @module
 */
import { parseEnv } from "node:util";
import { parseAll } from "@std/yaml";
import { CommandError } from "../../terminal/command.ts";
import { hostnameOf, portOf } from "../addresses.ts";
import {
  deriveFor,
  type Environment,
  type Requirements,
} from "../environment.ts";
import {
  type HostGrant,
  type Permissions,
  SERVES_HEALTH,
  splitNet,
  type WorkerName,
  WORKERS,
} from "../permissions.ts";
import {
  renderNoSecrets,
  renderSecretFiles,
  renderSecretVariables,
  renderServiceSecrets,
} from "./compose.ts";
import { renderDropIn } from "./drop_in.ts";
import { renderEnvExample } from "./env_example.ts";
import { renderEgress } from "./network_policy.ts";
import {
  CONTAINER_FOLDER,
  POD_FOLDER,
  secretEnvironment,
  secretVariables,
  serviceFolder,
} from "./secrets.ts";

/** The ways to run a worker whose flags stand in a file, in the order in which they depend on each other. */
export const WAYS = [
  "example",
  "tasks",
  "image",
  "compose",
  "service",
  "k8s",
] as const;

/** One of {@linkcode WAYS}. */
export type Way = typeof WAYS[number];

/** Where {@linkcode renderFiles} takes things from. */
export interface Sources {
  /** One project file's text. */
  read: (path: string) => Promise<string>;
  requirements: Requirements;
  /** In place of the environment that tasks, image and service stand for. */
  env?: Environment | undefined;
  /** The images that Kubernetes is to run, in place of those in its manifest. */
  images?: ReadonlyMap<WorkerName, string> | undefined;
}

const EXAMPLE = "deploy/env.example";
const TASKS = "deno.json";
const IMAGE = "deploy/Dockerfile";
const COMPOSE = "deploy/docker-compose.workers.yaml";
const MANIFEST = "deploy/k8s/workers.yaml";

/** One machine with the platform on it, as tasks and services stand for. */
export const LOOPBACK: Environment = {
  NATS_URL: "nats://127.0.0.1:4222",
  REDIS_URL: "redis://127.0.0.1:6379",
  CORETEX_GATEWAY_URL: "http://127.0.0.1:8081",
};

/** What the image itself sets: each container's addresses are its own. */
export const IMAGE_ENV: Environment = { HEALTH_ADDR: "0.0.0.0:9000" };

/** A container's variables, where nothing else is said: with its secrets. */
export function imageEnvironment(
  worker: WorkerName,
  env: Environment,
): Environment {
  const files = secretEnvironment(worker, CONTAINER_FOLDER);
  return { ...IMAGE_ENV, ...env, ...files };
}

/** A service's variables: its addresses, and its secrets where systemd puts them. */
export function serviceEnvironment(
  worker: WorkerName,
  env: Environment = LOOPBACK,
): Environment {
  return { ...env, ...secretEnvironment(worker, serviceFolder(worker)) };
}

/** A pod's variables: the ConfigMap's, and its secrets where they are mounted. */
export function podEnvironment(
  worker: WorkerName,
  manifest: string,
): Environment {
  const files = secretEnvironment(worker, POD_FOLDER);
  return { ...readConfigMap(manifest), ...files };
}

/** The drop-in that gives one service its flags. */
export function dropInOf(worker: WorkerName): string {
  return `deploy/systemd/incident-enricher@${worker}.service.d/permissions.conf`;
}

/**
 * Writes the files of the given ways anew.
 *
 * @returns Their texts, by path.
 * @throws {CommandError} If an environment is wrong, or a file has no place for
 * its flags.
 * @throws {RangeError} For a requirement that no permission is known for.
 */
export async function renderFiles(
  ways: readonly Way[],
  sources: Sources,
): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const way of ways) {
    for (const [path, text] of await RENDERERS[way](sources)) {
      files.set(path, text);
    }
  }
  return files;
}

type File = readonly [path: string, text: string];
type Derive = (worker: WorkerName) => Permissions;

const RENDERERS: Readonly<
  Record<Way, (sources: Sources) => File[] | Promise<File[]>>
> = {
  example: () => [[EXAMPLE, renderEnvExample()]],

  async tasks({ read, requirements, env = LOOPBACK }) {
    const derive = deriver(requirements, () => env);
    return [[TASKS, renderTasks(await read(TASKS), derive)]];
  },

  async image({ read, requirements, env = parseEnv(renderEnvExample()) }) {
    const derive = deriver(
      requirements,
      (worker) => imageEnvironment(worker, env),
    );
    return [[IMAGE, renderImage(await read(IMAGE), derive)]];
  },

  async compose({ read }) {
    return [[COMPOSE, renderCompose(await read(COMPOSE))]];
  },

  service({ requirements, env }) {
    const derive = deriver(
      requirements,
      (worker) => serviceEnvironment(worker, env),
    );
    return WORKERS.map((worker) => [
      dropInOf(worker),
      renderDropIn(worker, derive(worker)),
    ]);
  },

  // The manifest holds its own environment, so that is the one that counts.
  async k8s({ read, requirements, images }) {
    const text = withImages(await read(MANIFEST), images);
    const derive = deriver(
      requirements,
      (worker) => podEnvironment(worker, text),
    );
    return [[MANIFEST, renderManifest(text, derive)]];
  },
};

function deriver(
  requirements: Requirements,
  envOf: (worker: WorkerName) => Environment,
): Derive {
  return (worker) => {
    const env = envOf(worker);
    const placed = secretVariables(worker);
    return deriveFor(worker, requirements, (name) => env[name], placed);
  };
}

/** deno.json: one task per worker, which first fetches what it may not fetch. */
function renderTasks(text: string, derive: Derive): string {
  return WORKERS.reduce((text, worker) => {
    const file = `workers/${worker}.ts`;
    const flags = derive(worker).flags.map(quoteForShell).join(" ");
    const command = `deno cache --quiet ${file} && deno run ${flags} ${file}`;
    const pattern = new RegExp(
      `("worker:${worker}": \\{[^}]*"command": )"(?:[^"\\\\]|\\\\.)*"`,
    );
    if (!pattern.test(text)) throw noPlace(TASKS, `worker:${worker}`);
    return text.replace(
      pattern,
      (_, before) => before + JSON.stringify(command),
    );
  }, text);
}

/** The shell of tasks would split what has blanks, and replace `$`. */
function quoteForShell(word: string): string {
  if (/^[\w@%+=:,./[\]-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** Dockerfile: the entry point and the health check of each target. */
function renderImage(text: string, derive: Derive): string {
  return WORKERS.reduce((text, worker) => {
    const { flags, net } = derive(worker);
    const entry = ["/bin/deno", "run", ...flags, `/worker/${worker}.js`];
    const body = `${renderHealthcheck(net)}\nENTRYPOINT ${toExecForm(entry)}`;
    return fill(IMAGE, text, `flags ${worker}`, body);
  }, text);
}

function renderHealthcheck(net: readonly HostGrant[]): string {
  const grant = net.find(({ why }) => why === SERVES_HEALTH);
  if (grant === undefined) return "HEALTHCHECK NONE";
  const hostname = hostnameOf(grant.host);
  // Asked from beside the worker, which may listen on every address.
  const beside = { "0.0.0.0": "127.0.0.1", "[::]": "[::1]" }[hostname];
  const address = `${beside ?? hostname}:${portOf(grant.host)}`;
  const command = [
    "/bin/deno",
    "run",
    "--no-prompt",
    "--cached-only",
    "--ignore-env",
    `--allow-net=${address}`,
    "/worker/healthcheck.js",
    address,
  ];
  const options = "--interval=30s --timeout=5s --start-period=20s --retries=3";
  return `HEALTHCHECK ${options} CMD ${toExecForm(command)}`;
}

function toExecForm(command: readonly string[]): string {
  return `[${command.map((word) => JSON.stringify(word)).join(", \\\n    ")}]`;
}

/** Compose: each service's secrets, and none of them in its environment. */
function renderCompose(text: string): string {
  const parts: [name: string, lines: string[]][] = [
    ["no secrets", renderNoSecrets()],
    ["secret files", renderSecretFiles(WORKERS)],
    ...WORKERS.flatMap((worker): [string, string[]][] => [
      [`variables ${worker}`, renderSecretVariables(worker)],
      [`secrets ${worker}`, renderServiceSecrets(worker)],
    ]),
  ];
  return parts.reduce(
    (text, [name, lines]) => fill(COMPOSE, text, name, lines.join("\n")),
    text,
  );
}

/** Kubernetes: each container's args and secrets, each worker's NetworkPolicy. */
function renderManifest(text: string, derive: Derive): string {
  return WORKERS.reduce((text, worker) => {
    const { flags, net } = derive(worker);
    const args = ["run", ...flags, `/worker/${worker}.js`];
    const parts: [name: string, lines: string[]][] = [
      [`flags ${worker}`, [
        "args:",
        ...args.map((arg) => `  - ${JSON.stringify(arg)}`),
      ]],
      [
        `secrets ${worker}`,
        Object.entries(secretEnvironment(worker, POD_FOLDER)).flatMap((
          [name, value],
        ) => [`- name: ${name}`, `  value: ${value}`]),
      ],
      [`network ${worker}`, renderEgress(splitNet(net).peers)],
    ];
    return parts.reduce(
      (text, [name, lines]) => fill(MANIFEST, text, name, lines.join("\n")),
      text,
    );
  }, text);
}

/** The manifest with these images. */
function withImages(text: string, images: Sources["images"]): string {
  return [...images ?? []].reduce((text, [worker, image]) => {
    const pattern = new RegExp(`^( *- name: ${worker}\n *image: )\\S+$`, "m");
    if (!pattern.test(text)) throw noPlace(MANIFEST, `the ${worker}'s image`);
    return text.replace(pattern, (_, before) => before + image);
  }, text);
}

/** The environment that the manifest's ConfigMap gives to every worker. */
export function readConfigMap(text: string): Environment {
  const objects = parseAll(text) as { kind: string; data?: Environment }[];
  const map = objects.find(({ kind }) => kind === "ConfigMap")?.data;
  if (map === undefined) throw noPlace(MANIFEST, "a ConfigMap");
  return map;
}

/** Puts a body between two comment lines, indented as they are. */
function fill(path: string, text: string, name: string, body: string): string {
  const pattern = new RegExp(
    `^( *)# begin ${name}\\n[\\s\\S]*?^ *# end ${name}$`,
    "m",
  );
  if (!pattern.test(text)) throw noPlace(path, name);
  return text.replace(pattern, (_, indent: string) => {
    const lines = [`# begin ${name}`, ...body.split("\n"), `# end ${name}`];
    return lines.map((line) => indent + line).join("\n");
  });
}

function noPlace(path: string, name: string): CommandError {
  return new CommandError(`${path} has no place for ${name}`);
}
