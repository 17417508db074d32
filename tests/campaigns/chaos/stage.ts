/**
 * One trial on its lane: what is to happen when, and what did.
 *
 * @module
 */
import type { Random } from "./random.ts";

/** What becomes of what passes. */
export type Verdict =
  | "pass"
  /** The connection is cut here. */
  | "cut"
  /** This reply of Redis in place of its own. */
  | { error: string };

/** Happens at a moment, to the replica that got there; what passes waits. */
export type Handler<R> = (
  replica: R,
) => Verdict | void | Promise<Verdict | void>;

/** Something that happened, for whoever repeats a trial. */
export interface Note {
  ms: number;
  what: string;
}

/** What a fault arranges itself with. */
export interface Tools<S, M, R> {
  readonly stage: S;
  /** It strikes now. */
  struck(): void;
  /** Strikes the replica that is the nth to get to a moment from now on. */
  at(moment: M, handler: Handler<R>, nth?: number): void;
}

/** One fault as a trial has drawn it. */
export interface Fault<L, T> {
  /** Its row in the table. */
  name: string;
  /** What else was drawn, for people. */
  detail: string;
  /** Arranges it, before anything of the trial happens. */
  arm(lane: L, tools: T): void;
}

/** Draws a fault's details. */
export type Draw<F> = (random: Random) => F;

/** What was arranged for the first, second… of something, or for each. */
export class Schedule<T> {
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
export class Stage<M extends string, R extends { readonly id: string }> {
  readonly notes: Note[] = [];
  /** Faults that struck, by their place in the plan. */
  readonly struck = new Set<number>();
  readonly #schedules: Schedule<unknown>[] = [];
  readonly #moments = new Map<M, Schedule<Handler<R>>>();
  readonly #pending: Promise<unknown>[] = [];
  readonly #over = Promise.withResolvers<Verdict>();
  readonly #start = performance.now();

  /** For one fault of the plan. */
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
    };
  }

  at(moment: M, handler: Handler<R>, nth = 1): void {
    this.#schedule(moment).add(nth, handler);
  }

  /** A replica is at a moment. */
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
      // Whoever waits for what goes on learns of the failure.
      () => "cut" as const,
    );
    return await Promise.race([verdict, this.#over.promise]);
  }

  /** Takes in what goes on beside the trial and has to end before it. */
  also(promise: Promise<unknown>): void {
    promise.catch(() => {}); // Told to whoever waits for it, perhaps later.
    this.#pending.push(promise);
  }

  /** What goes on, or went on, beside the trial. */
  get pending(): readonly Promise<unknown>[] {
    return this.#pending;
  }

  /** Waits for all of it; what ends may have begun something else. */
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

  /** The trial has ended: what is still held is cut. */
  close(): void {
    this.disarm();
    this.#over.resolve("cut");
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
