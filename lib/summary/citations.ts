/**
 * Claims and the evidence that they cite. Pure.
 *
 * @module
 */
import { shorten } from "../base/text.ts";
import { type Claim, type EvidenceItem, withIds } from "../incident.ts";

const CLAIM_CHARS_MAX = 1000;

/**
 * Drops empty claims, citations of evidence that this bundle does not have, and
 * claims without any other citation.
 *
 * @returns At most `claimsMax`.
 */
export function keepCited(
  claims: readonly Claim[],
  evidence: readonly EvidenceItem[],
  claimsMax: number,
): Claim[] {
  const known = new Set(withIds(evidence).map(({ id }) => id));
  return claims.flatMap(({ text, evidence }) => {
    const cited = [...new Set(evidence)].filter((id) => known.has(id));
    return cited.length === 0 || text.trim() === ""
      ? []
      : [{ text: shorten(text, CLAIM_CHARS_MAX), evidence: cited }];
  }).slice(0, claimsMax);
}
