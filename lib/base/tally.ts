/**
 * Counts what became of webhooks.
 *
 * @module
 */

/** The words that senders can bring in, unknown events, are few or lumped. */
const NAMES_MAX = 64;
const OTHER = "other";

/** Counters by name, since the process started. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** One more; a name beyond the 64th counts as `other`. */
  add(name: string): void {
    const known = this.#counts.has(name) || this.#counts.size < NAMES_MAX;
    const counted = known ? name : OTHER;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
  }

  /** What was counted. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
