/**
 * What a claim says is the case stands in the very entry that it quotes, word by
 * word: what happens, to what, and how. Only plain words that add nothing are
 * free. Pure.
 *
 * @module
 */
import { type Check, citedItems, escapeRegExp } from "../claim.ts";
import {
  layoutOf,
  placeAt,
  positions,
  quotePlaces,
  surrounds,
} from "../records.ts";
import { isFunctionWord } from "../words.ts";
import { tokensOf } from "./copied.ts";
import { isAmount, unitOf } from "./numbers.ts";

/** Kinds of things, which entries rarely spell out, and what any of them does. */
const FREE =
  /^(?:pods?|containers?|deployments?|services?|apps?|hosts?|nodes?|replicas?|instances?|databases?|clients?|callers?|clusters?|namespaces?|components?|workloads?|processes|process|systems?|memory|latency|responses?|usage|utilization|connections?|limits?|thresholds?|events?|entr(?:y|ies)|records?|messages?|queries|requests?|series|reach\w*|ris(?:e|es|ing)|rose|risen|gr[eo]w\w*|climb\w*|increas\w*|peak\w*|show\w*|state[sd]?|report\w*|say|says|said|told|log|logged|exceed\w*|cross\w*|hold|holds|held|use|uses|used|wait\w*|end|ends|ended|exit\w*|current|currently|high|higher|average|total|of|far|well|possible|times?|hours?|minutes?|seconds?|lines?|logs?|evidence|incident|alerts?|metrics?|values?|stand|stands|stood|see|seen|come|comes|came|have|number|count|level|same|first|repeatedly|again|still|present|missing|new|old|release|version|deploy\w*|merge[ds]?|began|begin\w*|start\w*)$/;
/** One trouble is told in another's words. */
const ILL =
  /(?:fail|error|exception|refus|denied|deny|forbid|reject|kill|crash|abort|panic|time[ds]? ?out|timeout|unable|cannot|could not|not |no |missing|exceed|exhaust|expired|invalid|down|lost|unavailable|unhealthy|unreachable|backoff|back-off|stall|stuck|slow|lag|pending|full|pressure|false)/i;
const ILL_WORD =
  /^(?:fail\w*|errors?|exceptions?|refus\w*|denied|forbidden|reject\w*|crash\w*|abort\w*|panic\w*|unable|invalid|down|unavailable|unhealthy|unready|unreachable|stall\w*|stuck|slow|lag\w*|pending|broken|trouble|unsuccessful)$/;

/** A quote that stands in more of them says nothing of any. */
const ENTRIES_MAX = 20;

export const covered: Check = (claim, seen) => {
  if (claim.section !== "what") return { kept: claim };
  const items = citedItems(claim, seen).map((item) => {
    const layout = layoutOf(item);
    const records = quotePlaces(layout, claim.quote).slice(0, ENTRIES_MAX)
      .map((at) => placeAt(layout, at).record);
    return { title: item.title, layout, records };
  });
  // What is cited beside the quote lends a claim no words.
  const quoted = items.filter(({ records }) => records.length > 0);
  const lending = quoted.length > 0 ? quoted : items;
  const isThere = (pattern: RegExp) =>
    lending.some(({ title, layout, records }) =>
      title.search(pattern) >= 0 ||
      positions(layout.text, pattern).some((at) =>
        records.length === 0 ||
        records.some((record) => surrounds(layout, at, record))
      )
    );
  const words = tokensOf(claim.text).map((word) =>
    word.replace(/['’]s$/, "").toLowerCase()
  ).flatMap((word) => /\d/.test(word) ? [word] : word.split("-"));
  const other = words.find((word) =>
    word.length > 2 && !isFunctionWord(word) && !isAmount(word) &&
    unitOf(word) === undefined && !/^[\d.,:%+-]+[a-z%]{0,3}$/.test(word) &&
    !FREE.test(word) && !isThere(formOf(word)) &&
    !(ILL_WORD.test(word) && (ILL.test(claim.quote)))
  );
  return other === undefined
    ? { kept: claim }
    : { reason: "off topic", word: other };
};

/** Finds a word in its other forms: `restarted` in `restarts`. */
function formOf(word: string): RegExp {
  if (!/^[a-z]+$/.test(word)) return RegExp(escapeRegExp(word), "gi");
  const stem = word.length <= 5
    ? word.replace(/(?<=\w{3})s$/, "")
    : word.slice(0, Math.max(4, word.length - 3));
  return RegExp(stem.length < 4 ? `(?<![a-z])${stem}` : stem, "gi");
}
