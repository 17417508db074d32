/**
 * Records of PagerDuty's API: what of them is worth keeping, without e-mail
 * addresses and with times in UTC. Pure.
 *
 * @see https://developer.pagerduty.com/api-reference/
 * @module
 */
import {
  isObject,
  type JsonObject,
  objectOf,
  optional,
} from "../../base/json.ts";
import { toMoment } from "../../incident.ts";
import { webUrlOf } from "../../sources/fields.ts";
import { nameOf } from "../../sources/pagerduty/reference.ts";
import { freeOf, wordsOf } from "../wording.ts";

const LIST_MAX = 20;
const LINKS_MAX = 5;
const NAME_CHARS_MAX = 100;
/** Of a name that is cut afterwards, between its words. */
const READ_CHARS_MAX = 1000;
const LINE_CHARS_MAX = 200;
const TEXT_CHARS_MAX = 2000;
const URL_CHARS_MAX = 2000;

/** An incident. */
export type PagerDutyIncident = ReturnType<typeof readIncident>;
/** One of its alerts. */
export type PagerDutyAlert = ReturnType<typeof readAlert>;
/** An entry of its log. */
export type PagerDutyLogEntry = ReturnType<typeof readLogEntry>;
/** A note that somebody wrote. */
export type PagerDutyNote = ReturnType<typeof readNote>;
/** A change event. */
export type PagerDutyChange = ReturnType<typeof readChange>;

export function readIncident(incident: JsonObject) {
  return {
    number: numberOf(incident["incident_number"]),
    title: wordsOf(incident["title"], LINE_CHARS_MAX),
    url: webUrlOf(incident["html_url"]),
    status: wordsOf(incident["status"], NAME_CHARS_MAX),
    status_since: toMoment(incident["last_status_change_at"]),
    status_by: nameIn(incident["last_status_change_by"]),
    urgency: wordsOf(incident["urgency"], NAME_CHARS_MAX),
    priority: nameIn(incident["priority"]),
    service: nameIn(incident["service"]),
    escalation_policy: nameIn(incident["escalation_policy"]),
    created_at: toMoment(incident["created_at"]),
    resolved_at: toMoment(incident["resolved_at"]),
    assigned: itemsOf(incident["assignments"]).map(({ at, assignee }) => ({
      at: toMoment(at),
      to: nameIn(assignee),
    })),
    acknowledged: itemsOf(incident["acknowledgements"])
      .map(({ at, acknowledger }) => ({
        at: toMoment(at),
        by: nameIn(acknowledger),
      })),
    responders: itemsOf(incident["incidents_responders"])
      .map(({ user, state, message, requested_at }) => ({
        name: nameIn(user),
        state: wordsOf(state, NAME_CHARS_MAX),
        message: wordsOf(message, LINE_CHARS_MAX),
        at: toMoment(requested_at),
      })),
    pending: itemsOf(incident["pending_actions"]).map(({ type, at }) => ({
      at: toMoment(at),
      action: wordsOf(type, NAME_CHARS_MAX),
    })),
  };
}

export function readAlert(alert: JsonObject) {
  const { details, contexts } = objectOf(alert["body"]) ?? {};
  return {
    at: toMoment(alert["created_at"]),
    status: wordsOf(alert["status"], NAME_CHARS_MAX),
    severity: wordsOf(alert["severity"], NAME_CHARS_MAX),
    summary: wordsOf(alert["summary"], LINE_CHARS_MAX),
    key: wordsOf(alert["alert_key"], LINE_CHARS_MAX),
    suppressed: alert["suppressed"] === true ? true : undefined,
    service: nameIn(alert["service"]),
    integration: nameIn(alert["integration"]),
    details: freeOf(details, TEXT_CHARS_MAX),
    links: linksOf(contexts),
  };
}

export function readLogEntry(entry: JsonObject) {
  return {
    at: toMoment(entry["created_at"]),
    type: wordsOf(entry["type"], NAME_CHARS_MAX)
      ?.replace(/_log_entry(?:_reference)?$/, ""),
    summary: wordsOf(entry["summary"], LINE_CHARS_MAX),
    by: nameIn(entry["agent"]),
    via: wordsOf(objectOf(entry["channel"])?.["type"], NAME_CHARS_MAX),
  };
}

export function readNote(note: JsonObject) {
  return {
    at: toMoment(note["created_at"]),
    by: nameIn(note["user"]),
    text: wordsOf(note["content"], TEXT_CHARS_MAX) ?? "",
  };
}

export function readChange(event: JsonObject) {
  const reason = objectOf(event["correlation_reason"])?.["reason"];
  return {
    at: toMoment(event["timestamp"]),
    summary: wordsOf(event["summary"], LINE_CHARS_MAX),
    source: wordsOf(event["source"], NAME_CHARS_MAX),
    services: itemsOf(event["services"]).flatMap((one) => nameIn(one) ?? []),
    related_as: wordsOf(reason, NAME_CHARS_MAX)?.replaceAll("_", " "),
    links: linksOf(event["links"]),
    details: freeOf(event["custom_details"], TEXT_CHARS_MAX),
  };
}

/** An incident that PagerDuty takes for similar. */
export function readSimilar({ incident, score }: JsonObject) {
  const { id, title, created_at } = objectOf(incident) ?? {};
  return {
    id: wordsOf(id, NAME_CHARS_MAX) ?? "",
    title: wordsOf(title, LINE_CHARS_MAX),
    at: toMoment(created_at),
    score: numberOf(score) ?? 0,
  };
}

/** The name of a person, a service or the like. */
function nameIn(reference: unknown): string | undefined {
  return wordsOf(nameOf(reference, READ_CHARS_MAX), NAME_CHARS_MAX);
}

function linksOf(value: unknown): { href: string; text?: string }[] {
  return itemsOf(value).flatMap(({ href, text }) => {
    const url = webUrlOf(href);
    return url === undefined || wordsOf(url, URL_CHARS_MAX) !== url
      ? []
      : [{ href: url, ...optional("text", wordsOf(text, NAME_CHARS_MAX)) }];
  }).slice(0, LINKS_MAX);
}

function itemsOf(value: unknown): JsonObject[] {
  const all = Array.isArray(value) ? value : [];
  return all.slice(0, LIST_MAX).filter(isObject);
}

function numberOf(value: unknown): number | undefined {
  return Number.isFinite(value) ? value as number : undefined;
}
