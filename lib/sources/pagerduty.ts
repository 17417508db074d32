/**
 * PagerDuty: Webhooks V3. Pure.
 *
 * Each delivery carries one event. Only some event types carry the incident
 * itself, so only these can start a run. All others are acknowledged: PagerDuty
 * disables a subscription after three refusals in a row.
 *
 * A webhook has the incident and its people, no alerts, notes or log. These are
 * in PagerDuty's API, and a gap says so.
 *
 * @see PagerDuty's developer documentation, "Webhooks V3".
 * @module
 */
import { secretList, someOf } from "../base/config.ts";
import { shorten } from "../base/text.ts";
import {
  type JsonObject,
  objectOf,
  optional,
  plainTextOf,
  textOf,
} from "../base/json.ts";
import {
  type Fact,
  type IncidentInput,
  type NormalizedContext,
  type TimelineEntry,
  toMoment,
} from "../incident.ts";
import {
  byMoment,
  contextOf,
  entryOf,
  factOf,
  PAYLOAD,
  payloadOf,
  payloadPiece,
  webUrlOf,
} from "./fields.ts";
import { PAGERDUTY_SIGNATURE } from "./proof.ts";
import { severityOf } from "./severity.ts";
import {
  checkDepth,
  type Delivery,
  DeliveryError,
  type Findings,
  type Ignored,
  type Webhook,
} from "./source.ts";

type Carries = "incident" | "part" | "ping";

/** Every event type of Webhooks V3; PagerDuty may add others at any time. */
const EVENTS: ReadonlyMap<string, Carries> = new Map([
  ...events("incident", "incident.", [
    ...["triggered", "acknowledged", "unacknowledged", "reassigned"],
    ...["delegated", "escalated", "priority_updated", "reopened", "resolved"],
    ...["service_updated", "incident_type.changed"],
  ]),
  ...events("part", "incident.", [
    ...["annotated", "status_update_published", "responder.added"],
    ...["responder.replied", "conference_bridge.updated"],
    ...["custom_field_values.updated", "role.assigned", "task.created"],
    ...["task.updated", "task.completed", "action_invocation.created"],
    ...["action_invocation.updated", "action_invocation.terminated"],
    ...["workflow.started", "workflow.completed"],
  ]),
  ...events("part", "service.", [
    ...["created", "updated", "deleted", "custom_field_values.updated"],
  ]),
  ...events("ping", "pagey.", ["ping"]),
]);

/** The event types that carry an incident, so that they may start a run. */
export const PAGERDUTY_INCIDENT_EVENTS: readonly string[] = [...EVENTS]
  .filter(([, carries]) => carries === "incident").map(([type]) => type);

/** Where PagerDuty serves its pages, over https and with subdomains. */
export const PAGERDUTY_DOMAINS: readonly string[] = ["pagerduty.com"];

const SECRETS = secretList("PAGERDUTY_WEBHOOK_SECRETS", {
  about:
    "secrets of the PagerDuty subscription, several while they are rotated; its webhook is closed without",
});
const SETTINGS = {
  pagerdutySecrets: SECRETS,
  events: someOf("INGEST_EVENTS", {
    about: "PagerDuty's event types that start a run",
    values: PAGERDUTY_INCIDENT_EVENTS,
    fallback: "incident.triggered",
  }),
};

/** PagerDuty's webhook. */
export const PAGERDUTY: Webhook<typeof SETTINGS> = {
  path: "/webhook/pagerduty",
  settings: SETTINGS,
  proof: PAGERDUTY_SIGNATURE,
  secrets: SECRETS,
  read: (body, { events }) => readPagerDutyDelivery(body, events),
};

const TYPE_CHARS_MAX = 60;
const NAME_CHARS_MAX = 200;

/**
 * Reads a delivery of PagerDuty.
 *
 * @param body The parsed body.
 * @param starts The event types that start a run, of
 * {@linkcode PAGERDUTY_INCIDENT_EVENTS}; another type never does.
 * @returns Its key is the event's id, which the signature covers.
 * @throws {DeliveryError} Names the field and what was expected.
 */
export function readPagerDutyDelivery(
  body: unknown,
  starts: readonly string[],
): Delivery | Ignored {
  const payload = objectOf(body);
  if (payload === undefined) {
    throw new DeliveryError("the body must be a JSON object");
  }
  checkDepth(payload);
  const event = readObject(payload["event"], "event");
  const type = event["event_type"];
  if (typeof type !== "string" || type === "") {
    throw new DeliveryError('"event.event_type" must be a text');
  }
  const ignored = whyIgnored(type, starts);
  if (ignored !== undefined) return { ignored };
  const key = readId(event["id"], "event.id");
  const data = readObject(event["data"], "event.data");
  const happened = toMoment(event["occurred_at"]);
  return {
    incident: readIncident(data, { payload, happened }),
    key,
    ...optional("at", happened),
  };
}

