/**
 * Runs a redaction over the corpus and counts.
 *
 * @module
 */
import { BARE_FRAMES, NAMED_FRAMES } from "./frames.ts";
import { HARMLESS, HARMLESS_FRAMES } from "./harmless.ts";
import { type Kind, KINDS } from "./kinds.ts";
import { LOOK_ALIKES } from "./look_alikes.ts";
import { PROSE } from "./prose.ts";
import { startRandom } from "./random.ts";

/** Redacts a JSON value. */
export type Redact = (value: unknown) => unknown;

/** One text with a credential, and what must be gone from it. */
export interface Planted {
  readonly kind: string;
  readonly frame: string;
  readonly text: string;
  readonly core: string;
}

/** Every kind in every frame that fits it. */
export function plant(kinds: readonly Kind[] = KINDS): Planted[] {
  const r = startRandom(20261115);
  return kinds.flatMap((kind) => {
    const frames = kind.called === undefined ? BARE_FRAMES : NAMED_FRAMES;
    return Object.entries(frames).map(([frame, write]) => {
      const made = kind.make(r);
      const core = kind.core?.(made) ?? made;
      const text = write(made, kind.called ?? "");
      return { kind: kind.name, frame, text, core };
    });
  });
}

/** A text as it stands in an alert. */
export function asAlert(text: string): unknown {
  return { status: "firing", annotations: { description: text } };
}

/** Whether nothing of note is left of a credential: no 6 characters of it. */
export function isGone(text: string, core: string): boolean {
  const plain = core.replaceAll(/\\n|[^A-Za-z0-9]+/g, " ");
  const pieces = plain.split(" ").filter((piece) => piece.length >= 8);
  const wanted = pieces.length > 0 ? pieces : [core];
  return !wanted.some((piece) => {
    const size = Math.min(8, piece.length);
    for (let at = 0; at + size <= piece.length; at++) {
      if (text.includes(piece.slice(at, at + size))) return true;
    }
    return false;
  });
}

/** What a redaction leaves and takes. */
export interface Measured {
  kinds: number;
  complete: number;
  texts: number;
  redacted: number;
  missed: Planted[];
  lookAlikes: number;
  lookAlikesTouched: string[];
  prose: number;
  proseTouched: string[];
  harmless: number;
  harmlessTouched: string[];
}

/** Runs it all. @param redact A fresh redaction for each value. */
export function measure(redact: Redact): Measured {
  const planted = plant();
  const missed = planted.filter(({ text, core }) =>
    !isGone(
      JSON.stringify(redact(asAlert(text))).replaceAll(
        /\[secret:[^\]]*\]/g,
        "",
      ),
      core,
    )
  );
  const touched = (texts: readonly string[]) =>
    texts.filter((text) => {
      const given = asAlert(text);
      return JSON.stringify(redact(given)) !== JSON.stringify(given);
    });
  const harmless = harmlessTexts();
  const incomplete = new Set(missed.map(({ kind }) => kind));
  return {
    kinds: KINDS.length,
    complete: KINDS.length - incomplete.size,
    texts: planted.length,
    redacted: planted.length - missed.length,
    missed,
    lookAlikes: LOOK_ALIKES.length,
    lookAlikesTouched: touched(LOOK_ALIKES),
    prose: PROSE.length,
    proseTouched: touched(PROSE),
    harmless: harmless.length,
    harmlessTouched: touched(harmless),
  };
}

const HARMLESS_EACH = 200;

/** Harmless strings of every kind in every frame. */
export function harmlessTexts(): string[] {
  const r = startRandom(7);
  return Object.values(HARMLESS).flatMap((make) =>
    Object.values(HARMLESS_FRAMES).flatMap((write) =>
      Array.from({ length: HARMLESS_EACH }, () => write(make(r)))
    )
  );
}
