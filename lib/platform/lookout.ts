/**
 * Watches what a worker depends on and cannot see by doing its jobs. Each
 * finding is in the log once, and in `/readyz` as long as it lasts.
 *
 * @module
 */
import { deadline, linkSignal } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { wait, within } from "../base/time.ts";

/**
 * Looks at one thing. Its signal aborts when it has taken too long.
 *
 * @returns The problem, or `undefined` if there is none.
 * @throws If it cannot know. The last finding stands.
 */
export type Look = (signal: AbortSignal) => Promise<string | undefined>;

export interface LookoutOptions {
  log: Log;
  /** By the name that `/readyz` shows. */
  looks: Readonly<Record<string, Look>>;
  /** A stopping worker looks no more. */
  signal: AbortSignal;
  everyMs?: number;
  lookMs?: number;
}

const EVERY_MS = 5_000;
/** One that hangs must not hold up the others. */
const LOOK_MS = 2_000;

export class Lookout implements AsyncDisposable {
  readonly #options: LookoutOptions;
  readonly #problems = new Map<string, { text: string; until: number }>();
  readonly #stop: ReturnType<typeof linkSignal>;
  readonly #ended: Promise<unknown>;

  constructor(options: LookoutOptions) {
    this.#options = options;
    this.#stop = linkSignal(options.signal);
    const looks = Object.entries(options.looks);
    this.#ended = Promise.all(
      looks.map(([name, look]) => this.#run(name, look)),
    );
  }

  /** The last finding, if it was a problem. */
  problem(name: string): string | undefined {
    const { text, until } = this.#problems.get(name) ?? {};
    return until !== undefined && performance.now() < until ? text : undefined;
  }

  /**
   * Notes a finding; `undefined` for none. Logs changes only.
   *
   * @param forMs How long it stands unless there is news.
   */
  note(name: string, problem: string | undefined, forMs = Infinity): void {
    const { log } = this.#options;
    const before = this.problem(name);
    if (problem === undefined) this.#problems.delete(name);
    else {
      const until = performance.now() + forMs;
      this.#problems.set(name, { text: problem, until });
    }
    if (problem === before) return;
    if (problem === undefined) log.info("A problem is gone", { part: name });
    else log.error(`Not ready: ${problem}`, { part: name });
  }

  async #run(name: string, look: Look): Promise<void> {
    const { everyMs = EVERY_MS, lookMs = LOOK_MS } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      using end = deadline(lookMs, signal);
      try {
        const problem = await within(lookMs, look(end.signal));
        if (!signal.aborted) this.note(name, problem);
      } catch {
        // It cannot know now; the next look may.
      }
      await wait(everyMs, signal).catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new DOMException("Stopped", "AbortError"));
    await this.#ended;
    this.#stop[Symbol.dispose]();
  }
}
