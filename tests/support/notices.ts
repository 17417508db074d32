/**
 * Notices without Redis and without webhooks, on a clock that tests turn.
 *
 * @module
 */
import { createLog } from "../../lib/base/log.ts";
import type { Channel } from "../../lib/operate/notices/channels.ts";
import type { NoticeStore } from "../../lib/operate/notices/claims.ts";
import type { Delivery } from "../../lib/operate/notices/deliver.ts";
import type { Notice } from "../../lib/operate/notices/message.ts";
import {
  Notices,
  type NoticesOptions,
} from "../../lib/operate/notices/notices.ts";
import type { WaitingPost } from "../../lib/operate/waiting.ts";
import type { WaitingRow } from "../../lib/operate/watch.ts";

/** When all tests begin. */
export const START_MS = Date.parse("2026-11-29T09:30:00Z");

export interface FakeStore extends NoticeStore {
  readonly lists: Map<string, string[]>;
  /** Thrown by each call while it is set. */
  away: Error | undefined;
  /** Waits before each call; tests interleave desks with it. */
  before: () => Promise<void>;
}

export function fakeStore(): FakeStore {
  const lists = new Map<string, string[]>();
  const store: FakeStore = {
    lists,
    away: undefined,
    before: () => Promise.resolve(),
    async append(key, item) {
      await store.before();
      if (store.away !== undefined) throw store.away;
      lists.set(key, [...lists.get(key) ?? [], item]);
    },
    async list(key) {
      await store.before();
      if (store.away !== undefined) throw store.away;
      return lists.get(key) ?? [];
    },
  };
  return store;
}

export interface FakeChannel extends Channel {
  /** What each delivery told of, as `kind job`. */
  readonly told: string[][];
  /** How each delivery ends. */
  answer: () => Delivery | Promise<Delivery>;
}

export function fakeChannel(changes: Partial<Channel> = {}): FakeChannel {
  const told: string[][] = [];
  const channel: FakeChannel = {
    name: "slack",
    title: "Slack",
    noticesMax: 50,
    paceMs: () => 0,
    told,
    answer: () => ({ delivered: true }),
    async deliver(notices) {
      told.push(notices.map(nameOf));
      return await channel.answer();
    },
    ...changes,
  };
  return channel;
}

function nameOf({ kind, rank, post }: Notice): string {
  return `${kind === "reminder" ? `reminder ${rank}` : kind} ${post.job_id}`;
}

/** A job that waits since the start, and can be approved for an hour. */
export function waitingRow(
  jobId: string,
  changes: Partial<WaitingPost> = {},
  sinceMs: number = START_MS,
): WaitingRow {
  const topic = "job.incident-enricher.post";
  const job = {
    jobId,
    topic,
    ruleId: "r",
    policySnapshot: "s",
    since: sinceMs,
  };
  const post: WaitingPost = {
    job_id: jobId,
    run_id: "run",
    topic,
    incident_id: "mock:1",
    title: "Orders fail",
    severity: "critical",
    destination: "slack",
    headline: "🔴 P1 · checkout-api: orders fail",
    lines: ["since 09:20"],
    rule_id: "r",
    message_sha256: "0".repeat(64),
    since: new Date(sinceMs).toISOString(),
    age_s: 0,
    until: new Date(sinceMs + 3_600_000).toISOString(),
    effect: "new",
    posted_at: "",
    posted_as: "",
    note: "",
    problem: "",
    remedy: "",
    ...changes,
  };
  return { job, post, trouble: undefined };
}

export interface FakeDesk extends AsyncDisposable {
  readonly notices: Notices;
  /** The only one, unless a test brings its own. */
  readonly channel: FakeChannel;
  /** Its clock, unless a test brings its own. */
  nowMs: number;
  readonly counts: Map<string, number>;
  readonly lines: string[];
}

/** Sends notices until it is disposed of. */
export function startNotices(
  options: Partial<NoticesOptions> = {},
): FakeDesk {
  const channel = fakeChannel();
  const counts = new Map<string, number>();
  const lines: string[] = [];
  const stop = new AbortController();
  const notices = new Notices({
    channels: [channel],
    store: fakeStore(),
    now: () => desk.nowMs,
    remindMinutes: [5, 15],
    deskUrl: "https://desk.example.com",
    log: createLog({}, { write: (line) => lines.push(line) }),
    count: (name) => counts.set(name, (counts.get(name) ?? 0) + 1),
    tickMs: 5,
    staleMs: Infinity,
    ...options,
  });
  const desk: FakeDesk = {
    notices,
    channel,
    nowMs: START_MS,
    counts,
    lines,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
  const running = notices.run(stop.signal);
  return desk;
}
