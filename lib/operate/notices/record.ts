/**
 * What people were told of one approval: an append-only list in Redis, whose
 * state is a fold over it. Only `RPUSH` and `LRANGE` decide, as for posts, so
 * that several desks side by side send one notice. Pure.
 *
 * A desk that died after its claim leaves a notice that may not have been sent.
 * Another desk then claims over it: a notice twice is better than none.
 *
 * @module
 */
import { objectOf, parseJson, stringOf } from "../../base/json.ts";

/** Where a notice goes. */
export type ChannelName = "slack" | "hook";

/** One entry of the list. */
export type NoticeEvent =
  | {
    type: "claim";
    to: ChannelName;
    rank: number;
    token: string;
    /** The token of a claim that was left open. */
    over?: string;
    /** RFC 3339. */
    at: string;
  }
  | { type: "sent"; token: string; at: string }
  | {
    type: "failed";
    token: string;
    why: string;
    at: string;
    /** RFC 3339: no attempt before. */
    again: string;
  };

/** How far one channel has been told. */
export interface Told {
  /** The rank of the latest notice that was sent; -1 for none. */
  rank: number;
  /** Whose claim stands. */
  holder: { token: string; rank: number } | undefined;
  /** Attempts since the last notice that was sent. */
  failures: number;
  /** In ms since the epoch; 0 if another attempt may begin now. */
  againMs: number;
  /** Why the last attempt failed. */
  why: string;
}

/** A job waits anew after a bounce, so the time belongs to the key. */
export function noticeKey(approval: { jobId: string; since: number }): string {
  return `incident-enricher:notice:${approval.jobId}:${secondOf(approval)}`;
}

/** The second since which a job waits, the same for every desk. */
export function secondOf({ since }: { since: number }): number {
  return Math.floor(since / 1000);
}

/** No approval is told of for longer than a day. */
export const NOTICE_TTL_S = 3 * 24 * 3600;

const ITEM_CHARS_MAX = 2_000;

/** Reads how far a channel was told. Entries of others, and unreadable ones, count nothing. */
export function foldNotices(
  items: readonly string[],
  channel: ChannelName,
): Told {
  const ranks = new Map<string, number>();
  let told: Told = {
    rank: -1,
    holder: undefined,
    failures: 0,
    againMs: 0,
    why: "",
  };
  for (const item of items) {
    const event = readEvent(item);
    if (event === undefined) continue;
    const { token } = event;
    if (event.type === "claim") {
      if (event.to !== channel) continue;
      ranks.set(token, event.rank);
      const { holder } = told;
      const open = holder === undefined || holder.token === event.over;
      if (open && event.rank > told.rank) {
        told = { ...told, holder: { token, rank: event.rank } };
      }
      continue;
    }
    const rank = ranks.get(token);
    if (rank === undefined) continue;
    const held = told.holder?.token === token;
    const holder = held ? undefined : told.holder;
    if (event.type === "sent") {
      // Also of a claim that another one went over.
      const done = Math.max(told.rank, rank);
      told = { rank: done, holder, failures: 0, againMs: 0, why: "" };
    } else if (held) {
      const failures = told.failures + 1;
      const againMs = Date.parse(event.again) || 0;
      told = { ...told, holder, failures, againMs, why: event.why };
    }
  }
  return told;
}

function readEvent(item: string): NoticeEvent | undefined {
  if (item.length > ITEM_CHARS_MAX) return undefined;
  const read = objectOf(parseJson(item));
  if (read === undefined) return undefined;
  const token = stringOf(read["token"]);
  const at = stringOf(read["at"]);
  if (token === "") return undefined;
  switch (read["type"]) {
    case "claim": {
      const { to, rank, over } = read;
      if (to !== "slack" && to !== "hook" || !Number.isSafeInteger(rank)) {
        return undefined;
      }
      const claim = {
        type: "claim",
        to,
        rank: Number(rank),
        token,
        at,
      } as const;
      return typeof over === "string" ? { ...claim, over } : claim;
    }
    case "sent":
      return { type: "sent", token, at };
    case "failed": {
      const why = stringOf(read["why"]);
      return { type: "failed", token, why, at, again: stringOf(read["again"]) };
    }
    default:
      return undefined;
  }
}
