/**
 * One poster of a lane: a place that a real poster process runs in, with relays
 * of its own, so that a fault strikes it and not the other.
 *
 * @module
 */
import {
  type LogLine,
  spawnWorker,
  type WorkerProcess,
} from "../../../scripts/launch/process.ts";
import { relayNats } from "./nats_relay.ts";
import { relayRedis } from "./redis_relay.ts";
import type { Relay } from "../../support/relay.ts";
import type { Verdict } from "./stage.ts";

/** What passes between a poster and its servers. */
export interface Traffic {
  redis(
    poster: Poster,
    when: "before" | "after",
    command: readonly string[],
  ): Verdict | Promise<Verdict>;
  nats(
    poster: Poster,
    when: "before" | "after",
    subject: string,
    payload: Uint8Array,
  ): Verdict | Promise<Verdict>;
}

/** What makes a poster. */
export interface PosterOptions {
  id: string;
  natsPort: number;
  redisPort: number;
  requires: readonly string[];
  env: Readonly<Record<string, string>>;
  traffic: Traffic;
  /** Instead of the product's poster. */
  file: string | undefined;
}

/** One line of its log, and which of its processes wrote it. */
export interface Line {
  starts: number;
  fields: LogLine;
}

const PRELOAD = "tests/campaigns/chaos/preload.ts";
const READY_MS = 30_000;
const JUMP_MS = 5_000;
const LINES_MAX = 200;

/** A poster. */
export class Poster implements AsyncDisposable {
  readonly id: string;
  readonly redis: Relay;
  readonly nats: Relay;
  readonly #options: PosterOptions;
  #lines: Line[] = [];
  #process: WorkerProcess | undefined;
  #starting: Promise<void> | undefined;
  #resume: ReturnType<typeof setTimeout> | undefined;
  #jumps = 0;
  #disposed = false;
  /** How often it was started. */
  starts = 0;

  constructor(options: PosterOptions) {
    this.id = options.id;
    this.#options = options;
    const { traffic } = options;
    this.redis = relayRedis(options.redisPort, {
      before: (command) => traffic.redis(this, "before", command),
      after: (command) => traffic.redis(this, "after", command),
    });
    this.nats = relayNats(options.natsPort, {
      before: (...message) => traffic.nats(this, "before", ...message),
      after: (...message) => traffic.nats(this, "after", ...message),
    });
  }

  /** Whether there is a process, be it one that only begins. */
  get exists(): boolean {
    return this.#process !== undefined;
  }

  /** Whether it runs and takes jobs. */
  get alive(): boolean {
    return this.#process !== undefined && this.#starting === undefined;
  }

  /** What it logged in this trial. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** Begins another trial. */
  forget(): void {
    this.#lines = [];
  }

  /**
   * Starts it, unless it runs; resolves when it takes jobs.
   *
   * @param hours By how many its clock is ahead.
   */
  start(hours = 0): Promise<void> {
    if (this.#disposed) return Promise.resolve();
    if (this.#starting !== undefined) return this.#starting;
    if (this.#process !== undefined) return Promise.resolve();
    return this.#starting = this.#spawn(hours).finally(() =>
      this.#starting = undefined
    );
  }

  async #spawn(hours: number): Promise<void> {
    const { id, requires, env, file } = this.#options;
    const process = spawnWorker("poster", requires, {
      ...env,
      WORKER_ID: id,
      NATS_URL: `nats://127.0.0.1:${this.nats.port}`,
      REDIS_URL: `redis://127.0.0.1:${this.redis.port}`,
    }, {
      preload: PRELOAD,
      // The second is for whoever looks at a list of processes.
      args: [String(hours), `chaos-${Deno.pid}`],
      ...(file === undefined ? {} : { file, config: "deno.json" }),
    });
    this.#process = process;
    this.starts++;
    this.#jumps = hours;
    const { starts } = this;
    process.onLine((text) => {
      if (this.#lines.length >= LINES_MAX) return;
      this.#lines.push({ starts, fields: parse(text) });
    });
    process.ended.then(() => {
      if (this.#process === process) this.#process = undefined;
    });
    await process.waitFor("Worker ready", READY_MS);
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    clearTimeout(this.#resume);
    const process = this.#process;
    this.#process = undefined;
    await process?.kill();
  }

  /** Stops it for a while. */
  pause(ms: number): void {
    const process = this.#process;
    process?.signal("SIGSTOP");
    clearTimeout(this.#resume);
    this.#resume = setTimeout(() => process?.signal("SIGCONT"), ms);
  }

  /** Lets its clock jump by so many hours; resolves when it has. */
  async jump(hours: 1 | -1): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#jumps += hours;
    const offset = this.#jumps * 3_600_000;
    process.signal(hours === 1 ? "SIGUSR2" : "SIGHUP");
    await process.waitForLine(
      (line) => line["msg"] === "Clock jumped" && line["offset_ms"] === offset,
      JUMP_MS,
    ).catch(() => {}); // It may be killed or paused meanwhile.
  }

  /** Sets its clock right. */
  async unjump(): Promise<void> {
    while (this.#process !== undefined && this.#jumps !== 0) {
      await this.jump(this.#jumps > 0 ? -1 : 1);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await this.kill();
    await this.#starting?.catch(() => {});
    await this.redis[Symbol.asyncDispose]();
    await this.nats[Symbol.asyncDispose]();
  }
}

function parse(text: string): LogLine {
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}
