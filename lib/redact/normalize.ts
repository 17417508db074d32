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

const LETTERS: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** An escape, or characters beyond ASCII. */
const UNPLAIN =
  // deno-lint-ignore no-control-regex
  /%[2-7][\da-f]|\\u00[2-7][\da-f]|\\x[2-7][\da-f]|\\[nrt"'/\\]|&(?:quot|amp|lt|gt|apos|#\d{2,3}|#x[2-7][\da-f]);|[^\x00-\x7f]+/gi;

/** What reads as nothing: format characters, fillers, variation selectors. */
const INVISIBLE =
  /^[\p{Cf}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]$/u;

/** What a code reads as: 0 is unknown yet, 1 is nothing, 2 is itself. */
const READ = new Map<number, string>();
const READ_MAX = 4_096;
const READS_MAX = 6;

function read(code: number): string {
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
  let length = 0;
  let from = 0;
  const add = (piece: string, sourceLength: number) => {
    pieces.push(piece);
    length += piece.length;
    from += sourceLength;
    if (piece.length === sourceLength) return;
    places.push(length);
    leads.push(from - length);
  };
  for (const match of text.matchAll(UNPLAIN)) {
    const { 0: found, index } = match;
    if (index > from) add(text.slice(from, index), index - from);
    const escaped = readEscape(found);
    if (escaped !== undefined) add(escaped, found.length);
    else addRun(found, add);
  }
  add(text.slice(from), text.length - from);
  const at = (place: number): number => {
    if (place >= length) return text.length;
    let [low, high] = [0, places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[middle]! <= place) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? place : place + leads[low - 1]!;
  };
  return { text: pieces.join(""), at };
}

/** Adds characters beyond ASCII; those that keep their length are one piece. */
function addRun(
  run: string,
  add: (piece: string, sourceLength: number) => void,
): void {
  let same = "";
  for (let at = 0; at < run.length;) {
    const code = run.codePointAt(at)!;
    const length = code > 0xffff ? 2 : 1;
    const reads = read(code);
    if (reads.length === length) {
      same += reads;
    } else {
      if (same !== "") add(same, same.length);
      add(reads, length);
      same = "";
    }
    at += length;
  }
  if (same !== "") add(same, same.length);
}

function readEscape(found: string): string | undefined {
  const [mark, kind = ""] = found;
  if (mark === "%") return fromHex(found.slice(1));
  if (mark === "\\") {
    if (found.length > 2) return fromHex(found.slice(-2));
    return LETTERS[kind.toLowerCase()] ?? kind;
  }
  if (mark !== "&") return undefined;
  const inner = found.slice(1, -1).toLowerCase();
  if (kind !== "#") return ENTITIES[inner]!;
  return inner[1] === "x"
    ? fromHex(inner.slice(2))
    : String.fromCharCode(Number(inner.slice(1)));
}

function fromHex(digits: string): string {
  return String.fromCharCode(parseInt(digits, 16));
}
