/**
 * Values that look random and are the same on each run. Pure.
 *
 * @module
 */

/** Draws values from a seed. */
export interface Random {
  /** A whole number below `end`. */
  below(end: number): number;
  /** One of them. */
  pick<T>(items: readonly T[]): T;
  /** `length` characters of the alphabet. */
  of(alphabet: string, length: number): string;
  /** Lower-case hex digits. */
  hex(length: number): string;
  /** A UUID of version 4. */
  uuid(): string;
}

/** The generator "mulberry32": small, and good enough for samples. */
export function startRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  const of = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet[below(alphabet.length)]).join("");
  const hex = (length: number) => of("0123456789abcdef", length);
  return {
    below,
    of,
    hex,
    pick: (items) => items[below(items.length)]!,
    uuid: () => [hex(8), hex(4), "4" + hex(3), "a" + hex(3), hex(12)].join("-"),
  };
}

/** Base64 of a text's UTF-8 bytes. */
export function encodeBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
