/**
 * Fields of payloads, whatever they hold, and an incident in plain fields. Pure.
 *
 * What names an incident is checked by its reader and refused. What only
 * describes it is left out here if it is not what it should be: a refused
 * delivery is lost for good, because both senders drop it at a 400, and the
 * payload travels with the incident as it came.
 *
 * @module
 */
import {
  type JsonObject,
  objectOf,
  plainTextOf,
  textOf,
} from "../base/json.ts";
import { shorten } from "../base/text.ts";
import {
  type Fact,
  type IncidentInput,
  type NormalizedContext,
  type TimelineEntry,
  toMoment,
  toSeverity,
} from "../incident.ts";
import type { Piece } from "./source.ts";

/** The name of the payload among the pieces of evidence. */
export const PAYLOAD = "payload";
const URL_CHARS_MAX = 2000;
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

/** What every incident says about itself. */
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

/** The payload that a source sent, as a piece of evidence. */
export function payloadPiece(title: string, payload: JsonObject): Piece {
  return jsonPiece({ name: PAYLOAD, kind: "incident.raw", title }, payload);
}

/** A JSON value as a piece of evidence. */
export function jsonPiece(
  piece: Pick<Piece, "name" | "kind" | "title">,
  value: unknown,
): Piece {
  return {
    ...piece,
    contentType: "application/json",
    content: JSON.stringify(value, null, 2),
  };
}

/** A fact to spread: none if either part says nothing. */
export function factOf(name: string, value: unknown, piece: string): Fact[] {
  const text = plainTextOf(value, VALUE_CHARS_MAX);
  return text === undefined || name === "" ? [] : [{
    name: shorten(name, NAME_CHARS_MAX),
    value: text,
    evidence: [piece],
  }];
}

/** An entry of the timeline to spread: none without a moment. */
export function entryOf(
  at: unknown,
  text: string,
  piece: string,
): TimelineEntry[] {
  const moment = toMoment(at);
  return moment === undefined
    ? []
    : [{ at: moment, text: shorten(text, VALUE_CHARS_MAX), evidence: [piece] }];
}

/** The texts of an object, by name; a map, since a label may be `constructor`. */
export function textsOf(
  value: unknown,
  charsMax: number,
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(objectOf(value) ?? {}).flatMap(([name, value]) => {
      const text = textOf(value, charsMax);
      return text === undefined ? [] : [[name, text] as const];
    }),
  );
}

/** Oldest first, for moments as `toMoment()` writes them. */
export function byMoment(a: { at: string }, b: { at: string }): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : 0;
}

/** An http or https URL of at most 2000 characters, as {@linkcode toUri} has it. */
export function webUrlOf(value: unknown): string | undefined {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return undefined;
  const uri = toUri(url);
  return uri !== undefined && uri.length <= URL_CHARS_MAX ? uri : undefined;
}

/**
 * A URL as the schema's `uri` wants it, which allows fewer characters than
 * browsers do. User and password are left out: a link needs neither.
 *
 * @returns `undefined` for a host that no URI can have, such as `a{b`.
 * @see https://www.rfc-editor.org/rfc/rfc3986#appendix-A for the characters.
 */
function toUri(
  { protocol, host, pathname, search, hash }: URL,
): string | undefined {
  if (!/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(host)) return undefined;
  const escape = (part: string) =>
    part.replace(
      /[^\w.~!$&'()*+,;=:@/?%-]|%(?![0-9a-f]{2})/gi,
      (character) => encodeURIComponent(character),
    );
  const fragment = hash === "" ? "" : `#${escape(hash.slice(1))}`;
  return `${protocol}//${host}${escape(pathname)}${escape(search)}${fragment}`;
}
