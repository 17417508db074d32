/**
 * A titled list of a message that shrinks until the message fits. Pure.
 *
 * @module
 */
import { OWN_MARK } from "../base/foreign.ts";
import { SECTION_CHARS_MAX } from "./block_kit.ts";

/** Lines of mrkdwn, and whether any line was cut. */
export interface Items {
  /** Inert, one item each. */
  readonly lines: readonly string[];
  readonly cut: boolean;
}

export interface ListOptions {
  title: string;
  items: Items;
  /** Drops its first items before its last. */
  newestLast?: boolean;
  /** The limit before any item is dropped. */
  shownMax?: number;
}

/** A titled list. Dropped items are counted, never cut in half. */
export class List {
  readonly #options: ListOptions;
  #shown: number;

  /** Shows as many items as one section holds. */
  constructor(options: ListOptions) {
    this.#options = options;
    const { items, shownMax = Infinity } = options;
    this.#shown = Math.min(items.lines.length, shownMax);
    while (this.#shown > 0 && this.render().length > SECTION_CHARS_MAX) {
      this.drop();
    }
  }

  get isEmpty(): boolean {
    return this.#options.items.lines.length === 0;
  }

  get shown(): number {
    return this.#shown;
  }

  get cut(): boolean {
    const { lines, cut } = this.#options.items;
    return cut || this.#shown < lines.length;
  }

  drop(): void {
    this.#shown--;
  }

  render(): string {
    const { title, items: { lines }, newestLast = false } = this.#options;
    const left = lines.length - this.#shown;
    const kept = newestLast ? lines.slice(left) : lines.slice(0, this.#shown);
    const bullets = kept.map((line) => `• ${line}`);
    const order = newestLast ? "earlier " : "more ";
    const kind = this.#shown === 0 ? "" : order;
    const rest = left > 0 ? [`… ${left} ${kind}in the full summary`] : [];
    const items = newestLast ? [...rest, ...bullets] : [...bullets, ...rest];
    return [`*${OWN_MARK} ${title}*`, ...items].join("\n");
  }
}

/** Drops items until the message fits, from each list down to its least. */
export function shrink(
  order: readonly (readonly [list: List, least: number])[],
  fits: () => boolean,
): void {
  for (const [list, least] of order) {
    while (list.shown > least) {
      if (fits()) return;
      list.drop();
    }
  }
}
