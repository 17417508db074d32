/**
 * Finds many short texts in one pass. Pure.
 *
 * Every three characters are looked up in a table; only where they belong to an
 * anchor is the anchor itself compared. Harmless text costs one look-up per
 * character, however many anchors there are.
 *
 * @module
 */

/** An anchor and what it stands for. */
export interface Anchor<T> {
  /** In lower case if it is folded. */
  readonly text: string;
  /** Whether upper and lower case are the same. */
  readonly folded: boolean;
  /** Whether a letter or digit in front means that this is something else. */
  readonly bounded: boolean;
  readonly target: T;
}

/** What stands for itself with one anchor; its looked-up part is at `offset`. */
export interface Slot<T> extends Omit<Anchor<T>, "target"> {
  readonly offset: number;
  readonly targets: T[];
}

const SHIFT = 5;
const MASK = (1 << 3 * SHIFT) - 1;
/** Letters of English, the most frequent first. */
const FREQUENT = "etaoinsrhldcumfpgwybvkxjqz";
/** Digits and signs are as rare as a letter of this rank. */
const SIGN_RANK = 14;
/** What logs and alerts are full of; three characters of it are no help. */
const COMMON =
  `level=error msg="slow" id=7 time="2026-11-29T10:42:07.123Z" status: 503 ` +
  "high latency at 10.0.3.7:8080 since 10:42 instance: ip-10-0-1-17.eu-west-1" +
  ".compute.internal pod checkout-7d9f8b6c5 in the namespace is not ready and " +
  "has been restarted for error from server (timeout) https://example.com/";
const COMMON_COST = 40;
/** How much rarer it must be than one that another anchor has already. */
const SHARED_COST = 4;

/**
 * The table of anchors by three of their characters. A search keeps a hash of
 * the last three characters; `slots` says at each whether to look further.
 */
export class AnchorTable<T> {
  /** The list for each hash; 0 is none. */
  readonly slots: Uint16Array = new Uint16Array(MASK + 1);
  readonly lists: Slot<T>[][] = [[]];
  readonly #common = new Set<number>();

  /** @throws {RangeError} for an anchor of less than three characters. */
  constructor(anchors: readonly Anchor<T>[]) {
    for (let at = 0; at + 3 <= COMMON.length; at++) {
      this.#common.add(hashOf(COMMON, at));
    }
    for (const anchor of anchors) {
      if (anchor.text.length < 3) throw new RangeError(`"${anchor.text}"`);
      const offset = this.#rarest(anchor.text);
      const hash = hashOf(anchor.text, offset);
      if (this.slots[hash] === 0) this.slots[hash] = this.lists.push([]) - 1;
      const list = this.lists[this.slots[hash]!]!;
      const { text, folded, bounded, target } = anchor;
      const same = list.find((slot) =>
        slot.text === text && slot.folded === folded &&
        slot.bounded === bounded
      );
      if (same !== undefined) same.targets.push(target);
      else list.push({ text, folded, bounded, offset, targets: [target] });
    }
  }

  /** Where three characters start that harmless text and others hold seldom. */
  #rarest(text: string): number {
    let best = 0;
    let most = -Infinity;
    for (let at = 0; at + 3 <= text.length; at++) {
      const letters = [...text.slice(at, at + 3).toLowerCase()];
      const hash = hashOf(text, at);
      const shared = this.lists[this.slots[hash]!]!.length;
      const cost = this.#common.has(hash) ? COMMON_COST : 0;
      const score = letters.reduce((sum, letter) => {
        const rank = FREQUENT.indexOf(letter);
        return sum + (rank === -1 ? SIGN_RANK : rank);
      }, -SHARED_COST * shared - cost);
      if (score > most) [best, most] = [at, score];
    }
    return best;
  }
}

function hashOf(text: string, at: number): number {
  return [0, 1, 2].reduce(
    (hash, each) => nextHash(hash, text.charCodeAt(at + each)),
    0,
  );
}

/** The hash after one more character; it does not know the case of a letter. */
export function nextHash(hash: number, code: number): number {
  return (hash << SHIFT | code & 31) & MASK;
}

/** Whether an anchor stands at `at`. */
export function standsAt<T>(
  text: string,
  at: number,
  { text: wanted, folded }: Slot<T>,
): boolean {
  if (!folded) return text.startsWith(wanted, at);
  if (at < 0) return false;
  for (let each = 0; each < wanted.length; each++) {
    const code = text.charCodeAt(at + each);
    const lower = code >= 65 && code <= 90 ? code | 32 : code;
    if (lower !== wanted.charCodeAt(each)) return false;
  }
  return true;
}
