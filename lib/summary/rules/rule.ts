/**
 * A rule tells one thing about an incident, or nothing. Rules are pure: the same
 * bundle gives the same claims. Each stands in a file of its own, and
 * `../tell.ts` lists them in their order.
 *
 * @module
 */
import type { MetricSeries } from "../../collected.ts";
import type {
  AlertGroup,
  EvidenceBundle,
  Fact,
  Lookup,
  NormalizedContext,
  TimelineEntry,
} from "../../incident.ts";
import type { Told } from "../../message/told.ts";

/** What rules look at: the bundle, read once. */
export interface Known {
  bundle: EvidenceBundle;
  context: NormalizedContext;
  /** Facts of the webhook by their names. */
  given: ReadonlyMap<string, string>;
  /** Facts of other systems. */
  facts: readonly Fact[];
  timeline: readonly TimelineEntry[];
  /** The course of the alerts' own numbers, the worst alert's first. */
  series: readonly MetricSeries[];
  /** The worst first; empty for a source without alerts. */
  groups: readonly AlertGroup[];
  /** Those groups that the headline is about. */
  worst: readonly AlertGroup[];
  lookups: readonly Lookup[];
  /** Which collector found something: `github`; none for the webhook's own. */
  sourceOf(found: { readonly evidence: readonly string[] }): string | undefined;
  /** The payload. */
  main: readonly string[];
  /** When what the headline says began. */
  since: string | undefined;
  /** The newest moment that the bundle knows of; RFC 3339, UTC. */
  asOf: string | undefined;
  /** Whether any other system was asked. */
  isAsked: boolean;
}

export type Rule = (known: Known) => readonly Told[];
