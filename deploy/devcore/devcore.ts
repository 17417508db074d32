/**
 * Devcore, the stand-in control plane: one process that speaks NATS, Redis and
 * the gateway's HTTP on loopback, so that the whole path can be seen and broken
 * without any infrastructure.
 *
 * It may be stricter than the platform and never kinder. State is in memory;
 * only job inputs, results and the worker snapshot are in Redis, and when that
 * Redis loses its data, jobs, runs and approvals are forgotten too.
 *
 * @module
 */
import { createLog, type Log } from "../../lib/log.ts";
import { type Bus, connectBus } from "../../lib/platform/bus.ts";
import {
  connectStore,
  type Store,
  StoreError,
} from "../../lib/platform/store.ts";
import { Engine } from "./engine.ts";
import { DevGateway, type RouteFault } from "./gateway.ts";
import { startNatsServer } from "./nats_server.ts";
import { type ConfigDocument, Packs } from "./packs.ts";
import { BASE_POLICY, decide, loadPolicy, type Policy } from "./policy.ts";
import { startRedisServer } from "./redis_server.ts";
import { type DispatchFault, type Routing, Scheduler } from "./scheduler.ts";
import type { JobRequest } from "../../lib/platform/gen/cap_pb.ts";

/** What can be made to go wrong, before or while it runs. */
export interface Faults {
  /** What happens to a dispatch. */
  onDispatch?: DispatchFault | ((job: JobRequest) => DispatchFault | undefined);
  /** What happens to a request. */
  onRoute?: (method: string, path: string) => RouteFault | undefined;
  /** So many new idempotency keys are taken without a run. */
  burnKeys?: number;
  /** The policy in force stays as it is. */
  freezePolicy?: boolean;
  /** So many approvals bounce; coretexOS 0.6 is `Infinity`. */
  bounceApprovals?: number;
}

