/**
 * Finds what belongs together in a piece of evidence: an entry of a list, a line
 * of a log, a sentence. Pure. Takes JSON that was cut, too.
 *
 * @module
 */

import { escapeRegExp, fold, type SeenItem } from "./claim.ts";

/** A part of a text; `at` is where it begins. */
export interface Part {
  readonly at: number;
  readonly end: number;
  /** Whether it is a moment and a value. */
  readonly isSample?: boolean;
}

/** A place in a text, and what is around it. */
export interface Place {
  /** The innermost entry of a list or sentence; the whole text without one. */
  readonly record: Part;
  /** The name of the field, if the place is in its value; of its list, else. */
  readonly key: string;
  /** The clause in a string or in prose; empty in a bare value. */
  readonly clause: string;
}

const CLAUSE_END = /[;,()\n]|[.!?:]\s|\s(?:and|but|while)\s/g;
// A line that is set in goes on with the one above it.
const SENTENCE_END = /;|\n(?!\s)|[.!?]\s/g;
/** Deeper is no evidence. */
const DEPTH_MAX = 64;
const PLACES_MAX = 200;
const CLAUSE_CHARS_MAX = 300;
const RECORD_CHARS_MAX = 4_000;

/** A text as it was read: its strings, and its records from outer to inner. */
export interface Layout {
  readonly text: string;
  readonly strings: readonly (Part & { readonly key: string })[];
  readonly records: readonly Part[];
  readonly keys: readonly { readonly at: number; readonly key: string }[];
  /** What was found before. */
  readonly places: Map<number, Place>;
}

/** Reads a text once, for any number of {@linkcode placeAt}. */
function layOut(text: string): Layout {
  return /^\s*[[{]/.test(text) ? layOutJson(text) : {
    text,
    strings: [{ at: 0, end: text.length, key: "" }],
    records: split(text, { at: 0, end: text.length }, SENTENCE_END),
    keys: [],
    places: new Map(),
  };
}

/** What is around a place. */
export function placeAt(layout: Layout, at: number): Place {
  const known = layout.places.get(at);
  if (known !== undefined) return known;
  const made = findPlace(layout, at);
  layout.places.set(at, made);
  return made;
}

function findPlace(
  { text, records, strings, keys }: Layout,
  at: number,
): Place {
  const holds = (part: Part) => part.at <= at && at < part.end;
  const string = strings.find(holds);
  // No clause is longer, and a hostile string may be all of the text.
  const near = string && {
    at: Math.max(string.at, at - CLAUSE_CHARS_MAX),
    end: Math.min(string.end, at + CLAUSE_CHARS_MAX),
  };
  const clause = near && split(text, near, CLAUSE_END).find(holds);
  return {
    record: records.findLast(holds) ?? { at: 0, end: text.length },
    key: string?.key || (keys.findLast((key) => key.at <= at)?.key ?? ""),
    clause: clause === undefined ? "" : text.slice(clause.at, clause.end),
  };
}

/** Whether a place belongs to a record: it is in it, or around it. */
export function surrounds(layout: Layout, at: number, record: Part): boolean {
  if (record.at <= at && at < record.end) return true;
  const own = placeAt(layout, at).record;
  return own.at <= record.at && own.end >= record.end;
}

/** A part's text, as far as it helps to know. */
export function partOf(
  { text }: Layout,
  { at, end }: Part,
): string {
  return text.slice(at, Math.min(end, at + RECORD_CHARS_MAX));
}

/** Where a pattern matches; not more often than it helps to know. */
export function positions(text: string, pattern: RegExp): number[] {
  const places: number[] = [];
  for (const { index } of text.matchAll(pattern)) {
    if (places.push(index) >= PLACES_MAX) break;
  }
  return places;
}

/** Where a quote stands, however its blanks and marks were written. */
export function quotePlaces({ text }: Layout, quote: string): number[] {
  const pattern = escapeRegExp(fold(quote)).replace(/ /g, "\\s+")
    .replace(/"|\//g, String.raw`\\?$&`);
  return positions(text, RegExp(pattern, "g"));
}

const layouts = new WeakMap<SeenItem, Layout>();

/** An item's layout, made once. */
export function layoutOf(item: SeenItem): Layout {
  const known = layouts.get(item);
  if (known !== undefined) return known;
  const made = layOut(item.text.replace(/\\[nrt]/g, "  "));
  layouts.set(item, made);
  return made;
}

function layOutJson(text: string): Layout {
  const strings: (Part & { key: string })[] = [];
  const records: { at: number; end: number; isSample?: boolean }[] = [];
  const keys: { at: number; key: string }[] = [];
  const open: { mark: string; record: { end: number } | undefined }[] = [];
  let key = "";
  for (let at = 0; at < text.length; at++) {
    const mark = text[at]!;
    const inList = open.at(-1)?.mark === "[";
    if (mark === '"') {
      const end = stringEnd(text, at);
      if (!inList && /^\s*:/.test(text.slice(end + 1, end + 4))) {
        key = text.slice(at + 1, end);
        keys.push({ at: end + 1, key });
      } else {
        const string = { at: at + 1, end, key };
        strings.push(string);
        const sentences = split(text, string, SENTENCE_END);
        // A short string of a list, such as a moment, belongs to its neighbours.
        if (inList && text.slice(at, end).includes(" ")) records.push(string);
        if (sentences.length > 1) records.push(...sentences);
      }
      at = end;
    } else if (mark === "{" || mark === "[") {
      if (open.length >= DEPTH_MAX) break;
      // Entries of a list; in a list of samples, each of them.
      const record = inList
        ? { at, end: text.length, isSample: mark === "[" }
        : undefined;
      if (record !== undefined) records.push(record);
      open.push({ mark, record });
    } else if (mark === "}" || mark === "]") {
      const closed = open.pop();
      if (closed?.record !== undefined) closed.record.end = at + 1;
    }
  }
  return { text, strings, records, keys, places: new Map() };
}

function stringEnd(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && text[end] !== '"') {
    end += text[end] === "\\" ? 2 : 1;
  }
  return Math.min(end, text.length);
}

function split(text: string, { at, end }: Part, by: RegExp): Part[] {
  const parts: Part[] = [];
  let from = at;
  for (const match of text.slice(at, end).matchAll(by)) {
    const to = at + match.index + match[0].length;
    parts.push({ at: from, end: to });
    from = to;
  }
  parts.push({ at: from, end });
  return parts;
}
