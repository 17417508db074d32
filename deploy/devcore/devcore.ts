/**
 * Devcore, the stand-in control plane: one process that speaks NATS, Redis and
 * the gateway's HTTP on loopback, so that the whole path can be seen and broken
 * without any infrastructure.
 *
 * It may be stricter than the platform and never kinder. State is in memory;
 * only job inputs, results and the worker snapshot are in Redis, and when that
 * Redis loses its data, jobs, runs, approvals and artifacts are forgotten too.
 *
 * @module
 */
import { messageOf } from "../../lib/errors.ts";
import { createLog, type Log } from "../../lib/log.ts";
import { type Bus, connectBus } from "../../lib/platform/bus.ts";
import {
  connectStore,
  type Store,
  StoreError,
} from "../../lib/platform/store.ts";
import type { Base, Faults, Json } from "./common.ts";
import { Engine } from "./engine.ts";
import { createGateway } from "./gateway.ts";
import { startNatsServer } from "./nats_server.ts";
import { ConfigDocuments, Packs } from "./packs.ts";
import { Kernel } from "./policy.ts";
import { startRedisServer } from "./redis_server.ts";
import { type Artifacts, createRoutes } from "./routes.ts";
import { Scheduler } from "./scheduler.ts";

export type { Faults } from "./common.ts";

/** Options of {@linkcode startDevcore}. */
export interface DevcoreOptions {
  faults?: Faults;
  /** Milliseconds since the epoch. */
  clock?: () => number;
  /**
   * How often policy and routing are loaded anew, each on its own timer. What
   * the platform does in shorter or equal intervals is never done less often.
   */
  reloadMs?: number;
  /** An existing NATS server to use in place of the embedded one. */
  natsUrl?: string;
  /** An existing Redis server to use in place of the embedded one. */
  redisUrl?: string;
  /** The gateway's key; empty switches the check off. */
  apiKey?: string;
  write?: (line: string) => void;
}

