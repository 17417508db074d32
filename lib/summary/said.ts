/**
 * What a text has said already, so that no sentence stands twice. Pure.
 *
 * @module
 */
import { quoted } from "../base/foreign.ts";
import { sentencesOf } from "../base/sentence.ts";

const QUOTED = /“([^“”]*)”/g;
/** `Slow fired (pod=a): p99 is 2 s` has a head of its own. */
const HEADED = /^(.{1,400}?)(?::\s+)(?=\S)(.+)$/s;

/** Remembers sentences of others, however they are quoted. */
export class Said {
  readonly #sentences = new Set<string>();

  /** Remembers a text, and each sentence of it. */
  add(text: string): void {
    for (const sentence of [text, ...sentencesOf(text)]) {
      this.#sentences.add(keyOf(sentence));
    }
  }

  /** Remembers what a claim of ours quotes. */
  addQuoted(claim: string): void {
    for (const [, text = ""] of claim.matchAll(QUOTED)) this.add(text);
  }

  /** Whether a text stands already, word for word. */
  has(text: string): boolean {
    return this.#sentences.has(keyOf(text));
  }

  /**
   * The sentences of a text that do not stand yet; from now on they do. The head
   * of a sentence stays if only what follows its colon stands.
   */
  rest(text: string): string {
    if (this.has(text)) return "";
    const left = sentencesOf(text).flatMap((sentence) => {
      if (this.has(sentence)) return [];
      const [, head, tail] = HEADED.exec(sentence) ?? [];
      return tail !== undefined && this.has(tail) ? [head!] : [sentence];
    });
    this.add(text);
    for (const sentence of sentencesOf(text)) {
      const tail = HEADED.exec(sentence)?.[2];
      if (tail !== undefined) this.add(tail);
    }
    return left.join(" ");
  }
}

function keyOf(text: string): string {
  return quoted(text, Infinity).slice(1, -1).replace(/[\s.]+$/, "");
}
