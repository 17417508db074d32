/**
 * Sentences of text that others wrote. Pure.
 *
 * @module
 */

/**
 * Words that a full stop shortens, in lower case. `No.` shortens only before a
 * number, which begins no sentence anyway.
 */
const SHORT = new Set(
  `approx ca cf dr eg e.g est etc fig ie i.e inc incl max min mr mrs nr resp
  st vs`.split(/\s+/),
);
/** A sentence ends before a capital, at a line's end and nowhere else. */
const END = /[.!?]+(?=["”’)\]]*(?:\s+["“‘([]?\p{Lu}|\s*$))/gu;

/** The sentences of a text, trimmed, in order; a line break ends one, too. */
export function sentencesOf(text: string): string[] {
  return text.split(/[\r\n\u2028\u2029]+/).flatMap(splitLine)
    .map((sentence) => sentence.replace(/\s+/g, " ").trim())
    .filter((sentence) => sentence !== "");
}

function splitLine(line: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const { 0: mark, index } of line.matchAll(END)) {
    const end = index + mark.length;
    const word = /\S*$/.exec(line.slice(start, index))?.[0] ?? "";
    const isUnit = /\d\s*\S*$/.test(line.slice(start, index));
    const isLast = end >= line.trimEnd().length;
    if (!isLast && !isUnit && isShort(word, mark)) continue;
    const close = /^["”’)\]]*/.exec(line.slice(end))?.[0].length ?? 0;
    sentences.push(line.slice(start, end + close));
    start = end + close;
  }
  return [...sentences, line.slice(start)];
}

/** `vs.`, and an initial such as that of `J. Doe`. */
function isShort(word: string, mark: string): boolean {
  const plain = word.toLowerCase().replace(/^[("“‘[]+/, "");
  return mark === "." && (SHORT.has(plain) || /^\p{L}$/u.test(plain));
}

/** A sentence without its full stop, to stand within a line of ours. */
export function withoutStop(sentence: string): string {
  return sentence.replace(/(?<=[^.])\.$/, "");
}
