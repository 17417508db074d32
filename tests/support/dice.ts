/**
 * Draws odd texts: the same seed always gives the same ones.
 *
 * @module
 */

/** A generator of numbers from 0 to 1; the same seed gives the same ones. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 4) / 2 ** 28;
  };
}

/** Draws texts of every length, with whatever could break out of one. */
export function createDice(seed: number) {
  const random = seeded(seed);
  const upTo = (max: number) => Math.floor(random() * (max + 1));
  const pick = <T>(items: readonly T[]) => items[upTo(items.length - 1)]!;
  const pieces = [
    ...["&", "<", ">", "&amp;", "&lt", "<!channel>", "<@U1>", "<http://x|y>"],
    ...["\u{1F525}", "\u00e9", "\ud800", "\udc00", "e\u0301", "\u202e"],
    ...[
      "\u200b",
      "\uFE0F",
      "\u{E0041}",
      "\u2800",
      "\u3164",
      "\x1b[8m",
      "\x9b2J",
    ],
    ...["\n", "\r\n", "\u2028", " ", "\t", "\u0000", "`", "```", "*", "_", "~"],
    ...["word", "a", "\\", '"', "[E9]", "…", "•", "x".repeat(149)],
  ];
  const text = (charsMax: number) => {
    const length = pick([0, 1, upTo(20), upTo(charsMax), charsMax]);
    if (random() < 0.3) return pick(pieces).repeat(length).slice(0, length);
    let made = "";
    while (made.length < length) made += pick(pieces);
    return made.slice(0, length); // Which also cuts pairs.
  };
  return { random, upTo, pick, text };
}
