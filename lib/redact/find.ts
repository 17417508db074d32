/**
 * Finds the credentials in a text. Pure.
 *
 * One pass over the text finds where one may stand; each such place is looked
 * at in a time that its own length bounds. A text with escapes or with
 * characters that only look like ASCII is read a second time in plain ASCII.
 *
 * @module
 */
import { type Anchor, AnchorTable, nextHash, standsAt } from "./anchors.ts";
import { BLOCKS, JwtSearch, KeySearch, PuttySearch } from "./blocks.ts";
import { COMMAND_ANCHORS, CommandSearch } from "./commands.ts";
import {
  ANCHORED_FORMS,
  type FormMatcher,
  FORMS_BY_RUN,
  mayStartForm,
  RUN_MAX,
  URLS,
} from "./forms.ts";
import { MANIFEST_ANCHOR, ManifestSearch } from "./manifest.ts";
import { NAME_ANCHORS, type NameCache, NamedSearch } from "./named.ts";
import { POSITIONS } from "./positions.ts";
import { needsPlainView, plainView } from "./normalize.ts";
import { isAlphanumeric, matchAt, startsWord } from "./shape.ts";
import { mergeSpans, type Span } from "./span.ts";
import { decodeBase64 } from "./values.ts";

type Target =
  | { kind: "form"; form: FormMatcher }
  | { kind: "url"; which: number }
  | { kind: "block"; which: number }
  | { kind: "key" }
  | { kind: "putty" }
  | { kind: "manifest" }
  | { kind: "jwt" }
  | { kind: "command"; which: number }
  | { kind: "name" };

const PATH_ANCHOR = 8;

const STRUCTURES = [...BLOCKS, ...POSITIONS];

function anchorsOf(): Anchor<Target>[] {
  const anchor = (
    text: string,
    target: Target,
    folded = true,
    bounded = false,
  ) => ({ text, folded, bounded, target });
  return [
    ...ANCHORED_FORMS.map((form) => {
      const bounded = form.bounded && form.before.length === 0;
      // What the anchor asks the form need not ask again.
      const target = bounded ? { ...form, bounded: false } : form;
      return anchor(
        form.anchor,
        { kind: "form", form: target },
        false,
        bounded,
      );
    }),
    ...URLS.map(({ host, path }, which) =>
      anchor(host || path.slice(0, PATH_ANCHOR).split(/[({]/)[0]!, {
        kind: "url",
        which,
      })
    ),
    ...STRUCTURES.map(({ anchor: text }, which) =>
      anchor(text.toLowerCase(), { kind: "block", which })
    ),
    anchor("---- BEGIN", { kind: "key" }, false),
    anchor("-----BEGIN", { kind: "key" }, false),
    anchor("PuTTY-User-Key", { kind: "putty" }, false),
    anchor(MANIFEST_ANCHOR, { kind: "manifest" }, false),
    anchor("eyJ", { kind: "jwt" }, false),
    ...COMMAND_ANCHORS.map((name, which) =>
      anchor(name, { kind: "command", which })
    ),
    ...NAME_ANCHORS.map((name) => anchor(name, { kind: "name" })),
  ];
}

const TABLE = new AnchorTable(anchorsOf());

const NAMES_MAX = 5_000;

/** Every credential in a text, in order, none overlapping another. */
export function findSecrets(text: string, names: NameCache): Span[] {
  if (names.size > NAMES_MAX) names.clear();
  const search = new Search(text, names);
  const spans = search.run();
  if (search.unplain && needsPlainView(text)) {
    const view = plainView(text);
    // Of letters such as "é" nothing is to be taken off.
    if (view.text === text) return mergeSpans(spans);
    for (const span of new Search(view.text, names).run()) {
      span.start = view.at(span.start);
      span.end = view.at(span.end);
      spans.push(span);
    }
  }
  return mergeSpans(spans);
}

const ARGUMENTS_MAX = 200;
const ARGUMENTS_CHARS_MAX = 8_000;

/**
 * The credentials in a command line that comes as a list: `["--password", "x"]`.
 *
 * @returns For each item with a credential, where; nothing for other lists.
 */
export function findInArguments(
  list: readonly unknown[],
  names: NameCache,
): (Span[] | undefined)[] {
  const isText = (item: unknown) => typeof item === "string";
  if (list.length < 2 || list.length > ARGUMENTS_MAX) return [];
  if (!list.every(isText) || !list.some((item) => item.startsWith("-"))) {
    return [];
  }
  const line = list.join(" ");
  if (line.length > ARGUMENTS_CHARS_MAX) return [];
  const spans = findSecrets(line, names);
  let start = 0;
  return list.map((item) => {
    const end = start + item.length;
    const within = spans.filter((span) => span.start < end && span.end > start)
      .map((span) => ({
        ...span,
        start: Math.max(span.start, start) - start,
        end: Math.min(span.end, end) - start,
      }));
    start = end + 1;
    return within.length === 0 ? undefined : within;
  });
}

/** Shorter Base64 holds no credential. */
const BASE64_MIN = 20;
/** A run of letters and digits of this length may be part of Base64. */
const BASE64_RUN = 12;
/** The encodings that are taken off: one. */
const DEPTH_MAX = 1;

const [ALPHANUMERIC, PLAIN] = [1, 2];
/** Characters by code; escapes and what is not ASCII are of no kind. */
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[0-9A-Za-z]/.test(character)) return ALPHANUMERIC;
  return "%&\\".includes(character) ? 0 : PLAIN;
});

