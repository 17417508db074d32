/**
 * Finds values behind a name that says what they are. Pure.
 *
 * One rule: a name, an operator, a value. The operator decides how much the
 * value itself must look like a credential: in `token="x"` hardly, in
 * `token: x` it must, because prose is full of those.
 *
 * @module
 */
import { kindOfName, NAME_MAX, type NameKind } from "./names.ts";
import {
  isPlaceholder,
  skipPlaceholder,
  type Span,
  withoutPlaceholders,
} from "./span.ts";
import { looksRandom } from "./values.ts";
import { isCredential, type Operator, type Place } from "./gate.ts";
import { findAuthorization, findCookie } from "./headers.ts";
import { readOperator } from "./operators.ts";
import {
  after,
  charTable,
  closing,
  endsValue,
  holdsPlaceholder,
  OPEN,
  PREFIX,
} from "./reading.ts";

/** Words within names; the rule starts where one of them stands. */
export const NAME_ANCHORS: readonly string[] = [
  "pass",
  "pwd",
  "pswd",
  "pw=",
  "pw:",
  "masterauth",
  "bundle_",
  "kennwort",
  "secret",
  "token",
  "key",
  "cred",
  "auth",
  "cookie",
  "sess",
  "sid",
  "sig",
  "hmac",
  "jwt",
  "bearer",
  "psk",
  "pin",
  "otp",
  "cvv",
  "pat",
  "sas",
  "salt",
  "seed",
  "mnemonic",
  "phrase",
  "login",
  "rootpw",
  "bindpw",
  "code=",
  "honeycomb-team",
  "-oauth",
];

/** What names promise, `null` for nothing; the same few come again and again. */
export type NameCache = Map<string, NameKind | null>;

/** What one text's search remembers, so that nothing is read twice. */
export class NamedSearch {
  readonly #text: string;
  readonly #kinds: NameCache;
  readonly #spans: Span[];
  #nameEnd = 0;
  /** Where the next element is closed. */
  #tagEnd = -1;
  #run = { start: 0, end: -1, held: -1, refused: 0 };

  constructor(text: string, kinds: NameCache, spans: Span[]) {
    this.#text = text;
    this.#spans = spans;
    this.#kinds = kinds;
  }

