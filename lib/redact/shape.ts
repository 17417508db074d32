/**
 * The notation in which the tables write a credential's format. Pure.
 *
 * Text stands for itself, `(a|b)` for either, and `{h32}` for 32 characters of
 * the class `h`; `{h32-40}` and `{h32+}` give a range. No shape backtracks: a
 * class takes all it can, so a match costs the characters that it reads.
 *
 * @module
 */

/** The classes, as the documentation names them. */
export const CLASSES: Readonly<Record<string, string>> = {
  d: "0-9",
  h: "0-9a-f",
  H: "0-9A-Fa-f",
  a: "0-9A-Za-z",
  l: "0-9a-z",
  u: "0-9A-Z",
  z: "2-7A-Z",
  w: "0-9A-Za-z_",
  b: "0-9A-Za-z_-",
  p: "0-9A-Za-z_.-",
  c: "0-9A-Za-z./",
  y: "0-9A-Za-z%",
  s: "0-9A-Za-z+/",
  B: "0-9A-Za-z+/=",
  x: "0-9A-Za-z_.~+/=-",
};

/** Within a shape and at its end, for a count such as `{b20+}`. */
const INNER_MAX = 160;
const OPEN_MAX = 1 << 30;

/** A piece of a shape: text, or characters of a class. */
export type Part =
  | { readonly literal: string }
  | {
    readonly name: string;
    readonly members: Uint8Array;
    readonly min: number;
    readonly max: number;
  };

const MEMBERS: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  Object.entries(CLASSES).map(([name, spelled]) => {
    const pattern = new RegExp(`^[${spelled}]$`);
    return [
      name,
      Uint8Array.from(
        { length: 128 },
        (_, code) => pattern.test(String.fromCharCode(code)) ? 1 : 0,
      ),
    ];
  }),
);

const ALPHANUMERIC = MEMBERS["a"]!;
const HEX = MEMBERS["H"]!;

/** Whether the character at `at` is a letter or digit of ASCII. */
export function isAlphanumeric(text: string, at: number): boolean {
  return ALPHANUMERIC[text.charCodeAt(at)] === 1;
}

/**
 * Every alternative of a shape, as parts.
 *
 * @throws {SyntaxError} if the notation is wrong.
 */
export function parseShape(shape: string): Part[][] {
  return spellOut(shape).map(parse);
}

function spellOut(shape: string): string[] {
  const open = shape.indexOf("(");
  if (open === -1) return [shape];
  const close = shape.indexOf(")", open);
  const rests = spellOut(shape.slice(close + 1));
  return shape.slice(open + 1, close).split("|").flatMap((either) =>
    rests.map((rest) => shape.slice(0, open) + either + rest)
  );
}

function parse(shape: string): Part[] {
  const spelled = shape.replaceAll("{uuid}", "{H8}-{H4}-{H4}-{H4}-{H12}");
  const pieces = spelled.split(/(\{[^}]*\})/).filter((piece) => piece !== "");
  return pieces.map((piece, at) => {
    if (!piece.startsWith("{")) return { literal: piece };
    const [, name = "", low, more, high] =
      /^\{(\w)(\d+)(?:(\+)|-(\d+))?\}$/.exec(piece) ?? [];
    const members = MEMBERS[name];
    if (members === undefined) throw new SyntaxError(`Bad shape "${shape}"`);
    const min = Number(low);
    const open = at === pieces.length - 1 ? OPEN_MAX : INNER_MAX;
    const max = more === "+" ? open : Number(high ?? min);
    return { name, members, min, max };
  });
}

/** One alternative of a form, ready to be looked for. */
export interface Matcher {
  /** The text that tells the place of a possible match. */
  readonly anchor: string;
  /** What stands before and behind the anchor. */
  readonly before: readonly Part[];
  readonly after: readonly Part[];
  /** Whether a letter or digit in front means that this is something else. */
  readonly bounded: boolean;
}

const ANCHOR_MIN = 3;
/** A prefix of this length is no accident. */
const DISTINCT_MIN = 5;

/**
 * The matcher of one alternative.
 *
 * @returns Without an anchor if no text in it is long enough for one.
 */
