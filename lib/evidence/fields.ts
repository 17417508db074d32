/**
 * What the readers of all sources share: an incident in plain fields, and the
 * fields of a payload, whatever it holds. Pure.
 *
 * @module
 */
import { type JsonObject, plainTextOf } from "../base/json.ts";
import { shorten } from "../base/errors.ts";
import {
  type Fact,
  type IncidentInput,
  type NormalizedContext,
  toSeverity,
} from "../incident.ts";
import type { Piece } from "./bundle.ts";

/** The payload's id in every bundle. */
export const RAW = "E1";
/** More facts are left out. */
export const FACTS_MAX = 50;
/** The newest entries of a timeline are kept. */
export const TIMELINE_MAX = 50;
/** Longer ones would not fit into a job's result, all of them together. */
export const VALUE_CHARS_MAX = 500;

const NAME_CHARS_MAX = 100;

/** What the webhook carried; else the incident itself, as a person wrote it. */
export function payloadOf(incident: IncidentInput): JsonObject {
  const { destination: _, ...known } = incident;
  return incident.raw ?? known;
}

/** What every incident says of itself. */
export function contextOf(incident: IncidentInput): NormalizedContext {
  const { severity, rule } = toSeverity(incident.severity);
  const { title, service, occurred_at, source } = incident;
  return {
    ...(title === undefined ? {} : { title }),
    severity,
    severity_rule: incident.severity_rule ?? rule,
    ...(service === undefined ? {} : { service }),
    source: source ?? { system: "mock" },
    ...(occurred_at === undefined ? {} : { occurred_at }),
  };
}

/**
 * Pieces of JSON, numbered in their order.
 *
 * @param parts The payload first, as {@linkcode RAW} has it.
 */
export function jsonPieces(
  parts: readonly { kind: string; title: string; value: unknown }[],
): Piece[] {
  return parts.map(({ kind, title, value }, at) => ({
    id: `E${at + 1}`,
    kind,
    title,
    contentType: "application/json",
    content: JSON.stringify(value, null, 2),
  }));
}

/** A fact to spread: none if either part says nothing. */
export function factOf(name: string, value: unknown, evidence: string): Fact[] {
  const text = plainTextOf(value, VALUE_CHARS_MAX);
  return text === undefined || name === "" ? [] : [{
    name: shorten(name, NAME_CHARS_MAX),
    value: text,
    evidence: [evidence],
  }];
}
