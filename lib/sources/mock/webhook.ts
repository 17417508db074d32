/**
 * The mock webhook: an incident as a person would write it. Pure.
 *
 * ```json
 * {"id": "INC-1", "title": "…", "severity": "critical", "service": "…",
 *  "url": "https://…", "occurred_at": "…", "status": "…", "description": "…",
 *  "facts": {"name": "value"}, "timeline": [{"at": "…", "text": "…"}]}
 * ```
 *
 * Only `id` is needed. It is the delivery's key, so that the same incident sent
 * again starts nothing. A `destination`, `{"mode": "slack",
 * "slack_webhook_url": "…"}`, counts only if the sender is trusted with it.
 *
 * @module
 */
import { flag, secretList } from "../../base/config.ts";
import { type JsonObject, objectOf, optional } from "../../base/json.ts";
import { shorten } from "../../base/text.ts";
import {
  type Destination,
  type IncidentInput,
  type ReportedSeverity,
  toMoment,
} from "../../incident.ts";
import { webUrlOf } from "../fields.ts";
import { BEARER } from "../proof.ts";
import {
  checkDepth,
  type Delivery,
  DeliveryError,
  type Webhook,
} from "../source.ts";

const TOKENS = secretList("MOCK_WEBHOOK_TOKENS", {
  about:
    "bearer tokens of the mock webhook, comma-separated during a rotation; without one it is closed",
});
const OPEN = flag("INGEST_MOCK_OPEN", {
  about: "1 opens the mock webhook to everybody; for demos only",
  fallback: false,
});
const SETTINGS = {
  mockTokens: TOKENS,
  mockOpen: OPEN,
  trustDestination: flag("INGEST_TRUST_DESTINATION", {
    about: "1 lets senders of the mock webhook choose where the post goes",
    fallback: false,
  }),
};

export const MOCK: Webhook<typeof SETTINGS> = {
  path: "/webhook/mock",
  settings: SETTINGS,
  proof: BEARER,
  secrets: TOKENS,
  open: OPEN,
  // As curl sends it by default.
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

const REPORTED: readonly ReportedSeverity[] = [
  "critical",
  "high",
  "error",
  "medium",
  "warning",
  "low",
  "info",
  "unknown",
];

/**
 * Reads a delivery of the mock webhook.
 *
 * @param body The parsed body.
 * @param trustDestination Whether the sender may say where the post goes.
 * @throws {DeliveryError} Names the field and what was expected.
 */
export function readMockDelivery(
  body: unknown,
  trustDestination = false,
): Delivery {
  const payload = objectOf(body);
  if (payload === undefined) {
    throw new DeliveryError("the body must be a JSON object");
  }
  checkDepth(payload);
  const id = payload["id"] ?? payload["incident_id"];
  if (typeof id !== "string" || !/^[!-~]{1,150}$/.test(id)) {
    throw new DeliveryError(
      '"id" must be 1 to 150 visible ASCII characters without blanks',
    );
  }
  const incident: IncidentInput = {
    incident_id: id.startsWith("mock:") ? id : `mock:${id}`,
    source: { system: "mock", ...optional("url", readUrl(payload["url"])) },
    ...optional("title", readText(payload, "title", 1000)),
    ...optional("severity", readSeverity(payload["severity"])),
    ...optional("service", readText(payload, "service", 200)),
    ...optional("occurred_at", readMoment(payload["occurred_at"])),
    ...optional(
      "destination",
      trustDestination ? readDestination(payload["destination"]) : undefined,
    ),
    raw: payload,
  };
  return { incident, key: incident.incident_id.slice("mock:".length) };
}

function readDestination(value: unknown): Destination | undefined {
  if (value === undefined || value === null) return undefined;
  const { mode, slack_webhook_url: url } = objectOf(value) ?? {};
  if (mode !== "artifact" && mode !== "slack") {
    throw new DeliveryError('"destination.mode" must be artifact or slack');
  }
  if (url === undefined) return { mode };
  // Not mended: another spelling could be another webhook.
  if (typeof url === "string" && webUrlOf(url) === url) {
    return { mode, slack_webhook_url: url };
  }
  throw new DeliveryError(
    '"destination.slack_webhook_url" must be a plain http or https URL of at most 2000 characters',
  );
}

function readText(
  payload: JsonObject,
  name: string,
  charsMax: number,
): string | undefined {
  const value = payload[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") {
    throw new DeliveryError(`"${name}" must be a string`);
  }
  return shorten(value, charsMax);
}

function readSeverity(value: unknown): ReportedSeverity | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const word = typeof value === "string" ? value.toLowerCase() : "";
  const severity = REPORTED.find((known) => known === word);
  if (severity !== undefined) return severity;
  throw new DeliveryError(`"severity" must be one of ${REPORTED.join(", ")}`);
}

function readUrl(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const url = webUrlOf(value);
  if (url !== undefined) return url;
  throw new DeliveryError(
    '"url" must be an http or https URL of at most 2000 characters',
  );
}

function readMoment(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const moment = toMoment(value);
  if (moment !== undefined) return moment;
  throw new DeliveryError(
    '"occurred_at" must be a date-time such as 2026-01-15T09:30:00Z',
  );
}
