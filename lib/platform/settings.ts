/**
 * The settings that every worker needs to reach the platform.
 *
 * @module
 */
import {
  type Address,
  alsoNamed,
  type Config,
  fileContent,
  integer,
  optional,
  secret,
  type Setting,
  text,
  url,
} from "../base/config.ts";
import { ConfigError } from "../base/errors.ts";
import { healthAddress } from "../base/health.ts";
import type { Level } from "../base/log.ts";
import { LOG_LEVEL } from "../base/process.ts";
import {
  type BusEndpoint,
  type Endpoint,
  isEncrypted,
  type Tls,
} from "./endpoint.ts";

/** The settings of {@linkcode GATEWAY_SETTINGS}. */
export type GatewaySettings = typeof GATEWAY_SETTINGS;
/** The settings of {@linkcode STORE_SETTINGS}. */
export type StoreSettings = typeof STORE_SETTINGS;
/** The settings of {@linkcode BUS_SETTINGS}. */
export type BusSettings = typeof BUS_SETTINGS;
/** The settings of {@linkcode platformSettings}. */
export type PlatformSettings = BusSettings & StoreSettings & GatewaySettings & {
  readonly workerId: Setting<string>;
  readonly workerPool: Setting<string>;
  readonly maxParallel: Setting<number>;
  readonly workerToken: Setting<string | undefined>;
  readonly healthAddress: Setting<Address | undefined>;
  readonly logLevel: Setting<Level>;
};
/** The values of {@linkcode PlatformSettings}. */
export type PlatformConfig = Config<PlatformSettings>;

/** Every process calls the gateway. */
export const GATEWAY_SETTINGS = {
  gatewayUrl: url("CORETEX_GATEWAY_URL", {
    about: "HTTP address of the platform's gateway",
  }),
  apiKey: secret("CORETEX_API_KEY", { about: "API key for the gateway" }),
  gatewayCa: optional(fileContent("CORETEX_TLS_CA", {
    about: "PEM file with the CA certificates to trust for the gateway",
  })),
};

const REDIS = serverSettings("REDIS", "Redis");
const NATS = serverSettings("NATS", "NATS");

/** Redis, under the platform's own names. */
export const STORE_SETTINGS = {
  redisUrl: alsoNamed(
    url("REDIS_URL", {
      about: "the platform's Redis",
      fallback: "redis://127.0.0.1:6379",
    }),
    "REDIS_ADDR",
    (address) => `redis://${address}`,
  ),
  redisUsername: REDIS.username,
  redisPassword: REDIS.password,
  redisTlsCa: REDIS.ca,
  redisTlsCert: REDIS.cert,
  redisTlsKey: REDIS.key,
  redisTlsServerName: REDIS.servername,
};

/** NATS, under the platform's own names. */
export const BUS_SETTINGS = {
  natsUrl: url("NATS_URL", {
    about: "the platform's message bus, NATS",
    fallback: "nats://127.0.0.1:4222",
  }),
  natsToken: optional(secret("NATS_TOKEN", { about: "token for NATS" })),
  natsUsername: NATS.username,
  natsPassword: NATS.password,
  natsTlsCa: NATS.ca,
  natsTlsCert: NATS.cert,
  natsTlsKey: NATS.key,
  natsTlsServerName: NATS.servername,
};

/** Credentials and TLS of a server, whose URL may also hold the credentials. */
function serverSettings(prefix: string, server: string) {
  return {
    username: optional(text(`${prefix}_USERNAME`, {
      about: `${server} user, unless the URL names one`,
    })),
    password: optional(secret(`${prefix}_PASSWORD`, {
      about: `${server} password, unless the URL has one`,
    })),
    ca: optional(fileContent(`${prefix}_TLS_CA`, {
      about: `PEM file with the CA certificates to trust for ${server}`,
    })),
    cert: optional(fileContent(`${prefix}_TLS_CERT`, {
      about: `PEM file with the client certificate for ${server}`,
    })),
    key: optional(fileContent(`${prefix}_TLS_KEY`, {
      about: "PEM file with the key of that certificate",
      secret: true,
    })),
    servername: optional(text(`${prefix}_TLS_SERVER_NAME`, {
      about:
        `name in ${server}'s certificate, if it is not the host of the URL`,
    })),
  };
}

