/**
 * Finds a second live process with the same `WORKER_ID`. The platform sends each
 * job to both.
 *
 * Every process keeps writing its token under one key and sees whose token it
 * replaces. A token that comes back after ours has been written belongs to a
 * process that is alive. One that was there before may be left by a process that
 * was killed, so it counts for nothing.
 *
 * @module
 */
import type { Store } from "./store.ts";
import type { Look } from "./lookout.ts";

/** Longer than several looks, and short enough to forget a worker by. */
const TTL_S = 30;
/** A restart may overlap with its predecessor for one look. */
const SEEN_MIN = 2;

/** Looks for another process with this id. */
export function lookForTwin(
  store: Pick<Store, "swap">,
  workerId: string,
  token: string = crypto.randomUUID(),
): Look {
  const key = `incident-enricher:worker:${workerId}`;
  let written = false;
  let seen = 0;
  return async (signal) => {
    const before = await store.swap(key, token, TTL_S, signal);
    const isForeign = written && before !== undefined && before !== token;
    written = true;
    seen = isForeign ? seen + 1 : 0;
    return seen < SEEN_MIN
      ? undefined
      : `another live process has the WORKER_ID "${workerId}", so both get every job; each process needs its own`;
  };
}
