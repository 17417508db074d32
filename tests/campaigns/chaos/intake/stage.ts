/**
 * One trial on its lane: what is to happen when, and what did.
 *
 * @module
 */
import type { Note } from "../stage.ts";

/** The moments of a delivery that can be seen from outside the ingester. */
export const MOMENTS = [
  /** Half of the request has left the sender. */
  "half sent",
  "start arrived",
  /** The platform has done it, and the ingester does not know. */
  "start handled",
  "read arrived",
  "read handled",
  /** The sender has the ingester's answer. */
  "answered",
] as const;

/** A moment of a delivery. */
export type Moment = typeof MOMENTS[number];

/** Happens at a moment, to the replica that got there; what passes waits for it. */
export type Handler = (replica: string) => void | Promise<void>;

/** What becomes of a request at the gateway; by default it is just answered. */
export interface Strike {
  /** Before it is looked at. */
  earlyMs?: number;
  /** Whether the platform does nothing of what it is asked. */
  undone?: boolean;
  /** Before it is answered. */
  lateMs?: number;
  /** Instead of the platform's own answer. */
  reply?: "reset" | "hang" | { status: number; text: string };
}

/** What the network does with one attempt of a sender. */
export type Network =
  | { does: "refuse" }
  /** Only this share of the bytes gets through. */
  | { does: "cut"; share: number }
  /** All of them did, and the sender goes away at this moment. */
  | { does: "cut at"; moment: Moment }
  | { does: "lose answer" }
  | { does: "drip"; pieces: number; gapMs: number }
  | { does: "double"; to: "same" | "other" };

/** What was arranged for the first, second… of something, or for each. */
class Schedule<T> {
  #count = 0;
  readonly #items = new Map<number, T[]>();

  /** @param nth Counted from now on; 0 for each that has nothing of its own. */
  add(nth: number, item: T): void {
    const key = nth === 0 ? 0 : this.#count + nth;
    this.#items.set(key, [...this.#items.get(key) ?? [], item]);
  }

  /** One more happens. */
  next(): readonly T[] {
    this.#count++;
    return this.#items.get(this.#count) ?? this.#items.get(0) ?? [];
  }

  clear(): void {
    this.#items.clear();
  }
}

const NOTES_MAX = 200;

/** What one trial has arranged and seen. */
export class Stage {
  readonly notes: Note[] = [];
  /** Faults that struck, by their place in the plan. */
  readonly struck = new Set<number>();
  /** By route: `start` or `read`. */
  readonly requests = {
    start: new Schedule<() => Strike>(),
    read: new Schedule<() => Strike>(),
  };
  /** What becomes of a key that is reserved: no run, and the key is burned. */
  readonly burns = new Schedule<() => "limit" | "crash">();
  /** A sender's attempts. */
  readonly attempts = new Schedule<() => Network>();
  readonly #moments = new Map<Moment, Schedule<Handler>>(
    MOMENTS.map((moment) => [moment, new Schedule<Handler>()]),
  );
  readonly #pending: Promise<unknown>[] = [];
  readonly #start = performance.now();
  /** How late the runs of this trial are to be read. */
  runLateMs: () => number = () => 0;

  /**
   * @param token Stands in everything that the trial sends, and in nothing else.
   */
  constructor(readonly token: string) {}

  /** Arranges that `handler` is called at a moment, the nth time from now. */
  at(moment: Moment, handler: Handler, nth = 1): void {
    this.#moments.get(moment)!.add(nth, handler);
  }

  /** A replica is at a moment. */
  async reach(moment: Moment, replica: string): Promise<void> {
    this.note(`${replica} ${moment}`);
    for (const handler of this.#moments.get(moment)!.next()) {
      await handler(replica);
    }
  }

  /** Takes in what goes on beside the trial and has to end before it. */
  also(promise: Promise<unknown>): void {
    promise.catch(() => {}); // Told to whoever waits for it.
    this.#pending.push(promise);
  }

  /** Waits for all of it; what ends may have begun something else. */
  async settle(): Promise<void> {
    for (let seen = -1; seen < this.#pending.length;) {
      seen = this.#pending.length;
      await Promise.all(this.#pending);
    }
  }

  /** Nothing that was arranged happens any more. */
  disarm(): void {
    const { requests, burns, attempts } = this;
    for (
      const schedule of [
        requests.start,
        requests.read,
        burns,
        attempts,
        ...this.#moments.values(),
      ]
    ) schedule.clear();
  }

  /** Writes down what happened. */
  note(what: string): void {
    if (this.notes.length >= NOTES_MAX) return;
    this.notes.push({ ms: Math.round(performance.now() - this.#start), what });
  }
}
