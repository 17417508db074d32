/**
 * Finds out whether the scheduler sends a worker's topic to the worker's pool.
 *
 * The scheduler's snapshot in Redis is its own word, but of several pools it
 * names only the first. So before a worker objects, it asks the gateway for the
 * whole list.
 *
 * @module
 */
import { deadline } from "../base/deadline.ts";
import { objectOf, parseJson, stringOf } from "../base/json.ts";
import type { Gateway } from "./gateway.ts";
import type { Store } from "./store.ts";
import type { Look } from "./lookout.ts";

const SNAPSHOT_KEY = "sys:workers:snapshot";
const SNAPSHOT_BYTES_MAX = 4 * 1024 * 1024;
/** The scheduler writes one every 5 s; an older one is no longer its word. */
const SNAPSHOT_AGE_MAX_MS = 60_000;

/** How long the gateway's list of pools is taken for true. */
const LISTED_MS = 60_000;
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
  /** What the gateway said last, about which pool of the snapshot. */
  let said: { mapped: string; listed: boolean; until: number } | undefined;
  return async (signal) => {
    const text = await store.read(SNAPSHOT_KEY, SNAPSHOT_BYTES_MAX, signal);
    const mapped = mappedPool(text, topic);
    if (mapped === undefined || mapped === pool) return undefined;
    if (said?.mapped !== mapped || performance.now() >= said.until) {
      const listed = (await listPools(gateway, topic, signal))?.includes(pool);
      said = listed === undefined
        ? undefined
        : { mapped, listed, until: performance.now() + LISTED_MS };
    }
    return said?.listed
      ? undefined
      : `routing sends ${topic} to the pool "${mapped}", and this worker is in "${pool}", so it gets no jobs; unset WORKER_POOL, or set it to the pool`;
  };
}

/** The first pool of a topic; `undefined` if the scheduler does not say. */
function mappedPool(text: string | undefined, topic: string) {
  const snapshot = objectOf(parseJson(text ?? ""));
  const capturedMs = Date.parse(stringOf(snapshot?.["captured_at"]));
  // Also for a time that is none.
  if (!(Math.abs(Date.now() - capturedMs) < SNAPSHOT_AGE_MAX_MS)) return;
  const entry = objectOf(objectOf(snapshot?.["topics"])?.[topic]);
  return stringOf(entry?.["pool"]) || undefined;
}

/** Every pool of a topic; `undefined` if the gateway does not say. */
async function listPools(
  gateway: Pick<Gateway, "call">,
  topic: string,
  signal: AbortSignal,
): Promise<unknown[] | undefined> {
  const path = "/config?scope=system&scope_id=default";
  using end = deadline(ASK_MS, signal);
  const answer = await gateway.call("GET", path, { signal: end.signal })
    .catch(() => undefined);
  const document = objectOf(answer);
  if (document === undefined) return undefined;
  // Cordum 1.0 answers with the data itself.
  const data = objectOf(document?.["data"]) ?? document;
  const topics = objectOf(objectOf(data?.["pools"])?.["topics"]);
  return [topics?.[topic]].flat();
}
