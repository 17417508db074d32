/**
 * JSON that nobody would send: samples with a part replaced, and pure noise.
 *
 * @module
 */

const JUNK: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1e308, "", " ", "x", "\0", "\ud800", "é🔥"],
  ...["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00Z", "http://a{b/", "4"],
  ...["__proto__", "constructor", "http://[::1]:1/%", "x".repeat(5000)],
  ...[[], {}, [[]], [null], [{}], { id: {} }, { summary: [] }, { a: { b: 1 } }],
  JSON.parse('{"__proto__":{"status":"firing"},"constructor":"x"}'),
  JSON.parse('{"toString":null,"hasOwnProperty":1,"length":-1}'),
  JSON.parse("[".repeat(70) + "]".repeat(70)),
];

/** The same numbers for the same seed (xorshift). */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2654435761 >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** `count` variants of a sample, each with one to four parts replaced or gone. */
export function* spoil(sample: unknown, count: number): Generator<unknown> {
  yield* JUNK;
  for (let seed = 1; seed <= count; seed++) {
    const random = randomOf(seed);
    const whole = { body: structuredClone(sample) };
    for (let left = 1 + random(4); left > 0; left--) spoilOne(whole, random);
    yield whole.body;
  }
}

function spoilOne(whole: object, random: (below: number) => number): void {
  let part = whole as Record<string, unknown>;
  while (true) {
    const keys = Object.keys(part);
    if (keys.length === 0) return;
    const key = keys[random(keys.length)]!;
    const inner = part[key];
    const isLeaf = typeof inner !== "object" || inner === null;
    if (!isLeaf && random(5) > 0) {
      part = inner as Record<string, unknown>;
    } else if (random(4) === 0) {
      delete part[key];
      return;
    } else {
      part[key] = structuredClone(JUNK[random(JUNK.length)]);
      return;
    }
  }
}
