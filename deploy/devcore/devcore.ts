/**
 * Devcore, the stand-in control plane: one process that speaks NATS, Redis and
 * the gateway's HTTP on loopback, so that the whole path can be seen and broken
 * without any infrastructure.
 *
 * It may be stricter than the platform and never kinder. Its state is in memory
 * except for job inputs, results and the worker snapshot, which are in Redis. If
 * Redis loses its data, jobs, runs, approvals and artifacts are forgotten too.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { deadline } from "../../lib/base/deadline.ts";
import { messageOf } from "../../lib/base/errors.ts";
import { createLog, type Log } from "../../lib/base/log.ts";
import { connectBus } from "../../lib/platform/bus.ts";
import {
  connectStore,
  type Store,
  StoreError,
} from "../../lib/platform/store.ts";
import { type Base, type Faults, Timers } from "./common.ts";
import { ConfigDocuments } from "./config.ts";
import { cordum1Routes, refusalBody } from "./cordum_1.ts";
import { Engine } from "./engine.ts";
import { createGateway } from "./gateway.ts";
import { startNatsServer } from "./nats_server.ts";
import { Packs } from "./packs.ts";
import { Placement } from "./placement.ts";
import { Kernel } from "./policy.ts";
import {
  BOOTSTRAP,
  CORDUM_1,
  type Profile,
  PROFILES,
  VERSION,
} from "./profile.ts";
import { startRedisServer } from "./redis_server.ts";
import { type Artifacts, createRoutes, type Parts } from "./routes.ts";
import { Scheduler } from "./scheduler.ts";

export type { Faults } from "./common.ts";

export interface DevcoreOptions {
  /** The platform that it plays; by default that of January 2026. */
  profile?: Profile;
  /** What it calls itself, if not what that platform does. */
  version?: string;
  faults?: Faults;
  /** Milliseconds since the epoch; what is to happen later goes by it, too. */
  clock?: () => number;
  /**
   * How often policy and routing are reloaded, each on its own timer. Whatever
   * the platform does at least that often is not done less often, either.
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
  /** May be changed while it runs. */
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
const SNAPSHOT = "sys:workers:snapshot";
const MARKER = "devcore:marker";
const MARKER_TTL_S = 365 * 24 * 3600;

/** Starts the stand-in on free loopback ports. */
export async function startDevcore(
  options: DevcoreOptions = {},
): Promise<Devcore> {
  await using started = new AsyncDisposableStack();
  const { write = () => {}, apiKey = "devkey", faults = {} } = options;
  const { clock = sinceEpoch, profile = PROFILES[0] } = options;
  const isCordum1 = profile === "cordum-1.0";
  const { reloadMs = isCordum1 ? CORDUM_1.reloadMs : RELOAD_MS } = options;
  const log = createLog({ worker: "devcore" }, { write });
  const abort = new AbortController();
  const { signal } = abort;
  const natsUrl = options.natsUrl ?? started.use(await startNatsServer()).url;
  const redisUrl = options.redisUrl ??
    started.use(await startRedisServer()).url;
  const client = { name: "devcore", log, signal };
  const bus = started.use(await connectBus({ ...client, url: natsUrl }));
  const store = started.use(await connectStore({ ...client, url: redisUrl }));
  const values = valuesIn(store, log, signal);
  const { read, write: writeValue } = values;
  const timers = new Timers(clock, reloadMs);
  const { version = VERSION[profile] } = options;
  const kind = { isCordum1, version };
  const base = { bus, store, natsUrl, faults, ...kind, clock, timers };
  const parts = createParts({ ...base, read, write: writeValue }, profile);
  await bus.flush();
  await values.mark();
  await writeValue(SNAPSHOT, parts.placement.snapshot());
  started.defer(startTimers(parts, reloadMs, log));
  const elder = createRoutes(parts);
  const routes = isCordum1 ? cordum1Routes(parts, apiKey, elder) : elder;
  const refresh = once(() => forgetWhatRedisLost(parts, values, log));
  const gateway = {
    ...{ apiKey, clock, faults, routes, refresh, signal },
    refusalBody: isCordum1 ? refusalBody : () => undefined,
  };
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    // The client is gone, or was cut off on purpose.
    onError: () => new Response(null, { status: 500 }),
  }, createGateway(gateway));
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

