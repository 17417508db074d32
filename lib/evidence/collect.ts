/**
 * Collects an incident's evidence from its source.
 *
 * @module
 */
import { mapTexts } from "../base/json.ts";
import { removeUnseen } from "../base/text.ts";
import type { IncidentInput, SourceSystem } from "../incident.ts";
import { collectAlertmanager } from "../sources/alertmanager/evidence.ts";
import { collectMock } from "../sources/mock/evidence.ts";
import { collectPagerDuty } from "../sources/pagerduty/evidence.ts";
import type { Findings } from "../sources/source.ts";

/** The schema admits no other source. */
const SOURCES: Readonly<
  Record<SourceSystem, (incident: IncidentInput) => Findings>
> = {
  mock: collectMock,
  pagerduty: collectPagerDuty,
  alertmanager: collectAlertmanager,
};

/**
 * Collects what an incident says. Nothing of it holds a character that a reader
 * could not see, whether a person, a model or a terminal.
 */
export function collectFindings(incident: IncidentInput): Findings {
  const seen = mapTexts(incident, removeUnseen);
  return SOURCES[incident.source?.system ?? "mock"](seen);
}
