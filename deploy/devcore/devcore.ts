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
import { Artifacts } from "./artifacts.ts";
import { canonical, type Faults, type Json } from "./common.ts";
import { Engine } from "./engine.ts";
import { DevGateway } from "./gateway.ts";
import { startNatsServer } from "./nats_server.ts";
import { ConfigDocuments, Packs } from "./packs.ts";
import { Kernel } from "./policy.ts";
import { startRedisServer } from "./redis_server.ts";
import { createRoutes } from "./routes.ts";
import { Scheduler } from "./scheduler.ts";
import { showFailure, showSnapshot } from "./views.ts";

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
/** As long as it is there, Redis has lost nothing. */
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
  const core = new Core({
    bus,
    store,
    log,
    signal,
    faults,
    clock: options.clock ?? (() => performance.timeOrigin + performance.now()),
    apiKey,
    natsUrl,
  });
  started.defer(() => core.stop());
  await core.start(options.reloadMs ?? RELOAD_MS);
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    // The client is gone, or was cut off on purpose.
    onError: () => new Response(null, { status: 500 }),
  }, (request) => core.gateway.handle(request));
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

type CoreOptions =
  & Required<Pick<DevcoreOptions, "faults" | "clock" | "apiKey" | "natsUrl">>
  & { bus: Bus; store: Store; log: Log; signal: AbortSignal };

/** The parts and what ties them together. */
class Core {
  readonly gateway: DevGateway;
  readonly #options: CoreOptions;
  readonly #kernel = new Kernel();
  readonly #config: ConfigDocuments;
  readonly #artifacts: Artifacts;
  readonly #scheduler: Scheduler;
  readonly #engine: Engine;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #refreshing: Promise<void> | undefined;

  constructor(options: CoreOptions) {
    this.#options = options;
    const { bus, store, clock, faults, apiKey, natsUrl, signal } = options;
    const kernel = this.#kernel;
    const schemas = new Map<string, unknown>();
    const config = this.#config = new ConfigDocuments(clock);
    const artifacts = this.#artifacts = new Artifacts(clock);
    const readValue = (key: string) => this.#read(key);
    const scheduler = this.#scheduler = new Scheduler({
      bus,
      clock,
      faults,
      kernel,
      effectiveConfig: () => canonical(config.get("system", "default")?.data),
      // Whatever a failed job had stored is replaced by the platform's words.
      onDeadLetter: (job) =>
        this.#write(`res:${job.request.jobId}`, showFailure(job, clock())),
      onEnd: (jobId, end) => void engine.onJobEnd(jobId, end),
    });
    const engine = this.#engine = new Engine({
      clock,
      schemas,
      readValue,
      writeContext: (jobId, payload) => this.#write(`ctx:${jobId}`, payload),
      submit: (request, traceId) => scheduler.submit(request, traceId),
      cancelJob: (jobId) => scheduler.cancel(jobId),
    });
    const { workflows } = engine;
    const routes = createRoutes({
      clock,
      faults,
      engine,
      scheduler,
      packs: new Packs({ clock, config, schemas, workflows, kernel }),
      kernel,
      artifacts,
      schemas,
      natsUrl,
      natsUp: () => bus.connected(),
      redisUp: () => store.connected(),
      readValue,
    });
    const refresh = () => this.#refresh();
    this.gateway = new DevGateway({
      apiKey,
      clock,
      faults,
      routes,
      refresh,
      signal,
    });
  }

  async start(reloadMs: number): Promise<void> {
    for (const [key, value] of Object.entries(BOOTSTRAP)) {
      this.#config.change("default", key, () => value);
    }
    await this.#options.bus.flush();
    await this.#write(MARKER, 1, MARKER_TTL_S);
    await this.#writeSnapshot();
    const every = (ms: number, run: () => void) =>
      this.#timers.push(setInterval(run, Math.min(ms, reloadMs)));
    every(reloadMs, () => this.#reloadPolicy());
    every(reloadMs, () => this.#reloadRouting());
    every(SNAPSHOT_MS, () => void this.#writeSnapshot());
    every(TICK_MS, () => this.#findTimeouts());
    every(EXPIRE_MS, () => this.#scheduler.expire());
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#scheduler.stop();
    this.#engine.stop();
  }

  /** One fragment that does not parse leaves the whole policy as it was. */
  #reloadPolicy(): void {
    if (this.#options.faults.freezePolicy) return;
    const bundles = (this.#config.get("system", "policy")?.data["bundles"] ??
      {}) as Record<string, { content: string }>;
    const fragments = Object.entries(bundles).map(([id, { content }]) =>
      [id, content] as const
    );
    try {
      this.#kernel.reload(new Map(fragments));
    } catch (error) {
      const { log } = this.#options;
      log.error("Cannot load policy", { error: messageOf(error) });
    }
  }

  /** An overlay without topics is ignored: the last routing stays. */
  #reloadRouting(): void {
    const { topics = {}, pools = {} } = this.#config.get("system", "default")!
      .data["pools"] as {
        topics?: Record<string, string | string[]>;
        pools?: Record<string, { requires?: string[] }>;
      };
    if (Object.keys(topics).length === 0) return;
    this.#scheduler.routing = {
      topics: Object.fromEntries(
        Object.entries(topics).map(([topic, pool]) => [topic, [pool].flat()]),
      ),
      pools: Object.fromEntries(
        Object.entries(pools).map((
          [name, { requires = [] }],
        ) => [name, { requires }]),
      ),
    };
  }

  async #writeSnapshot(): Promise<void> {
    const { routing } = this.#scheduler;
    const now = this.#options.clock();
    const snapshot = showSnapshot(this.#scheduler.live(), routing, now);
    await this.#write("sys:workers:snapshot", snapshot);
  }

  /** Timeouts say nothing on the bus; runs learn of them by looking. */
  #findTimeouts(): void {
    for (const job of this.#scheduler.timedOut.splice(0)) {
      const { state, resultPtr, request: { jobId } } = job;
      const message = `job state: ${state}`;
      this.#engine.onJobEnd(jobId, { state, resultPtr, message });
    }
  }

  /** Looks once for all who ask meanwhile. */
  #refresh(): Promise<void> {
    return this.#refreshing ??= this.#forgetWhatRedisLost()
      .finally(() => this.#refreshing = undefined);
  }

  async #forgetWhatRedisLost(): Promise<void> {
    if (!this.#options.store.connected()) return;
    // One that cannot answer has not said that it lost anything.
    if (await this.#read(MARKER).catch(() => "") !== undefined) return;
    this.#scheduler.forgetJobs();
    this.#engine.forgetRuns();
    this.#artifacts.clear();
    await this.#write(MARKER, 1, MARKER_TTL_S);
    const { log } = this.#options;
    log.warn("Redis lost its data; jobs, runs and approvals are forgotten");
  }

  async #write(key: string, value: unknown, ttlS = VALUE_TTL_S): Promise<void> {
    const { store, log, signal } = this.#options;
    try {
      await store.write(key, JSON.stringify(value), ttlS, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error("Cannot write", { key, error: messageOf(error) });
    }
  }

  async #read(key: string): Promise<string | undefined> {
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
