/**
 * How often people may decide.
 *
 * @module
 */

const WINDOW_MS = 60_000;
/** Nobody reads faster. */
const PERSON_MAX = 30;
/** Each decision costs the platform some ten calls. */
const ALL_MAX = 120;

/** Counts the decisions of the last minute. */
export class DecisionRate {
  #recent: { at: number; person: string }[] = [];
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Counts one. @returns After how many seconds to come back, if too often. */
  take(person: string): number | undefined {
    const now = this.#now();
    this.#recent = this.#recent.filter(({ at }) => at > now - WINDOW_MS);
    const own = this.#recent.filter((one) => one.person === person);
    const [first] = own.length >= PERSON_MAX
      ? own
      : this.#recent.length >= ALL_MAX
      ? this.#recent
      : [];
    if (first !== undefined) {
      return Math.ceil((first.at + WINDOW_MS - now) / 1000);
    }
    this.#recent.push({ at: now, person });
    return undefined;
  }
}
