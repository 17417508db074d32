/**
 * Fetch worker: collects the evidence of an incident.
 *
 * Takes jobs of `job.incident-enricher.fetch`: an `IncidentInput`. Gives an
 * `EvidenceBundle` whose pieces are artifacts that the platform keeps for 30
 * days. Net: NATS, Redis, gateway. Env: `SETTINGS`. No files, no processes.
 *
 * @module
 */
import { JobError } from "../lib/base/errors.ts";
import { readAlertmanagerIncident } from "../lib/evidence/alertmanager.ts";
import { buildBundle, type Findings } from "../lib/evidence/bundle.ts";
import { readMockIncident } from "../lib/evidence/mock.ts";
import { readPagerDutyIncident } from "../lib/evidence/pagerduty.ts";
import {
  type EvidenceBundle,
  type IncidentInput,
  qualifiedId,
  type SourceSystem,
} from "../lib/incident.ts";
import type { RedactionLevel } from "../lib/platform/constraints.ts";
import {
  type PlatformSettings,
  platformSettings,
} from "../lib/platform/settings.ts";
import { type JobContext, runWorker } from "../lib/platform/worker.ts";

const TOPIC = "job.incident-enricher.fetch";

/** The schema lets no other source in. */
const SOURCES: Readonly<
  Record<SourceSystem, (incident: IncidentInput) => Findings>
> = {
  mock: readMockIncident,
  pagerduty: readPagerDutyIncident,
  alertmanager: readAlertmanagerIncident,
};

/** Everything that this worker reads from its environment. */
export const SETTINGS: PlatformSettings = platformSettings(
  "incident-enricher-fetcher",
  "incident-enricher-fetch",
);

/**
 * Collects what the incident's source knows of it.
 *
 * @returns One item a piece, in the order cited. What could not be had is a
 * gap, so that one refusal loses one piece.
 * @throws {JobError} `REDACTION_UNSUPPORTED` if policy wants more withheld
 * than it can.
 */
export async function fetchEvidence(
  incident: IncidentInput,
  { gateway, constraints, progress }: JobContext<typeof SETTINGS>,
): Promise<EvidenceBundle> {
  checkRedaction(constraints.redactionLevel);
  const findings = readSource(incident);
  const incidentId = qualifiedId(incident);
  progress(50, `storing ${findings.pieces.length} pieces of evidence`);
  return await buildBundle(incidentId, findings, {
    now: new Date(),
    put: ({ kind, contentType }, content) =>
      gateway.putArtifact({
        content,
        contentType,
        retention: "audit",
        labels: { kind, incident_id: incidentId },
      }),
  });
}

/** What policy wants withheld, and would not be, must not be stored. */
function checkRedaction(level: RedactionLevel): void {
  if (level === "none" || level === "standard") return;
  throw new JobError(
    "REDACTION_UNSUPPORTED",
    `Cannot fetch evidence: policy wants redaction level "${level}", which this version does not have`,
  );
}

/** Reads what an incident's source knows of it. */
export function readSource(incident: IncidentInput): Findings {
  return SOURCES[incident.source?.system ?? "mock"](incident);
}

if (import.meta.main) {
  await runWorker({
    topic: TOPIC,
    settings: SETTINGS,
    input: "IncidentInput",
    output: "EvidenceBundle",
    handle: fetchEvidence,
  });
}
