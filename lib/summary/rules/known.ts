/**
 * Reads a bundle for the rules. Pure.
 *
 * @module
 */
import { type EvidenceBundle, toMoment, withIds } from "../../incident.ts";
import type { Known } from "./rule.ts";

/** Everything that the rules look at, for a bundle of any version. */
export function readKnown(bundle: EvidenceBundle): Known {
  const context = bundle.normalized_context ?? {};
  const { facts = [], timeline = [], series = [], alerts } = context;
  const groups = alerts?.groups ?? [];
  const severity = groups[0]?.severity;
  const worst = groups.filter((group) => group.severity === severity);
  const lookups = bundle.lookups ?? [];
  const isAsked = lookups.some(({ state }) =>
    state !== "off" && state !== "unconcerned"
  );
  const starts = worst.flatMap(({ since }) => toMoment(since) ?? []).sort();
  const moments = [
    context.occurred_at,
    alerts?.newest,
    ...groups.flatMap(({ since, newest }) => [since, newest]),
    ...timeline.map(({ at }) => at),
  ].flatMap((at) => toMoment(at) ?? []).sort();
  return {
    bundle,
    context,
    given: new Map(
      facts.flatMap(({ name, value, kind }) =>
        kind === undefined ? [[name, value] as const] : []
      ),
    ),
    facts: facts.filter(({ kind }) => kind !== undefined),
    timeline,
    series,
    groups,
    worst,
    lookups,
    sourceOf: ({ evidence }) =>
      lookups.find((lookup) =>
        lookup.evidence?.some((id) => evidence.includes(id))
      )?.collector,
    main: withIds(bundle.evidence).slice(0, 1).map(({ id }) => id),
    since: starts[0] ?? toMoment(context.occurred_at),
    // What was collected is as of its collection, a webhook as of its events.
    asOf: isAsked ? toMoment(bundle.collected_at) : moments.at(-1),
    isAsked,
  };
}
