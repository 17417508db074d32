/**
 * Claiming a notice in the record of its approval, and settling the claim.
 *
 * @module
 */
import type { Notice } from "./message.ts";
import type { Platform } from "../platform.ts";
import {
  type ChannelName,
  foldNotices,
  NOTICE_TTL_S,
  type NoticeEvent,
} from "./record.ts";

/** The lists in Redis. */
export interface NoticeStore {
  append(key: string, item: string): Promise<void>;
  /** All items, oldest first. */
  list(key: string): Promise<string[]>;
}

/** The platform's own Redis. */
export function noticeStore(platform: Platform): NoticeStore {
  return {
    append: (key, item) => platform.append(key, item, NOTICE_TTL_S),
    list: (key) => platform.list(key),
  };
}

/** A notice that this desk sends. */
export interface Claimed {
  notice: Notice & { key: string };
  token: string;
  /** Attempts that failed before. */
  failures: number;
}

export type Found =
  | { state: "mine"; token: string; failures: number }
  /** It was sent, or a later one. */
  | { state: "told"; rank: number }
  /** Another desk sends it. */
  | { state: "held"; token: string }
  /** An attempt failed, of whatever desk; none before. */
  | { state: "later"; againMs: number; why: string };

const WHY_CHARS_MAX = 200;
/** No attempt is put off further; what says so comes from a clock that is wrong. */
export const AGAIN_MAX_MS = 15 * 60_000;

/**
 * Claims a notice.
 *
 * @param options.over A claim to go over, whose desk is gone.
 * @throws {StoreError}
 */
export async function claim(
  store: NoticeStore,
  { to, key, rank }: { to: ChannelName; key: string; rank: number },
  { over, nowMs }: { over: string | undefined; nowMs: number },
): Promise<Found> {
  const before = foldNotices(await store.list(key), to);
  if (before.rank >= rank) return { state: "told", rank: before.rank };
  const { holder, failures } = before;
  if (holder !== undefined && holder.token !== over) {
    return { state: "held", token: holder.token };
  }
  const waitMs = before.againMs - nowMs;
  if (waitMs > 0 && waitMs <= AGAIN_MAX_MS) {
    return { state: "later", againMs: before.againMs, why: before.why };
  }
  const token = crypto.randomUUID();
  const event: NoticeEvent = {
    type: "claim",
    to,
    rank,
    token,
    ...(holder === undefined ? {} : { over: holder.token }),
    at: new Date(nowMs).toISOString(),
  };
  await store.append(key, JSON.stringify(event));
  const after = foldNotices(await store.list(key), to);
  if (after.holder?.token === token) return { state: "mine", token, failures };
  return after.holder === undefined
    ? { state: "told", rank: after.rank }
    : { state: "held", token: after.holder.token };
}

/** Records how a claim ended. @throws {StoreError} */
export async function settle(
  store: NoticeStore,
  { key, token }: { key: string; token: string },
  failed: { why: string; againMs: number } | undefined,
  nowMs: number,
): Promise<void> {
  const at = new Date(nowMs).toISOString();
  const event: NoticeEvent = failed === undefined
    ? { type: "sent", token, at }
    : {
      type: "failed",
      token,
      why: failed.why.slice(0, WHY_CHARS_MAX),
      at,
      again: new Date(failed.againMs).toISOString(),
    };
  await store.append(key, JSON.stringify(event));
}
