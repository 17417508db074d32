/**
 * The permissions of each worker, derived from what its topic requires and
 * from the environment that it will run in.
 *
 * @module
 */
import {
  type Address,
  fileVariablesOf,
  readConfig,
  type Settings,
  variablesOf,
} from "../../lib/base/config.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { UsageError } from "../terminal/command.ts";
import { SETTINGS as FETCHER } from "../../workers/fetcher.ts";
import { SETTINGS as INGESTER } from "../../workers/ingester.ts";
import { SETTINGS as POSTER } from "../../workers/poster.ts";
import { SETTINGS as SUMMARIZER } from "../../workers/summarizer.ts";

/** The four processes. */
export type WorkerName = "fetcher" | "summarizer" | "poster" | "ingester";

/** The workers in the order of the path. */
export const WORKERS: readonly WorkerName[] = [
  "ingester",
  "fetcher",
  "summarizer",
  "poster",
];

/** The worker of that name. @throws {CommandError} With exit code 2. */
export function readWorkerName(name: string): WorkerName {
  const worker = WORKERS.find((worker) => worker === name);
  if (worker !== undefined) return worker;
  throw new UsageError(
    `There is no worker "${name}"; there are ${WORKERS.join(", ")}`,
  );
}

/** What each worker reads from its environment. */
export const WORKER_SETTINGS: Readonly<Record<WorkerName, Settings>> = {
  fetcher: FETCHER,
  ingester: INGESTER,
  poster: POSTER,
  summarizer: SUMMARIZER,
};

/** The topic of each worker that serves one. */
export const WORKER_TOPICS: Readonly<Partial<Record<WorkerName, string>>> = {
  fetcher: "job.incident-enricher.fetch",
  summarizer: "job.incident-enricher.summarize",
  poster: "job.incident-enricher.post",
};

/** One connection or address that is granted, and why. */
export interface HostGrant {
  /** `host:port`. */
  host: string;
  why: string;
}

/** One variable that may be read, and why. */
export interface NameGrant {
  name: string;
  why: string;
}

/** One file that may be read, and why. */
export interface FileGrant {
  path: string;
  why: string;
}

/** What one worker may do. */
export interface Permissions {
  net: HostGrant[];
  env: NameGrant[];
  /** Files that hold secrets or certificates, where the environment names such. */
  read: FileGrant[];
  /** What the runtime is told, in this order. */
  flags: string[];
}

type Environment = (name: string) => string | undefined;
type Values = Record<string, unknown>;

/** What a `requires` value of the pack grants beside the platform itself. */
const REQUIREMENTS: Readonly<Record<string, (config: Values) => HostGrant[]>> =
  {
    // The mock source asks nobody; each evidence API adds its host here.
    "network:egress": () => [],
    // The built-in summarizer asks nobody; a model adds its host here.
    "llm": () => [],
    "slack:webhook": ({ slackAllowedHosts }) =>
      (slackAllowedHosts as string[]).map((host) => ({
        host: /:\d+$/.test(host) ? host : `${host}:443`,
        why: "slack:webhook",
      })),
  };

/** Every `requires` value that grants are known for. */
export const REQUIREMENTS_KNOWN: readonly string[] = Object.keys(REQUIREMENTS);

/**
 * Derives what one worker may do.
 *
 * @param requires What the worker's topic requires in the pack's manifest.
 * @param env The environment that it will run in.
 * @throws {ConfigError} If that environment is wrong.
 * @throws {RangeError} For a requirement that nothing is known of.
 */
export function derivePermissions(
  worker: WorkerName,
  requires: readonly string[],
  env: Environment,
): Permissions {
  const settings = WORKER_SETTINGS[worker];
  const secrets = new Set(
    Object.values(settings).flatMap(({ secret, required, name }) =>
      secret && required ? [name] : []
    ),
  );
  // What a secret is and what a file holds does not matter here: secrets need
  // not be at hand, and no file is read.
  const config = readConfig(
    settings,
    (name) => env(name) || (secrets.has(name) ? "a secret" : undefined),
    () => "its content",
  ) as Values;
  const net = [
    ...addressGrants(config),
    ...requires.flatMap((name) => {
      const grants = REQUIREMENTS[name];
      if (grants === undefined) {
        throw new RangeError(
          `Nothing is known of the requirement "${name}"; scripts/launch/permissions.ts maps them`,
        );
      }
      return grants(config);
    }),
  ];
  const abouts = new Map(
    Object.values(settings).flatMap((setting) =>
      variablesOf({ setting }).map((name) => {
        const file = name.endsWith("_FILE") && !setting.names.includes(name);
        return [name, setting.about + (file ? ", in a file" : "")] as const;
      })
    ),
  );
  const read = fileVariablesOf(settings).flatMap((name) => {
    const path = env(name)?.trim();
    return path ? [{ path, why: name }] : [];
  });
  const permissions = {
    net,
    env: [...abouts].map(([name, why]) => ({ name, why })),
    read,
  };
  return { ...permissions, flags: toFlags(permissions) };
}

/** What listens and what is connected to, in the order of the settings. */
function addressGrants(config: Values): HostGrant[] {
  const { address, healthAddress, natsUrl, redisUrl, gatewayUrl } = config as
    & {
      [K in "address" | "healthAddress"]?: Address;
    }
    & { [K in "natsUrl" | "redisUrl" | "gatewayUrl"]?: string };
  const grants: [string | undefined, string][] = [
    [address && hostOfAddress(address), "listens here"],
    [healthAddress && hostOfAddress(healthAddress), "serves its health here"],
    [natsUrl && hostOfUrl(natsUrl), "NATS"],
    [redisUrl && hostOfUrl(redisUrl), "Redis"],
    [gatewayUrl && hostOfUrl(gatewayUrl), "the gateway"],
  ];
  return grants.flatMap(([host, why]) => host ? [{ host, why }] : []);
}

/** The flags that grant it. */
export function toFlags(
  { net, env, read }: Pick<Permissions, "net" | "env" | "read">,
): string[] {
  const list = (items: string[]) => [...new Set(items)].join(",");
  const paths = read.map(({ path }) => path);
  const comma = paths.find((path) => path.includes(","));
  if (comma !== undefined) {
    throw new ConfigError(
      `${comma} has a comma in its path, which Deno takes for two paths`,
    );
  }
  return [
    "--no-prompt",
    // Without it a process that may do nothing still fetches modules.
    "--cached-only",
    // Libraries that look around in the environment find it empty.
    "--ignore-env",
    `--allow-net=${list(net.map(({ host }) => host))}`,
    `--allow-env=${list(env.map(({ name }) => name))}`,
    ...(paths.length === 0 ? [] : [`--allow-read=${list(paths)}`]),
  ];
}

const USUAL_PORTS: Readonly<Record<string, string>> = {
  "http:": "80",
  "https:": "443",
  "nats:": "4222",
  "tls:": "4222",
  "redis:": "6379",
  "rediss:": "6379",
};

function hostOfUrl(text: string): string {
  const { hostname, port, protocol } = new URL(text);
  return `${hostname}:${port || (USUAL_PORTS[protocol] ?? "")}`;
}

function hostOfAddress({ hostname, port }: Address): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
