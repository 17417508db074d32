/**
 * Tells people of approvals that wait: once when they come, again after a
 * while, and before they expire. Whoever decides elsewhere ends it.
 *
 * @module
 */
import { OutsideError } from "../../base/errors.ts";
import { errorFields, type Log } from "../../base/log.ts";
import { counted, utcOf } from "../../base/text.ts";
import { TOPIC_PREFIX } from "../pack.ts";
import type { WaitingPost } from "../waiting.ts";
import type { WaitingRow } from "../watch.ts";
import type { Channel } from "./channels.ts";
import {
  AGAIN_MAX_MS,
  claim,
  type Claimed,
  type NoticeStore,
  settle,
} from "./claims.ts";
import type { Notice } from "./message.ts";
import { noticeKey, secondOf } from "./record.ts";
import { stageOf } from "./stages.ts";

export interface NoticesOptions {
  channels: readonly Channel[];
  store: NoticeStore;
  remindMinutes: readonly number[];
  deskUrl: string | undefined;
  log: Log;
  /** Counts what is sent and what fails. */
  count: (name: string) => void;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Between two looks at what is due, if nothing new came. */
  tickMs?: number;
  /** What was heard longer ago may have been decided meanwhile. */
  staleMs?: number;
}

/** What one channel was told of one approval, as far as this process knows. */
interface Memory {
  rank: number;
  /** Nothing to do before, by the clock of `now`. */
  againMs: number;
  /** Another desk's claim, and since when it has been seen. */
  seen: { token: string; atMs: number } | undefined;
  /** Why the last attempt failed; empty if none did. */
  why: string;
}

/** An approval that people are told of. */
interface Approval {
  key: string;
  post: WaitingPost;
  sinceMs: number;
}

interface Failed {
  why: string;
  againMs: number;
}

/** A claim that ended: sent, unless it failed. */
interface Ended {
  key: string;
  token: string;
  failed: Failed | undefined;
}

const TICK_MS = 1_000;
const STALE_MS = 60_000;
/** A desk that has not settled its claim by now is gone. */
const CLAIM_MS = 30_000;
/** A claim that took so long to make is given back. */
const CLAIM_LATE_MS = 10_000;
const BACKOFF_MS = 5_000;
const HOPELESS_MS = 5 * 60_000;

/** Tells all channels of what waits. */
export class Notices {
  readonly #options: NoticesOptions;
  readonly #now: () => number;
  readonly #memories = new Map<Channel, Map<string, Memory>>();
  /** When a channel may be used again. */
  readonly #pausedMs = new Map<Channel, number>();
  #approvals: readonly Approval[] = [];
  /** When what waits was last heard. */
  #heardMs = -Infinity;
  #storeTrouble = "";
  /** Claims whose end is not recorded yet. */
  readonly #open = new Map<Channel, Ended[]>();
  readonly #wakers = new Set<() => void>();

  constructor(options: NoticesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    for (const channel of options.channels) {
      this.#memories.set(channel, new Map());
      this.#open.set(channel, []);
    }
  }

  /** Takes what waits now. Jobs of other packs are nobody's business here. */
  update(rows: readonly WaitingRow[]): void {
    this.#heardMs = this.#now();
    this.#approvals = rows.flatMap(({ job, post }) =>
      post === undefined || !job.topic.startsWith(TOPIC_PREFIX)
        ? []
        : [{ key: noticeKey(job), post, sinceMs: secondOf(job) * 1000 }]
    );
    const keys = new Set(this.#approvals.map(({ key }) => key));
    for (const memory of this.#memories.values()) {
      for (const key of memory.keys()) if (!keys.has(key)) memory.delete(key);
    }
    for (const wake of this.#wakers) wake();
  }

  /** Runs until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { channels } = this.#options;
    await Promise.all(channels.map((channel) => this.#serve(channel, signal)));
  }

  /** What could not be delivered so far, a sentence for each channel. */
  undelivered(): string[] {
    const problems = this.#options.channels.flatMap((channel) => {
      const failed = [...this.#memories.get(channel)!.values()]
        .filter(({ why }) => why !== "");
      const { why } = failed.at(-1) ?? {};
      if (why === undefined) return [];
      const againMs = Math.min(...failed.map(({ againMs }) => againMs));
      const again = utcOf(new Date(againMs).toISOString());
      return [
        `${
          counted(failed.length, "notice")
        } could not be delivered to ${channel.title}: ${why}; next attempt at ${again}`,
      ];
    });
    if (this.#storeTrouble !== "") {
      problems.push(`Notices cannot be recorded: ${this.#storeTrouble}`);
    }
    return problems;
  }

