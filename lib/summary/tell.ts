/**
 * Tells what a bundle says, by rules in a fixed order. Pure: no model, no clock.
 *
 * @module
 */
import { type EvidenceBundle, withIds } from "../incident.ts";
import { changesBefore } from "./rules/change_ranks.ts";
import { changes } from "./rules/changes.ts";
import { checked } from "./rules/checked.ts";
import { errors } from "./rules/errors.ts";
import { faults } from "./rules/faults.ts";
import { groups } from "./rules/groups.ts";
import { headline, priorityOf, subjectOf } from "./rules/headline.ts";
import { illness } from "./rules/illness.ts";
import { readKnown } from "./rules/known.ts";
import { labels } from "./rules/labels.ts";
import { metric } from "./rules/metric.ts";
import { next } from "./rules/next.ts";
import { prose } from "./rules/prose.ts";
import type { Place, Report, Told } from "../message/told.ts";
import type { Rule } from "./rules/rule.ts";
import { seen } from "./rules/seen.ts";
import { small } from "./rules/small.ts";
import { state } from "./rules/state.ts";
import { verdictOf } from "./rules/verdict.ts";
import { words } from "./rules/words.ts";
import { workload } from "./rules/workload.ts";

/** In the order in which their claims stand. */
const RULES: readonly Rule[] = [
  headline,
  state,
  groups,
  prose,
  metric,
  workload,
  errors,
  illness,
  faults,
  checked,
  labels,
  words,
  changes,
  seen,
  next,
  small,
];

/** What a message cannot do without, even of a bundle without evidence. */
const UNCITED: ReadonlySet<Place> = new Set(["headline", "state", "small"]);

/** Tells a bundle; each claim but those cites evidence that it has. */
export function tell(bundle: EvidenceBundle): Report {
  const known = readKnown(bundle);
  const ids = new Set(withIds(bundle.evidence).map(({ id }) => id));
  const [priority, subject] = [priorityOf(known), subjectOf(known)];
  const verdict = verdictOf(known)?.text;
  const address = changesBefore(known)[0]?.change?.url;
  return {
    ...priority !== undefined && { priority },
    ...subject !== undefined && { subject },
    ...verdict !== undefined && { verdict },
    ...known.since !== undefined && { since: known.since },
    ...address !== undefined && { change: address },
    claims: RULES.flatMap((rule) => rule(known)).map((told) => ({
      ...told,
      evidence: [...new Set(told.evidence)].filter((id) => ids.has(id)),
    })).filter(({ place, evidence }) =>
      evidence.length > 0 || UNCITED.has(place)
    ),
  };
}

/** The claims that stand in one place. */
export function claimsIn({ claims }: Report, place: Place): Told[] {
  return claims.filter((told) => told.place === place);
}
