/**
 * Bundles for the tables of the rules.
 *
 * @module
 */
import type {
  AlertGroup,
  EvidenceBundle,
  EvidenceKind,
  Fact,
  Lookup,
  NormalizedContext,
} from "../../../lib/incident.ts";
import { readKnown } from "../../../lib/summary/rules/known.ts";
import type { Rule } from "../../../lib/summary/rules/rule.ts";

const EVIDENCE = ["E1", "E2"].map((id) => ({
  id,
  kind: "incident.raw",
  title: "Payload as received",
  artifact_ptr: "redis://art:1",
  content_type: "application/json",
  bytes: 1,
}));

/** The texts that a rule tells of a bundle with this context. */
export function textsOf(
  rule: Rule,
  context: NormalizedContext,
  bundle: Partial<EvidenceBundle> = {},
): string[] {
  const known = readKnown({
    incident_id: "mock:1",
    collected_at: "2026-03-04T09:00:00.000Z",
    evidence: EVIDENCE,
    normalized_context: context,
    ...bundle,
  });
  return rule(known).map(({ text }) => text);
}

/** A fact that a collector found, cited as the second piece. */
export function fact(
  kind: EvidenceKind,
  name: string,
  value: string,
): Fact {
  return { name, value, kind, evidence: ["E2"] };
}

/** A look-up that found the second piece. */
export function foundBy(collector: string, question = "q"): Lookup {
  return { collector, question, state: "found", evidence: ["E2"] };
}

/** A group of one critical alert. */
export function group(change: Partial<AlertGroup> = {}): AlertGroup {
  return {
    name: "Slow",
    severity: "critical",
    count: 1,
    since: "2026-03-04T08:00:00.000Z",
    evidence: ["E1"],
    ...change,
  };
}

/** The context of alerts in these groups. */
export function alertsOf(
  groups: AlertGroup[],
  change: Partial<NonNullable<NormalizedContext["alerts"]>> = {},
): NormalizedContext {
  return {
    source: { system: "alertmanager" },
    alerts: {
      firing: groups.reduce((sum, { count }) => sum + count, 0),
      resolved: 0,
      groups,
      ...change,
    },
  };
}
