/**
 * Prepares a delivery's run: what the platform may store of it. Pure.
 *
 * @module
 */
import type { IncidentInput } from "../incident.ts";
import { safeId } from "../incident_id.ts";
import type { RedactionLedger } from "../redact/redaction.ts";
import type { Delivery } from "../sources/source.ts";
import { withoutSecrets } from "../sources/without_secrets.ts";
import { type RunKeys, runKeys } from "./run_key.ts";
import type { IntakeConfig } from "./settings.ts";

/**
 * Redacts an incident, and the keys of its run, before the platform stores
 * both: no worker of ours sees them earlier.
 */
export async function prepareRun(
  delivery: Delivery,
  { cooldownS, destinationMode, redactionLevel }: IntakeConfig,
  nowMs: number,
): Promise<{
  incident: IncidentInput;
  keys: RunKeys;
  removed: RedactionLedger;
}> {
  const key = safeId(delivery.key);
  const keys = await runKeys({ ...delivery, key }, cooldownS, nowMs);
  const { incident, removed } = withoutSecrets(
    delivery.incident,
    redactionLevel,
  );
  // Only a trusted sender's delivery has a destination.
  const { destination = { mode: destinationMode } } = delivery.incident;
  return { incident: { ...incident, destination }, keys, removed };
}