  /** The value behind the name around `at`, if it is a credential. */
  find(at: number): Span | undefined {
    if (at < this.#nameEnd) return undefined;
    const text = this.#text;
    let start = at;
    while (start > 0 && at - start <= NAME_MAX && isNameCode(text, start - 1)) {
      start--;
    }
    let end = at;
    while (end - at <= NAME_MAX && isNameCode(text, end)) end++;
    this.#nameEnd = end;
    if (end - at > NAME_MAX) return undefined;
    // Of a longer name its end decides.
    start = Math.max(start, end - NAME_MAX);
    if (start > 0 && text[start - 1] === "\\") start++;
    while (isPunctuation(text, end - 1)) end--;
    let first = start;
    while (isPunctuation(text, first)) first++;
    if (first >= end) return undefined;
    const name = withFront(text.slice(first, end), text, first);
    let kind = this.#kindOf(name);
    if (kind === undefined) return undefined;
    // In a query, digits of a key or signature are no digest.
    if (kind === "weak" && isQuery(text, start - 1) && QUERY_KEY.test(name)) {
      kind = "opaque";
    }
    if (skipPlaceholder(text, start - 1) > start) return undefined;
    const span = this.#behind(kind, start, end) ??
      (isQuote(text, start - 1) ? this.#before(kind, start) : undefined);
    if (span !== undefined) {
      this.#nameEnd = Math.max(this.#nameEnd, span.end);
    }
    return span;
  }

  /** Whether `</` stands not far behind. */
  #isClosed(at: number): boolean {
    if (this.#tagEnd < at) {
      const found = this.#text.indexOf("</", at);
      this.#tagEnd = found === -1 ? Infinity : found;
    }
    return this.#tagEnd - at < ELEMENT_MAX;
  }

  #kindOf(name: string): NameKind | undefined {
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = kindOfName(name) ?? null;
      this.#kinds.set(name, kind);
    }
    return kind ?? undefined;
  }

  #behind(
    kind: NameKind,
    start: number,
    end: number,
  ): Span | undefined {
    const text = this.#text;
    if (kind === "cookie") return findCookie(text, end);
    if (kind === "authorization") return findAuthorization(text, end);
    const found = readOperator(text, start, end, this.#isClosed(end));
    if (found === undefined) return undefined;
    const { at } = found;
    // What stands in brackets is often a remark.
    const operator = isOpen(text, at) ? "item" : found.operator;
    const value = this.#readValue(at);
    if (value === undefined) return undefined;
    const span: Span = { start: value.start, end: value.end, name: "named" };
    if (value.held) {
      // One that somebody wrote must not end what it is a part of.
      const whole = value.text.replace(/[.:!?]{1,3}$/, "");
      if (isPlaceholder(whole)) return undefined;
      const sure = kind !== "weak" && kind !== "opaque";
      return sure || looksRandom(withoutPlaceholders(whole)) ? span : undefined;
    }
    const { quoted } = value;
    const place = { kind, operator, quoted, text, start, end: value.end };
    const taken = isCredential(value.text, place);
    const next = this.#readMore(value.end, place);
    if (next > value.end) this.#nameEnd = next;
    if (taken) return trimmed(span, value.text, quoted, operator);
    // In one run, so many names are no accident.
    if (next === value.end && !quoted && ++this.#run.refused >= REFUSED_MAX) {
      this.#nameEnd = value.end;
    }
    return undefined;
  }

  /** Takes the other items of a list, and what a value changes to. */
  #readMore(end: number, place: Place): number {
    const listed = place.operator === "item";
    const more = listed ? NEXT_ITEM : NEXT_VALUE;
    for (let items = listed ? ITEMS_MAX : 1; items > 0; items--) {
      if (!isNear(this.#text, end, listed ? IN_LIST : IN_CHANGE)) break;
      const at = after(more, this.#text, end);
      const value = at === undefined ? undefined : this.#readValue(at);
      if (value === undefined) break;
      ({ end } = value);
      const { quoted } = value;
      if (value.held || !isCredential(value.text, { ...place, quoted })) {
        continue;
      }
      this.#spans.push({ start: value.start, end, name: "named" });
    }
    return end;
  }

  /** `value="…" name="password"`: the value in front of its name. */
  #before(kind: NameKind, start: number): Span | undefined {
    if (kind === "cookie" || kind === "authorization") return undefined;
    if (!NAME_FRONT.test(this.#text.slice(Math.max(0, start - 16), start))) {
      return undefined;
    }
    const from = Math.max(0, start - VALUE_FIRST_MAX);
    const front = this.#text.slice(from, start);
    const match = VALUE_FIRST.exec(front);
    const value = match?.[1];
    if (match === null || value === undefined) return undefined;
    const isGiven = !isPlaceholder(value) && isCredential(value, {
      kind,
      operator: "comma",
      quoted: true,
      text: this.#text,
      start,
      end: start,
    });
    if (!isGiven) return undefined;
    const at = from + match.index + match[0].indexOf(value);
    return { start: at, end: at + value.length, name: "named" };
  }

  #readValue(given: number): Value | undefined {
    const text = this.#text;
    let at = PREFIX_MARKS[text.charCodeAt(given)] === 1
      ? after(PREFIX, text, given) ?? given
      : given;
    if (isOpen(text, at) && skipPlaceholder(text, at) === at) at++;
    const start = OPEN_MARKS[text.charCodeAt(at)] === 1
      ? after(OPEN, text, at)
      : undefined;
    if (start === undefined) return this.#readRun(at);
    const end = closing(text, start, text.slice(at, start));
    if (end === undefined) return this.#readRun(start);
    return end === start ? undefined : {
      start,
      end,
      text: text.slice(start, end),
      quoted: true,
      held: holdsPlaceholder(text, start, end),
    };
  }

  #readRun(start: number): Value | undefined {
    const text = this.#text;
    let { end, held } = this.#run;
    if (!(start >= this.#run.start && start < end)) {
      end = start;
      held = -1;
      while (end < text.length) {
        const skipped = skipPlaceholder(text, end);
        if (skipped > end) {
          held = end;
          end = skipped;
          continue;
        }
        if (endsValue(text, end)) break;
        end++;
      }
      this.#run = { start, end, held, refused: 0 };
    }
    if (end === start) return undefined;
    return {
      start,
      end,
      text: text.slice(start, end),
      quoted: false,
      held: held >= start,
    };
  }
}

/** What a prefix and a quote start with. */
const PREFIX_MARKS = charTable("!&rbfuN@$BT");
const OPEN_MARKS = charTable("\\\"'`&");
const REFUSED_MAX = 32;
/** Of a list, so many items are looked at. */
const ITEMS_MAX = 50;
const NEXT_ITEM =
  /(?:\\{0,3}["'`])?\s{0,4}(?:,\s{0,12}(?=\\{0,3}["'`])|\n[ \t]{0,40}-[ ](?=\S))/y;
const NEXT_VALUE = /\\{0,3}["'`]?[ ]{0,3}(?:->|\u2192)[ ]{0,3}(?=\S)/y;
/** What the two start with, but for quotes and blanks. */
const IN_LIST = { mark: 44, other: 10 } as const;
const IN_CHANGE = { mark: 45, other: 0x2192 } as const;
const NEAR = 7;
const VALUE_FIRST_MAX = 300;
const NAME_FRONT = /(?:name|key|id)["']?\s{0,4}[:=]\s{0,4}["']$/i;
const VALUE_FIRST =
  /["']?\b(?:val|value|data|content)["']?\s{0,4}[:=]\s{0,4}["']([^"'\n]{4,200})["'][\s,]{1,8}["']?(?:name|key|id)["']?\s{0,4}[:=]\s{0,4}["']$/i;
const QUERY_KEY = /^(?:key|sig|signature|code)$/i;
/** So much stands at most between a name and the end of its element. */
const ELEMENT_MAX = 400;

interface Value {
  start: number;
  end: number;
  text: string;
  quoted: boolean;
  /** Whether a placeholder is a part of it. */
  held: boolean;
}

const FRONT =
  /(?:^|[^A-Za-z])(api|access|secret|private|auth|app|application|signing|encryption|license|master|account|admin|integration)[ ]$/i;

/** In prose a name has two words, as in `api key: …`. */
function withFront(name: string, text: string, start: number): string {
  if (name.length > 4 || !/^keys?$/i.test(name)) return name;
  const front = FRONT.exec(text.slice(Math.max(0, start - 14), start))?.[1];
  return front === undefined ? name : `${front}_${name}`;
}

/** Whether one of two characters stands at `at` or soon behind it. */
function isNear(
  text: string,
  at: number,
  { mark, other }: { mark: number; other: number },
): boolean {
  const stop = Math.min(at + NEAR, text.length);
  for (; at < stop; at++) {
    const code = text.charCodeAt(at);
    if (code === mark || code === other) return true;
  }
  return false;
}

function isOpen(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 40 || code === 91;
}

function isQuery(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 63 || code === 38;
}

function isQuote(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 34 || code === 39;
}

function isPunctuation(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 45 || code === 46;
}

function isNameCode(text: string, at: number): boolean {
  return NAME_CODES[text.charCodeAt(at)] === 1;
}

const NAME_CODES = charTable(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.",
);

/** Without the full stop that ends a sentence. */
function trimmed(
  span: Span,
  value: string,
  quoted: boolean,
  operator: Operator,
): Span {
  if (quoted) return span;
  const [tail = ""] = (operator === "assign" ? /\.$/ : /[.:!?]{1,3}$/)
    .exec(value.slice(-3)) ?? [];
  span.end -= tail.length;
  return span;
}
