/**
 * Every id that a claim cites is one that the model was shown. Pure.
 *
 * @module
 */
import type { Check } from "../claim.ts";

const IDS_MAX = 5;

export const knownId: Check = (claim, seen) => {
  const ids = [...new Set(claim.evidence)];
  const unknown = ids.find((id) => !seen.items.has(id));
  if (unknown !== undefined) return { reason: "unknown id", word: unknown };
  if (ids.length === 0) return { reason: "unknown id" };
  return { kept: { ...claim, evidence: ids.slice(0, IDS_MAX) } };
};
