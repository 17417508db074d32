/**
 * A titled list of a message that shrinks until the message fits. Pure.
 *
 * @module
 */
import { SECTION_CHARS_MAX } from "./block_kit.ts";

/** Lines of mrkdwn, and whether any of them was cut. */
export interface Items {
  /** Inert, one item each. */
  readonly lines: readonly string[];
  readonly cut: boolean;
}

/** What makes a {@linkcode List}. */
export interface ListOptions {
  title: string;
  /** In the order read. */
  items: Items;
  /** Loses its first items rather than its last. */
  newestLast?: boolean;
  /** Shows no more than these from the start. */
  shownMax?: number;
}

/** A titled list; items that find no room are counted, not cut in half. */
export class List {
  readonly #title: string;
  readonly #items: Items;
  readonly #newestLast: boolean;
  #shown: number;

  /** Begins with as many items as one section holds. */
  constructor(
    { title, items, newestLast = false, shownMax = Infinity }: ListOptions,
  ) {
    this.#title = title;
    this.#items = items;
    this.#newestLast = newestLast;
    this.#shown = Math.min(items.lines.length, shownMax);
    while (this.#shown > 0 && this.render().length > SECTION_CHARS_MAX) {
      this.drop();
    }
  }

  get isEmpty(): boolean {
    return this.#items.lines.length === 0;
  }

  /** How many items it shows. */
  get shown(): number {
    return this.#shown;
  }

  get cut(): boolean {
    return this.#items.cut || this.#shown < this.#items.lines.length;
  }

  drop(): void {
    this.#shown--;
  }

  render(): string {
    const { lines } = this.#items;
    const left = lines.length - this.#shown;
    const bullets =
      (this.#newestLast ? lines.slice(left) : lines.slice(0, this.#shown)).map((
        line,
      ) => `• ${line}`);
    if (left > 0) {
      const kind = this.#shown === 0
        ? ""
        : this.#newestLast
        ? "earlier "
        : "more ";
      const rest = `… ${left} ${kind}in the full summary`;
      if (this.#newestLast) bullets.unshift(rest);
      else bullets.push(rest);
    }
    return [`*${this.#title}*`, ...bullets].join("\n");
  }
}

/**
 * Drops items until `fits` says that it is enough.
 *
 * @param order Which list loses items next, and how many it keeps then.
 */
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
