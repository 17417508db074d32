/**
 * The PagerDuty source: what the webhook carried. Pure.
 *
 * A webhook has the incident and its people, no alerts, notes or log; these
 * are in PagerDuty's API, and a gap says so.
 *
 * @see PagerDuty's developer documentation, "Webhooks V3", for the payload.
 * @module
 */
import { type JsonObject, objectOf, plainTextOf } from "../base/json.ts";
import { shorten } from "../base/errors.ts";
import {
  type Fact,
  type IncidentInput,
  type NormalizedContext,
  type TimelineEntry,
  toMoment,
} from "../incident.ts";
import type { Findings } from "./bundle.ts";
import {
  contextOf,
  factOf,
  jsonPieces,
  payloadOf,
  RAW,
  VALUE_CHARS_MAX,
} from "./fields.ts";

const PEOPLE_MAX = 10;

/** Reads an incident of PagerDuty from its webhook's payload. */
export function readPagerDutyIncident(incident: IncidentInput): Findings {
  const raw = payloadOf(incident);
  const event = objectOf(raw["event"]) ?? {};
  const data = objectOf(event["data"]) ?? {};
  const status = plainTextOf(data["status"], 100);
  const context: NormalizedContext = {
    ...contextOf(incident),
    ...(status === undefined ? {} : { status }),
    facts: readFacts(incident, { event, data }),
    timeline: readTimeline(event, data),
  };
  return {
    pieces: jsonPieces([
      {
        kind: "incident.raw",
        title: "PagerDuty webhook as received",
        value: raw,
      },
      {
        kind: "incident.context",
        title: "Incident in plain fields",
        value: context,
      },
    ]),
    context,
    gaps: [{
      what: "alerts, log entries and notes",
      why: "PagerDuty's API was not asked yet; a webhook does not carry them",
    }],
  };
}

/** Who is on it first: a message shows only the first few. */
function readFacts(
  { urgency, priority, dedup_key }: IncidentInput,
  { event, data }: { event: JsonObject; data: JsonObject },
): Fact[] {
  const bridge = objectOf(data["conference_bridge"]) ?? {};
  const type = plainTextOf(objectOf(data["incident_type"])?.["name"], 100);
  const facts: [name: string, value: unknown][] = [
    ["assigned to", namesOf(data["assignees"])],
    ["escalation policy", nameOf(data["escalation_policy"])],
    ["teams", namesOf(data["teams"])],
    ["conference bridge", bridge["conference_url"]],
    ["urgency", urgency],
    ["priority", priority],
    ["incident number", data["number"]],
    ["sent by", objectOf(event["client"])?.["name"]],
    ["incident type", type === "incident_default" ? undefined : type],
    ["dedup key", dedup_key],
  ];
  return facts.flatMap(([name, value]) => factOf(name, value, RAW));
}

function readTimeline(event: JsonObject, data: JsonObject): TimelineEntry[] {
  const service = nameOf(data["service"]);
  const on = service === undefined ? "" : ` on ${service}`;
  const type = plainTextOf(event["event_type"], 100);
  const entries = [
    ...entryOf(data["created_at"], `PagerDuty opened the incident${on}`),
    ...entryOf(data["reopened_at"], "PagerDuty reopened the incident"),
  ];
  // That it was triggered is what opened it.
  if (type !== undefined && type !== "incident.triggered") {
    const agent = objectOf(event["agent"]) ?? {};
    const by = agent["type"] === "user_reference" ? nameOf(agent) : undefined;
    entries.push(...entryOf(
      event["occurred_at"],
      `PagerDuty reported ${type}${by === undefined ? "" : ` by ${by}`}`,
    ));
  }
  return entries.toSorted((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
}

function entryOf(at: unknown, text: string): TimelineEntry[] {
  const moment = toMoment(at);
  return moment === undefined
    ? []
    : [{ at: moment, text: shorten(text, VALUE_CHARS_MAX), evidence: [RAW] }];
}

function namesOf(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const names = value.slice(0, PEOPLE_MAX).flatMap((item) =>
    nameOf(item) ?? []
  );
  const more = value.length - PEOPLE_MAX;
  if (more > 0) names.push(`${more} more`);
  return names.join(", ");
}

/** What a reference is called. */
function nameOf(value: unknown): string | undefined {
  const reference = objectOf(value) ?? {};
  return plainTextOf(reference["summary"], 200) ??
    plainTextOf(reference["id"], 200);
}
