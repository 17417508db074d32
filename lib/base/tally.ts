/**
 * Counts what a process does.
 *
 * @module
 */

/** Senders choose the names of unknown events, so their number is bounded. */
const NAMES_MAX = 64;
const OTHER = "other";

/** Counters by name, since the process started. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** Counts one or more; a name beyond the 64th counts as `other`. */
  add(name: string, count = 1): void {
    const known = this.#counts.has(name) || this.#counts.size < NAMES_MAX;
    const counted = known ? name : OTHER;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + count);
  }

  /** All counts by name. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
