/**
 * Finds the values of a Secret of Kubernetes that a text holds. Pure.
 *
 * @module
 */
import { isPlaceholder, type Span } from "./span.ts";

/** What every such manifest contains. */
export const MANIFEST_ANCHOR = "Secret";

const KIND = /\bkind\\{0,3}["']?\s{0,4}:\s{0,4}\\{0,3}["']?$/;
/** Not `SecretStore`. */
const END = /^\\{0,3}["']?\s*(?:[\n\\,}]|$)/;
const DATA =
  /\b(?:data|stringData)\\{0,3}["']?\s{0,4}:\s{0,4}(?:\{([^{}]{0,4000})\}|((?:\r?\n[ \t]+[^\n]{0,4000}){1,60}))/g;
const ENTRY =
  /(?:^|[\n{,])[ \t\\]{0,40}["']?[\w.-]{1,120}\\{0,3}["']?\s{0,4}:\s{0,4}\\{0,3}["']?([^\s"',{}|>\\]{4,})/g;
const AROUND = 4_000;

/** What one text's search remembers, so that nothing is read twice. */
export class ManifestSearch {
  readonly #text: string;
  #until = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** All values of the manifest whose kind stands at `at`. */
  find(at: number): Span[] {
    const text = this.#text;
    if (at < this.#until) return [];
    if (!KIND.test(text.slice(Math.max(0, at - 20), at))) return [];
    const after = at + MANIFEST_ANCHOR.length;
    if (!END.test(text.slice(after, after + 8))) return [];
    const end = nextDocument(text, after);
    const start = previousDocument(text, at, this.#until);
    this.#until = end;
    const spans: Span[] = [];
    const part = text.slice(start, end);
    for (const data of part.matchAll(DATA)) {
      const body = data[1] ?? data[2] ?? "";
      const from = start + data.index + data[0].indexOf(body);
      for (const entry of body.matchAll(ENTRY)) {
        const value = entry[1]!;
        if (isPlaceholder(value)) continue;
        const place = from + entry.index + entry[0].length - value.length;
        spans.push({ start: place, end: place + value.length, name: "named" });
      }
    }
    return spans;
  }
}

function nextDocument(text: string, at: number): number {
  const end = text.slice(at, at + AROUND).indexOf("\n---");
  return end === -1 ? Math.min(text.length, at + AROUND) : at + end;
}

function previousDocument(text: string, at: number, until: number): number {
  const from = Math.max(until, at - AROUND);
  const start = text.slice(from, at).lastIndexOf("\n---");
  return start === -1 ? from : from + start;
}
