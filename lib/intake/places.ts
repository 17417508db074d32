/**
 * How many webhooks are handled at the same time. Each source has its own share,
 * so that none keeps the others out.
 *
 * @module
 */
import { type Refusal, tooMany } from "./refusal.ts";
import type { IntakeConfig } from "./settings.ts";
import { admit, openWebhooks, type TakenWebhook } from "./webhooks.ts";

/** One webhook's place while it is handled. */
export interface Place extends Disposable {
  /**
   * Waits for the body. Until it has come, the place may be lost to a newer
   * request, because whoever sends no more would keep it for seconds.
   *
   * @throws {Refusal} 429 if the place was lost.
   */
  keepFor<T>(body: Promise<T>): Promise<T>;
}

export class Places {
  readonly #config: IntakeConfig;
  readonly #share: number;
  /** Of each source, the longest held first. */
  readonly #held = new Map<string, Set<TakenPlace>>();

  /** Shares `INGEST_MAX_INFLIGHT` among the open sources. */
  constructor(config: IntakeConfig) {
    const sources = Math.max(1, openWebhooks(config).length);
    this.#config = config;
    this.#share = Math.max(1, Math.floor(config.inFlightMax / sources));
  }

  get #size(): number {
    return [...this.#held.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Takes a place. Once all are taken and the source has its share, it takes the
   * place of its own request whose body has been awaited for longest.
   *
   * @throws {Refusal} If the headers prove that it is nobody's, and 429 if all
   * places are at work.
   */
  enter(webhook: TakenWebhook, headers: Headers): Place {
    admit(webhook, { headers }, this.#config);
    const { path } = webhook;
    const held = this.#held.get(path) ?? new Set();
    this.#held.set(path, held);
    // A source within its share gets in even if others have taken all.
    if (held.size >= this.#share && this.#size >= this.#config.inFlightMax) {
      const slowest = held.values().find(({ waits }) => waits);
      if (slowest === undefined) throw tooMany();
      slowest.lose(tooMany());
      held.delete(slowest);
    }
    const place = new TakenPlace(() => held.delete(place));
    held.add(place);
    return place;
  }
}

class TakenPlace implements Place {
  waits = true;
  readonly #lost = Promise.withResolvers<never>();
  readonly #leave: () => void;

  constructor(leave: () => void) {
    this.#leave = leave;
    // Nobody may be waiting for it yet, or any more.
    this.#lost.promise.catch(() => {});
  }

  lose(why: Refusal): void {
    this.#lost.reject(why);
  }

  async keepFor<T>(body: Promise<T>): Promise<T> {
    const whole = await Promise.race([body, this.#lost.promise]);
    this.waits = false;
    return whole;
  }

  [Symbol.dispose](): void {
    this.#leave();
  }
}
