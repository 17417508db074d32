/**
 * Collects an incident's evidence from its source.
 *
 * @module
 */
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

export function collectFindings(incident: IncidentInput): Findings {
  return SOURCES[incident.source?.system ?? "mock"](incident);
}
