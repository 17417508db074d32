/**
 * The permissions of each worker, derived from what its topic requires and
 * from the environment that it will run in.
 *
 * @module
 */
import {
  type Address,
  type Config,
  fileVariablesOf,
  readConfig,
  type Settings,
  variablesOf,
} from "../../lib/base/config.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { reachOf } from "../../lib/evidence/collectors.ts";
import type { CollectorSettings } from "../../lib/evidence/settings.ts";
import { reachOf as reachOfModel } from "../../lib/summary/model/providers.ts";
import type { ModelSettings } from "../../lib/summary/settings.ts";
import { readName } from "../terminal/arguments.ts";
import { hostOf, isHost } from "./addresses.ts";
import { SETTINGS as DESK } from "../../workers/desk.ts";
import { SETTINGS as FETCHER } from "../../workers/fetcher.ts";
import { SETTINGS as INGESTER } from "../../workers/ingester.ts";
import { SETTINGS as POSTER } from "../../workers/poster.ts";
import { SETTINGS as SUMMARIZER } from "../../workers/summarizer.ts";

/** The workers that an incident passes, in that order. */
export const PATH_WORKERS = [
  "ingester",
  "fetcher",
  "summarizer",
  "poster",
] as const;

/** These, and the desk on which people decide. */
export const WORKERS = [...PATH_WORKERS, "desk"] as const;

/** One of {@linkcode WORKERS}. */
export type WorkerName = typeof WORKERS[number];

/** The worker of that name. @throws {UsageError} If there is none. */
export function readWorkerName(name: string): WorkerName {
  return readName("worker", name, WORKERS);
}

/** The workers of those names, or all of them if none is named. */
export function readWorkerNames(
  names: readonly string[],
): readonly WorkerName[] {
  return names.length === 0 ? WORKERS : names.map(readWorkerName);
}

