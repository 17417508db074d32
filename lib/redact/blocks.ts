/**
 * Finds credentials by what stands around them: key blocks, URLs, headers.
 * Pure.
 *
 * @module
 */
import { isPlaceholder, skipPlaceholder, type Span } from "./span.ts";
import {
  decodeBase64,
  isNumber,
  isUuid,
  looksChosen,
  looksRandom,
  standsForNone,
} from "./values.ts";

/** Looks at one place of a text. */
type Finder = (text: string, at: number) => Span | undefined;

const KEY_HEAD =
  /-{4,5}[ ]?BEGIN (?:OpenVPN Static key V1|(?:[A-Z0-9]{1,12} ){0,4}(?:PRIVATE KEY(?: BLOCK)?|NKEY SEED|USER JWT|NATS USER JWT|SECRET KEY BLOCK))[ ]?-{4,5}/y;
const KEY_END = /-{4,5}[ ]?END /g;
const KEY_TAIL = /[A-Za-z0-9 ]{1,60}-{4,5}/y;
/** What shows that a key without an end has begun. */
const KEY_BODY =
  /^[\s\\nr"',+]{0,12}(?:MI|MC|MH|b3B|Proc-Type|[A-Za-z0-9+/]{24})/;

/** Finds blocks such as `-----BEGIN RSA PRIVATE KEY-----`, to their ends. */
export class KeySearch {
  readonly #text: string;
  #endless = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** The block whose dashes start at `at`. */
  find(at: number): Span | undefined {
    const text = this.#text;
    KEY_HEAD.lastIndex = at;
    if (!KEY_HEAD.test(text)) return undefined;
    const start = KEY_HEAD.lastIndex;
    KEY_END.lastIndex = start;
    if (!this.#endless && KEY_END.test(text)) {
      KEY_TAIL.lastIndex = KEY_END.lastIndex;
      const end = KEY_TAIL.test(text) ? KEY_TAIL.lastIndex : KEY_END.lastIndex;
      return { start: at, end, name: "private-key" };
    }
    this.#endless = true;
    return KEY_BODY.test(text.slice(start, start + 80))
      ? { start: at, end: text.length, name: "private-key" }
      : undefined;
  }
}

const PUTTY_HEAD = /PuTTY-User-Key-File-\d:/y;
const PUTTY_LINES =
  /Private-Lines: \d{1,3}(?:\r?\n|\\{1,3}n)(?:[A-Za-z0-9+/=]{1,80}(?:\r?\n|\\{1,3}n|$)){1,80}/y;
const PUTTY_MAX = 4_000;

/** Finds the private lines of PuTTY's key files. */
export class PuttySearch {
  readonly #text: string;
  #lines = -1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The key file that starts at `at`. */
  find(at: number): Span | undefined {
    PUTTY_HEAD.lastIndex = at;
    if (!PUTTY_HEAD.test(this.#text)) return undefined;
    if (this.#lines < at) {
      const lines = this.#text.indexOf("Private-Lines:", at);
      this.#lines = lines === -1 ? Infinity : lines;
    }
    if (this.#lines - at > PUTTY_MAX) return undefined;
    PUTTY_LINES.lastIndex = this.#lines;
    return PUTTY_LINES.test(this.#text)
      ? { start: at, end: PUTTY_LINES.lastIndex, name: "private-key" }
      : undefined;
  }
}

const USER_INFO = /[^\s/@"'<>\\]{0,700}@/y;
const SCHEME = /[a-z][a-z0-9+.-]{1,30}$/i;

/** `scheme://user:password@host`, or a token in the user's place. */
function findUrlPassword(text: string, at: number): Span | undefined {
  const mark = authorityMark(text, at + 3);
  if (mark === "") return undefined;
  const front = text.slice(Math.max(0, at - 32), at);
  if (!SCHEME.test(front)) return undefined;
  if (mark === ":") return findUrlPasswordWithSlash(text, at + 3);
  USER_INFO.lastIndex = at + 3;
  if (!USER_INFO.test(text)) return undefined;
  const end = USER_INFO.lastIndex - 1;
  // The last "@" of the authority separates, so that a password may hold one.
  return urlPassword(text, at + 3, lastAt(text, end));
}

const STOPS = new Set(" \t\r\n/\"'<>\\");

/** Whether an authority holds an "@", or at least a colon. */
function authorityMark(text: string, start: number): "@" | ":" | "" {
  let colon = -1;
  const end = Math.min(text.length, start + 700);
  for (let at = start; at < end && !STOPS.has(text[at]!); at++) {
    const character = text[at]!;
    if (character === "@") return "@";
    if (character === ":" && colon === -1) colon = at;
    // A query starts, unless it is a part of the password.
    const queries = character === "?" || character === "#";
    if (queries && /^:?\d{0,5}$/.test(text.slice(colon, at))) return "";
    if (queries && colon === -1) return "";
  }
  return colon === -1 ? "" : ":";
}

function lastAt(text: string, end: number): number {
  const more = /[^\s/@"'<>\\?#]{0,200}@/y;
  for (let tries = 0; tries < 4; tries++) {
    more.lastIndex = end + 1;
    if (!more.test(text)) break;
    end = more.lastIndex - 1;
  }
  return end;
}

/** Not every client escapes a slash in a password. */
function findUrlPasswordWithSlash(
  text: string,
  start: number,
): Span | undefined {
  const pattern =
    /[\w.%+-]{1,64}:(?!\d{1,5}\/)[^\s:@"'<>\\]{1,100}@[\w-]{1,63}[.:/\w-]/y;
  pattern.lastIndex = start;
  if (!pattern.test(text)) return undefined;
  return urlPassword(text, start, text.indexOf("@", start));
}

function urlPassword(
  text: string,
  start: number,
  end: number,
): Span | undefined {
  if (isPlaceholder(text.slice(start, end))) return undefined;
  const from = skipPlaceholder(text, start);
  const colon = from + text.slice(from, end).indexOf(":");
  if (colon >= from) {
    const value = text.slice(colon + 1, end);
    const user = text.slice(start, colon);
    // Some take a token in place of the user and no password.
    if (user.length >= 20 && !isUuid(user) && looksRandom(user)) {
      return { start, end: value === "" ? colon : end, name: "url-password" };
    }
    if (value === "" || isPlaceholder(value) || hides(value)) return undefined;
    return { start: colon + 1, end, name: "url-password" };
  }
  const value = text.slice(start, end);
  return value.length >= 16 && looksRandom(value) && !isPlaceholder(value)
    ? { start, end, name: "url-password" }
    : undefined;
}

function hides(value: string): boolean {
  return /^(?:\$\{?[\w.:-]*\}?|\$\([^)]*\)|\{\{?[\w. -]*\}?\}|%[sv]|%\w+%|[*xX.]{3,}|\[?(?:redacted|hidden|filtered|masked)\]?|(?:YOUR_)?PASS(?:WORD)?|password)$/i
        .test(value) && value !== "password" || /\*{3}/.test(value);
}

const DSN_MAX = 200;

/** `user:password@tcp(host)`, as drivers for MySQL have it. */
function findDriverPassword(text: string, at: number): Span | undefined {
  let start = at;
  const stop = Math.max(0, at - DSN_MAX);
  while (start > stop && !DSN_STOPS.has(text[start - 1]!)) {
    // A placeholder has a colon of its own.
    const open = text[start - 1] === "]" ? text.lastIndexOf("[", start) : -1;
    const held = open > stop && skipPlaceholder(text, open) === start;
    start = held ? open : start - 1;
  }
  const value = text.slice(start, at);
  if (start === at || text[start - 1] !== ":") return undefined;
  if (hides(value) || isPlaceholder(value)) return undefined;
  return { start, end: at, name: "url-password" };
}

const DSN_STOPS = new Set(" \t\r\n:@\"'<>/");

const ORACLE = /jdbc:oracle:\w{1,10}:[\w.$#-]{1,60}\/([^\s@"'/]{3,100})@/iy;

/** `jdbc:oracle:thin:user/password@host`. */
function findOraclePassword(text: string, at: number): Span | undefined {
  return groupAt(ORACLE, text, at);
}

const ACL = / on >([^\s"'>]{4,200})(?=[ ]+[~+&%])/y;

/** `user app on >password ~* +@all`, in Redis. */
function findAclPassword(text: string, at: number): Span | undefined {
  return groupAt(ACL, text, at);
}

/** The first group of a match at `at`, if it can be a credential. */
function groupAt(pattern: RegExp, text: string, at: number): Span | undefined {
  pattern.lastIndex = at;
  const [match = "", value = ""] = pattern.exec(text) ?? [];
  if (value === "" || standsForNone(value) || isPlaceholder(value)) {
    return undefined;
  }
  const start = at + match.indexOf(value, match.length - value.length - 2);
  return { start, end: start + value.length, name: "named" };
}

const PIPED =
  /\b(?:echo|printf)\s{1,3}(?:-n\s{1,3})?(?:(["'])([^"'\n]{4,200})\1|([^\s"'|]{4,200}))\s{0,3}\|[^|\n]{0,120}$/;

/** `echo password | docker login --password-stdin`. */
function findPiped(text: string, at: number): Span | undefined {
  const from = Math.max(0, at - 360);
  const match = PIPED.exec(text.slice(from, at));
  const value = match?.[2] ?? match?.[3];
  if (match === null || value === undefined) return undefined;
  if (standsForNone(value) || isPlaceholder(value)) return undefined;
  const start = from + match.index + match[0].indexOf(value);
  return { start, end: start + value.length, name: "named" };
}

const IDENTIFIED =
  /identified\s{1,4}(?:with\s{1,4}\S{1,40}\s{1,4})?(?:by|as)\s{1,4}(?:password\s{1,4})?(\\?["'])([^"'\s]{3,200})\1/iy;
const IDENTIFIED_BARE =
  /identified\s{1,4}by\s{1,4}([^\s"';]{6,100})(?=;|\s{0,4}$|\s{1,4}(?:account|default|quota|replace)\b)/iy;

/** `IDENTIFIED BY 'password'`, in SQL. */
function findIdentified(text: string, at: number): Span | undefined {
  IDENTIFIED.lastIndex = at;
  const [match = "", quote = "", value = ""] = IDENTIFIED.exec(text) ?? [];
  if (value === "") {
    const bare = groupAt(IDENTIFIED_BARE, text, at);
    if (bare === undefined) return undefined;
    const given = text.slice(bare.start, bare.end);
    return looksChosen(given) || looksRandom(given) ? bare : undefined;
  }
  if (standsForNone(value) || isPlaceholder(value)) return undefined;
  const end = at + match.length - quote.length;
  return { start: end - value.length, end, name: "named" };
}

const CREDENTIALS = /\w{5,6}[ \t]{1,5}(?:["']?)([\w.~+/=-]{8,})/y;
const BASIC = /^basic$/i;
/** As in "Basic availability", or several with a hyphen between them. */
const WORD = /^[A-Z]?[a-z]+(?:[-/][A-Za-z]?[a-z]+)*\.?$/;

/** What follows "Bearer" or "Basic", if it can be what it must be. */
function findBearer(text: string, at: number): Span | undefined {
  CREDENTIALS.lastIndex = at;
  const match = CREDENTIALS.exec(text);
  const value = match?.[1]?.replace(/\.$/, "");
  if (match === null || value === undefined) return undefined;
  const [word] = match[0].split(/[ \t]/);
  // A text that holds nothing else is the value of a header.
  const isHeader = at === 0 && match[0].length === text.length;
  if (text.charCodeAt(at - 1) === 95 || standsForNone(value, isHeader)) {
    return undefined;
  }
  const fits = BASIC.test(word!)
    ? decodeBase64(value)?.includes(":") === true
    : looksRandom(value) ||
      /\d/.test(value) && !isNumber(value) && !/^[a-z]+-\d+$/.test(value);
  if (!fits && !(isHeader && !WORD.test(value))) return undefined;
  const start = at + match[0].length - match[1]!.length;
  return { start, end: start + value.length, name: "authorization" };
}

/** What only structure gives away, by the text that each starts with. */
export const BLOCKS: readonly { anchor: string; find: Finder }[] = [
  { anchor: "://", find: findUrlPassword },
  { anchor: "@tcp(", find: findDriverPassword },
  { anchor: "@unix(", find: findDriverPassword },
  { anchor: "jdbc:oracle:", find: findOraclePassword },
  { anchor: " on >", find: findAclPassword },
  { anchor: "-stdin", find: findPiped },
  { anchor: "--with-token", find: findPiped },
  { anchor: "sudo -s", find: findPiped },
  { anchor: "chpasswd", find: findPiped },
  { anchor: "cryptsetup", find: findPiped },
  { anchor: "identified", find: findIdentified },
  { anchor: "bearer", find: findBearer },
  { anchor: "basic", find: findBearer },
];

const HEADER_MIN = 10;

/** Finds JSON web tokens; keeps where runs end, so that none is read twice. */
export class JwtSearch {
  readonly #text: string;
  readonly #runs = [0, 1, 2].map(() => ({ start: 0, end: -1 }));

  constructor(text: string) {
    this.#text = text;
  }

  /** The token that starts with the `eyJ` at `at`. */
  find(at: number): Span | undefined {
    const header = this.#end(0, at);
    if (header - at < HEADER_MIN || this.#text[header] !== ".") {
      return undefined;
    }
    const payload = this.#end(1, header + 1);
    if (payload - header <= HEADER_MIN) return undefined;
    if (this.#text[payload] !== ".") return undefined;
    const end = this.#end(2, payload + 1);
    return { start: at, end: this.#rest(end), name: "jwt" };
  }

  /** An encrypted token has two parts more. */
  #rest(end: number): number {
    const more = /(?:\.[\w-]{10,}){2}/y;
    more.lastIndex = end;
    return more.test(this.#text) ? more.lastIndex : end;
  }

  #end(part: number, from: number): number {
    const run = this.#runs[part]!;
    if (from >= run.start && from < run.end) return run.end;
    let end = from;
    while (end < this.#text.length && isBase64Url(this.#text, end)) end++;
    run.start = from;
    run.end = end;
    return end;
  }
}

function isBase64Url(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 97 && code <= 122 || code >= 65 && code <= 90 ||
    code >= 48 && code <= 57 || code === 45 || code === 95;
}
