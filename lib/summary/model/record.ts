/**
 * Keeps what was sent to a model and what came back.
 *
 * @module
 */
import type { JobGateway } from "../../platform/context.ts";
import type { Reading } from "./reading.ts";

/**
 * Stores the record for whoever audits it.
 *
 * @returns Its pointer; `undefined` if nothing was sent.
 */
export async function storeRecord(
  reading: Reading | undefined,
  incidentId: string,
  gateway: Pick<JobGateway, "putArtifact">,
): Promise<string | undefined> {
  if (reading?.record === undefined) return undefined;
  return await gateway.putArtifact({
    content: JSON.stringify(reading.record),
    contentType: "application/json",
    retention: "audit",
    labels: { incident_id: incidentId, kind: "incident.model" },
  });
}
