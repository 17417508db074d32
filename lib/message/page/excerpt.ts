/**
 * Excerpts of evidence: its beginning, and the lines that bear a claim. Pure.
 *
 * A piece may have 256 KiB, so nothing is parsed, and only what is shown is
 * redacted. Redaction sees some text around it, too: a credential that the cut
 * divides would not be known as one.
 *
 * @module
 */
import { shorten, visible } from "../../base/text.ts";

/** Of an excerpt as people read it, as UTF-8. */
export const EXCERPT_BYTES_MAX = 4 * 1024;
/** What redaction sees beside what is shown. */
const MARGIN_CHARS = 1024;
/** What it sees on either side of the part from which lines are quoted. */
const EDGE_CHARS = 480;
const LINE_CHARS_MAX = 240;

/** One line of evidence. */
export interface Line {
  text: string;
  /** Whether the claim rests on it. */
  marked: boolean;
}

/** The beginning of a piece. */
export interface Excerpt {
  text: string;
  /** Whether the piece goes on. */
  cut: boolean;
}

/** Shows every character of text that has lines. */
function visibleLines(text: string): string[] {
  return text.split("\n").map((line) =>
    visible(line.replace(/\r$/, "").replaceAll("\t", "  "))
  );
}

/** The beginning of a piece, redacted, at most {@linkcode EXCERPT_BYTES_MAX}. */
export function excerptOf(
  text: string,
  redact: (text: string) => string,
): Excerpt {
  const whole = prettyStart(text, EXCERPT_BYTES_MAX + MARGIN_CHARS);
  const shown = visibleLines(redact(whole.text)).join("\n");
  const cut = cutBytes(shown, EXCERPT_BYTES_MAX);
  return { text: cut, cut: whole.cut || cut !== shown };
}

/** Cuts an excerpt further, to fit a page. */
export function shorterExcerpt(
  { text, cut }: Excerpt,
  bytesMax: number,
): Excerpt {
  const shorter = cutBytes(text, bytesMax);
  return { text: shorter, cut: cut || shorter !== text };
}

/** Cuts at the end of a line if one is near, else at a character. */
function cutBytes(text: string, bytesMax: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > bytesMax) {
      const line = text.lastIndexOf("\n", end);
      return text.slice(
        0,
        line > end - LINE_CHARS_MAX && line > 0 ? line : end,
      );
    }
    end += character.length;
  }
  return text;
}

const DEPTH_SHOWN = 20;
const JSON_TOKEN = /"(?:[^"\\]|\\.)*"?|[^\s"{}[\],:]+|[{}[\],:]/g;

/**
 * The first characters of a text; of JSON on one line, laid out in lines. It is
 * not parsed, since it may be cut.
 */
