/**
 * A change that a claim names as a cause was made before the start. Pure.
 *
 * @module
 */
import { type TimelineEntry, toMoment } from "../../../incident.ts";
import { type Check, fold } from "../claim.ts";
import { saysWhy } from "./causal.ts";
import { hasName, tokensOf } from "./copied.ts";

const CHANGE =
  /\b(?:(?:re)?deploy\w*|releas\w+|roll(?:ed|ing)?[ -]?(?:out|back)\w*|merg(?:e|ed|es|ing)|migrat\w+|upgrad\w+|feature flags?|changes?|commits?|committed|pull requests?|scal(?:ed|ing))\b/i;

/** What came first is told for what came of it. */
const ORDER =
  /\b(?:before|after|preced\w+|follow\w*|since|when|once|upon|with|coincid\w+|ahead of|prior to|until|while|during|then|next|at the same time|as soon as)\b/i;

export const change: Check = (claim, { changes, since }) => {
  const isLinked = saysWhy(claim) ||
    claim.section === "what" && ORDER.test(claim.text);
  if (!isLinked) return { kept: claim };
  const said = fold(`${claim.text} ${claim.quote}`);
  const named = best(changes, said);
  if (named.length === 0 && !CHANGE.test(claim.text)) return { kept: claim };
  const meant = named.length > 0
    ? named
    : changes.filter(({ evidence }) =>
      evidence.some((id) => claim.evidence.includes(id))
    );
  const start = toMoment(since);
  const isBefore = start !== undefined && meant.length > 0 &&
    meant.every(({ at }) => (toMoment(at) ?? "9") <= start);
  return isBefore ? { kept: claim } : { reason: "change" };
};

/** The changes that share most names with a text; none that shares no name. */
function best(
  changes: readonly TimelineEntry[],
  said: string,
): readonly TimelineEntry[] {
  const shared = changes.map(({ text }) =>
    new Set(
      tokensOf(text).filter((token) =>
        /\d/.test(token) && /[\p{L}.:_/-]/u.test(token) &&
        hasName(said, token)
      ),
    ).size
  );
  const most = Math.max(0, ...shared);
  return most === 0 ? [] : changes.filter((_, at) => shared[at] === most);
}
