/**
 * Prepares an incident for storage. Pure.
 *
 * @module
 */
import { optional } from "../base/json.ts";
import { shorten } from "../base/text.ts";
import type { IncidentInput } from "../incident.ts";
import { type RedactionLevel, startRedaction } from "../redact/redaction.ts";
import { PACK_SCHEMAS } from "../schemas.ts";
import { webUrlOf } from "./fields.ts";

type Properties = Record<string, { maxLength?: number }>;

/**
 * Removes credentials from an incident and keeps it valid by its schema: a
 * placeholder may be longer than its secret, and no URL may contain its
 * brackets.
 *
 * Keeps the id unchanged, because two incidents must not become one.
 *
 * @param level What policy asks for.
 */
export function withoutSecrets(
  { incident_id, destination: _, ...rest }: IncidentInput,
  level: RedactionLevel = "standard",
): Omit<IncidentInput, "destination"> {
  const { source, ...redacted } = startRedaction({ level }).value(rest);
  const properties = PACK_SCHEMAS.IncidentInput["properties"] as Properties;
  const fitted = Object.entries(redacted).map(([name, value]) => {
    const { maxLength } = properties[name] ?? {};
    return typeof value === "string" && maxLength !== undefined
      ? [name, shorten(value, maxLength)]
      : [name, value];
  });
  return {
    incident_id,
    ...source && {
      source: {
        system: source.system,
        ...optional("url", webUrlOf(escapePlaceholders(source.url))),
      },
    },
    ...Object.fromEntries(fitted),
  };
}

/** Otherwise the "#" of a placeholder would begin a fragment. */
function escapePlaceholders(url: string | undefined): string | undefined {
  return url?.replace(/\[secret:[a-z-]+#\d+\]/g, encodeURIComponent);
}
