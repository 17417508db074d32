/**
 * Watches what waits for approval, for everybody who looks at the desk: the
 * platform is asked at the same pace whether nobody looks or fifty people do.
 *
 * @module
 */
import { messageOf, OutsideError } from "../base/errors.ts";
import { errorFields, type Log } from "../base/log.ts";
import { wait, within } from "../base/time.ts";
import type { Operator } from "../operate/operator.ts";
import type { WaitingJob } from "../operate/platform.ts";
import { Waiting, type WaitingRow } from "../operate/watch.ts";
import type { Board, BoardSource } from "./board.ts";
import type { WatcherPace } from "./settings.ts";

export interface WatcherOptions extends WatcherPace {
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Which notices could not be delivered. */
  undelivered?: () => readonly string[];
  /** Told what waits after each look and each read. */
  onRows?: (rows: readonly WaitingRow[]) => void;
}

/** Watches until it is disposed of, or the operator's signal aborts. */
export interface OpenWatcher extends BoardSource, AsyncDisposable {}

const LOOK_MS = 2_000;
/** A list that takes long to make is asked for less often. */
const LOOK_MAX_MS = 15_000;
const TIMES_SLOWER = 10;
/** Of jobs, two calls each: a fifth of what the gateway allows everybody. */
const READS_A_SECOND = 5;
const EFFECTS_MS = 10_000;
/** So long after the last page, nobody looks any more. */
const LOOKED_MS = 60_000;
/** A page waits no longer for the first look. */
const FIRST_MS = 2_500;
/** Of a page that is looked at, all are read first. */
const WANTED_MAX = 50;

/** Starts watching when it is first asked, or told to. */
export function openWatcher(
  operator: Operator,
  log: Log,
  options: WatcherOptions = {},
): OpenWatcher {
  return new BoardWatcher(operator, log, options);
}

class BoardWatcher implements OpenWatcher {
  readonly #waiting: Waiting;
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #log: Log;
  readonly #now: () => number;
  readonly #options: WatcherOptions;
  readonly #listeners = new Set<() => void>();
  #loop: Promise<void> | undefined;
  #looked = Promise.withResolvers<void>();
  #wake = Promise.withResolvers<void>();
  #readMs: number | undefined;
  #trouble: string | undefined;
  /** What was last told. */
  #seen = "";
  #wanted: readonly string[] = [];
  /** By `performance.now()`, as all that follow. */
  #lookAtMs = 0;
  #readAtMs = 0;
  #effectsAtMs = 0;
  #seenAtMs = -Infinity;

  constructor(operator: Operator, log: Log, options: WatcherOptions) {
    const { platform, posts, postMaxAgeS: maxAgeS } = operator;
    this.#now = options.now ?? Date.now;
    const reading = { maxAgeS, posts, now: this.#now };
    this.#waiting = new Waiting(platform, reading);
    this.#signal = platform.signal;
    this.#log = log;
    this.#options = options;
    this.#signal.addEventListener("abort", this.#end);
    if (this.#signal.aborted) this.#end();
  }

  readonly #end = () => {
    this.#stop.abort(this.#signal.reason);
    this.#wake.resolve();
  };

  start(): void {
    this.#loop ??= this.#run();
  }

  async board(): Promise<Board> {
    this.start();
    this.#seenAtMs = performance.now();
    await within(FIRST_MS, this.#looked.promise).catch(() => {});
    return {
      rows: this.#waiting.rows(),
      readMs: this.#readMs,
      trouble: this.#trouble,
      undelivered: this.#options.undelivered?.() ?? [],
    };
  }

  find(jobId: string): WaitingRow | undefined {
    return this.#waiting.find(jobId);
  }

  want(jobIds: readonly string[]): void {
    this.#wanted = jobIds.slice(0, WANTED_MAX);
  }

  refresh(): void {
    this.#lookAtMs = 0;
    this.#wake.resolve();
  }

  onChange(listener: () => void): () => void {
    this.start();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#end);
    this.#stop.abort(new DOMException("The watch ends", "AbortError"));
    this.#wake.resolve();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#step();
      } catch (error) {
        if (signal.aborted) break;
        // A bug in reading one thing must not end the watch over all.
        this.#log.error("Cannot watch what waits", errorFields(error));
        this.#trouble = "the desk failed to read what waits; see its log";
      }
      this.#looked.resolve();
      await this.#pause();
    }
    this.#looked.resolve();
  }

