/**
 * The permissions of each worker, derived from what its topic requires and
 * from the environment that it will run in.
 *
 * @module
 */
import {
  type Config,
  readConfig,
  type Settings,
  variablesOf,
} from "../lib/config.ts";
import type { PlatformConfig } from "../lib/platform/settings.ts";
import { SETTINGS as FETCHER } from "../workers/fetcher.ts";
import { SETTINGS as INGESTER } from "../workers/ingester.ts";
import { SETTINGS as POSTER } from "../workers/poster.ts";
import { SETTINGS as SUMMARIZER } from "../workers/summarizer.ts";

/** The four processes. */
export type WorkerName = "fetcher" | "summarizer" | "poster" | "ingester";

/** The workers in the order of the path. */
export const WORKERS: readonly WorkerName[] = [
  "ingester",
  "fetcher",
  "summarizer",
  "poster",
];

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

/** One thing that is granted, and why. */
export interface Grant {
  name: string;
  why: string;
}

/** What one worker may do. */
export interface Permissions {
  net: Grant[];
  env: Grant[];
  /** Files that hold secrets, where the environment names such. */
  read: Grant[];
  flags: string[];
}

/** What a `requires` value of the pack grants beside the platform itself. */
const REQUIREMENTS: Readonly<
  Record<string, (config: Record<string, unknown>) => Grant[]>
> = {
  // The mock source asks nobody; each evidence API adds its host here.
  "network:egress": () => [],
  // The built-in summarizer asks nobody; a model adds its host here.
  "llm": () => [],
  "slack:webhook": (config) =>
    (config["slackAllowedHosts"] as string[]).map((host) => ({
      name: withPort(host, "443"),
      why: "slack:webhook",
    })),
};

/**
 * Derives what one worker may do.
 *
 * @param requires What the worker's topic requires in the pack's manifest.
 * @throws {RangeError} For a requirement that nothing is known of.
 */
export function derivePermissions(
  worker: WorkerName,
  requires: readonly string[],
  env: (name: string) => string | undefined,
): Permissions {
  const settings = WORKER_SETTINGS[worker];
  // What a secret is does not matter here, so no file is read for it.
  const config = readConfig(settings, env, () => "a secret") as
    & Config<Settings>
    & Record<string, unknown>;
  const net = [
    ...worker === "ingester"
      ? ingesterNet(config)
      : platformNet(config as unknown as PlatformConfig),
    ...requires.flatMap((name) => {
      const grants = REQUIREMENTS[name];
      if (grants === undefined) {
        throw new RangeError(`Nothing is known of the requirement "${name}"`);
      }
      return grants(config);
    }),
  ];
  const variables = variablesOf(settings);
  const read = variables.filter((name) => name.endsWith("_FILE"))
    .flatMap((name) => {
      const path = env(name);
      return path ? [{ name: path, why: name }] : [];
    });
  return {
    net,
    read,
    env: variables.map((name) => ({ name, why: "read by the worker" })),
    flags: [
      "--no-prompt",
      // Without it a process that may do nothing still fetches modules.
      "--cached-only",
      // Libraries that look around in the environment find it empty.
      "--ignore-env",
      `--allow-net=${[...new Set(net.map(({ name }) => name))].join(",")}`,
      `--allow-env=${variables.join(",")}`,
      ...(read.length === 0
        ? []
        : [`--allow-read=${read.map(({ name }) => name).join(",")}`]),
    ],
  };
}

function platformNet(
  { natsUrl, redisUrl, gatewayUrl }: PlatformConfig,
): Grant[] {
  return [
    { name: hostOf(natsUrl, "4222"), why: "NATS" },
    { name: hostOf(redisUrl, "6379"), why: "Redis" },
    { name: hostOf(gatewayUrl, ""), why: "the gateway" },
  ];
}

function ingesterNet(config: Record<string, unknown>): Grant[] {
  const { hostname, port } = config["address"] as {
    hostname: string;
    port: number;
  };
  return [
    { name: `${hostname}:${port}`, why: "listens here" },
    { name: hostOf(config["gatewayUrl"] as string, ""), why: "the gateway" },
  ];
}

function hostOf(url: string, port: string): string {
  const { hostname, port: given, protocol } = new URL(url);
  const usual = protocol === "https:"
    ? "443"
    : protocol === "http:"
    ? "80"
    : port;
  return `${hostname}:${given || usual}`;
}

function withPort(host: string, port: string): string {
  return /:\d+$/.test(host) ? host : `${host}:${port}`;
}
