/**
 * A poster with relays of its own to NATS and Redis, so that a fault strikes only
 * this one, and with a clock that can jump.
 *
 * @module
 */
import type {
  SpawnOptions,
  WorkerProcess,
} from "../../../../scripts/launch/process.ts";
import type { Relay } from "../../../support/relay.ts";
import { type Mutant, Replica, spawnOptions } from "../replica.ts";
import { relayNats } from "./nats_relay.ts";
import { relayRedis } from "./redis_relay.ts";
import type { PostStage } from "./stage.ts";

export interface PosterOptions {
  natsPort: number;
  redisPort: number;
  mutant: Mutant | undefined;
  spawn(
    env: Readonly<Record<string, string>>,
    options: SpawnOptions,
  ): WorkerProcess;
  /** The current trial, which sees the traffic between poster and servers. */
  stage(): PostStage | undefined;
}

const PRELOAD = "tests/campaigns/chaos/post/preload.ts";
const JUMP_MS = 5_000;

export class Poster extends Replica {
  readonly redis: Relay;
  readonly nats: Relay;
  /** How many hours the clock of its next process is ahead. */
  #ahead = 0;
  #jumps = 0;

  constructor(id: string, options: PosterOptions) {
    super(id, () => {
      this.#jumps = this.#ahead;
      return options.spawn({
        WORKER_ID: id,
        NATS_URL: `nats://127.0.0.1:${this.nats.port}`,
        REDIS_URL: `redis://127.0.0.1:${this.redis.port}`,
      }, {
        ...spawnOptions(options.mutant, `${this.#ahead}`),
        preload: PRELOAD,
      });
    });
    const { natsPort, redisPort, stage } = options;
    this.redis = relayRedis(
      redisPort,
      (when, command) => stage()?.redis(this, when, command) ?? "pass",
    );
    this.nats = relayNats(
      natsPort,
      (when, ...message) => stage()?.nats(this, when, ...message) ?? "pass",
    );
  }

  /** Starts it with its clock ahead. */
  async startAhead(hours: number): Promise<void> {
    this.#ahead = hours;
    await this.start();
    this.#ahead = 0;
  }

  /** Lets its clock jump; resolves when it has. */
  async jump(hours: 1 | -1): Promise<void> {
    const { process } = this;
    if (process === undefined) return;
    this.#jumps += hours;
    const offset = this.#jumps * 3_600_000;
    process.signal(hours === 1 ? "SIGUSR2" : "SIGHUP");
    await process.waitFor(
      (line) => line["msg"] === "Clock jumped" && line["offset_ms"] === offset,
      JUMP_MS,
    ).catch(() => {}); // It may be killed or paused meanwhile.
  }

  /** Sets its clock right. */
  async unjump(): Promise<void> {
    while (this.process !== undefined && this.#jumps !== 0) {
      await this.jump(this.#jumps > 0 ? -1 : 1);
    }
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
    await this.nats[Symbol.asyncDispose]();
  }
}
