/**
 * Jobs that were approved, followed until they end, once for all who watch.
 *
 * @module
 */
import { messageOf, OutsideError } from "../base/errors.ts";
import { follow, type Followed, type Hindrance } from "../operate/approvals.ts";
import type { Platform } from "../operate/platform.ts";

/** How far an approved job is. */
export interface Following {
  readonly sinceMs: number;
  readonly hindrance: Hindrance | undefined;
  /** `undefined` while it goes on. */
  readonly end: Followed | undefined;
  /** Why it cannot be followed any more. */
  readonly trouble: string | undefined;
}

/** Jobs followed at once; each costs three calls a second at first, then one in two. */
const AT_ONCE_MAX = 8;
/** Jobs that wait for their turn to be followed. */
const QUEUE_MAX = 200;
/** Ends that are kept for pages to be shown. */
const KEPT_MAX = 500;

export class Followings {
  readonly #platform: Platform;
  readonly #jobs = new Map<string, Following>();
  readonly #listeners = new Set<(jobId: string) => void>();
  readonly #queue = new Set<string>();
  #running = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  of(jobId: string): Following | undefined {
    return this.#jobs.get(jobId);
  }

  /** Follows a job, unless that is done already, when there is a place. */
  start(jobId: string): void {
    const known = this.#jobs.get(jobId);
    const goesOn = known !== undefined && known.end === undefined &&
      known.trouble === undefined;
    if (goesOn) return;
    if (this.#running >= AT_ONCE_MAX) {
      if (this.#queue.size < QUEUE_MAX) this.#queue.add(jobId);
      return;
    }
    this.#set(jobId, {
      ...{ sinceMs: Date.now(), hindrance: undefined },
      ...{ end: undefined, trouble: undefined },
    });
    void this.#follow(jobId);
  }

  /** @returns Ends that. */
  onChange(listener: (jobId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #follow(jobId: string): Promise<void> {
    this.#running++;
    const change = (change: Partial<Following>) =>
      this.#set(jobId, { ...this.#jobs.get(jobId)!, ...change });
    try {
      const end = await follow(this.#platform, jobId, {
        onWait: (_, hindrance) => {
          if (hindrance !== this.#jobs.get(jobId)?.hindrance) {
            change({ hindrance });
          }
        },
      });
      change({ end });
    } catch (error) {
      // A bug must not end the process, and the page says that it knows nothing.
      change({
        trouble: error instanceof OutsideError
          ? messageOf(error)
          : "the desk stopped following it",
      });
    } finally {
      this.#running--;
      const [next] = this.#queue;
      if (next !== undefined) {
        this.#queue.delete(next);
        this.start(next);
      }
    }
  }

  #set(jobId: string, following: Following): void {
    this.#jobs.delete(jobId);
    this.#jobs.set(jobId, following);
    for (const [old, { end, trouble }] of this.#jobs) {
      if (this.#jobs.size <= KEPT_MAX) break;
      if (end !== undefined || trouble !== undefined) this.#jobs.delete(old);
    }
    for (const listener of this.#listeners) listener(jobId);
  }
}