  async #step(): Promise<void> {
    if (performance.now() >= this.#lookAtMs) await this.#look();
    const next = this.#next();
    if (next.length > 0 && performance.now() >= this.#readAtMs) {
      const { readsASecond = READS_A_SECOND } = this.#options;
      this.#readAtMs = performance.now() + next.length * 1_000 / readsASecond;
      await this.#attempt(() => this.#waiting.read(next));
      this.#tell();
    } else if (this.#isEffectsDue()) {
      this.#effectsAtMs = performance.now() + EFFECTS_MS;
      await this.#attempt(() => this.#waiting.refreshEffects());
    }
    const picture = this.#picture();
    if (picture !== this.#seen) this.#tell();
    this.#seen = picture;
  }

  async #look(): Promise<void> {
    const started = performance.now();
    const { lookMs = LOOK_MS } = this.#options;
    this.#lookAtMs = Infinity;
    try {
      await this.#waiting.look();
      this.#readMs = this.#now();
      this.#trouble = undefined;
    } catch (error) {
      this.#stop.signal.throwIfAborted();
      if (!(error instanceof OutsideError)) throw error;
      if (this.#trouble === undefined) {
        this.#log.warn("The platform is away", errorFields(error));
      }
      this.#trouble = messageOf(error);
    } finally {
      const slow = (performance.now() - started) * TIMES_SLOWER;
      const ms = Math.min(LOOK_MAX_MS, Math.max(lookMs, slow));
      // Somebody may have asked for another look meanwhile.
      if (this.#lookAtMs !== 0) this.#lookAtMs = performance.now() + ms;
    }
    this.#hand();
  }

  /** What is read next: what somebody looks at, then the newest. */
  #next(): WaitingJob[] {
    const unread = this.#waiting.unread();
    const rank = new Map(this.#wanted.map((id, at) => [id, at]));
    const rankOf = ({ jobId }: WaitingJob) => rank.get(jobId) ?? WANTED_MAX;
    return unread
      .toSorted((a, b) => rankOf(a) - rankOf(b) || b.since - a.since)
      .slice(0, READS_A_SECOND);
  }

  #isEffectsDue(): boolean {
    const now = performance.now();
    return now >= this.#effectsAtMs && now - this.#seenAtMs < LOOKED_MS;
  }

  /** What cannot be read is told by its row, and read again later. */
  async #attempt(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      this.#stop.signal.throwIfAborted();
      if (!(error instanceof OutsideError)) throw error;
    }
    this.#hand();
  }

  /** What the platform cannot confirm is nobody's to act on. */
  #hand(): void {
    if (this.#trouble !== undefined) return;
    this.#options.onRows?.(this.#waiting.rows());
  }

  /** Which jobs wait, whether that is known, and what people were not told. */
  #picture(): string {
    const jobs = this.#waiting.jobs.map(({ jobId, since }) => [jobId, since]);
    const undelivered = this.#options.undelivered?.() ?? [];
    return JSON.stringify([this.#trouble, jobs, undelivered]);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  async #pause(): Promise<void> {
    const unread = this.#waiting.unread().length > 0;
    const at = Math.min(this.#lookAtMs, unread ? this.#readAtMs : Infinity);
    const ms = Math.max(0, Math.min(LOOK_MAX_MS, at - performance.now()));
    using end = new DisposableStack();
    const timer = end.adopt(new AbortController(), (stop) => stop.abort());
    await Promise.race([
      wait(ms, timer.signal).catch(() => {}),
      this.#wake.promise,
    ]);
    this.#wake = Promise.withResolvers();
  }
}
