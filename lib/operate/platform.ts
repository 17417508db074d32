/**
 * The platform as an operator sees it: packs, jobs, approvals, config, workers.
 *
 * @module
 */
import { type Config, readConfig, variablesOf } from "../base/config.ts";
import { deadline } from "../base/deadline.ts";
import {
  isObject,
  type JsonObject,
  objectOf,
  optional,
  stringOf,
} from "../base/json.ts";
import { configData, configPath } from "../platform/config_document.ts";
import type { Endpoint } from "../platform/endpoint.ts";
import { Gateway } from "../platform/gateway.ts";
import { GatewayError } from "../platform/gateway_error.ts";
import {
  BUS_SETTINGS,
  type BusSettings,
  GATEWAY_SETTINGS,
  gatewayEndpoint,
  type GatewaySettings,
  STORE_SETTINGS,
  storeEndpoint,
  type StoreSettings,
} from "../platform/settings.ts";
import type { Store } from "../platform/store.ts";
import {
  readWorkerSnapshot,
  type WorkerSnapshot,
} from "../platform/worker_snapshot.ts";
import type { Published } from "../post/published.ts";
import { readDestinations } from "./destinations.ts";
import { OperationError } from "./errors.ts";
import { openStore, REACH_MS, withVariable } from "./reach.ts";

type Env = (name: string) => string | undefined;

/** All variables that describe how to connect to a platform. */
export const PLATFORM_SETTINGS: BusSettings & StoreSettings & GatewaySettings =
  { ...BUS_SETTINGS, ...STORE_SETTINGS, ...GATEWAY_SETTINGS };

export const ADDRESS_SETTINGS: GatewaySettings & StoreSettings = {
  ...GATEWAY_SETTINGS,
  ...STORE_SETTINGS,
};

export interface PlatformAddress {
  gateway: { url: string; apiKey: string; ca?: string };
  /** `undefined` if no variable names it; then its contents are guessed. */
  redis: Endpoint | undefined;
}

/** @throws {ConfigError} If a variable is wrong or missing. */
export function readAddress(env: Env): PlatformAddress {
  const config: Config<GatewaySettings & StoreSettings> = readConfig(
    ADDRESS_SETTINGS,
    env,
  );
  const named = STORE_SETTINGS.redisUrl.names.some((name) => env(name));
  return {
    gateway: gatewayEndpoint(config),
    redis: named ? storeEndpoint(config) : undefined,
  };
}

/**
 * The variables that name a platform, for the workers, with defaults for those
 * that are not set.
 *
 * @throws {ConfigError}
 */
