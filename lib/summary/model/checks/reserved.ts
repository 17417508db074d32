/**
 * A model may not order, approve, reassure or belittle, whoever asked it to;
 * next steps only look at something. Pure.
 *
 * @module
 */
import { type Check, citedItems, fold } from "../claim.ts";
import { isReserved } from "../words.ts";

/** How a next step begins: none of them changes anything. */
const LOOK =
  /^(?:check|compare|confirm|verify|inspect|review|look|find|read|measure|trace|see|correlate|determine|examine|investigate|identify|list)\b/i;
/** How an order begins. */
const ORDER =
  /^(?:restart|roll|revert|scale|drain|drop|deploy|redeploy|run|stop|start|turn|switch|remove|replace|reset|reload|rotate|send|set|push|pull|open|close|merge|move|change|update|upgrade|delete|add|increase|decrease|reduce|raise|lower|call|page|tell|ask|say|write|report|post|note|make|let|go|do|use|take|give|put|keep|wait|do not|never|always)\b/i;
/** In a next step, after what it looks at. */
const THEN =
  /(?:\b(?:and|then|or|to|by|before|after|if|whether|when|while|else)|[:;,])\s+(?:then\s+)?(?:restart|roll|revert|scale|drain|drop|deploy|redeploy|run|stop|turn|switch|remove|replace|reset|rotate|send|push|merge|move|call|page|tell|post|transfer|terminate|evict|release|open|close|commit|unmount|format|detach|rebuild|reboot|flush|purge|raise|lower|increase|decrease|restor|revers|remov|replac|mov|releas|clos|terminat|scal|rotat|dropp|stopp|runn|roll)(?:ing)?\b/i;
/** Lines of our own begin or sound so. */
const VOICE =
  /\bmodel['’]?s?['’]? reading\b|\breading by the model\b|^\W*(?:next|possible cause|possibly|seen before|what (?:changed|happened)|asked|as of|could not ask|approved|written|evidence|small print|left out|headline|status)\b[^\w]{0,3}(?:[:·]|\bby\b)/i;
const NO_TROUBLE =
  /\b(?:no|not|never|without|none|nothing|cannot|neither|nor|isn't|aren't|wasn't|doesn't|didn't)\b.{0,40}\b(?:impacts?|problems?|issues?|actions?|incidents?|outages?|causes?|alerts?|alarms?|need|needed|require[ds]?|wrong|critical|severe|real|true|affect\w*|firing|unhealthy|degraded|down|failures?|errors?)\b/i;
/** Trouble that is said not to be. */
const NOT_ILL =
  /\b(?:no|not|never|without|none|nothing|cannot|neither|nor|no longer|hardly|barely|\w+n't|stop\w*|ceas\w*|quit|avoid\w*|surviv\w*|free of)\b.{0,40}\b(?:fail\w*|lag\w*|crash\w*|kill\w*|restart\w*|stall\w*|exceed\w*|exhaust\w*|expir\w*|refus\w*|reject\w*|den(?:y|ied|ies)|timeouts?|timed|pending|stuck|slow\w*|overload\w*|saturat\w*|throttl\w*|evict\w*|terminat\w*|abort\w*|leak\w*|drop\w*|los[et]\w*|full|high|above|cross\w*|unavailable|unready|OOM\w*)\b/i;
/** What works is told by the rules, too. */
const WORKS =
  /\b(?:succeed\w*|success\w*|works?|working|functions|functioning|caught up|keeps? up|kept up|unaffected|undamaged|improv\w*|holds? up|flat|quiet|calm|runs? (?:well|again))\b/i;
const NEGATION =
  /\b(?:no|not|never|without|none|nothing|neither|nor|absent|missing|lacks?|lacking|\w+n't)\b/i;
/** A quote that itself says that something is not there. */
const SAYS_NOT =
  /\b(?:no|not|never|without|none|nothing|(?<![.\d])0(?![.\d])|zero|missing|absent|fail\w*|unable|cannot|could|refused|denied|lacks?|null|empty|false|found|exceeded|exhausted|insufficient|\w+n't)\b|\[\]|""/i;
const NO_ALARM =
  /\bfalse (?:alarms?|positives?|alerts?)\b|\b(?:is|was|are|only|just) (?:only |just |an? |\w+ )*(?:test|trial|demo)\b(?! \w)/i;
/** States the rules tell, better. */
const ENDED =
  /\b(?:is|are|was|were|has|have|been|now|already|back|looks?|seems?)\s+(?:\w+ly\s+)?(?:over|ended|gone|back|stable|steady|up|online|available|ready|running|complete|completed|finished|clear|cleared|closed|done|green|passing|passed|valid|correct)\b/i;

export const reserved: Check = (claim, seen) => {
  const { section, text, quote } = claim;
  const words = text.toLowerCase().match(/[\p{L}\p{N}'-]+/gu) ?? [];
  const word = words.flatMap((word) => [word, ...word.split("-")])
    .find(isReserved);
  if (word !== undefined) return { reason: "reserved", word };
  const wrong = (pattern: RegExp) => pattern.exec(text)?.[0];
  const found =
    (section === "next"
      ? LOOK.test(text) ? wrong(THEN) : text.split(" ", 1)[0]
      : wrong(ORDER)) ??
      wrong(VOICE) ?? wrong(NO_TROUBLE) ?? wrong(NO_ALARM) ?? wrong(ENDED) ??
      (section === "next" ? undefined : notIll(claim) ?? wrong(WORKS));
  if (found !== undefined) return { reason: "reserved", word: found };
  const not = wrong(NEGATION);
  if (not === undefined || section === "next") return { kept: claim };
  // That something is not there needs evidence that says so itself.
  const isSaid = SAYS_NOT.test(fold(quote)) &&
    citedItems(claim, seen).length > 0;
  return isSaid ? { kept: claim } : { reason: "reserved", word: not };
};

/** A quote that denies the same may be told: `no write failed`. */
function notIll({ text, quote }: { text: string; quote: string }) {
  const found = NOT_ILL.exec(text)?.[0];
  return found === undefined || NOT_ILL.test(fold(quote)) ? undefined : found;
}
