/**
 * A summary before it is stored, and the claims that the next step is given.
 * Pure.
 *
 * @module
 */
import type { Claim, EvidenceItem, Summary } from "../incident.ts";
import type { Place, Report } from "../message/told.ts";
import { keepCited } from "./citations.ts";

export interface Draft {
  report: Report;
  /** Who wrote it. */
  model: string;
}

const CLAIMS_MAX = 20;
const KNOWN: readonly Place[] = ["happened", "changed", "seen"];
const NEXT: readonly Place[] = ["next"];
/** What only lays out a message claims nothing; a model makes nothing surer. */
const NO_CLAIM: readonly Place[] = ["small", "model"];

/** The part of a `Summary` that other programs read. */
export function claimsOf(
  { claims }: Report,
  evidence: readonly EvidenceItem[],
): Pick<Summary, "highlights" | "action_items" | "confidence"> {
  const of = (places: readonly Place[]): Claim[] =>
    keepCited(
      claims.filter(({ place }) => places.includes(place)),
      evidence,
      CLAIMS_MAX,
    );
  return {
    highlights: of(KNOWN),
    action_items: of(NEXT),
    confidence: weigh({ claims }).confidence,
  };
}

/** How much of what is told rests on more than the webhook. */
export function weigh(
  { claims }: Report,
): { claims: number; collected: number; confidence: number } {
  const told = claims.filter(({ place }) => !NO_CLAIM.includes(place));
  const { length } = told.filter(({ collected }) => collected);
  const share = told.length === 0 ? 0 : length / told.length;
  return {
    claims: told.length,
    collected: length,
    confidence: Math.round(100 * share) / 100,
  };
}
