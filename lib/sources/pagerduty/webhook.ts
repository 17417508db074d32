/**
 * Reads deliveries of PagerDuty's webhook, version 3. Pure.
 *
 * Each delivery carries one event. Only some event types carry the incident
 * itself, so only these can start a run. The ingester acknowledges all others,
 * because PagerDuty disables a subscription after three refusals in a row.
 *
 * @see PagerDuty's developer documentation, "Webhooks V3".
 * @module
 */
import { secretList, someOf } from "../../base/config.ts";
import { type JsonObject, optional, textOf } from "../../base/json.ts";
import { shorten } from "../../base/text.ts";
import { type IncidentInput, toMoment } from "../../incident.ts";
import { safeId } from "../../incident_id.ts";
import { webUrlOf } from "../fields.ts";
import { PAGERDUTY_SIGNATURE } from "../proof.ts";
import { readId, readObject, readPayload, readText } from "../required.ts";
import { reportedAs, severityOf } from "../severity.ts";
import type { Delivery, Ignored, Webhook } from "../source.ts";
import { nameOf } from "./reference.ts";

type Carries = "incident" | "part" | "ping";

/** Every event type of Webhooks V3; PagerDuty may add others at any time. */
const EVENTS: ReadonlyMap<string, Carries> = new Map([
  ...events(
    "incident",
    "incident.",
    `triggered acknowledged unacknowledged reassigned delegated escalated
    priority_updated reopened resolved service_updated incident_type.changed`,
  ),
  ...events(
    "part",
    "incident.",
    `annotated status_update_published responder.added responder.replied
    conference_bridge.updated custom_field_values.updated role.assigned
    task.created task.updated task.completed action_invocation.created
    action_invocation.updated action_invocation.terminated workflow.started
    workflow.completed`,
  ),
  ...events(
    "part",
    "service.",
    "created updated deleted custom_field_values.updated",
  ),
  ...events("ping", "pagey.", "ping"),
]);

/** The event types that carry an incident and may start a run. */
export const PAGERDUTY_INCIDENT_EVENTS: readonly string[] = [...EVENTS]
  .filter(([, carries]) => carries === "incident").map(([type]) => type);

const SETTINGS = {
  pagerdutySecrets: secretList("PAGERDUTY_WEBHOOK_SECRETS", {
    about:
      "signing secrets of the PagerDuty webhook, comma-separated during a rotation; without one its webhook is closed",
  }),
  events: someOf("INGEST_EVENTS", {
    about: "PagerDuty event types that start a run, comma-separated",
    values: PAGERDUTY_INCIDENT_EVENTS,
    fallback: "incident.triggered",
  }),
};

export const PAGERDUTY: Webhook<typeof SETTINGS> = {
  path: "/webhook/pagerduty",
  settings: SETTINGS,
  proof: PAGERDUTY_SIGNATURE,
  secrets: "pagerdutySecrets",
  signsTime: true,
  read: (body, { events }) => readPagerDutyDelivery(body, events),
};

const TYPE_CHARS_MAX = 60;
const NAME_CHARS_MAX = 200;
const PRIORITY_CHARS_MAX = 60;

/**
 * @param starts The event types that start a run, from
 * {@linkcode PAGERDUTY_INCIDENT_EVENTS}; no other type ever does.
 * @returns Its key is the event's id, which the signature covers.
 * @throws {DeliveryError} Names the field and what was expected.
 */
export function readPagerDutyDelivery(
  body: unknown,
  starts: readonly string[],
): Delivery | Ignored {
  const payload = readPayload(body);
  const event = readObject(payload["event"], "event");
  const type = readText(event["event_type"], "event.event_type");
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
    // It is logged, counted and answered, whatever the sender calls it.
    if (safeId(type) !== type) return "unknown event";
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
 * A webhook carries no alert, so the alert's own severity is not known yet. If
 * urgency follows severity, PagerDuty derives `high` from critical and error,
 * `low` from warning and info. Maps back cautiously: high becomes error, low
 * becomes warning.
 */
function readSeverity(
  priority: string | undefined,
  urgency: "high" | "low" | undefined,
): Pick<IncidentInput, "severity" | "severity_rule"> {
  const severity = severityOf(priority ?? "");
  if (severity !== undefined) {
    return { severity, severity_rule: `priority ${priority}, so ${severity}` };
  }
  if (urgency === undefined) {
    return priority === undefined ? {} : reportedAs("priority", priority);
  }
  const assumed = urgency === "high" ? "error" : "warning";
  const unknown = priority === undefined
    ? ""
    : `priority "${shorten(priority, PRIORITY_CHARS_MAX)}" is not known; `;
  return {
    severity: assumed,
    severity_rule: `${unknown}urgency ${urgency}, so ${assumed}`,
  };
}

function readUrgency(value: unknown): "high" | "low" | undefined {
  return value === "high" || value === "low" ? value : undefined;
}

function events(
  carries: Carries,
  prefix: string,
  names: string,
): [string, Carries][] {
  return names.split(/\s+/).map((name) => [prefix + name, carries]);
}
