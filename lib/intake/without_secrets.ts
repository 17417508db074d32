/**
 * An incident as it may be stored. Pure.
 *
 * @module
 */
import { optional } from "../base/json.ts";
import { shorten } from "../base/text.ts";
import type { IncidentInput } from "../incident.ts";
import { startRedaction } from "../redact.ts";
import { PACK_SCHEMAS } from "../schemas.ts";
import { webUrlOf } from "../sources/fields.ts";

type Properties = Record<string, { maxLength?: number }>;

/**
 * The same incident without credentials, still as its schema wants it: a
 * placeholder may be longer than what it stands for, and no URL has its
 * brackets.
 *
 * The id stays as it is: two incidents must not become one.
 */
export function withoutSecrets(
  { incident_id, destination: _, ...rest }: IncidentInput,
): Omit<IncidentInput, "destination"> {
  const { source, ...redacted } = startRedaction().value(rest);
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

/** What follows the "#" of a placeholder would else be a fragment. */
function escapePlaceholders(url: string | undefined): string | undefined {
  return url?.replace(/\[secret:[a-z-]+#\d+\]/g, encodeURIComponent);
}
