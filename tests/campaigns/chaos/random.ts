/**
 * Random choices that a seed can repeat.
 *
 * @module
 */

export interface Random {
  /** A number from 0 up to, not including, 1. */
  next(): number;
  pick<T>(items: readonly T[]): T;
  /** True as often as `share` says, from 0 to 1. */
  chance(share: number): boolean;
  /** A whole number. */
  between(least: number, most: number): number;
}

/**
 * The choices of one trial. They depend only on the seed and the trial's number,
 * so a trial can be repeated without those before it.
 */
export function createRandom(seed: number, trial: number): Random {
  // SplitMix32, so that neighbouring trials have nothing in common.
  let state = mix(seed >>> 0) ^ mix((trial + 0x51ed27) >>> 0);
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    return mix(state) / 2 ** 32;
  };
  return {
    next,
    pick: (items) => items[Math.floor(next() * items.length)]!,
    chance: (share) => next() < share,
    between: (least, most) => Math.round(least + next() * (most - least)),
  };
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
