/**
 * What could not be collected is no finding. Pure.
 *
 * @module
 */
import type { Gap, Lookup } from "../../../incident.ts";
import { type Check, fold, type Seen } from "../claim.ts";
import { isFunctionWord } from "../words.ts";

const ABSENT =
  /\b(?:no|not|none|nothing|never|without|missing|absent|absence|lacks?|lacking|lack of|unavailable|unknown|unable|cannot|could|fail(?:s|ed)?|empty|zero|incomplete|silent|stopped)\b/i;
const SAID_CHARS_MIN = 8;

export const gap: Check = (claim, seen) => {
  const quote = fold(claim.quote).toLowerCase();
  const text = claim.text.toLowerCase();
  for (const [what, why] of missing(seen)) {
    const whole = [what, why, `${what}: ${why}`].map((part) =>
      fold(part).toLowerCase()
    );
    const isQuoted = whole.some((part) =>
      part.length >= SAID_CHARS_MIN &&
      (part.includes(quote) || quote.includes(part))
    );
    if (isQuoted) return { reason: "gap" };
    // A claim that logs are missing, where no logs could be read.
    if (ABSENT.test(text) && nouns(what).some((noun) => text.includes(noun))) {
      return { reason: "gap" };
    }
  }
  return { kept: claim };
};

function missing({ gaps, lookups }: Seen): [what: string, why: string][] {
  const failed = lookups.filter(({ state }) =>
    state !== "found" && state !== "nothing"
  );
  return [
    ...gaps.map(({ what, why }: Gap): [string, string] => [what, why]),
    ...failed.map(({ question = "", why = "" }: Lookup): [string, string] => [
      question,
      why,
    ]),
  ];
}

/** The words that say what it is, without their plural. */
function nouns(what: string): string[] {
  return (what.toLowerCase().match(/[a-z]{3,}/g) ?? [])
    .filter((word) => !isFunctionWord(word))
    .map((word) => word.replace(/s$/, ""));
}
