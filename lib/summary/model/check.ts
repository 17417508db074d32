/**
 * Checks what a model said, claim by claim. A claim is shown only if every check
 * lets it pass; why another one is not shown is counted. Pure.
 *
 * @module
 */
import { isObject, stringOf } from "../../base/json.ts";
import { shorten } from "../../base/text.ts";
import { causal } from "./checks/causal.ts";
import { change } from "./checks/change.ts";
import { copied } from "./checks/copied.ts";
import { covered } from "./checks/covered.ts";
import { gap } from "./checks/gap.ts";
import { knownId } from "./checks/known_id.ts";
import { onTopic } from "./checks/on_topic.ts";
import { ourWords } from "./checks/our_words.ts";
import { plain } from "./checks/plain.ts";
import { quote } from "./checks/quote.ts";
import { reserved } from "./checks/reserved.ts";
import { scope } from "./checks/scope.ts";
import { together } from "./checks/together.ts";
import type {
  Check,
  DroppedClaim,
  KeptClaim,
  ModelClaim,
  Seen,
} from "./claim.ts";
import { CLAIMS_MAX, isClaim } from "./schema.ts";

/** In the order in which a claim meets them. */
export const CHECKS: readonly Check[] = [
  knownId,
  quote,
  copied,
  plain,
  causal,
  change,
  gap,
  reserved,
  ourWords,
  onTopic,
  together,
  scope,
  covered,
];

/** Of a claim that is left out, in the record and for the approver. */
const TOLD_CHARS_MAX = 400;

/** What is left of an answer. */
export interface Checked {
  kept: KeptClaim[];
  dropped: DroppedClaim[];
}

/** Checks each claim of an answer. */
export function checkClaims(
  claims: readonly unknown[],
  seen: Seen,
): Checked {
  const kept: KeptClaim[] = [];
  const dropped: DroppedClaim[] = [];
  for (const [at, value] of claims.entries()) {
    const text = shorten(
      isObject(value) ? stringOf(value["text"]) : "",
      TOLD_CHARS_MAX,
    );
    if (at >= CLAIMS_MAX) dropped.push({ text, reason: "too many" });
    else if (!isClaim(value)) dropped.push({ text, reason: "shape" });
    else {
      const verdict = checkClaim(value, seen);
      if ("reason" in verdict) dropped.push({ text, ...verdict });
      else if (kept.some((other) => isTold(verdict.kept.text, other.text))) {
        dropped.push({ text, reason: "told" });
      } else kept.push(verdict.kept);
    }
  }
  return { kept, dropped };
}

function checkClaim(claim: ModelClaim, seen: Seen): ReturnType<Check> {
  let kept: KeptClaim = { ...claim, level: "observed" };
  for (const check of CHECKS) {
    const verdict = check(kept, seen);
    if ("reason" in verdict) return verdict;
    kept = verdict.kept;
  }
  return { kept };
}

/** Whether a sentence says, word for word, hardly more than another. */
export function isTold(text: string, other: string): boolean {
  const [one, two] = [text, other].map((text) =>
    new Set(text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}.:-]*/gu) ?? [])
  );
  return one!.difference(two!).size <= one!.size / 6;
}
