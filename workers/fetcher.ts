/**
 * Fetch worker: collects the evidence about an incident.
 *
 * Takes jobs of `job.incident-enricher.fetch`: an `IncidentInput`. Returns an
 * `EvidenceBundle` whose pieces are artifacts that the platform keeps for 30
 * days. Net: NATS, Redis, gateway, the collectors' hosts. Env: `SETTINGS`. No files, no processes.
 *
 * @module
 */
import type { Config } from "../lib/base/config.ts";
import { buildBundle } from "../lib/evidence/bundle.ts";
import { checkCollectors } from "../lib/evidence/check_collectors.ts";
import { COLLECTORS } from "../lib/evidence/collectors.ts";
import { readCatalog } from "../lib/evidence/catalog.ts";
import {
  COLLECTOR_SETTINGS,
  type CollectorSettings,
} from "../lib/evidence/settings.ts";
import { gather } from "../lib/evidence/gather.ts";
import { HISTORY_ITEMS_MAX, historyKey } from "../lib/history.ts";
import type { EvidenceBundle, IncidentInput } from "../lib/incident.ts";
import { qualifiedId } from "../lib/incident_id.ts";
import { countLookups } from "../lib/lookups.ts";
import { countRemoved } from "../lib/removed.ts";
import {
  type PlatformSettings,
  platformSettings,
} from "../lib/platform/settings.ts";
import { type JobContext, runWorker } from "../lib/platform/worker.ts";

const TOPIC = "job.incident-enricher.fetch";

/** Everything that this worker reads from its environment. */
export const SETTINGS: PlatformSettings & CollectorSettings = {
  ...platformSettings("incident-enricher-fetcher", "incident-enricher-fetch"),
  ...COLLECTOR_SETTINGS,
};

/**
 * Warns of nothing, but stops a worker whose catalogue is not valid.
 *
 * @throws {ConfigError} Says what is wrong with it.
 */
export function caution({ catalog }: Config<typeof SETTINGS>): undefined {
  if (catalog !== undefined) readCatalog(catalog);
}

/**
 * Collects the evidence from the incident's source and the other systems that
 * are set up.
 *
 * @returns One item for each piece, in the order cited.
 * @throws If a piece cannot be stored, since the bundle would cite nothing.
 */
export async function fetchEvidence(
  incident: IncidentInput,
  context: JobContext<typeof SETTINGS>,
): Promise<EvidenceBundle> {
  const { gateway, count, progress, constraints } = context;
  const findings = await gather(incident, {
    ...context,
    level: constraints.redactionLevel,
    now: new Date(),
    leftMs: context.leftMs(),
    history: (subject) => readPosts(subject, context),
  });
  countRemoved(findings.removed, count);
  countLookups(findings.lookups ?? [], count);
  const incidentId = qualifiedId(incident);
  const pieces = findings.pieces.length + 1; // And the incident in plain fields.
  progress(50, `storing ${pieces} pieces of evidence`);
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

/** Our own posts about a subject, the newest last. */
async function readPosts(
  subjectKey: string,
  { store, job }: JobContext<typeof SETTINGS>,
): Promise<readonly string[]> {
  const key = historyKey(job.tenantId, subjectKey);
  return key === undefined ? [] : await store.latest(key, HISTORY_ITEMS_MAX);
}

if (import.meta.main) {
  await runWorker({
    topic: TOPIC,
    settings: SETTINGS,
    input: "IncidentInput",
    output: "EvidenceBundle",
    caution,
    look: (settings) => checkCollectors(COLLECTORS, settings),
    handle: fetchEvidence,
  });
}