export function toMatcher(parts: readonly Part[]): Matcher {
  const at = parts.findIndex((part) =>
    "literal" in part && part.literal.length >= ANCHOR_MIN
  );
  const anchor = parts[at];
  if (anchor === undefined || !("literal" in anchor)) {
    return { anchor: "", before: [], after: parts, bounded: true };
  }
  return {
    anchor: anchor.literal,
    before: parts.slice(0, at),
    after: parts.slice(at + 1),
    bounded: at > 0 || /^[0-9A-Za-z]+$/.test(anchor.literal) ||
      anchor.literal.length < DISTINCT_MIN && isAlphanumeric(anchor.literal, 0),
  };
}

/** Where the match of the anchor that stands at `at` begins and ends. */
export function matchAt(
  text: string,
  at: number,
  { anchor, before, after, bounded }: Matcher,
): { start: number; end: number } | undefined {
  if (bounded && before.length === 0 && !startsWord(text, at)) return undefined;
  const end = forwards(text, at + anchor.length, after);
  if (end === undefined) return undefined;
  const start = backwards(text, at, before);
  if (start === undefined) return undefined;
  return before.length > 0 && !startsWord(text, start)
    ? undefined
    : { start, end };
}

/** The end of what the parts match from `at` on. */
function forwards(
  text: string,
  at: number,
  parts: readonly Part[],
): number | undefined {
  const last = parts.length - 1;
  for (let each = 0; each <= last; each++) {
    const part = parts[each]!;
    if ("literal" in part) {
      if (!text.startsWith(part.literal, at)) return undefined;
      at += part.literal.length;
      continue;
    }
    const { members, min, max } = part;
    // Most of what is no match ends early.
    if (min > 8 && members[text.charCodeAt(at + 7)] !== 1) return undefined;
    const stop = Math.min(at + max, text.length);
    const start = at;
    while (at < stop && members[text.charCodeAt(at)] === 1) at++;
    if (at - start < min) return undefined;
    // One more letter or digit, and it is something longer.
    if (each === last && isAlphanumeric(text, at)) return undefined;
  }
  return at;
}

/** The start of what the parts match up to `at`. */
function backwards(
  text: string,
  at: number,
  parts: readonly Part[],
): number | undefined {
  for (const part of parts.toReversed()) {
    if ("literal" in part) {
      at -= part.literal.length;
      if (at < 0 || !text.startsWith(part.literal, at)) return undefined;
      continue;
    }
    const stop = Math.max(at - part.max, 0);
    const end = at;
    while (at > stop && part.members[text.charCodeAt(at - 1)] === 1) at--;
    if (end - at < part.min) return undefined;
  }
  return at;
}

/**
 * Whether a word can start at `at`: no letter or digit in front, except one of
 * an escape, as in `\n`, `%3D` and `\u003d`.
 */
export function startsWord(text: string, at: number): boolean {
  if (at === 0 || !isAlphanumeric(text, at - 1)) return true;
  const second = text.charCodeAt(at - 2);
  if (second === BACKSLASH) return "nrtbfv".includes(text[at - 1]!);
  if (HEX[second] !== 1) return false;
  if (text.charCodeAt(at - 3) === PERCENT) return isHex(text, at - 2, at);
  if (text.charCodeAt(at - 4) === BACKSLASH) {
    return text[at - 3] === "x" && isHex(text, at - 2, at);
  }
  return text.charCodeAt(at - 6) === BACKSLASH && text[at - 5] === "u" &&
    isHex(text, at - 4, at);
}

const [BACKSLASH, PERCENT] = [92, 37];

function isHex(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (HEX[text.charCodeAt(at)] !== 1) return false;
  }
  return true;
}

/** The lengths of the first run of letters and digits, and what follows it. */
export function firstRun(
  parts: readonly Part[],
): { min: number; max: number; next: string } {
  let [min, max] = [0, 0];
  let next = "";
  for (const part of parts) {
    if ("literal" in part) {
      const [run = ""] = /^[0-9A-Za-z]*/.exec(part.literal) ?? [];
      min += run.length;
      max += run.length;
      if (run.length < part.literal.length) {
        next = part.literal[run.length]!;
        break;
      }
    } else {
      min += part.min;
      max += part.max;
    }
  }
  return { min, max, next };
}
