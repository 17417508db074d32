/**
 * Prepares an incident for storage. Pure.
 *
 * @module
 */
import { optional } from "../base/json.ts";
import { shorten } from "../base/text.ts";
import type { IncidentInput } from "../incident.ts";
import { safeId } from "../incident_id.ts";
import {
  type Redaction,
  type RedactionLedger,
  type RedactionLevel,
  startRedaction,
} from "../redact/redaction.ts";
import { PACK_SCHEMAS } from "../schemas.ts";
import { webUrlOf } from "./fields.ts";
import { bareUrl, isMetadata, withPlainNames } from "./metadata.ts";

type Properties = Record<string, { maxLength?: number }>;

/** An incident that may be stored. */
export interface Redacted {
  incident: Omit<IncidentInput, "destination">;
  /** What was removed from it now. */
  removed: RedactionLedger;
  /** For what else belongs to it: the same value gets the same placeholder. */
  redaction: Redaction;
}

/**
 * Removes from an incident what `level` forbids and keeps it valid by its
 * schema: a placeholder may be longer than its secret, and no URL may contain
 * its brackets.
 */
export function withoutSecrets(
  { destination: _, ...incident }: IncidentInput,
  level: RedactionLevel = "standard",
): Redacted {
  const given = level === "full" ? withoutWords(incident) : incident;
  const redaction = startRedaction({
    level,
    stays: (path) => isMetadata(path, given),
  });
  const { incident_id, source, ...rest } = given;
  const url = redactUrl(source?.url, redaction.kept);
  const redacted = redaction.value(rest);
  const properties = PACK_SCHEMAS.IncidentInput["properties"] as Properties;
  const fitted = Object.entries(redacted).map(([name, value]) => {
    const { maxLength } = properties[name] ?? {};
    return typeof value === "string" && maxLength !== undefined
      ? [name, shorten(value, maxLength)]
      : [name, value];
  });
  return {
    incident: {
      incident_id: safeId(incident_id),
      ...source && {
        source: { system: source.system, ...optional("url", url) },
      },
      ...Object.fromEntries(fitted),
    },
    removed: redaction.ledger(),
    redaction,
  };
}

/** The fields whose words say more than `full` leaves are absent. */
function withoutWords(
  { severity_rule: _, priority: __, dedup_key: ___, ...incident }:
    IncidentInput,
): IncidentInput {
  const { incident_id, source, raw } = incident;
  return {
    ...incident,
    ...source && {
      source: {
        system: source.system,
        ...optional("url", bareUrl(source.url, incident_id)),
      },
    },
    ...raw && { raw: withPlainNames(raw) as Record<string, unknown> },
  };
}

/** A URL without what a redaction finds in it; absent if none is left. */
export function redactUrl(
  url: string | undefined,
  redact: (text: string) => string,
): string | undefined {
  if (url === undefined) return undefined;
  // Otherwise the "#" of a placeholder would begin a fragment.
  const placeholders = /\[secret:[a-z-]+#\d+\]/g;
  return webUrlOf(redact(url).replace(placeholders, encodeURIComponent));
}
