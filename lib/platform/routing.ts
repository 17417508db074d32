/**
 * Finds out whether the scheduler sends a worker's topic to the worker's pool.
 *
 * The scheduler's snapshot in Redis is its own word, but of several pools it
 * names only the first, and not every platform writes one. So before a worker
 * objects, it asks the gateway for the topic's pools.
 *
 * @module
 */
import { deadline } from "../base/deadline.ts";
import { objectOf, stringOf } from "../base/json.ts";
import { every } from "../base/time.ts";
import { configData, configPath } from "./config_document.ts";
import type { Gateway } from "./gateway.ts";
import type { Look } from "./lookout.ts";
import type { Store } from "./store.ts";
import { readWorkerSnapshot, type WorkerSnapshot } from "./worker_snapshot.ts";

/** The scheduler writes one every 5 s; an older one is no longer its word. */
const SNAPSHOT_AGE_MAX_MS = 60_000;
/** The gateway's 50 requests a second are for all. */
const ASK_EVERY_MS = 60_000;
const ASK_MS = 1_000;

/** Looks for a topic that is routed to other pools than this worker's. */
export function lookAtRouting(
  { store, gateway, topic, pool }: {
    store: Pick<Store, "read">;
    gateway: Pick<Gateway, "call">;
    topic: string;
    pool: string;
  },
): Look {
  const askPools = every(ASK_EVERY_MS, () => listPools(gateway, topic));
  return async (signal) => {
    const first = firstPool(await readWorkerSnapshot(store, signal), topic);
    if (first === pool) return undefined;
    const pools = await askPools();
    const mapped = first ?? pools[0];
    return mapped === undefined || pools.includes(pool)
      ? undefined
      : `routing sends ${topic} to the pool "${mapped}", and this worker is in "${pool}", so it gets no jobs; unset WORKER_POOL, or set it to the pool`;
  };
}

/** The first pool of a topic; `undefined` if the scheduler does not say. */
function firstPool(
  { capturedMs, topics }: Partial<WorkerSnapshot> = {},
  topic: string,
): string | undefined {
  const ageMs = Math.abs(Date.now() - (capturedMs ?? NaN));
  // Without a time there is no age, and so no such number.
  if (!(ageMs < SNAPSHOT_AGE_MAX_MS)) return undefined;
  return stringOf(topics?.[topic]?.pool) || undefined;
}

/** Every pool of a topic; none if the gateway does not say. */
async function listPools(
  gateway: Pick<Gateway, "call">,
  topic: string,
): Promise<string[]> {
  using end = deadline(ASK_MS);
  const { signal } = end;
  const answer = await gateway.call("GET", configPath("default"), {
    signal,
    once: true,
  }).catch(() => undefined);
  const topics = objectOf(objectOf(configData(answer)["pools"])?.["topics"]);
  return [topics?.[topic]].flat().filter((name) => typeof name === "string");
}