function prettyStart(text: string, charsMax: number): Excerpt {
  const start = text.slice(0, charsMax);
  const isOneLine = /^\s*[{[]/.test(start) && !/[{[,]\s*\n/.test(start);
  const cut = text.length > charsMax;
  return isOneLine ? { text: layOut(start), cut } : { text: start, cut };
}

function layOut(json: string): string {
  let text = "";
  let depth = 0;
  /** Whether the next token begins a line, unless it closes an empty list. */
  let begins = false;
  for (const [token] of json.matchAll(JSON_TOKEN)) {
    const opens = token === "{" || token === "[";
    const closes = token === "}" || token === "]";
    if (closes) depth--;
    const isEmpty = closes && /[{[]$/.test(text.slice(-1));
    if ((begins || closes) && !isEmpty) {
      text += `\n${"  ".repeat(Math.max(0, Math.min(depth, DEPTH_SHOWN)))}`;
    }
    text += token === ":" ? ": " : token;
    if (opens) depth++;
    begins = opens || token === ",";
  }
  return text;
}

const PHRASE = /“([^”]*)”/g;
/** Names and numbers: what another line would hardly hold by chance. */
const WORD = /[\p{L}\p{N}_@#][\p{L}\p{N}_.:/@%#-]*[\p{L}\p{N}_%]/gu;
const PHRASE_CHARS_MIN = 4;
const WORD_CHARS_MIN = 4;
const NEEDLES_MAX = 12;
/** Places of one needle that are looked at. */
const HITS_MAX = 8;
const BEFORE = 2;
const AFTER = 3;
const MARKED_MAX = 4;

/**
 * The lines of a piece that bear a claim, with those around them; none if no
 * line holds its words.
 *
 * @param claim In our own voice: what it repeats of others stands in “quotes”.
 */
export function linesFor(
  claim: string,
  text: string,
  redact: (text: string) => string,
): Line[] {
  const needles = needlesOf(claim);
  const at = bestPlace(needles, text);
  if (at === undefined) return [];
  const from = Math.max(0, at - MARGIN_CHARS);
  const part = redactedPart(text, [from, at + 2 * MARGIN_CHARS], redact);
  const lines = visibleLines(part);
  const scores = lines.map((line) => scoreOf(needles, line));
  const best = Math.max(...scores);
  if (best === 0) return [];
  const center = scores.indexOf(best);
  const first = Math.max(from > 0 ? 1 : 0, center - BEFORE);
  const least = best / 2;
  let marks = 0;
  return lines.slice(Math.min(first, center), center + AFTER + 1)
    .map((line, nth) => {
      const score = scores[Math.min(first, center) + nth]!;
      const marked = score >= least && marks++ < MARKED_MAX;
      return { text: aroundNeedle(line, marked ? needles : []), marked };
    });
}

/** A part of a text, redacted with what is on either side of it. */
function redactedPart(
  text: string,
  [from, to]: readonly [number, number],
  redact: (text: string) => string,
): string {
  const start = Math.max(0, from - EDGE_CHARS);
  const seen = text.slice(start, to + EDGE_CHARS);
  const left = start + seen.length - to;
  return redact(seen).slice(from - start, left > 0 ? -left : undefined);
}

interface Needle {
  text: string;
  weight: number;
}

function needlesOf(claim: string): Needle[] {
  const phrases = [...claim.matchAll(PHRASE)].flatMap(([, inner = ""]) => {
    const text = inner.replace(/…$/, "");
    // Facts are told as `name: value`; sources spell them elsewhere.
    return [text, ...text.split(/: |, |"/)];
  }).map((text) => text.trim()).filter((text) =>
    text.length >= PHRASE_CHARS_MIN
  );
  const words = [...claim.matchAll(WORD)].map(([word]) => word)
    .filter((word) => word.length >= WORD_CHARS_MIN || /\d/.test(word));
  const known = new Map<string, number>();
  for (const text of phrases) known.set(text, 3 * text.length);
  for (const text of words) {
    if (!known.has(text)) {
      known.set(text, /\d/.test(text) ? 2 * text.length : text.length);
    }
  }
  return [...known].map(([text, weight]) => ({ text, weight }))
    .toSorted((a, b) => b.weight - a.weight).slice(0, NEEDLES_MAX);
}

/** Where the line begins that holds most of them, the first of equals. */
function bestPlace(
  needles: readonly Needle[],
  text: string,
): number | undefined {
  const places = new Map<number, { score: number; at: number }>();
  for (const { text: needle, weight } of needles) {
    let last = -1;
    let at = text.indexOf(needle);
    for (let hits = 0; at >= 0 && hits < HITS_MAX; hits++) {
      const line = lineAt(text, at);
      const place = places.get(line) ?? { score: 0, at };
      if (line !== last) place.score += weight;
      places.set(line, place);
      last = line;
      at = text.indexOf(needle, at + needle.length);
    }
  }
  let best: { line: number; score: number; at: number } | undefined;
  for (const [line, { score, at }] of places) {
    if (
      best === undefined || score > best.score ||
      (score === best.score && line < best.line)
    ) best = { line, score, at };
  }
  return best?.at;
}

/** Where a line begins; a very long one counts as many. */
function lineAt(text: string, at: number): number {
  const from = Math.max(0, at - MARGIN_CHARS);
  const end = text.slice(from, at).lastIndexOf("\n");
  return end >= 0 ? from + end + 1 : from === 0 ? 0 : at - at % MARGIN_CHARS;
}

function scoreOf(needles: readonly Needle[], line: string): number {
  let score = 0;
  for (const { text, weight } of needles) {
    if (line.includes(text)) score += weight;
  }
  return score;
}

/** A long line around what the claim says. */
function aroundNeedle(line: string, needles: readonly Needle[]): string {
  if (line.length <= LINE_CHARS_MAX) return line;
  const at = needles.map(({ text }) => line.indexOf(text))
    .find((at) => at >= 0) ?? 0;
  const from = at < LINE_CHARS_MAX / 2 ? 0 : at - LINE_CHARS_MAX / 4;
  const part = shorten(line.slice(from), LINE_CHARS_MAX);
  return from === 0 ? part : `…${part}`;
}
