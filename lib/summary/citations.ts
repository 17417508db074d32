/**
 * Claims and the evidence that they rest on. Pure.
 *
 * @module
 */
import { shorten } from "../base/text.ts";
import type { Claim, EvidenceItem } from "../incident.ts";
import { withIds } from "../incident.ts";

const CLAIM_CHARS_MAX = 1000;

/**
 * Keeps the claims that say something and cite evidence of this bundle, and
 * only those of their citations that exist.
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
