/**
 * Reading the files of deploy/ as the tools that they are for would.
 *
 * @module
 */
import { parse, parseAll } from "@std/yaml";
import { parseEnv } from "node:util";
import {
  type Environment,
  readRequirements,
} from "../../scripts/launch/environment.ts";
import { secretVariables } from "../../scripts/launch/files/secrets.ts";
import {
  derivePermissions,
  type Permissions,
  type WorkerName,
} from "../../scripts/launch/permissions.ts";

/** The project's folder. */
export const ROOT = new URL("../../", import.meta.url);

/** Reads one of the project's files. */
export function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

export const requirements = await readRequirements();
export const exampleText = await read("deploy/env.example");
export const example = parseEnv(exampleText) as Environment;

/** The pack's version, which images carry. */
export const { version } =
  (parse(await read("pack/pack.yaml")) as { metadata: { version: string } })
    .metadata;

/** What the one function says, which every file must repeat. */
export function derive(worker: WorkerName, env: Environment): Permissions {
  return derivePermissions(
    worker,
    requirements[worker],
    (name) => ({ CORETEX_API_KEY: "any", ...env })[name],
    secretVariables(worker),
  );
}

/** One instruction of a Dockerfile. */
export interface Instruction {
  name: string;
  text: string;
}

/** One stage of a Dockerfile. */
export interface Stage {
  name: string;
  /** The image or the stage that it starts from. */
  from: string;
  instructions: Instruction[];
}

/** A Dockerfile: what stands before the first stage, and the stages. */
export interface Dockerfile {
  head: Instruction[];
  stages: Stage[];
}

/** Reads the part of the language that deploy/Dockerfile uses. */
export function parseDockerfile(text: string): Dockerfile {
  const whole = text.replace(/^\s*#.*\n/gm, "").replaceAll("\\\n", " ");
  const head: Instruction[] = [];
  const stages: Stage[] = [];
  for (const line of whole.split("\n").filter((line) => line.trim() !== "")) {
    const [, name = "", rest = ""] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    if (name === "") throw new SyntaxError(`No instruction: "${line}"`);
    if (name === "FROM") {
      const [, from = "", stage = ""] = /^(\S+) AS (\S+)$/.exec(rest) ?? [];
      stages.push({ name: stage, from, instructions: [] });
    } else {
      (stages.at(-1)?.instructions ?? head).push({ name, text: rest.trim() });
    }
  }
  return { head, stages };
}

/** A stage's instructions, after those of the stages that it starts from. */
export function chainOf({ stages }: Dockerfile, name: string): Instruction[] {
  const stage = stages.find((stage) => stage.name === name);
  if (stage === undefined) return [];
  return [...chainOf({ head: [], stages }, stage.from), ...stage.instructions];
}

/** The words of an instruction in exec form, without its options. */
export function execForm(text: string): string[] {
  return JSON.parse(text.slice(text.indexOf("[")));
}

/** A unit's settings, in order: section, key, value. */
export type Unit = readonly (readonly [string, string, string])[];

/** Reads a systemd unit. */
export function parseUnit(text: string): Unit {
  const whole = text.replace(/^[#;].*\n/gm, "").replaceAll("\\\n", " ");
  let section = "";
  return whole.split("\n").filter((line) => line.trim() !== "").flatMap(
    (line): [string, string, string][] => {
      const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
      if (name !== undefined) {
        section = name;
        return [];
      }
      const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      if (key === undefined || value === undefined || section === "") {
        throw new SyntaxError(`No setting: "${line}"`);
      }
      return [[section, key, value.trim()]];
    },
  );
}

/** Every value of one key, in order. */
export function valuesOf(unit: Unit, key: string): string[] {
  return unit.filter(([, name]) => name === key).map(([, , value]) => value);
}

/** A service of a compose file, as far as tests look at it. */
export interface ComposeService {
  image: string;
  build?: { context: string; dockerfile: string; target: string };
  environment?: Record<string, string>;
  networks: string[];
  ports?: string[];
  env_file?: string[];
  secrets?: { source: string; target: string }[];
  [key: string]: unknown;
}

/** A network of a compose file. */
export interface ComposeNetwork {
  internal?: boolean;
  driver_opts?: Record<string, string>;
}

/** A compose file. */
export interface Compose {
  name?: string;
  services: Record<string, ComposeService>;
  networks: Record<string, ComposeNetwork>;
  secrets?: Record<string, { file: string }>;
}

/** Reads a compose file, its `<<` merged. */
export function parseCompose(text: string): Compose {
  return merge(parse(text)) as Compose;
}

function merge(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(merge);
  if (typeof value !== "object" || value === null) return value;
  const { "<<": base, ...own } = value as Record<string, unknown>;
  const all = { ...base as Record<string, unknown> | undefined, ...own };
  return Object.fromEntries(
    Object.entries(all).map(([key, value]) => [key, merge(value)]),
  );
}

/** The services of both files that a service shares a network with. */
export function neighboursOf(
  name: string,
  services: Record<string, ComposeService>,
): string[] {
  const networks = services[name]?.networks ?? [];
  return Object.keys(services).filter((other) =>
    other !== name &&
    services[other]!.networks.some((network) => networks.includes(network))
  );
}

/** Whether what is in this network can start a conversation with the internet. */
export function leadsOutside({ internal, driver_opts }: ComposeNetwork) {
  const masquerade = driver_opts
    ?.["com.docker.network.bridge.enable_ip_masquerade"];
  return internal !== true && masquerade !== "false";
}

/** A container of a Deployment, as far as tests look at it. */
export interface Container {
  image: string;
  command?: string[];
  args?: string[];
  env: { name: string; value?: string }[];
  ports: { name: string; containerPort: number }[];
  [key: string]: unknown;
}

/** Any object of Kubernetes. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  [key: string]: unknown;
}

/** The objects of a manifest. */
export function parseManifest(text: string): KubeObject[] {
  return parseAll(text) as KubeObject[];
}

/** The Deployment of a worker. */
export function readDeployment(text: string, worker: WorkerName) {
  const deployment = parseManifest(text).find((
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