/** Never set back, unlike `Date.now()`. */
function sinceEpoch(): number {
  return performance.timeOrigin + performance.now();
}

/** The parts, each built on those before it. */
function createParts(base: Base, profile: Profile): Parts {
  const schemas = new Map<string, unknown>();
  const artifacts: Artifacts = new Map();
  const kernel = new Kernel(base.isCordum1);
  const config = new ConfigDocuments(base.clock, BOOTSTRAP[profile]);
  const placement = new Placement(config, base);
  const scheduler = new Scheduler({ ...base, config, kernel, placement });
  const engine = new Engine({ ...base, schemas, scheduler });
  const { workflows } = engine;
  const packs = new Packs({ ...base, config, schemas, workflows, kernel });
  const state = { schemas, artifacts, config, kernel, placement };
  return { ...base, ...state, scheduler, engine, packs };
}

/** Does what the platform does every few seconds; returns what ends it. */
function startTimers(parts: Parts, reloadMs: number, log: Log): () => void {
  const { scheduler, placement, engine, write } = parts;
  const intervals = ([
    [reloadMs, () => loadPolicy(parts, log)],
    [reloadMs, () => placement.loadRouting()],
    [SNAPSHOT_MS, () => void write(SNAPSHOT, placement.snapshot())],
    [TICK_MS, () => engine.findTimeouts()],
    [EXPIRE_MS, () => scheduler.expire()],
  ] as const).map(([ms, run]) => setInterval(run, Math.min(ms, reloadMs)));
  return () => {
    intervals.forEach(clearInterval);
    parts.timers.stop();
  };
}

/** A fragment that is not YAML leaves the whole policy as it was. */
function loadPolicy({ faults, config, kernel }: Parts, log: Log): void {
  if (faults.freezePolicy) return;
  const bundles = Object.entries(config.read("policy", "bundles"));
  const fragments = bundles.map(([id, bundle]) =>
    [id, String((bundle as JsonObject)["content"])] as const
  );
  try {
    kernel.reload(new Map(fragments));
  } catch (error) {
    log.error("Cannot load policy", { error: messageOf(error) });
  }
}

async function forgetWhatRedisLost(
  { scheduler, engine, artifacts, timers }: Parts,
  values: Values,
  log: Log,
): Promise<void> {
  if (!await values.areLost()) return;
  timers.stop();
  scheduler.timedOut.length = 0;
  const { runs, keys } = engine;
  for (const kept of [scheduler.jobs, runs, keys, artifacts]) kept.clear();
  await values.mark();
  log.warn("Redis lost its data; jobs, runs and approvals are forgotten");
}

/** Lets calls share a run that is already on its way. */
function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => running ??= run().finally(() => running = undefined);
}

type Values = ReturnType<typeof valuesIn>;

/** What devcore keeps in Redis. */
function valuesIn(store: Store, log: Log, signal: AbortSignal) {
  const read: Base["read"] = async (key) => {
    using end = deadline(REDIS_TIMEOUT_MS, signal);
    try {
      return await store.read(key, VALUE_BYTES_MAX, end.signal);
    } catch (error) {
      const isLong = error instanceof StoreError && error.kind === "too large";
      if (isLong) return undefined;
      throw error;
    }
  };
  const write = async (key: string, value: unknown, ttlS = VALUE_TTL_S) => {
    try {
      await store.write(key, JSON.stringify(value), ttlS, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error("Cannot write", { key, error: messageOf(error) });
    }
  };
  return {
    read,
    write,
    /** As long as its mark is there, Redis has lost nothing. */
    mark: () => write(MARKER, 1, MARKER_TTL_S),
    /** A Redis that cannot answer has not said that it lost anything. */
    areLost: async () =>
      store.connected() && await read(MARKER).catch(() => "") === undefined,
  };
}
