/**
 * Collects an incident's evidence from its source.
 *
 * @module
 */
import { mapTexts } from "../base/json.ts";
import { removeUnseen } from "../base/text.ts";
import type { IncidentInput, SourceSystem } from "../incident.ts";
import type { RedactionLevel } from "../redact/redaction.ts";
import { collectAlertmanager } from "../sources/alertmanager/evidence.ts";
import { collectMock } from "../sources/mock/evidence.ts";
import { collectPagerDuty } from "../sources/pagerduty/evidence.ts";
import type { Findings } from "../sources/source.ts";
import { withoutSecrets } from "../sources/without_secrets.ts";

/** The schema admits no other source. */
const SOURCES: Readonly<
  Record<SourceSystem, (incident: IncidentInput) => Findings>
> = {
  mock: collectMock,
  pagerduty: collectPagerDuty,
  alertmanager: collectAlertmanager,
};

/**
 * Collects what an incident says. Nothing of it holds a credential, even if the
 * run was started past the ingester, or a character that a reader could not see,
 * whether a person, a model or a terminal.
 *
 * @param level What policy asks for.
 */
export function collectFindings(
  incident: IncidentInput,
  level: RedactionLevel = "standard",
): Findings {
  // First, as a credential may be taken for none with such a character in it.
  const seen = mapTexts(incident, removeUnseen);
  return SOURCES[incident.source?.system ?? "mock"](
    withoutSecrets(seen, level),
  );
}
