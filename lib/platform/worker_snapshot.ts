/**
 * The scheduler's snapshot of its workers, as it keeps it in Redis.
 *
 * @module
 */
import { isObject, objectOf, parseJson, stringOf } from "../base/json.ts";
import { SNAPSHOT_KEY, type Store } from "./store.ts";

export interface WorkerSnapshot {
  /** In milliseconds since the epoch; `NaN` if it says none. */
  capturedMs: number;
  topics: Record<string, { pool?: string; available?: boolean }>;
  workers: { worker_id: string; pool: string }[];
}

const BYTES_MAX = 4 * 1024 * 1024;

/** @returns `undefined` if the platform writes none. @throws {StoreError} */
export async function readWorkerSnapshot(
  store: Pick<Store, "read">,
  signal: AbortSignal,
): Promise<WorkerSnapshot | undefined> {
  const text = await store.read(SNAPSHOT_KEY, BYTES_MAX, signal);
  const snapshot = objectOf(parseJson(text ?? ""));
  if (snapshot === undefined) return undefined;
  const { captured_at, topics, workers } = snapshot;
  return {
    capturedMs: Date.parse(stringOf(captured_at)),
    topics: (objectOf(topics) ?? {}) as WorkerSnapshot["topics"],
    workers: [workers].flat().filter(isObject) as WorkerSnapshot["workers"],
  };
}
