/**
 * What operators ask of the platform: packs, approvals, config.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import {
  type Config,
  readConfig,
  type Settings,
  variablesOf,
} from "../../lib/base/config.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { createLog } from "../../lib/base/log.ts";
import { Gateway } from "../../lib/platform/gateway.ts";
import { GatewayError } from "../../lib/platform/gateway_error.ts";
import type { Endpoint } from "../../lib/platform/endpoint.ts";
import {
  BUS_SETTINGS,
  type BusSettings,
  GATEWAY_SETTINGS,
  gatewayEndpoint,
  type GatewaySettings,
  STORE_SETTINGS,
  storeEndpoint,
  type StoreSettings,
} from "../../lib/platform/settings.ts";
import { connectStore, type Store } from "../../lib/platform/store.ts";
import { CommandError } from "../terminal/command.ts";

/** What a command reads to find the platform. */
export const PLATFORM_VARIABLES: readonly (readonly [string, string])[] = [
  ["CORETEX_GATEWAY_URL", GATEWAY_SETTINGS.gatewayUrl.about],
  ["CORETEX_API_KEY", GATEWAY_SETTINGS.apiKey.about],
  [
    "REDIS_URL",
    `${STORE_SETTINGS.redisUrl.about}, to see the scheduler's workers (optional)`,
  ],
];

/** Where the platform is. */
export interface PlatformAddress {
  gateway: { url: string; apiKey: string; ca?: string };
  /** `undefined` if it was not named: what rests on it is then guessed. */
  redis: Endpoint | undefined;
}

/** Everything that a command may read to find the platform. */
export const SCRIPT_SETTINGS: GatewaySettings & StoreSettings = {
  ...GATEWAY_SETTINGS,
  ...STORE_SETTINGS,
};

/** Everything that may name a platform and the way to it. */
export const PLATFORM_SETTINGS: BusSettings & StoreSettings & GatewaySettings =
  { ...BUS_SETTINGS, ...STORE_SETTINGS, ...GATEWAY_SETTINGS };

/**
 * The variables that name a platform, for the workers; what is not set has its
 * usual place on this machine.
 *
 * @throws {CommandError} With exit code 2.
 */
export function readPlatformEnv(
  env: (name: string) => string | undefined,
): Record<string, string> {
  readSettings(PLATFORM_SETTINGS, env);
  const settings = Object.values(PLATFORM_SETTINGS);
  const usual = settings.flatMap(({ name, names, fallback }) =>
    fallback === undefined || names.some((name) => env(name))
      ? []
      : [[name, fallback] as const]
  );
  const set = variablesOf(PLATFORM_SETTINGS).flatMap((name) => {
    const value = env(name);
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries([...usual, ...set]);
}

/** Reads where the platform is. @throws {CommandError} With exit code 2. */
export function readAddress(
  env: (name: string) => string | undefined,
): PlatformAddress {
  const config = readSettings(SCRIPT_SETTINGS, env);
  const named = STORE_SETTINGS.redisUrl.names.some((name) => env(name));
  return {
    gateway: gatewayEndpoint(config),
    redis: named ? storeEndpoint(config) : undefined,
  };
}

/** Reads settings. @throws {CommandError} With exit code 2. */
export function readSettings<S extends Settings>(
  settings: S,
  env: (name: string) => string | undefined,
): Config<S> {
  try {
    return readConfig(settings, env);
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandError(error.message, 2);
    throw error;
  }
}

/** A job that waits for a person. */
export interface Waiting {
  jobId: string;
  topic: string;
  ruleId: string;
  /** Milliseconds since the epoch. */
  since: number;
}

/** The worker snapshot that the scheduler keeps in Redis. */
export interface WorkerSnapshot {
  capturedMs: number;
  topics: Record<string, { pool: string; available: boolean }>;
  workers: { worker_id: string; pool: string }[];
}

/** A person waits for the answer. */
const CALL_MS = 10_000;
const SNAPSHOT_BYTES_MAX = 4 * 1024 * 1024;

/** The platform, as an operator sees it. */
export class Platform implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly #redis: Endpoint | undefined;
  /** Ends every call. */
  readonly signal: AbortSignal;
  #store: Promise<Store> | undefined;

  constructor(
    address: PlatformAddress,
    options: { signal: AbortSignal; principal?: string },
  ) {
    const { principal, signal } = options;
    this.gateway = new Gateway({
      ...address.gateway,
      deadlineMs: CALL_MS,
      ...(principal === undefined ? {} : { principal }),
    });
    this.#redis = address.redis;
    this.signal = signal;
  }

  /** Calls a route of the gateway. @throws {GatewayError} */
  async call(
    method: string,
    path: string,
    body?: { json?: unknown; form?: FormData },
  ): Promise<JsonObject> {
    return await this.gateway.call(method, path, {
      signal: this.signal,
      ...(body?.json === undefined ? {} : { json: body.json }),
      ...(body?.form === undefined ? {} : { body: body.form }),
    }) as JsonObject;
  }

  /** The same, with `undefined` for what is not there. */
  async find(path: string): Promise<JsonObject | undefined> {
    try {
      return await this.call("GET", path);
    } catch (error) {
      if (error instanceof GatewayError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }

  /** The data of a system config document, empty if there is none. */
  async config(scopeId: string): Promise<JsonObject> {
    const document = await this.find(
      `/config?scope=system&scope_id=${scopeId}`,
    );
    return (document?.["data"] ?? {}) as JsonObject;
  }

  /** The jobs that wait for a person, oldest first, whatever their topic. */
  async waiting(): Promise<Waiting[]> {
    const answer = await this.call(
      "GET",
      "/approvals?include_resolved=false&limit=1000",
    );
    return (answer["items"] as JsonObject[]).flatMap((item) => {
      const job = item["job"] as JsonObject;
      if (job["state"] !== "APPROVAL_REQUIRED") return [];
      return [{
        jobId: String(job["id"]),
        topic: String(job["topic"]),
        ruleId: String(item["policy_rule_id"] ?? ""),
        since: Number(job["updated_at"]) / 1000,
      }];
    });
  }

  /** The policy in force, or `undefined` where the platform does not say. */
  async policySnapshot(): Promise<string | undefined> {
    try {
      const { snapshots } = await this.call("GET", "/policy/snapshots") as {
        snapshots?: string[];
      };
      return snapshots?.[0];
    } catch (error) {
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
  }

  /** The scheduler's view of the workers, or `undefined` if Redis is not named. */
  async workers(): Promise<WorkerSnapshot | undefined> {
    if (this.#redis === undefined) return undefined;
    this.#store ??= connectStore({
      ...this.#redis,
      name: "incident-enricher-scripts",
      log: createLog({}, { write() {} }),
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(10_000)]),
    });
    const store = await this.#store;
    const text = await store.read(
      "sys:workers:snapshot",
      SNAPSHOT_BYTES_MAX,
      this.signal,
    );
    if (text === undefined) return undefined;
    const { captured_at, topics = {}, workers = [] } = JSON.parse(text);
    return { capturedMs: Date.parse(captured_at), topics, workers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const store = await this.#store?.catch(() => undefined);
    await store?.close();
  }
}
