/**
 * PagerDuty's evidence: the contents of the webhook. Pure.
 *
 * A webhook carries the incident and its people, but no alerts, notes or log.
 * Only PagerDuty's API has these, and a gap says so.
 *
 * @module
 */
import {
  type JsonObject,
  objectOf,
  optional,
  plainTextOf,
} from "../../base/json.ts";
import { named } from "../../base/foreign.ts";
import type {
  Fact,
  IncidentInput,
  LinkKind,
  NamedLink,
  NormalizedContext,
  TimelineEntry,
} from "../../incident.ts";
import {
  byMoment,
  contextOf,
  entryOf,
  factOf,
  PAYLOAD,
  payloadOf,
  payloadPiece,
  webUrlOf,
} from "../fields.ts";
import type { Findings } from "../source.ts";
import { nameOf } from "./reference.ts";

const NAME_CHARS_MAX = 200;
const PEOPLE_MAX = 10;

export function collectPagerDuty(incident: IncidentInput): Findings {
  const raw = payloadOf(incident);
  const event = objectOf(raw["event"]) ?? {};
  const data = objectOf(event["data"]) ?? {};
  const context: NormalizedContext = {
    ...contextOf(incident),
    ...optional("status", plainTextOf(data["status"], 100)),
    facts: readFacts(incident, { event, data }),
    timeline: readTimeline(event, data),
    ...optional("links", readLinks(event, data)),
  };
  return {
    pieces: [payloadPiece("PagerDuty webhook as received", raw)],
    context,
    gaps: [{
      what: "alerts, log entries and notes",
      why: "PagerDuty's API was not asked; its webhook does not carry them",
      kind: "off",
    }],
  };
}

/** The call to join, and the page of whatever sent the alert. */
function readLinks(
  event: JsonObject,
  data: JsonObject,
): NamedLink[] | undefined {
  const client = objectOf(event["client"]) ?? {};
  const bridge = objectOf(data["conference_bridge"]) ?? {};
  const given: [kind: LinkKind, url: unknown, of: unknown][] = [
    ["bridge", bridge["conference_url"], undefined],
    ["graph", client["url"], client["name"]],
  ];
  const links = given.flatMap(([kind, value, of]) => {
    const url = webUrlOf(value);
    return url === undefined
      ? []
      : [{ kind, url, ...optional("of", plainTextOf(of, 100)) }];
  });
  return links.length === 0 ? undefined : links;
}

/** People come first: a message shows only the first few facts. */
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
  const on = service === undefined ? "" : ` on ${named(service)}`;
  const type = plainTextOf(event["event_type"], 100);
  const events: [at: unknown, text: string][] = [
    [data["created_at"], `PagerDuty opened the incident${on}`],
    [data["reopened_at"], "PagerDuty reopened the incident"],
  ];
  // The trigger is the same event as the opening.
  if (type !== undefined && type !== "incident.triggered") {
    const agent = objectOf(event["agent"]) ?? {};
    const name = agent["type"] === "user_reference"
      ? nameOf(agent, NAME_CHARS_MAX)
      : undefined;
    const by = name === undefined ? "" : ` by ${named(name)}`;
    events.push([
      event["occurred_at"],
      `PagerDuty reported ${named(type)}${by}`,
    ]);
  }
  return events.flatMap(([at, text]) => entryOf(at, text, PAYLOAD))
    .toSorted(byMoment);
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