/** Options of {@linkcode startDevcore}. */
export interface DevcoreOptions {
  faults?: Faults;
  /** Milliseconds since the epoch. */
  clock?: () => number;
  /** How often policy and routing are loaded anew, each on its own timer. */
  reloadMs?: number;
  /** An existing NATS server to use in place of the embedded one. */
  natsUrl?: string;
  /** An existing Redis server to use in place of the embedded one. */
  redisUrl?: string;
  /** The gateway's key. */
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
const SNAPSHOT_MS = 5_000;
const TICK_MS = 5_000;
const EXPIRE_MS = 30_000;
const CONTEXT_TTL_S = 24 * 3600;
/** Longer results are kept by pointer only. */
const INLINE_BYTES_MAX = 256 * 1024;
const VALUE_BYTES_MAX = 8 * 1024 * 1024;
const SNAPSHOTS_MAX = 10;
const MARKER = "devcore:marker";

/** Starts the stand-in on free loopback ports. */
export async function startDevcore(
  options: DevcoreOptions = {},
): Promise<Devcore> {
  await using started = new AsyncDisposableStack();
  const log = createLog({ worker: "devcore" }, {
    write: options.write ?? (() => {}),
  });
  const abort = new AbortController();
  const { signal } = abort;
  const natsUrl = options.natsUrl ?? started.use(await startNatsServer()).url;
  const redisUrl = options.redisUrl ??
    started.use(await startRedisServer()).url;
  const bus = started.use(
    await connectBus({ url: natsUrl, name: "devcore", log, signal }),
  );
  const store = started.use(
    await connectStore({ url: redisUrl, name: "devcore", log, signal }),
  );
  const core = new Core(bus, store, options, log);
  started.defer(() => core.stop());
  await core.start();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    onError,
  }, (request) => core.gateway.handle(request));
  started.defer(async () => {
    abort.abort();
    await server.shutdown();
  });
  const gatewayUrl = `http://127.0.0.1:${server.addr.port}`;
  const running = started.move();
  return {
    natsUrl,
    redisUrl,
    gatewayUrl,
    apiKey: core.apiKey,
    faults: core.faults,
    env: {
      NATS_URL: natsUrl,
      REDIS_URL: redisUrl,
      CORETEX_GATEWAY_URL: gatewayUrl,
      CORETEX_API_KEY: core.apiKey,
    },
    stop: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function onError(): Response {
  return new Response("devcore failed\n", { status: 500 });
}

/** The parts and what ties them together. */
class Core {
  readonly apiKey: string;
  readonly faults: Faults;
  readonly gateway: DevGateway;
  readonly #bus: Bus;
  readonly #store: Store;
  readonly #log: Log;
  readonly #clock: () => number;
  readonly #reloadMs: number;
  readonly #config = new Map<string, ConfigDocument>();
  readonly #schemas = new Map<string, unknown>();
  readonly #scheduler: Scheduler;
  readonly #engine: Engine;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #stopped = new AbortController();
  #policy: Policy = loadPolicy(BASE_POLICY, new Map());
  readonly #snapshots = [this.#policy.snapshot];

  constructor(bus: Bus, store: Store, options: DevcoreOptions, log: Log) {
    this.#bus = bus;
    this.#store = store;
    this.#log = log;
    this.apiKey = options.apiKey ?? "devkey";
    this.faults = options.faults ?? {};
    this.#clock = options.clock ??
      (() => performance.timeOrigin + performance.now());
    this.#reloadMs = options.reloadMs ?? RELOAD_MS;
    const effectiveConfig = () =>
      this.#config.get("system:default")?.data ?? {};
    this.#scheduler = new Scheduler({
      bus,
      clock: this.#clock,
      effectiveConfig,
      decide: (request) => decide(this.#policy, request),
      onDispatch: (job) => {
        const { onDispatch } = this.faults;
        return typeof onDispatch === "function" ? onDispatch(job) : onDispatch;
      },
      bounces: () => this.#countDown("bounceApprovals"),
      onDeadLetter: ({ request, deadLetter, ...job }) =>
        this.#writeFailure(
          request.jobId,
          deadLetter!.status,
          deadLetter!.reason,
        ).then(() => {
          this.#log.info("Job failed", {
            job: request.jobId,
            state: job.state,
          });
        }),
      onEnd: (job, message) => void this.#engine.onJobEnd(job, message),
    });
    this.#engine = new Engine({
      clock: this.#clock,
      schemas: this.#schemas,
      effectiveConfig,
      writeContext: (jobId, payload) =>
        this.#write(`ctx:${jobId}`, JSON.stringify(payload)),
      readResult: (pointer) =>
        this.#read(pointer.replace("redis://", ""), INLINE_BYTES_MAX),
      submit: (request, traceId) => this.#scheduler.submit(request, traceId),
      cancelJob: (jobId) => this.#scheduler.cancel(jobId),
    });
    this.gateway = new DevGateway({
      apiKey: this.apiKey,
      clock: this.#clock,
      engine: this.#engine,
      scheduler: this.#scheduler,
      packs: new Packs({
        clock: this.#clock,
        config: this.#config,
        schemas: this.#schemas,
        workflows: this.#engine.workflows,
        decide: (request) => decide(this.#policy, request),
      }),
      config: this.#config,
      schemas: this.#schemas,
      natsUrl: "nats://devcore",
      natsUp: () => bus.connected(),
      snapshots: () => this.#snapshots,
      readValue: (key) => this.#read(key, VALUE_BYTES_MAX),
      refresh: () => this.#forgetWhatRedisLost(),
      onRoute: (method, path) => this.faults.onRoute?.(method, path),
      burnKey: () => this.#countDown("burnKeys"),
    });
  }

  async start(): Promise<void> {
    this.#config.set("system:default", {
      scope: "system",
      scope_id: "default",
      data: bootstrapConfig(),
      revision: 1,
      updated_at: new Date(this.#clock()).toISOString(),
    });
    await this.#write(MARKER, "1");
    await this.#bus.flush();
    await this.#writeSnapshot();
    const every = (ms: number, run: () => void) =>
      this.#timers.push(setInterval(run, ms));
    every(this.#reloadMs, () => this.#reloadPolicy());
    every(this.#reloadMs, () => this.#reloadRouting());
    every(
      Math.min(SNAPSHOT_MS, this.#reloadMs),
      () => void this.#writeSnapshot(),
    );
    every(TICK_MS, () => this.#findEnds());
    every(EXPIRE_MS, () => this.#scheduler.expire());
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#stopped.abort();
    this.#scheduler.stop();
    this.#engine.stop();
  }

  #countDown(fault: "bounceApprovals" | "burnKeys"): boolean {
    const left = this.faults[fault] ?? 0;
    if (left <= 0) return false;
    this.faults[fault] = left - 1;
    return true;
  }

  /** One fragment that does not parse leaves the whole policy as it was. */
  #reloadPolicy(): void {
    if (this.faults.freezePolicy) return;
    const bundles =
      (this.#config.get("system:policy")?.data["bundles"] ?? {}) as Record<
        string,
        { content: string }
      >;
    const fragments = new Map(
      Object.entries(bundles).map(([id, { content }]) => [id, content]),
    );
    try {
      this.#policy = loadPolicy(BASE_POLICY, fragments);
      if (this.#policy.snapshot === this.#snapshots[0]) return;
      this.#snapshots.unshift(this.#policy.snapshot);
      this.#snapshots.splice(SNAPSHOTS_MAX);
    } catch (error) {
      this.#log.error("Cannot load policy", { error: String(error) });
    }
  }

  /** An overlay without topics is ignored: the last routing stays. */
  #reloadRouting(): void {
    const pools = this.#config.get("system:default")?.data["pools"] as Record<
      string,
      Record<string, unknown>
    >;
    const topics = Object.entries(pools["topics"] ?? {});
    if (topics.length === 0) return;
    const offers = Object.entries(pools["pools"] ?? {}) as [
      string,
      { requires?: string[] },
    ][];
    const routing: Routing = {
      topics: Object.fromEntries(
        topics.map(([topic, pool]) => [topic, [pool].flat() as string[]]),
      ),
      pools: Object.fromEntries(
        offers.map(([name, { requires = [] }]) => [name, { requires }]),
      ),
    };
    this.#scheduler.routing = routing;
  }

  async #writeSnapshot(): Promise<void> {
    await this.#write(
      "sys:workers:snapshot",
      JSON.stringify(this.#scheduler.snapshot()),
    );
  }

  /** Ends that said nothing on the bus, such as timeouts. */
  #findEnds(): void {
    for (const job of this.#scheduler.jobs.values()) {
      if (job.state === "TIMEOUT") void this.#engine.onJobEnd(job, "");
    }
  }

  /** Whatever a failed job had stored is replaced by the platform's own words. */
  async #writeFailure(
    jobId: string,
    status: string,
    message: string,
  ): Promise<void> {
    const completed_at = new Date(this.#clock()).toISOString().replace(
      /\.\d+Z$/,
      "Z",
    );
    const body = {
      completed_at,
      error: { message },
      job_id: jobId,
      processed_by: "cordum-scheduler",
      status,
    };
    await this.#write(`res:${jobId}`, JSON.stringify(body));
    const job = this.#scheduler.jobs.get(jobId);
    if (job !== undefined && job.resultPtr === "") {
      job.resultPtr = `redis://res:${jobId}`;
    }
  }

  async #forgetWhatRedisLost(): Promise<void> {
    if (await this.#read(MARKER, 1) !== undefined) return;
    this.#scheduler.stop();
    this.#scheduler.jobs.clear();
    this.#engine.forgetRuns();
    await this.#write(MARKER, "1");
    this.#log.warn(
      "Redis lost its data; jobs, runs and approvals are forgotten",
    );
  }

  async #write(key: string, value: string): Promise<void> {
    try {
      await this.#store.write(key, value, CONTEXT_TTL_S, this.#stopped.signal);
    } catch (error) {
      if (!this.#stopped.signal.aborted) {
        this.#log.error("Cannot write", { key, error: String(error) });
      }
    }
  }

  async #read(key: string, bytesMax: number): Promise<string | undefined> {
    try {
      return await this.#store.read(key, bytesMax, this.#stopped.signal);
    } catch (error) {
      if (error instanceof StoreError && error.kind === "too large") {
        return undefined;
      }
      throw error;
    }
  }
}

/** As the platform writes it: capitals here, lower case where it is read. */
function bootstrapConfig(): Record<string, unknown> {
  return {
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
}