  async #serve(channel: Channel, signal: AbortSignal): Promise<void> {
    const { log, tickMs = TICK_MS } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#record(channel);
        const more = await this.#round(channel, signal);
        this.#storeTrouble = "";
        if (more) continue;
      } catch (error) {
        if (signal.aborted) return;
        const isAway = error instanceof OutsideError;
        if (!isAway) log.error("Cannot send notices", errorFields(error));
        else if (this.#storeTrouble === "") {
          log.warn("Notices cannot be recorded", errorFields(error));
        }
        this.#storeTrouble = isAway ? error.message : "see the log";
      }
      await this.#pause(tickMs, signal);
    }
  }

  /**
   * Tells a channel of all that is due, as far as one delivery goes.
   *
   * @returns Whether there was something to tell.
   */
  async #round(channel: Channel, signal: AbortSignal): Promise<boolean> {
    const { staleMs = STALE_MS } = this.#options;
    if (this.#now() - this.#heardMs > staleMs) return false;
    if (this.#now() < (this.#pausedMs.get(channel) ?? 0)) return false;
    const started = this.#now();
    const claims: Claimed[] = [];
    for (const notice of this.#due(channel)) {
      if (claims.length >= channel.noticesMax) break;
      const claimed = await this.#claim(channel, notice);
      if (claimed !== undefined) claims.push(claimed);
    }
    if (claims.length === 0) return false;
    if (this.#now() - started > CLAIM_LATE_MS) {
      const late = { why: "Redis took too long", againMs: this.#now() };
      await this.#settle(channel, claims, late);
    } else await this.#deliver(channel, claims, signal);
    return true;
  }

  #due(channel: Channel): (Notice & Approval)[] {
    const nowMs = this.#now();
    const memories = this.#memories.get(channel)!;
    return this.#approvals.flatMap((approval) => {
      const { post, sinceMs } = approval;
      const until = Date.parse(post.until);
      const stage = stageOf(
        {
          sinceMs,
          untilMs: Number.isNaN(until) ? undefined : until,
          approvable: post.problem === "",
        },
        this.#options.remindMinutes,
        nowMs,
      );
      const memory = memories.get(approval.key);
      if (stage === undefined) return [];
      if (memory === undefined) return [{ ...approval, ...stage }];
      const isDue = memory.rank < stage.rank && memory.againMs <= nowMs;
      return isDue ? [{ ...approval, ...stage }] : [];
    });
  }

  /** @returns `undefined` if somebody else tells of it, or has told. */
  async #claim(
    channel: Channel,
    notice: Notice & Approval,
  ): Promise<Claimed | undefined> {
    const { store } = this.#options;
    const nowMs = this.#now();
    const memory = this.#memoryOf(channel, notice.key);
    const { seen } = memory;
    const over = seen !== undefined && nowMs - seen.atMs >= CLAIM_MS
      ? seen.token
      : undefined;
    const wanted = { to: channel.name, key: notice.key, rank: notice.rank };
    const found = await claim(store, wanted, { over, nowMs });
    switch (found.state) {
      case "mine":
        return { ...found, notice };
      case "told":
        Object.assign(memory, { rank: found.rank, why: "", seen: undefined });
        return undefined;
      case "held":
        if (seen?.token !== found.token) {
          memory.seen = { token: found.token, atMs: nowMs };
        }
        memory.againMs = nowMs + TICK_MS;
        return undefined;
      case "later":
        Object.assign(memory, { againMs: found.againMs, why: found.why });
        return undefined;
    }
  }

  async #deliver(
    channel: Channel,
    claims: readonly Claimed[],
    signal: AbortSignal,
  ): Promise<void> {
    const { deskUrl, log, count } = this.#options;
    const notices = claims.map(({ notice }) => notice);
    const options = { deskUrl, nowMs: this.#now() };
    const sent = await channel.deliver(notices, options, signal);
    const fields = { to: channel.name, approvals: claims.length };
    if (sent.delivered) {
      count(`notices sent: ${channel.name}`);
      log.info("Sent a notice", fields);
      const pace = channel.paceMs(claims.length);
      this.#pausedMs.set(channel, this.#now() + pace);
      return await this.#settle(channel, claims, undefined);
    }
    if (signal.aborted) return;
    const { why, hopeless, waitMs } = sent;
    count(`notices failed: ${channel.name}`);
    log.warn("A notice could not be delivered", { ...fields, error: why });
    const failures = Math.max(...claims.map(({ failures }) => failures));
    const backoff = BACKOFF_MS * 2 ** Math.min(failures, 20);
    const least = hopeless ? HOPELESS_MS : waitMs;
    const ms = Math.min(AGAIN_MAX_MS, Math.max(least, backoff));
    const againMs = this.#now() + ms;
    this.#pausedMs.set(channel, againMs);
    await this.#settle(channel, claims, { why, againMs });
  }

  async #settle(
    channel: Channel,
    claims: readonly Claimed[],
    failed: Failed | undefined,
  ): Promise<void> {
    for (const { notice: { key, rank }, token } of claims) {
      const memory = this.#memoryOf(channel, key);
      // Spares a look at the record.
      if (failed === undefined) memory.rank = rank;
      memory.againMs = failed?.againMs ?? 0;
      memory.why = failed?.why ?? "";
      this.#open.get(channel)!.push({ key, token, failed });
    }
    await this.#record(channel);
  }

  /** Records how claims ended. What cannot be recorded is left for later. */
  async #record(channel: Channel): Promise<void> {
    const open = this.#open.get(channel)!;
    while (open.length > 0) {
      const { failed, ...claimed } = open[0]!;
      const nowMs = this.#now();
      await settle(this.#options.store, claimed, failed, nowMs);
      open.shift();
    }
  }

  #memoryOf(channel: Channel, key: string): Memory {
    const memories = this.#memories.get(channel)!;
    const memory = memories.get(key) ??
      { rank: -1, againMs: 0, seen: undefined, why: "" };
    memories.set(key, memory);
    return memory;
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakers.add(resolve);
    const timer = setTimeout(resolve, ms);
    const stop = () => resolve();
    signal.addEventListener("abort", stop);
    if (signal.aborted) resolve();
    await promise;
    clearTimeout(timer);
    this.#wakers.delete(resolve);
    signal.removeEventListener("abort", stop);
  }
}