/** The pool of a worker that takes no jobs; no topic leads there. */
export function awayFrom(pool: string): string {
  return `${pool}-away`;
}

/** Where NATS is. @throws {ConfigError} For a certificate without its key. */
export function busEndpoint(config: Config<BusSettings>): BusEndpoint {
  const { natsUrl: url, natsToken: token } = config;
  const tls = readTls(url, "NATS", {
    ca: config.natsTlsCa,
    cert: config.natsTlsCert,
    key: config.natsTlsKey,
    servername: config.natsTlsServerName,
  });
  const { natsUsername: username, natsPassword: password } = config;
  return defined({ url, username, password, token, tls });
}

/** Where Redis is. @throws {ConfigError} For a certificate without its key. */
export function storeEndpoint(config: Config<StoreSettings>): Endpoint {
  const { redisUrl: url } = config;
  const tls = readTls(url, "REDIS", {
    ca: config.redisTlsCa,
    cert: config.redisTlsCert,
    key: config.redisTlsKey,
    servername: config.redisTlsServerName,
  });
  const { redisUsername: username, redisPassword: password } = config;
  return defined({ url, username, password, tls });
}

/** The gateway's address and key. */
export function gatewayEndpoint(
  config: Config<GatewaySettings>,
): { url: string; apiKey: string; ca?: string } {
  const { gatewayUrl: url, apiKey, gatewayCa: ca } = config;
  return defined({ url, apiKey, ca });
}

/** Any of these settings asks for TLS, and so does the URL's scheme. */
function readTls(
  url: string,
  prefix: string,
  given: { [K in keyof Tls]: Tls[K] | undefined },
): Tls | undefined {
  if ((given.cert === undefined) !== (given.key === undefined)) {
    throw new ConfigError(
      `${prefix}_TLS_CERT and ${prefix}_TLS_KEY must be set together`,
    );
  }
  const tls = defined(given);
  const asked = Object.keys(tls).length > 0 || isEncrypted(url);
  return asked ? tls : undefined;
}

/** The record without its `undefined` properties. */
function defined<T extends Record<string, unknown>>(
  record: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== undefined),
  ) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/**
 * Declares the platform settings of one worker.
 *
 * @param id The worker's default id. Ids are stable, because Cordum 1.0 counts
 * a new id against its licence until the old one has been silent for 30 s.
 * @param pool The pool that the pack's overlay assigns to the worker's topic.
 */
export function platformSettings(id: string, pool: string): PlatformSettings {
  return {
    ...BUS_SETTINGS,
    ...STORE_SETTINGS,
    ...GATEWAY_SETTINGS,
    workerId: text("WORKER_ID", {
      about: "name of this process on the bus; each live process needs its own",
      fallback: id,
      // It becomes one token of a NATS subject.
      pattern: /^[^\s.*>]{1,100}$/,
      expected: "1 to 100 characters without blanks, dots, * or >",
    }),
    workerPool: text("WORKER_POOL", {
      about: "scheduler pool to join",
      fallback: pool,
      pattern: /^\S{1,200}$/,
      expected: "a pool name without blanks",
    }),
    maxParallel: integer("WORKER_MAX_PARALLEL", {
      about:
        "jobs to run at the same time; the scheduler stops sending at 90 % of it",
      fallback: 16,
      min: 2,
      max: 1000,
    }),
    workerToken: optional(secret("WORKER_TOKEN", {
      about: "credential for platforms that attest their workers",
    })),
    healthAddress: healthAddress(id),
    logLevel: LOG_LEVEL,
  };
}
