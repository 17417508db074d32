/**
 * What one kind of evidence shows is no cause: it is possible. Pure.
 *
 * @module
 */
import { type Check, citedItems } from "../claim.ts";

const CAUSAL =
  /\b(?:because|caus(?:e|ed|es|ing)|due to|led to|leads? to|leading to|result(?:s|ed|ing)? (?:in|from|of)|as a result|trigger(?:s|ed|ing)?|owing to|thanks to|root|culprit|responsible|blame|explains?|explained|therefore|hence|thus|stems? from|stemm(?:ed|ing)|brought|made|makes|drives|drove|driven|forced|forces|why|reason|consequence|effect|behind|origin\w*|induc\w+|provok\w+|so that)\b/i;

/** Whether a claim says why. */
export function saysWhy(
  { section, text }: { section: string; text: string },
): boolean {
  return section === "cause" || CAUSAL.test(text);
}

export const causal: Check = (claim, seen) => {
  if (!saysWhy(claim)) return { kept: claim };
  const kinds = new Set(citedItems(claim, seen).map(({ kind }) => kind));
  if (kinds.size < 2) {
    return { kept: { ...claim, level: "possible", single: true } };
  }
  // Two kinds that fit together are still no proof.
  return { kept: { ...claim, level: "possible" } };
};
