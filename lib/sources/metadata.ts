/**
 * What the redaction level `full` leaves of an incident: when it happened, what
 * is ill and how badly, and how its evidence is built. Pure.
 *
 * Whatever stays is checked by its value too, since a sender may write a
 * sentence where a time should stand.
 *
 * @module
 */
import { isObject, type JsonObject, stringOf } from "../base/json.ts";
import { isZeroTime, toMoment } from "../incident.ts";
import { WITHHELD } from "../redact/redaction.ts";
import { SUBJECT_LABELS } from "./alertmanager/labels.ts";
import { severityOf } from "./severity.ts";

type Path = readonly (string | number)[];

/** Fields of the incident beside its payload. */
const STAYING = /^(?:title|service|severity|urgency|occurred_at|system)$/;
const TIMES = /^(?:startsAt|endsAt|occurred_at|created_at|reopened_at|at)$/;
const LABELS = /^(?:labels|groupLabels|commonLabels)$/;
const STATUSES =
  /^(?:firing|resolved|triggered|acknowledged|open|closed|ok|active)$/i;
const EVENT = /^incident\.[a-z_]{1,40}(?:\.[a-z_]{1,40})?$/;
/** A name of something, not a sentence about it. */
const NAME = /^[\w.:/@[\]#-]{1,200}$/;
/** A field may be called like this; a longer or odder name is a text. */
const FIELD = /^[A-Za-z_][\w.-]{0,63}$/;
/** What a page's path may consist of beside the incident's id. */
const PLAIN_PART = /^(?:[a-z]{1,20}|#)$/;
const PLAIN_PARTS_MAX = 3;

/** Whether the text or number at this path of an `IncidentInput` stays. */
export function isMetadata(path: Path, incident: unknown): boolean {
  const field = path.at(-1);
  if (path[0] !== "raw") return STAYING.test(String(field));
  const value = path.reduce<unknown>(
    (at, step) => (at as JsonObject | undefined)?.[step],
    incident,
  );
  if (typeof value === "number") return field === "truncatedAlerts";
  const text = stringOf(value);
  const around = path.at(-2);
  if (typeof around === "string" && LABELS.test(around)) {
    return isSubject(String(field), text);
  }
  switch (field) {
    case "status":
      return isStatus(text);
    case "event_type":
      return EVENT.test(text);
    case "urgency":
      return /^(?:high|low)$/.test(text);
    case "version":
      return /^[14]$/.test(text);
    default:
      return TIMES.test(String(field)) && isTime(text);
  }
}

function isTime(text: string): boolean {
  return text.length <= 40 &&
    (toMoment(text) !== undefined || isZeroTime(text));
}

/** Whether a text is one of the words by which senders call a status. */
export function isStatus(text: string): boolean {
  return STATUSES.test(text);
}

/** Whether a label or a fact says what is ill, or how badly. */
export function isSubject(name: string, value: string): boolean {
  if (name === "severity") return severityOf(value) !== undefined;
  return (SUBJECT_LABELS.has(name) || name === "alertname") &&
    NAME.test(value) && value !== WITHHELD;
}

/**
 * An address without what it says beyond its site and the incident's id;
 * `undefined` if its path says more.
 */
export function bareUrl(
  url: string | undefined,
  incidentId: string,
): string | undefined {
  const parsed = URL.parse(url ?? "");
  if (parsed === null) return undefined;
  const { origin, pathname } = parsed;
  const id = incidentId.slice(incidentId.indexOf(":") + 1);
  const parts = pathname.split("/").filter((part) => part !== "");
  const isPlain = parts.length <= PLAIN_PARTS_MAX &&
    parts.every((part) => part === id || PLAIN_PART.test(part));
  return isPlain ? origin + pathname : undefined;
}

/** The same value; fields that are named by a text are numbered instead. */
export function withPlainNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPlainNames);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner], at) => [
      FIELD.test(name) ? name : `field_${at + 1}`,
      withPlainNames(inner),
    ]),
  );
}
