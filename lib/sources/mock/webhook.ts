/**
 * Reads deliveries of the mock webhook, which a person can write by hand. Pure.
 *
 * ```json
 * {"id": "INC-1", "title": "…", "severity": "critical", "service": "…",
 *  "url": "https://…", "occurred_at": "…", "status": "…", "description": "…",
 *  "facts": {"name": "value"}, "timeline": [{"at": "…", "text": "…"}]}
 * ```
 *
 * Only `id` is required. It is the delivery's key, so sending the same incident
 * again starts nothing. A `destination`, `{"mode": "slack",
 * "slack_webhook_url": "…"}`, counts only if senders may choose it.
 *
 * @module
 */
import { flag, secretList } from "../../base/config.ts";
import {
  type JsonObject,
  objectOf,
  optional,
  stringOf,
} from "../../base/json.ts";
import { shorten } from "../../base/text.ts";
import {
  type Destination,
  type IncidentInput,
  isZeroTime,
  REPORTED_SEVERITIES,
  toMoment,
} from "../../incident.ts";
import { webUrlOf } from "../fields.ts";
import { BEARER } from "../proof.ts";
import { readId, readPayload } from "../required.ts";
import { reportedAs, severityOf } from "../severity.ts";
import { type Delivery, DeliveryError, type Webhook } from "../source.ts";

const SETTINGS = {
  mockTokens: secretList("MOCK_WEBHOOK_TOKENS", {
    about:
      "bearer tokens of the mock webhook, comma-separated during a rotation; without one it is closed",
  }),
  mockOpen: flag("INGEST_MOCK_OPEN", {
    about: "1 opens the mock webhook to everybody; for demos only",
    fallback: false,
  }),
  trustDestination: flag("INGEST_TRUST_DESTINATION", {
    about: "1 lets senders of the mock webhook choose where the post goes",
    fallback: false,
  }),
};

export const MOCK: Webhook<typeof SETTINGS> = {
  path: "/webhook/mock",
  settings: SETTINGS,
  proof: BEARER,
  secrets: "mockTokens",
  open: "mockOpen",
  // By default, curl sends another content type.
  lax: true,
  notes: ({ trustDestination }) =>
    trustDestination
      ? [
        "Senders to /webhook/mock choose where posts go: INGEST_TRUST_DESTINATION is set",
      ]
      : [],
  read: (body, { trustDestination }) =>
    readMockDelivery(body, trustDestination),
};

/** @throws {DeliveryError} Names the field and what was expected. */
export function readMockDelivery(
  body: unknown,
  trustDestination = false,
): Delivery {
  const payload = readPayload(body);
  const id = readId(payload["id"] ?? payload["incident_id"], "id");
  const incident: IncidentInput = {
    incident_id: id.startsWith("mock:") ? id : `mock:${id}`,
    source: { system: "mock", ...read(payload, "url", webUrlOf, A_URL) },
    ...read(payload, "title", atMost(1000), "a string"),
    ...read(payload, "severity", reportedSeverityOf, A_SEVERITY),
    ...readRule(payload["severity"]),
    ...read(payload, "service", atMost(200), "a string"),
    ...isZeroTime(payload["occurred_at"])
      ? {}
      : read(payload, "occurred_at", toMoment, A_MOMENT),
    ...optional(
      "destination",
      trustDestination ? readDestination(payload["destination"]) : undefined,
    ),
    raw: payload,
  };
  return { incident, key: incident.incident_id.slice("mock:".length) };
}

const A_URL = "an http or https URL of at most 2000 characters";
const A_SEVERITY = `one of ${REPORTED_SEVERITIES.join(", ")}`;
const A_MOMENT = "a date-time such as 2026-01-15T09:30:00Z";

/** A property to spread; nothing if the field is absent, `null` or empty. */
function read<K extends string, T>(
  payload: JsonObject,
  name: K,
  parse: (value: unknown) => T | undefined,
  expected: string,
): { [P in K]?: T } {
  const value = payload[name];
  if (value === undefined || value === null || value === "") return {};
  const parsed = parse(value);
  if (parsed !== undefined) return optional(name, parsed);
  throw new DeliveryError(`"${name}" must be ${expected}`);
}

function atMost(charsMax: number) {
  return (value: unknown): string | undefined =>
    typeof value === "string" ? shorten(value, charsMax) : undefined;
}

/** Whoever writes by hand can mend an unknown word, so it is refused. */
function reportedSeverityOf(value: unknown): IncidentInput["severity"] {
  const word = stringOf(value);
  const exact = REPORTED_SEVERITIES.find((one) => one === word.toLowerCase());
  return exact ?? severityOf(word);
}

/** Other words than the schema's are kept in the rule. */
function readRule(value: unknown): Pick<IncidentInput, "severity_rule"> {
  const word = stringOf(value);
  const isExact = REPORTED_SEVERITIES.some((one) => one === word.toLowerCase());
  if (isExact || word === "") return {};
  const { severity_rule } = reportedAs("severity", word);
  return { severity_rule };
}

function readDestination(value: unknown): Destination | undefined {
  if (value === undefined || value === null) return undefined;
  const { mode, slack_webhook_url: url } = objectOf(value) ?? {};
  if (mode !== "artifact" && mode !== "slack") {
    throw new DeliveryError('"destination.mode" must be artifact or slack');
  }
  if (url === undefined) return { mode };
  // Not normalized, because another spelling could be another webhook.
  if (typeof url === "string" && webUrlOf(url) === url) {
    return { mode, slack_webhook_url: url };
  }
  throw new DeliveryError(
    '"destination.slack_webhook_url" must be a plain http or https URL of at most 2000 characters',
  );
}