/** What each worker reads from its environment. */
export const WORKER_SETTINGS: Readonly<Record<WorkerName, Settings>> = {
  desk: DESK,
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

/** A host that a worker may connect to or listen on, and why. */
export interface HostGrant {
  /** `host:port`. */
  host: string;
  why: string;
}

/** What one worker may do. */
export interface Permissions {
  net: HostGrant[];
  env: { name: string; why: string }[];
  /** Files that hold secrets or certificates, where the environment names any. */
  read: { path: string; why: string }[];
  /** Deno's command-line flags, in this order. */
  flags: string[];
}

type Values = Readonly<Record<string, unknown>>;

/** The hosts that a `requires` value of the pack grants in addition to the platform. */
const REQUIREMENTS: Readonly<Record<string, (config: Values) => HostGrant[]>> =
  {
    "network:egress": (config) =>
      reachOf(config as Config<CollectorSettings>)
        .filter((reach) => "host" in reach),
    // The built-in summarizer calls nobody.
    "llm": (config) => reachOfModel(config as Config<ModelSettings>),
    "slack:webhook": ({ slackAllowedHosts }) =>
      grantHosts(slackAllowedHosts as string[], "slack:webhook"),
  };

function grantHosts(hosts: readonly string[], why: string): HostGrant[] {
  return hosts.map((host) => ({
    host: /:\d+$/.test(host) ? host : `${host}:443`,
    why,
  }));
}

/** Why a worker may listen on an address. */
const LISTENS = "listens here";
/** Why it may listen on a second one. */
export const SERVES_HEALTH = "serves its health here";

/** The settings that name addresses, and why each is granted. */
const ADDRESSES: Readonly<Record<string, string>> = {
  address: LISTENS,
  healthAddress: SERVES_HEALTH,
  natsUrl: "NATS",
  redisUrl: "Redis",
  gatewayUrl: "the gateway",
};

/**
 * Derives what one worker may do.
 *
 * @param requires What the worker's topic requires in the pack's manifest.
 * @param env The environment that it will run in.
 * @param placed Variables that name a file whether or not it holds anything: the
 * file may be read, but grants no host.
 * @throws {ConfigError} If that environment is wrong.
 * @throws {RangeError} For a requirement that is not in the table above.
 */
export function derivePermissions(
  worker: WorkerName,
  requires: readonly string[],
  env: (name: string) => string | undefined,
  placed: readonly string[] = [],
): Permissions {
  const settings = WORKER_SETTINGS[worker];
  const all = Object.values(settings);
  const secrets = all.filter(({ secret, required }) => secret && required)
    .map(({ name }) => name);
  // Secrets need not be at hand, and no file is read: what they hold grants
  // nothing.
  const config: Values = readConfig(
    settings,
    (name) =>
      placed.includes(name)
        ? undefined
        : env(name) || (secrets.includes(name) ? "a secret" : undefined),
    () => "its content",
  );
  const net = [
    ...Object.entries(ADDRESSES).flatMap(([name, why]) => {
      const target = config[name] as string | Address | undefined;
      return target ? [{ host: hostOf(target), why }] : [];
    }),
    // The desk serves no topic, so nothing is required of it.
    ...grantHosts((config["noticeHosts"] ?? []) as string[], "notices"),
    ...requires.flatMap((name) => {
      const grants = REQUIREMENTS[name];
      if (grants !== undefined) return grants(config);
      throw new RangeError(
        `Nothing is known of the requirement "${name}"; scripts/launch/permissions.ts maps them`,
      );
    }),
  ];
  const abouts = new Map(
    all.flatMap((setting) =>
      variablesOf({ setting }).map((name) => {
        const file = name.endsWith("_FILE") && !setting.names.includes(name);
        return [name, setting.about + (file ? ", in a file" : "")] as const;
      })
    ),
  );
  const granted = {
    net,
    env: [...abouts].map(([name, why]) => ({ name, why })),
    read: [
      ...fileVariablesOf(settings).flatMap((name) => {
        const path = env(name)?.trim();
        return path ? [{ path, why: name }] : [];
      }),
      ...worker === "fetcher"
        ? reachOf(config as Config<CollectorSettings>)
          .flatMap((reach) =>
            "file" in reach ? [{ path: reach.file, why: reach.why }] : []
          )
        : [],
    ],
  };
  return { ...granted, flags: toFlags(granted) };
}

/** Tells the addresses that a worker listens on from those that it calls. */
export function splitNet(
  net: readonly HostGrant[],
): { listens: HostGrant[]; peers: HostGrant[] } {
  const own = ({ why }: HostGrant) => [LISTENS, SERVES_HEALTH].includes(why);
  return {
    listens: net.filter(own),
    peers: net.filter((grant) => !own(grant)),
  };
}

/** What ends a path in a flag, or a line in a file that carries flags. */
const SPLIT_PATTERN = /[,\p{Cc}\u2028\u2029]/u;

/** Flags to paste into a shell, each of which it takes for one. */
export function forShell(flags: readonly string[]): string {
  return flags.map((flag) =>
    /^[\w\-=.,:/[\]@%+]+$/.test(flag)
      ? flag
      : `'${flag.replaceAll("'", "'\\''")}'`
  ).join(" ");
}

/**
 * The flags on one line, for `deno run $(…)`.
 *
 * @throws {ConfigError} If the shell would split one of them into several.
 */
export function toLine({ flags, read }: Permissions): string {
  const split = read.find(({ path }) => /\s/.test(path));
  if (split === undefined) return flags.join(" ");
  throw new ConfigError(
    `${split.why} must name a file without blanks in its path, or the shell takes the rest for further flags; --json has the flags one by one`,
  );
}

/**
 * The flags that grant it.
 *
 * @throws {ConfigError} If a host or a path would grant more than itself.
 */
export function toFlags(
  { net, env, read }: Omit<Permissions, "flags">,
): string[] {
  const list = (items: string[]) => [...new Set(items)].join(",");
  const paths = read.map(({ path }) => path);
  const wide = net.find(({ host }) => !isHost(host));
  if (wide !== undefined) {
    throw new ConfigError(
      `The host of ${wide.why} must be one name or address with a port`,
    );
  }
  const split = read.find(({ path }) => SPLIT_PATTERN.test(path));
  if (split !== undefined) {
    throw new ConfigError(
      `${split.why} must name a file without a comma, which Deno takes for the end of a path, and without control characters`,
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