export function readPlatformEnv(env: Env): Record<string, string> {
  readConfig(PLATFORM_SETTINGS, env);
  const usual = Object.values(PLATFORM_SETTINGS).flatMap(
    ({ name, names, fallback }) =>
      fallback === undefined || names.some((name) => env(name))
        ? []
        : [[name, fallback] as const],
  );
  const set = variablesOf(PLATFORM_SETTINGS).flatMap((name) => {
    const value = env(name);
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries([...usual, ...set]);
}

export interface WaitingJob {
  jobId: string;
  topic: string;
  ruleId: string;
  /** Names the policy that demanded the approval. */
  policySnapshot: string;
  /** Milliseconds since the epoch. */
  since: number;
  /** Who asked for the job, where the platform says so: it may not approve it. */
  submittedBy?: string;
}

/** What a platform tells of itself. */
export interface About {
  /** CoretexOS 0.6 tells none. */
  version: string | undefined;
  /** It answers as Cordum 1.0 does, whatever it calls itself. */
  isCordum1: boolean;
  /** As Cordum 1.0 tells it. */
  licence: JsonObject | undefined;
}

/** What only Cordum 1.0 tells of its status. */
const CORDUM_1_STATUS = ["license", "pipeline", "circuit_breakers"];
const WITHHELD = [403, 404, 501];

export interface PlatformOptions {
  signal: AbortSignal;
  /** Recorded as the person who decided or installed. */
  principal?: string;
  /** How long a call may take, its retries included. */
  callMs?: number;
}

/** A connection to the platform on behalf of `principal`. */
export class Platform implements AsyncDisposable {
  readonly gateway: Gateway;
  /** Ends every call. */
  readonly signal: AbortSignal;
  readonly #address: PlatformAddress;
  /** Shared with those who act on behalf of others. */
  readonly #opened: { store?: Promise<Store> };

  constructor(
    { gateway, redis }: PlatformAddress,
    { signal, principal, callMs = REACH_MS, of: other }: PlatformOptions & {
      /** Whose connections to use. */
      of?: Platform;
    },
  ) {
    const whose = optional("principal", principal);
    this.gateway = other?.gateway.as(principal) ??
      new Gateway({ ...gateway, deadlineMs: callMs, ...whose });
    this.#opened = other === undefined ? {} : other.#opened;
    this.signal = signal;
    this.#address = { gateway, redis };
  }

  /** The same platform on behalf of another person. */
  as(principal: string): Platform {
    const { signal } = this;
    return new Platform(this.#address, { signal, principal, of: this });
  }

  /** Calls a gateway route. @throws {GatewayError} */
  async call(
    method: string,
    path: string,
    { json, form }: { json?: unknown; form?: FormData } = {},
  ): Promise<JsonObject> {
    const options = { ...optional("json", json), ...optional("body", form) };
    return await this.#reach((signal) =>
      this.gateway.call(method, path, { signal, ...options })
    ) as JsonObject;
  }

  /** Reads a route. @returns `undefined` if the platform says it is missing. */
  async find(path: string): Promise<JsonObject | undefined> {
    try {
      return await this.call("GET", path);
    } catch (error) {
      if (error instanceof GatewayError && error.missing) return undefined;
      throw error;
    }
  }

  /** @throws {GatewayError} If there is no such job. */
  job(jobId: string): Promise<JsonObject> {
    return this.#reach((signal) => this.gateway.readJob(jobId, signal));
  }

  findJob(jobId: string): Promise<JsonObject | undefined> {
    return this.find(`/jobs/${encodeURIComponent(jobId)}`);
  }

  /** The data of a system config document, empty if there is none. */
  async config(scopeId: string): Promise<JsonObject> {
    return configData(await this.find(configPath(scopeId)));
  }

  /** The jobs waiting for approval, of any topic, oldest first. */
  async waiting(): Promise<WaitingJob[]> {
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
        policySnapshot: String(item["policy_snapshot"] ?? ""),
        since: Number(job["updated_at"]) / 1000,
        ...optional("submittedBy", stringOf(item["submitted_by"]) || undefined),
      }];
    });
  }

  /** The policy in force, or `undefined` where the platform does not say. */
  async policySnapshot(): Promise<string | undefined> {
    try {
      const { snapshots } = await this.call("GET", "/policy/snapshots");
      return (snapshots as string[] | undefined)?.[0];
    } catch (error) {
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
  }

  /** Reads a route. @returns `undefined` if this key or platform has none. */
  async readUnlessWithheld(path: string): Promise<JsonObject | undefined> {
    try {
      return objectOf(await this.call("GET", path));
    } catch (error) {
      const isWithheld = error instanceof GatewayError &&
        WITHHELD.includes(error.status);
      if (isWithheld) return undefined;
      throw error;
    }
  }

  async about(): Promise<About> {
    return readAbout(await this.readUnlessWithheld("/status") ?? {});
  }

  /**
   * Reads which policy is in force.
   *
   * @returns Whether a job that waits under a policy snapshot can still be
   * approved; yes where the platform does not tell.
   */
  async readApprovable(): Promise<(policySnapshot: string) => boolean> {
    const inForce = await this.policySnapshot();
    if (inForce === undefined) return () => true;
    const status = await this.readUnlessWithheld("/status");
    // On Cordum 1.0 the fragments of packs, which follow, void no approval. Where
    // it may be that, another fragment proves nothing.
    const baseOnly = status === undefined || readAbout(status).isCordum1;
    const bound = (snapshot: string) =>
      baseOnly ? snapshot.replace(/(?:^|\|)cfg:.*$/, "") : snapshot;
    return (snapshot) => snapshot === "" || bound(snapshot) === bound(inForce);
  }

  /** The scheduler's view of the workers, or `undefined` if Redis is not named. */
  workers(): Promise<WorkerSnapshot | undefined> {
    return this.#withStore(readWorkerSnapshot);
  }

  /** Where posters post to, or `undefined` if Redis is not named. */
  destinations(): Promise<Published[] | undefined> {
    return this.#withStore(readDestinations);
  }

  /**
   * Reads the last items of a list in Redis, oldest first; `undefined` if Redis
   * is not named.
   */
  latest(key: string, itemsMax: number): Promise<string[] | undefined> {
    return this.#withStore((store, signal) =>
      store.latest(key, itemsMax, signal)
    );
  }

  /**
   * Adds an item to a list in Redis, which lives `ttlS` seconds longer.
   *
   * @throws {OperationError} If Redis is not named.
   */
  async append(key: string, item: string, ttlS: number): Promise<void> {
    const done = await this.#withStore(async (store, signal) => {
      await store.append(key, item, signal, ttlS);
      return true;
    });
    if (done === undefined) throw new OperationError("REDIS_URL is not set");
  }

  /**
   * Reads a list in Redis, oldest item first.
   *
   * @throws {OperationError} If Redis is not named.
   */
  async list(key: string): Promise<string[]> {
    const items = await this.#withStore((store, signal) =>
      store.list(key, signal)
    );
    if (items === undefined) throw new OperationError("REDIS_URL is not set");
    return items;
  }

  async #withStore<T>(
    use: (store: Store, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const { redis } = this.#address;
    if (redis === undefined) return undefined;
    const store = await (this.#opened.store ??= this.#openStore(redis));
    using end = deadline(REACH_MS, this.signal);
    return await use(store, end.signal);
  }

  async #openStore(redis: Endpoint): Promise<Store> {
    try {
      return await openStore(redis, REACH_MS, this.signal);
    } catch (error) {
      delete this.#opened.store; // It may be there the next time.
      throw error;
    }
  }

  async #reach<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await call(this.signal);
    } catch (error) {
      throw withVariable(error, this.gateway.address);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const store = await this.#opened.store?.catch(() => undefined);
    await store?.close();
  }
}

function readAbout(status: JsonObject): About {
  const { build } = status as { build?: { version?: string } };
  return {
    version: build?.version,
    isCordum1: CORDUM_1_STATUS.some((name) => isObject(status[name])),
    licence: objectOf(status["license"]),
  };
}
