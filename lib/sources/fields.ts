/**
 * Fields that describe an incident, and the incident in plain fields. Pure.
 *
 * A wrong field that identifies an incident is refused (`required.ts`). A wrong
 * field that only describes it is left out: both senders drop a delivery at a
 * 400, so a refused one is lost for good, and the incident carries the original
 * payload anyway.
 *
 * @module
 */
import {
  type JsonObject,
  objectOf,
  optional,
  plainTextOf,
  textOf,
} from "../base/json.ts";
import { shorten } from "../base/text.ts";
import {
  type Fact,
  type IncidentInput,
  isZeroTime,
  type NormalizedContext,
  type TimelineEntry,
  toMoment,
  toSeverity,
} from "../incident.ts";
import type { Findings, Piece } from "./source.ts";

/** The name of the payload among the pieces of evidence. */
export const PAYLOAD = "payload";
const URL_CHARS_MAX = 2000;
export const FACTS_MAX = 50;
/** The newest entries are kept. */
export const TIMELINE_MAX = 50;
/** All values together must fit into a job's result. */
export const VALUE_CHARS_MAX = 500;

const NAME_CHARS_MAX = 100;

/** The webhook's payload, or the incident itself if a person wrote it. */
export function payloadOf(incident: IncidentInput): JsonObject {
  const { destination: _, ...known } = incident;
  return incident.raw ?? known;
}

/** The fields that every incident has. */
export function contextOf(incident: IncidentInput): NormalizedContext {
  const { severity, rule } = toSeverity(incident.severity);
  const { title, service, occurred_at, source } = incident;
  return {
    ...optional("title", title),
    severity,
    severity_rule: incident.severity_rule ?? rule,
    ...optional("service", service),
    source: source ?? { system: "mock" },
    ...isZeroTime(occurred_at) ? {} : optional("occurred_at", occurred_at),
  };
}

/** The payload that a source sent, as a piece of evidence. */
export function payloadPiece(title: string, payload: JsonObject): Piece {
  return jsonPiece({ name: PAYLOAD, kind: "incident.raw", title }, payload);
}

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

/** A fact to spread; none if its name or value is empty. */
export function factOf(name: string, value: unknown, piece: string): Fact[] {
  const text = plainTextOf(value, VALUE_CHARS_MAX);
  return text === undefined || name === "" ? [] : [{
    name: shorten(name, NAME_CHARS_MAX),
    value: text,
    evidence: [piece],
  }];
}

/** A timeline entry to spread; none without a moment. */
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

/** A gap to spread; none if nothing is missing. */
export function countGap(
  missing: number,
  { of, why }: { of: string; why: string },
): Findings["gaps"] {
  return missing > 0 ? [{ what: `${missing} of ${of}`, why }] : [];
}

/** An object's texts by name, as a map: a label may be called `constructor`. */
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

/** Sorts the oldest first, by moments in the form of `toMoment()`. */
export function byMoment(a: { at: string }, b: { at: string }): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : 0;
}

/** An http or https URL of at most 2000 characters, by {@linkcode toUri}. */
export function webUrlOf(value: unknown): string | undefined {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return undefined;
  const uri = toUri(url);
  return uri !== undefined && uri.length <= URL_CHARS_MAX ? uri : undefined;
}

/**
 * A URL in the schema's format `uri`, which allows fewer characters than
 * browsers do. Omits user and password, because a link needs neither.
 *
 * @returns `undefined` for an impossible host, such as `a{b`.
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
