/**
 * Reads a text as plain ASCII: without invisible characters, look-alikes of
 * letters and escapes. Pure.
 *
 * @module
 */

/** A text and where each of its characters comes from. */
export interface View {
  readonly text: string;
  /** The place in the original text of what stands at `at`. */
  at(at: number): number;
}

const ESCAPES =
  /%[2-7][\da-f]|\\u00[2-7][\da-f]|\\x[2-7][\da-f]|\\[nrt"'/\\]|&(?:#\d|#x|quot|amp|lt|gt|apos)/i;
// deno-lint-ignore no-control-regex
const NOT_ASCII = /[^\x00-\x7f]/;

/** Whether a second reading may see more than the first. */
export function needsPlainView(text: string): boolean {
  return NOT_ASCII.test(text) || ESCAPES.test(text);
}

const ENTITIES: Readonly<Record<string, string>> = {
  quot: '"',
  amp: "&",
  lt: "<",
  gt: ">",
  apos: "'",
};

const BLANKS: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** What each escape of a backslash and one more character reads as. */
const LETTERS: readonly (string | undefined)[] = Array.from(
  { length: 128 },
  (_, code) => {
    const character = String.fromCharCode(code);
    const blank = BLANKS[character.toLowerCase()];
    return blank ?? ("\"'/\\".includes(character) ? character : undefined);
  },
);

/** Any other escape. */
const ESCAPE =
  /%[2-7][\da-f]|\\u00[2-7][\da-f]|\\x[2-7][\da-f]|&(?:quot|amp|lt|gt|apos|#\d{2,3}|#x[2-7][\da-f]);/iy;

/** What reads as nothing: format characters, fillers, variation selectors. */
const INVISIBLE =
  /^[\p{Cf}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]$/u;

/** What a code reads as: 0 is unknown yet, 1 is nothing, 2 is itself. */
const READ = new Map<number, string>();
const READ_MAX = 4_096;
const READS_MAX = 6;

function readCharacter(code: number): string {
  const known = READ.get(code);
  if (known !== undefined) return known;
  const character = String.fromCodePoint(code);
  let reads = INVISIBLE.test(character)
    ? ""
    : code >= 0xd800 && code <= 0xdfff
    ? character
    : character.normalize("NFKC");
  // Whole phrases in one character are no disguise, and blow the text up.
  if (reads.length > READS_MAX) reads = character;
  if (READ.size < READ_MAX) READ.set(code, reads);
  return reads;
}

/** The text in plain ASCII as far as possible, with one decoding of escapes. */
export function plainView(text: string): View {
  const pieces: string[] = [];
  // Places of the view from which on the text is further ahead, and how far.
  const places: number[] = [];
  const leads: number[] = [];
  let lead = 0;
  // What stands from here on reads as itself, up to the next escape.
  let from = 0;
  const read = (at: number, end: number, reads: string) => {
    if (at > from) pieces.push(text.slice(from, at));
    if (text[end - 1] === reads) {
      from = end - 1;
    } else {
      if (reads !== "") pieces.push(reads);
      from = end;
    }
    if (reads.length === end - at) return;
    lead += end - at - reads.length;
    places.push(end - lead);
    leads.push(lead);
  };
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code < 128) {
      const end = STARTS[code] === 1 ? escapeEnd(text, at) : at;
      if (end > at) read(at, end, readEscape(text, at, end));
      at = Math.max(end, at + 1);
      continue;
    }
    const point = text.codePointAt(at)!;
    const end = at + (point > 0xffff ? 2 : 1);
    const reads = readCharacter(point);
    const stays = reads.length === end - at && text.startsWith(reads, at);
    if (!stays) read(at, end, reads);
    at = end;
  }
  const at = (place: number): number => {
    if (place + lead >= text.length) return text.length;
    let [low, high] = [0, places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[middle]! <= place) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? place : place + leads[low - 1]!;
  };
  // Without an escape it is the same text, so that nobody has to compare.
  return { text: from === 0 ? text : pieces.join("") + text.slice(from), at };
}

const [PERCENT, AMPERSAND, BACKSLASH, SHARP] = [37, 38, 92, 35];
const STARTS = new Uint8Array(128);
for (const code of [PERCENT, AMPERSAND, BACKSLASH]) STARTS[code] = 1;

/** The end of the escape at `at`; `at` if there is none. */
function escapeEnd(text: string, at: number): number {
  if (LETTERS[text.charCodeAt(at + 1)] !== undefined) {
    return text.charCodeAt(at) === BACKSLASH ? at + 2 : at;
  }
  ESCAPE.lastIndex = at;
  return ESCAPE.test(text) ? ESCAPE.lastIndex : at;
}

function readEscape(text: string, at: number, end: number): string {
  const mark = text.charCodeAt(at);
  if (end - at === 2) return LETTERS[text.charCodeAt(at + 1)]!;
  if (mark !== AMPERSAND) return fromHex(text.slice(end - 2, end));
  const inner = text.slice(at + 1, end - 1).toLowerCase();
  if (inner.charCodeAt(0) !== SHARP) return ENTITIES[inner]!;
  return inner[1] === "x"
    ? fromHex(inner.slice(2))
    : String.fromCharCode(Number(inner.slice(1)));
}

function fromHex(digits: string): string {
  return String.fromCharCode(parseInt(digits, 16));
}
