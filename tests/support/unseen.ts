/**
 * Characters that no reader sees, written down apart from the code that must
 * catch them.
 *
 * @module
 */

/** Their names, such as `U+200B`. */
export const UNSEEN: ReadonlyMap<string, string> = new Map(
  [
    ...range(0x00, 0x09),
    ...range(0x0B, 0x1F), // Controls but for the line feed, which ends lines.
    ...range(0x7F, 0x9F),
    0xAD, // The soft hyphen.
    0x34F,
    0x61C,
    ...[0x115F, 0x1160, 0x3164, 0xFFA0], // Hangul fillers.
    ...[0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E, 0x180F],
    ...range(0x200B, 0x200F), // Joiners and marks of direction.
    ...range(0x2028, 0x202E), // Lines, paragraphs and direction.
    ...range(0x2060, 0x206F), // Joiners, signs of mathematics, direction.
    0x2800, // The blank of braille.
    ...range(0xFE00, 0xFE0F), // Variation selectors.
    0xFEFF,
    ...[0xFFF9, 0xFFFA, 0xFFFB],
    ...range(0x1BCA0, 0x1BCA3),
    ...[0x1D159, 0x16FE4],
    ...range(0x1D173, 0x1D17A),
    ...range(0xE0000, 0xE007F), // Tags.
    ...range(0xE0100, 0xE01EF),
  ].map((code) => {
    const digits = code.toString(16).toUpperCase().padStart(4, "0");
    return [`U+${digits}`, String.fromCodePoint(code)];
  }),
);

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** One of each kind. */
export const HOSTILE = "\x1b]0;owned\x07\x1b[8m\x9b2J\u202e\u2066\u200b\u2028" +
  "\uFE0F\u{E0041}\u2800\u3164";

/** Fails if a text holds any of them. */
export function assertNothingUnseen(text: string, what = "text"): void {
  for (const [name, unseen] of UNSEEN) {
    if (text.includes(unseen)) {
      throw new Error(`${name} in ${what}: ${JSON.stringify(text)}`);
    }
  }
}