/** A running stand-in. */
export interface Devcore extends AsyncDisposable {
  readonly natsUrl: string;
  readonly redisUrl: string;
  readonly gatewayUrl: string;
  readonly apiKey: string;
  /** Change it to make things go wrong from now on. */
  readonly faults: Faults;
  /** What a worker or script needs to find it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const RELOAD_MS = 30_000;
const EXPIRE_MS = 30_000;
const SNAPSHOT_MS = 5_000;
const TICK_MS = 5_000;
const REDIS_TIMEOUT_MS = 5_000;
const VALUE_TTL_S = 24 * 3600;
const VALUE_BYTES_MAX = 8 * 1024 * 1024;
const MARKER = "devcore:marker";
const MARKER_TTL_S = 365 * 24 * 3600;

/** Starts the stand-in on free loopback ports. */
export async function startDevcore(
  options: DevcoreOptions = {},
): Promise<Devcore> {
  await using started = new AsyncDisposableStack();
  const { write = () => {}, apiKey = "devkey", faults = {} } = options;
  const log = createLog({ worker: "devcore" }, { write });
  const abort = new AbortController();
  const { signal } = abort;
  const natsUrl = options.natsUrl ?? started.use(await startNatsServer()).url;
  const redisUrl = options.redisUrl ??
    started.use(await startRedisServer()).url;
  const client = { name: "devcore", log, signal };
  const bus = started.use(await connectBus({ ...client, url: natsUrl }));
  const store = started.use(await connectStore({ ...client, url: redisUrl }));
  const handle = await startParts(started, {
    bus,
    store,
    log,
    signal,
    faults,
    clock: options.clock ?? (() => performance.timeOrigin + performance.now()),
    apiKey,
    natsUrl,
    reloadMs: options.reloadMs ?? RELOAD_MS,
  });
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    // The client is gone, or was cut off on purpose.
    onError: () => new Response(null, { status: 500 }),
  }, handle);
  started.defer(async () => {
    abort.abort(new Error("devcore stops"));
    await server.shutdown();
  });
  const gatewayUrl = `http://127.0.0.1:${server.addr.port}`;
  const running = started.move();
  return {
    natsUrl,
    redisUrl,
    gatewayUrl,
    apiKey,
    faults,
    env: {
      NATS_URL: natsUrl,
      REDIS_URL: redisUrl,
      CORETEX_GATEWAY_URL: gatewayUrl,
      CORETEX_API_KEY: apiKey,
    },
    stop: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

type PartsOptions =
  & Required<
    Pick<
      DevcoreOptions,
      "faults" | "clock" | "apiKey" | "natsUrl" | "reloadMs"
    >
  >
  & { bus: Bus; store: Store; log: Log; signal: AbortSignal };

/** Connects the parts, and returns the gateway's request handler. */
async function startParts(
  started: AsyncDisposableStack,
  options: PartsOptions,
): Promise<(request: Request) => Promise<Response>> {
  const { bus, log, signal, faults, clock } = options;
  const values = new Values(options);
  const { read, write } = values;
  const base = { clock, faults, read, write };
  const schemas = new Map<string, unknown>();
  const artifacts: Artifacts = new Map();
  const kernel = new Kernel();
  const config = new ConfigDocuments(clock);
  for (const [key, value] of Object.entries(BOOTSTRAP)) {
    config.patch(key, value);
  }
  const scheduler = new Scheduler({ ...base, bus, config, kernel });
  const engine = new Engine({ ...base, schemas, scheduler });
  const { workflows } = engine;
  const packs = new Packs({ clock, config, schemas, workflows, kernel });

  /** One fragment that does not parse leaves the whole policy as it was. */
  function loadPolicy(): void {
    if (faults.freezePolicy) return;
    const fragments = Object.entries(config.read("policy", "bundles"))
      .map(([id, bundle]) =>
        [id, String((bundle as Json)["content"])] as const
      );
    try {
      kernel.reload(new Map(fragments));
    } catch (error) {
      log.error("Cannot load policy", { error: messageOf(error) });
    }
  }

  const writeSnapshot = () =>
    write("sys:workers:snapshot", scheduler.snapshot());

  async function forgetWhatRedisLost(): Promise<void> {
    if (!await values.areLost()) return;
    scheduler.forget();
    engine.forget();
    artifacts.clear();
    await values.mark();
    log.warn("Redis lost its data; jobs, runs and approvals are forgotten");
  }

  let refreshing: Promise<void> | undefined;
  /** Looks once for all who ask meanwhile. */
  const refresh = () =>
    refreshing ??= forgetWhatRedisLost()
      .finally(() => refreshing = undefined);

  const { reloadMs } = options;
  const timers = [
    [reloadMs, loadPolicy],
    [reloadMs, () => scheduler.loadRouting()],
    [SNAPSHOT_MS, writeSnapshot],
    [TICK_MS, () => engine.findTimeouts()],
    [EXPIRE_MS, () => scheduler.expire()],
  ] as const;
  await bus.flush();
  await values.mark();
  await writeSnapshot();
  for (const [ms, run] of timers) {
    const timer = setInterval(run, Math.min(ms, reloadMs));
    started.defer(() => clearInterval(timer));
  }
  started.defer(() => scheduler.stop());
  started.defer(() => engine.stop());
  const parts = { ...base, ...options, engine, scheduler, packs, config };
  const routes = createRoutes({ ...parts, kernel, artifacts, schemas });
  const { apiKey } = options;
  return createGateway({ apiKey, clock, faults, routes, refresh, signal });
}

/** What devcore keeps in Redis. */
class Values {
  readonly #options: Pick<PartsOptions, "store" | "log" | "signal">;

  constructor(options: Pick<PartsOptions, "store" | "log" | "signal">) {
    this.#options = options;
  }

  readonly write: Base["write"] = (key, value) =>
    this.#write(key, value, VALUE_TTL_S);

  readonly read: Base["read"] = async (key) => {
    const { store, signal } = this.#options;
    const patience = AbortSignal.timeout(REDIS_TIMEOUT_MS);
    try {
      const either = AbortSignal.any([signal, patience]);
      return await store.read(key, VALUE_BYTES_MAX, either);
    } catch (error) {
      const isLong = error instanceof StoreError && error.kind === "too large";
      if (isLong) return undefined;
      throw error;
    }
  };

  /** As long as its mark is there, Redis has lost nothing. */
  mark(): Promise<void> {
    return this.#write(MARKER, 1, MARKER_TTL_S);
  }

  /** One that cannot answer has not said that it lost anything. */
  async areLost(): Promise<boolean> {
    return this.#options.store.connected() &&
      await this.read(MARKER).catch(() => "") === undefined;
  }

  async #write(key: string, value: unknown, ttlS: number): Promise<void> {
    const { store, log, signal } = this.#options;
    try {
      await store.write(key, JSON.stringify(value), ttlS, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error("Cannot write", { key, error: messageOf(error) });
    }
  }
}

/** As the platform writes it: capitals here, lower case where it is read. */
const BOOTSTRAP: Json = {
  pools: {
    Pools: { default: { Requires: [] } },
    Topics: { "job.default": ["default"] },
  },
  timeouts: {
    Reconciler: {
      DispatchTimeoutSeconds: 300,
      RunningTimeoutSeconds: 9000,
      ScanIntervalSeconds: 30,
    },
    Topics: {},
    Workflows: {},
  },
};