class Search {
  /** Whether it holds what may be an escape, or characters beyond ASCII. */
  unplain = false;
  readonly #text: string;
  readonly #names: NameCache;
  readonly #depth: number;
  readonly #spans: Span[] = [];
  #named: NamedSearch | undefined;
  #jwts: JwtSearch | undefined;
  #keys: KeySearch | undefined;
  #putty: PuttySearch | undefined;
  #manifests: ManifestSearch | undefined;
  #commands: CommandSearch | undefined;
  #formStart = 0;
  #formEnd = 0;
  #urlEnd = 0;
  #base64End = 0;

  constructor(text: string, names: NameCache, depth = 0) {
    this.#text = text;
    this.#names = names;
    this.#depth = depth;
  }

  run(): Span[] {
    const text = this.#text;
    const { length } = text;
    const { slots } = TABLE;
    let hash = 0;
    let start = 0;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      hash = nextHash(hash, code);
      if (slots[hash] !== 0) this.#look(slots[hash]!, at - 2);
      if (KINDS[code] === ALPHANUMERIC) continue;
      if (at > start) this.#lookAtRun(start, at - start);
      start = at + 1;
      if (KINDS[code] !== PLAIN) this.unplain = true;
    }
    if (length > start) this.#lookAtRun(start, length - start);
    return this.#spans;
  }

  #look(slot: number, at: number): void {
    const list = TABLE.lists[slot]!;
    for (let each = 0; each < list.length; each++) {
      const anchor = list[each]!;
      const start = at - anchor.offset;
      if (anchor.bounded && !startsWord(this.#text, start)) continue;
      if (!standsAt(this.#text, start, anchor)) continue;
      for (let which = 0; which < anchor.targets.length; which++) {
        const span = this.#find(anchor.targets[which]!, start);
        if (span !== undefined) this.#spans.push(span);
      }
    }
  }

  #find(target: Target, at: number): Span | undefined {
    switch (target.kind) {
      case "form":
        return this.#findForm(target.form, at);
      case "url":
        return this.#findUrl(target.which, at);
      case "block":
        return STRUCTURES[target.which]!.find(this.#text, at);
      case "key":
        return (this.#keys ??= new KeySearch(this.#text)).find(at);
      case "putty":
        return (this.#putty ??= new PuttySearch(this.#text)).find(at);
      case "manifest":
        this.#manifests ??= new ManifestSearch(this.#text);
        this.#spans.push(...this.#manifests.find(at));
        return undefined;
      case "jwt":
        return (this.#jwts ??= new JwtSearch(this.#text)).find(at);
      case "command":
        this.#commands ??= new CommandSearch(this.#text);
        this.#spans.push(...this.#commands.find(target.which, at));
        return undefined;
      case "name":
        this.#named ??= new NamedSearch(this.#text, this.#names, this.#spans);
        return this.#named.find(at);
    }
  }

  #findForm(form: FormMatcher, at: number): Span | undefined {
    // Within what a form took, but for a longer one from the same place.
    if (at > this.#formStart && at < this.#formEnd) return undefined;
    const found = matchAt(this.#text, at, form);
    if (found === undefined) return undefined;
    let { end } = found;
    const text = this.#text;
    // A full stop ends the sentence, not the token.
    while (".~-".includes(text[end - 1]!)) end--;
    // A shorter form from the same place must not make the rest be read again.
    if (found.end > this.#formEnd) {
      this.#formStart = at;
      this.#formEnd = found.end;
    }
    const looked = text.slice(found.start, Math.min(end, found.start + LOOK));
    if (isStandIn(looked, form)) return undefined;
    return { start: found.start, end, name: form.name };
  }

  #findUrl(which: number, at: number): Span | undefined {
    if (at < this.#urlEnd) return undefined;
    const { host, pattern } = URLS[which]!;
    const text = this.#text;
    if (
      host !== "" && !host.startsWith(".") && /[\w-]/.test(text[at - 1] ?? "")
    ) {
      // Within `%2F%2Fhooks.slack.com` a letter is in front.
      if (!/%[\da-f]{2}$/i.test(text.slice(Math.max(0, at - 3), at))) {
        return undefined;
      }
    }
    pattern.lastIndex = at + host.length;
    if (!pattern.test(text)) return undefined;
    const end = pattern.lastIndex;
    this.#urlEnd = end;
    if (/\/T0{6,}\/B0{6,}\/X{8}|[{$]/.test(text.slice(at, end))) {
      return undefined;
    }
    const start = urlStart(text.slice(Math.max(0, at - 160), at), host);
    if (start === undefined) return undefined;
    return { start: at - start.length, end, name: "webhook-url" };
  }

  /** Looks at letters and digits for what has no anchor, and for Base64. */
  #lookAtRun(start: number, length: number): void {
    if (this.#text[start - 1] === "\\" && startsWord(this.#text, start + 1)) {
      // The letter belongs to an escape such as `\n`.
      start++;
      length--;
    }
    const next = this.#text.charCodeAt(start + length);
    if (length <= RUN_MAX && mayStartForm(length, next)) {
      const forms = FORMS_BY_RUN[length]!;
      for (let at = 0; at < forms.length; at++) {
        const { first, next: wanted, form } = forms[at]!;
        if (
          first !== "" && !this.#text.startsWith(first, start) ||
          wanted !== "" && this.#text[start + length] !== wanted
        ) continue;
        const span = this.#findForm(form, start);
        if (span !== undefined) this.#spans.push(span);
      }
    }
    if (length >= BASE64_RUN && this.#depth < DEPTH_MAX) {
      this.#lookAtBase64(start, start + length);
    }
  }

  #lookAtBase64(from: number, to: number): void {
    if (to <= this.#base64End) return;
    const text = this.#text;
    let start = from;
    while (start > this.#base64End && isBase64(text, start - 1)) start--;
    if (text[start - 1] === "\\" && startsWord(text, start + 1)) start++;
    let end = to;
    while (end < text.length && isBase64(text, end)) end++;
    while (text[end] === "=") end++;
    this.#base64End = end;
    if (end - start < BASE64_MIN || !startsReadable(text, start)) return;
    const plain = decodeBase64(text.slice(start, end));
    if (plain === undefined) return;
    const [inner] = new Search(plain, this.#names, this.#depth + 1).run();
    if (inner !== undefined) {
      this.#spans.push({ start, end, name: inner.name });
    }
  }
}

const BELOW = /(?:\bhttps?:\/\/)?[\w.-]{1,100}$/i;
const EXACT = /(?:\bhttps?:\/\/)?(?:[\w-]{1,63}\.){0,5}$/i;
const ANY_HOST =
  /(?:\bhttps?:\/\/)?[\w.-]{2,100}(?::\d{1,5})?(?:\/[\w./-]{0,60})?$/i;

/** What of a URL stands in front of its host, or of its path if any host will do. */
function urlStart(front: string, host: string): string | undefined {
  const pattern = host === "" ? ANY_HOST : host.startsWith(".") ? BELOW : EXACT;
  return pattern.exec(front)?.[0];
}

function isBase64(text: string, at: number): boolean {
  return isAlphanumeric(text, at) || "+/-_".includes(text[at]!);
}

const BASE64_DIGITS =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SEXTETS = Uint8Array.from(
  { length: 128 },
  (_, code) => {
    const character = String.fromCharCode(code);
    return Math.max(
      0,
      BASE64_DIGITS.indexOf(
        character === "-" ? "+" : character === "_" ? "/" : character,
      ),
    );
  },
);

/** Whether the first nine bytes of Base64 are printable ASCII. */
function startsReadable(text: string, start: number): boolean {
  for (let at = start; at < start + 12; at += 4) {
    const bits = SEXTETS[text.charCodeAt(at)]! << 18 |
      SEXTETS[text.charCodeAt(at + 1)]! << 12 |
      SEXTETS[text.charCodeAt(at + 2)]! << 6 |
      SEXTETS[text.charCodeAt(at + 3)]!;
    // A set high bit is beyond ASCII.
    if ((bits & 0x808080) !== 0) return false;
    for (const byte of [bits >> 16, bits >> 8 & 255, bits & 255]) {
      if (byte < 9 || byte > 13 && byte < 32 || byte === 127) return false;
    }
  }
  return true;
}

/** Only so much of a token decides. */
const LOOK = 200;

/** Whether somebody wrote it in place of a credential, or it is made of words. */
function isStandIn(token: string, { anchor, wordy }: FormMatcher): boolean {
  if (/[xX]{8}|\*{4}|\.{3}/.test(token)) return true;
  if (!wordy || /\d/.test(token.slice(anchor.length))) return false;
  return /^(?:[a-z]+|[A-Z][a-z]+|[A-Z]+)(?:[_.-](?:[a-z]+|[A-Z][a-z]+|[A-Z]+))+$/
    .test(token.slice(anchor.length).replace(/^[._-]/, ""));
}
