/**
 * The words of a line, and which of them stand as code. Pure.
 *
 * @module
 */

export interface Part {
  text: string;
  /** Holds no back-tick. */
  code: boolean;
}

const WORDS = /[\s“”]+|[^\s“”]+/g;
/** What stands around a word and is none of it. */
const WORD = /^([(["']*)(.*?)([)\]"'.,;!?]*)$/s;

/**
 * Divides a line into what is code and what is between. A back-tick becomes an
 * apostrophe, since a single one could begin code that swallows the rest.
 *
 * @param isCode Takes a word and its place in the line.
 */
export function partsOf(
  line: string,
  isCode: (word: string, start: number) => boolean,
): Part[] {
  const parts: Part[] = [];
  const add = (text: string, code: boolean) => {
    const [before, last] = [parts.at(-2), parts.at(-1)];
    if (code && before?.code && last?.text === " ") {
      before.text += ` ${text}`;
      parts.pop();
    } else if (!code && last?.code === false) last.text += text;
    else if (text !== "") parts.push({ text, code });
  };
  for (const { 0: whole, index } of line.replaceAll("`", "'").matchAll(WORDS)) {
    const [, open = "", start = "", end = ""] = WORD.exec(whole) ?? [];
    // A bracket that the word opens is its own, as in `f(x)`.
    const own = /[([]/.test(start) ? end.search(/[^)\]][^)\]]*$|$/) : 0;
    const word = start + end.slice(0, own);
    const close = end.slice(own);
    if (word !== "" && isCode(word, index + open.length)) {
      add(open, false);
      add(word, true);
      add(close, false);
    } else add(whole, false);
  }
  return parts;
}
