/**
 * Collects an incident's evidence from its source.
 *
 * @module
 */
import { mapTexts } from "../base/json.ts";
import { removeUnseen } from "../base/text.ts";
import type { IncidentInput, SourceSystem } from "../incident.ts";
import {
  addLedgers,
  type Redaction,
  type RedactionLedger,
  type RedactionLevel,
} from "../redact/redaction.ts";
import { boundLedger, findPlaceholders } from "../removed.ts";
import { collectAlertmanager } from "../sources/alertmanager/evidence.ts";
import { collectMock } from "../sources/mock/evidence.ts";
import { collectPagerDuty } from "../sources/pagerduty/evidence.ts";
import type { Findings } from "../sources/source.ts";
import { withoutSecrets } from "../sources/without_secrets.ts";
import { withholdContext } from "./withhold.ts";

/** The schema admits no other source. */
const SOURCES: Readonly<
  Record<SourceSystem, (incident: IncidentInput) => Findings>
> = {
  mock: collectMock,
  pagerduty: collectPagerDuty,
  alertmanager: collectAlertmanager,
};

/** Findings, and what was removed before they were made. */
export interface SourceFindings extends Findings {
  /** By this redaction alone; the context also has what came before it. */
  removed: RedactionLedger;
  /** What an earlier step removed. */
  before: RedactionLedger;
  redaction: Redaction;
}

/**
 * Collects what an incident says, as far as policy allows. Nothing of it holds a
 * credential, even if the run was started past the ingester, or a character that
 * a reader could not see, whether a person, a model or a terminal.
 *
 * @param level What policy asks for.
 */
export function collectFindings(
  incident: IncidentInput,
  level: RedactionLevel = "standard",
): SourceFindings {
  // First, as a credential may be taken for none with such a character in it.
  const seen = mapTexts(incident, removeUnseen);
  const { destination: _, ...given } = seen;
  const { incident: redacted, removed, redaction } = withoutSecrets(
    given,
    level,
  );
  const findings = SOURCES[redacted.source?.system ?? "mock"](redacted);
  const { context, gaps } = level === "full"
    ? withholdContext(findings, redacted.incident_id)
    : findings;
  const before = findPlaceholders(given);
  const all = boundLedger(addLedgers(before, removed));
  return {
    pieces: findings.pieces,
    context: Object.keys(all).length === 0
      ? context
      : { ...context, redacted: all },
    gaps,
    removed,
    before,
    redaction,
  };
}
