/**
 * What one trial has arranged, and what happened in it.
 *
 * @module
 */
import type { Random } from "./random.ts";

/** What becomes of traffic. */
export type Verdict =
  | "pass"
  /** The connection is cut here. */
  | "cut"
  /** Redis appears to answer this error. */
  | { error: string };

/** Happens when a replica reaches a moment; its traffic waits. */
export type Handler<R> = (
  replica: R,
) => Verdict | void | Promise<Verdict | void>;

/** Something that happened, for people. */
export interface Note {
  ms: number;
  what: string;
}

/** What a fault arranges itself with. */
export interface Tools<S, M, R> {
  readonly stage: S;
  /** Records that the fault strikes now. */
  struck(): void;
  /** Strikes the replica that is the nth to reach a moment from now on. */
  at(moment: M, handler: Handler<R>, nth?: number): void;
  /** Strikes what is the nth of its kind from now on, and those after it. */
  strike<T>(
    schedule: Schedule<() => T>,
    make: () => T,
    nth?: number,
    times?: number,
  ): void;
}

/** One fault, drawn for a trial. */
export interface Fault<L, T> {
  /** Its row in the table. */
  name: string;
  /** What else was drawn, for people. */
  detail: string;
  /** Arranges it before anything of the trial happens. */
  arm(lane: L, tools: T): void;
}

export type Draw<F> = (random: Random) => F;

/** What is arranged for the first, second… of something, or for every one. */
export class Schedule<T> {
  #count = 0;
  readonly #items = new Map<number, T[]>();

  /** @param nth Counted from now on; 0 for all that have nothing of their own. */
  add(nth: number, item: T): void {
    const key = nth === 0 ? 0 : this.#count + nth;
    this.#items.set(key, [...this.#items.get(key) ?? [], item]);
  }

  /** Counts one more. @returns What is arranged for it. */
  next(): readonly T[] {
    this.#count++;
    return this.#items.get(this.#count) ?? this.#items.get(0) ?? [];
  }

  clear(): void {
    this.#items.clear();
  }
}

const NOTES_MAX = 200;

export class Stage<M extends string, R extends { readonly id: string }> {
  readonly notes: Note[] = [];
  /** The places in the plan of the faults that struck. */
  readonly struck = new Set<number>();
  readonly #schedules: Schedule<unknown>[] = [];
  readonly #moments = new Map<M, Schedule<Handler<R>>>();
  readonly #pending: Promise<unknown>[] = [];
  readonly #over = Promise.withResolvers<Verdict>();
  readonly #end = new AbortController();
  readonly #start = performance.now();

  /** Aborts when the trial is over. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** @param place Of the fault in the plan. */
  tools(place: number): Tools<this, M, R> {
    const struck = () => void this.struck.add(place);
    return {
      stage: this,
      struck,
      at: (moment, handler, nth) =>
        this.at(moment, (replica) => {
          struck();
          return handler(replica);
        }, nth),
      strike(schedule, make, nth = 1, times = 1) {
        for (let more = 0; more < times; more++) {
          schedule.add(nth + more, () => {
            struck();
            return make();
          });
        }
      },
    };
  }

  at(moment: M, handler: Handler<R>, nth = 1): void {
    this.#schedule(moment).add(nth, handler);
  }

  /** Tells that a replica has reached a moment. */
  async reach(moment: M, replica: R): Promise<Verdict> {
    this.note(`${replica.id} ${moment}`);
    const handlers = this.#schedule(moment).next();
    if (handlers.length === 0) return "pass";
    const happening = Promise.all(
      handlers.map(async (handler) => await handler(replica)),
    );
    this.also(happening);
    const verdict = happening.then(
      (verdicts) => verdicts.find((one) => one && one !== "pass") || "pass",
      // settle() throws the failure.
      () => "cut" as const,
    );
    return await Promise.race([verdict, this.#over.promise]);
  }

  /** Takes in what goes on beside the trial and must end before it. */
  also(promise: Promise<unknown>): void {
    promise.catch(() => {}); // settle() throws it, perhaps later.
    this.#pending.push(promise);
  }

  /** What goes on, or went on, beside the trial. */
  get pending(): readonly Promise<unknown>[] {
    return this.#pending;
  }

  /** Waits for all of it, and for what that may begin. */
  async settle(beside?: () => Promise<unknown>): Promise<void> {
    let seen: number;
    do {
      seen = this.#pending.length;
      await Promise.all(this.#pending);
      await beside?.();
    } while (this.#pending.length > seen);
  }

  /** Nothing that was arranged happens any more. */
  disarm(): void {
    for (const schedule of this.#schedules) schedule.clear();
  }

  /** Ends the trial: cuts what is still held. */
  close(): void {
    this.disarm();
    this.#over.resolve("cut");
    this.#end.abort();
  }

  note(what: string): void {
    if (this.notes.length >= NOTES_MAX) return;
    this.notes.push({ ms: Math.round(performance.now() - this.#start), what });
  }

  /** A schedule that ends with the trial. */
  protected schedule<T>(): Schedule<T> {
    const schedule = new Schedule<T>();
    this.#schedules.push(schedule);
    return schedule;
  }

  #schedule(moment: M): Schedule<Handler<R>> {
    return this.#moments.getOrInsertComputed(moment, () => this.schedule());
  }
}
