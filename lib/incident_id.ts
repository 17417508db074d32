/**
 * The id by which everything of ours calls an incident. Pure.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { IncidentInput } from "./incident.ts";
import { startRedaction } from "./redact/redaction.ts";

const PREFIX = /^(?:mock|pagerduty|alertmanager):/;
/** Half a SHA-256: collisions stay infeasible, and it fits on a line. */
const HASH_CHARS = 32;

/**
 * An id that holds a credential, or says who somebody is, as a hash with its
 * source in front; any other as it is. No placeholder takes its place, because
 * two incidents must not become one. Depends on no redaction level, because the
 * record of posts goes by it.
 */
export function safeId(id: string): string {
  if (startRedaction({ level: "strict" }).text(id) === id) return id;
  const [prefix = ""] = PREFIX.exec(id) ?? [];
  const hash = createHash("sha256").update(id.slice(prefix.length));
  return prefix + hash.digest("hex").slice(0, HASH_CHARS);
}

/** What identifies an incident. */
export type Identified = Pick<IncidentInput, "incident_id" | "source">;

/** An incident's {@linkcode safeId}, prefixed with its source. */
export function qualifiedId(incident: Identified): string {
  return safeId(prefixed(incident));
}

/**
 * The id by which versions before 0.3.0 recorded its posts, where that is
 * another. Only for reading: it may hold a secret.
 */
export function formerId(incident: Identified): string | undefined {
  const id = prefixed(incident);
  return safeId(id) === id ? undefined : id;
}

function prefixed({ incident_id: id, source }: Identified): string {
  const prefix = `${source?.system ?? "mock"}:`;
  return id.startsWith(prefix) ? id : prefix + id;
}