function whyIgnored(
  type: string,
  starts: readonly string[],
): string | undefined {
  const carries = EVENTS.get(type);
  if (carries === undefined) {
    const name = shorten(type, TYPE_CHARS_MAX).replace(/[^\w.…-]/g, "?");
    return `unknown event ${name}`;
  }
  if (carries === "ping") return "ping";
  const isStart = carries === "incident" && starts.includes(type);
  return isStart ? undefined : `event ${type}`;
}

function readIncident(
  data: JsonObject,
  { payload, happened }: { payload: JsonObject; happened: string | undefined },
): IncidentInput {
  const id = readId(data["id"], "event.data.id");
  const urgency = readUrgency(data["urgency"]);
  const priority = nameOf(data["priority"], 100);
  return {
    incident_id: `pagerduty:${id}`,
    source: {
      system: "pagerduty",
      ...optional("url", webUrlOf(data["html_url"])),
    },
    ...optional("title", textOf(data["title"], 1000)),
    ...readSeverity(priority, urgency),
    ...optional("service", nameOf(data["service"], NAME_CHARS_MAX)),
    ...optional("urgency", urgency),
    ...optional("priority", priority),
    ...optional("dedup_key", textOf(data["incident_key"], 300)),
    ...optional("occurred_at", toMoment(data["created_at"]) ?? happened),
    raw: payload,
  };
}

/**
 * A webhook carries no alert, so the alert's own severity is not known yet.
 * Where urgency follows severity, PagerDuty derives `high` from critical and
 * error, `low` from warning and info. Maps back cautiously: high becomes error,
 * low becomes warning.
 */
function readSeverity(
  priority: string | undefined,
  urgency: "high" | "low" | undefined,
): Pick<IncidentInput, "severity" | "severity_rule"> {
  const severity = severityOf(priority ?? "");
  if (severity !== undefined) {
    return { severity, severity_rule: `priority ${priority}, so ${severity}` };
  }
  if (urgency === undefined) return {};
  const assumed = urgency === "high" ? "error" : "warning";
  return {
    severity: assumed,
    severity_rule: `urgency ${urgency}, so ${assumed}`,
  };
}

function readUrgency(value: unknown): "high" | "low" | undefined {
  return value === "high" || value === "low" ? value : undefined;
}

/** What a reference is called. */
function nameOf(value: unknown, charsMax: number): string | undefined {
  const reference = objectOf(value) ?? {};
  return textOf(reference["summary"], charsMax) ??
    textOf(reference["name"], charsMax) ?? textOf(reference["id"], charsMax);
}

function readObject(value: unknown, field: string): JsonObject {
  const object = objectOf(value);
  if (object !== undefined) return object;
  throw new DeliveryError(`"${field}" must be an object`);
}

function readId(value: unknown, field: string): string {
  if (typeof value === "string" && /^[!-~]{1,150}$/.test(value)) return value;
  throw new DeliveryError(
    `"${field}" must be 1 to 150 visible ASCII characters without blanks`,
  );
}

function events(
  carries: Carries,
  prefix: string,
  names: readonly string[],
): [string, Carries][] {
  return names.map((name) => [prefix + name, carries]);
}

const PEOPLE_MAX = 10;

/** Collects what PagerDuty's webhook carried about an incident. */
export function collectPagerDuty(incident: IncidentInput): Findings {
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
    pieces: [payloadPiece("PagerDuty webhook as received", raw)],
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
    ["escalation policy", nameOf(data["escalation_policy"], NAME_CHARS_MAX)],
    ["teams", namesOf(data["teams"])],
    ["conference bridge", bridge["conference_url"]],
    ["urgency", urgency],
    ["priority", priority],
    ["incident number", data["number"]],
    ["sent by", objectOf(event["client"])?.["name"]],
    ["incident type", type === "incident_default" ? undefined : type],
    ["dedup key", dedup_key],
  ];
  return facts.flatMap(([name, value]) => factOf(name, value, PAYLOAD));
}

function readTimeline(event: JsonObject, data: JsonObject): TimelineEntry[] {
  const service = nameOf(data["service"], NAME_CHARS_MAX);
  const on = service === undefined ? "" : ` on ${service}`;
  const type = plainTextOf(event["event_type"], 100);
  const entries = [
    ...entryOf(
      data["created_at"],
      `PagerDuty opened the incident${on}`,
      PAYLOAD,
    ),
    ...entryOf(
      data["reopened_at"],
      "PagerDuty reopened the incident",
      PAYLOAD,
    ),
  ];
  // That it was triggered is what opened it.
  if (type !== undefined && type !== "incident.triggered") {
    const agent = objectOf(event["agent"]) ?? {};
    const by = agent["type"] === "user_reference"
      ? nameOf(agent, NAME_CHARS_MAX)
      : undefined;
    entries.push(...entryOf(
      event["occurred_at"],
      `PagerDuty reported ${type}${by === undefined ? "" : ` by ${by}`}`,
      PAYLOAD,
    ));
  }
  return entries.toSorted(byMoment);
}

function namesOf(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const names = value.slice(0, PEOPLE_MAX).flatMap((item) =>
    nameOf(item, NAME_CHARS_MAX) ?? []
  );
  const more = value.length - PEOPLE_MAX;
  if (more > 0) names.push(`${more} more`);
  return names.join(", ");
}
