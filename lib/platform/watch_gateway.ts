/**
 * Watches whether the gateway answers and takes our key.
 *
 * Without the gateway a worker would fail every job that it takes, and a failed
 * post has spent its approval. So it takes none until the gateway is well.
 *
 * @module
 */
import { aborted, deadline, linkSignal } from "../base/deadline.ts";
import { messageOf } from "../base/errors.ts";
import { isObject } from "../base/json.ts";
import { errorFields, type Log } from "../base/log.ts";
import { wait } from "../base/time.ts";
import type { Gateway } from "./gateway.ts";
import { GatewayError } from "./gateway_error.ts";

/** Lengths in milliseconds; tests bring their own. */
export interface WatchTimes {
  /** Between two questions; the gateway's 50 a second are for all clients. */
  everyMs: number;
  /** The limit for one answer. */
  answerMs: number;
  /** How long the gateway may go without a good answer. */
  graceMs: number;
}

export interface WatchOptions {
  /** Asks the gateway once. Throws unless the answer is good. */
  ask: (signal: AbortSignal) => Promise<void>;
  log: Log;
  times?: Partial<WatchTimes> | undefined;
  /** Milliseconds, by a clock that nobody sets. */
  now?: () => number;
}

const TIMES: WatchTimes = {
  everyMs: 5_000,
  answerMs: 5_000,
  graceMs: 30_000,
};

/** Asks `GET /status`, which needs the key like every other route. */
export async function askStatus(
  gateway: Gateway,
  signal: AbortSignal,
): Promise<void> {
  const route = "/status";
  const answer = await gateway.call("GET", route, { signal, once: true });
  if (isObject(answer)) return;
  const message = `Cannot call GET ${route}: the answer is not an object`;
  throw new GatewayError(message, 200, "");
}

const UNSENDABLE = "unsendable";
const UNASKED = new GatewayError(
  "Cannot call GET /status: there is no answer yet",
  0,
  "",
);

export class GatewayWatch implements AsyncDisposable {
  readonly #options: WatchOptions;
  readonly #times: WatchTimes;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #failure: GatewayError | undefined = UNASKED;
  /** The setting that the operator was last told to check. */
  #told: string | undefined;
  #goodAt: number;
  #lastGood = false;
  #asking: Promise<boolean> | undefined;
  #running: Promise<void> | undefined;
  readonly #end = new AbortController();

  constructor(options: WatchOptions) {
    const { times, now = () => performance.now() } = options;
    this.#options = options;
    this.#times = { ...TIMES, ...times };
    this.#now = now;
    this.#goodAt = now();
  }

  /** What keeps the worker from taking jobs, if anything does. */
  get failure(): GatewayError | undefined {
    return this.#failure;
  }

  /** Whether the gateway has answered, or failed to. */
  get asked(): boolean {
    return this.#failure !== UNASKED;
  }

  /** The failure for people, with the setting to check. */
  get trouble(): string | undefined {
    const failure = this.#failure;
    return failure && `${failure.message}; check ${settingOf(failure)}`;
  }

  /** Any other call was answered well. */
  answered(): void {
    this.#goodAt = this.#now();
  }

  /** Calls `listener` whenever trouble begins or ends. @returns Ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when there is no trouble. @throws The signal's reason. */
  async untilGood(signal: AbortSignal): Promise<void> {
    using either = linkSignal(signal);
    using _ = defer(this.onChange(() => {
      if (this.#failure === undefined) either.abort(undefined);
    }));
    if (this.#failure !== undefined) await aborted(either.signal);
    signal.throwIfAborted();
  }

  /** Asks again and again, until disposed. */
  start(): void {
    this.#running ??= this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    const { everyMs, graceMs } = this.#times;
    while (!signal.aborted) {
      await this.check();
      const left = this.#goodAt + graceMs - this.#now();
      const ms = left > 0 ? Math.min(everyMs, left) : everyMs;
      await wait(ms, signal).catch(() => {});
    }
  }

  /**
   * Asks now, because a job has met with trouble. Jobs that do so together share
   * one question.
   *
   * @returns Whether the answer is good.
   */
  check(): Promise<boolean> {
    return this.#asking ??= this.#askOnce().finally(() =>
      this.#asking = undefined
    );
  }

  async #askOnce(): Promise<boolean> {
    const { signal } = this.#end;
    if (signal.aborted) return this.#lastGood;
    using end = deadline(this.#times.answerMs, signal);
    try {
      await this.#options.ask(end.signal);
      this.#good();
    } catch (error) {
      if (signal.aborted) return this.#lastGood;
      this.#bad(toGatewayError(error));
    }
    return this.#lastGood;
  }

  #good(): void {
    this.#goodAt = this.#now();
    this.#lastGood = true;
    if (this.#failure === undefined) return;
    if (this.#told !== undefined) {
      this.#options.log.info("Taking jobs again: the gateway answers");
    }
    this.#failure = this.#told = undefined;
    this.#changed();
  }

  #bad(error: GatewayError): void {
    const { log } = this.#options;
    const before = this.#failure;
    this.#lastGood = false;
    const late = this.#now() - this.#goodAt >= this.#times.graceMs;
    const certain = error.refusesKey || late;
    // Before its first good answer, any failure keeps the worker waiting.
    if (before === undefined && !certain) return;
    this.#failure = error;
    const setting = settingOf(error);
    if (certain && this.#told !== setting) {
      this.#told = setting;
      log.error(`Taking no jobs; check ${setting}`, errorFields(error));
    } else if (before === UNASKED) {
      log.warn("Cannot reach the gateway, trying again", errorFields(error));
    }
    if (before === undefined || before === UNASKED) this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Anything else means that no such request can be sent. */
function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const message = `Cannot call GET /status: ${messageOf(error)}`;
  return new GatewayError(message, 0, UNSENDABLE);
}

function defer(end: () => void): Disposable {
  return { [Symbol.dispose]: end };
}

/** The settings that may be wrong, or lead to what is wrong. */
export function settingOf(
  { refusesKey, foreign, detail }: GatewayError,
): string {
  if (refusesKey && !foreign) return "CORETEX_API_KEY";
  if (refusesKey || detail === UNSENDABLE) {
    return "CORETEX_GATEWAY_URL and CORETEX_API_KEY";
  }
  return detail === "TLS handshake failed"
    ? "CORETEX_GATEWAY_URL and CORETEX_TLS_CA"
    : "CORETEX_GATEWAY_URL";
}
