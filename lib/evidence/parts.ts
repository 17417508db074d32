/**
 * Questions that several requests answer, each of which may fail alone.
 *
 * @module
 */
import type { Gap } from "../incident.ts";
import { type Finding, GapError } from "./collector.ts";

/** One part of an answer. */
export interface Part {
  /** One noun phrase for its gap: `notes of the incident`. */
  readonly what: string;
  /**
   * Reads it into what `describe` tells.
   *
   * @returns What it lacks.
   * @throws {GapError} If it cannot be read.
   */
  readonly read: () => Promise<PartGap | undefined | void>;
}

/** A gap of a part, whose name it gets. */
export type PartGap = Omit<Gap, "what">;

/**
 * Reads one part after the other, and describes after each what is known. One
 * that fails is a gap, and those after it are asked for unless they would fail
 * alike.
 *
 * @throws Whatever a part throws that is no {@linkcode GapError}.
 */
export async function* inParts(
  parts: readonly Part[],
  describe: () => Finding,
): AsyncGenerator<Finding> {
  for (const { what, read } of parts) {
    let gap: PartGap | undefined;
    let isFinal = false;
    try {
      gap = await read() ?? undefined;
      yield describe();
    } catch (error) {
      if (!(error instanceof GapError)) throw error;
      const { message: why, kind, status } = error;
      gap = { why, kind };
      isFinal = status === 401 || kind === "late" || kind === "limited";
      const known = describe();
      if ("piece" in known) yield known; // It may have read a part of the part.
    }
    if (gap !== undefined) yield { gap: { what, ...gap } };
    if (isFinal) return;
  }
}

/** That a list has been cut. */
export function keptGap(got: number, of?: number): PartGap {
  const why = `at most ${got} are kept`;
  return { why, kind: "cut", got, ...of === undefined ? {} : { of } };
}
