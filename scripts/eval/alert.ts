/**
 * From a case's alert to the incident that a webhook of it would start.
 *
 * An alert is either a whole webhook, `{source, body}`, or one alert in plain
 * fields: `{title, state, commonLabels, commonAnnotations}`, which is read as
 * Alertmanager would send it.
 *
 * @module
 */
import { readConfig } from "../../lib/base/config.ts";
import { type JsonObject, objectOf, stringOf } from "../../lib/base/json.ts";
import type { IncidentInput } from "../../lib/incident.ts";
import { INTAKE_SETTINGS } from "../../lib/intake/settings.ts";
import { WEBHOOKS } from "../../lib/intake/webhooks.ts";
import { withoutSecrets } from "../../lib/sources/without_secrets.ts";
import { CommandError } from "../terminal/command.ts";
import type { Case } from "./case.ts";

/** An alert that says that it is over, or never was one. */
const QUIET = /^(?:ok|normal|resolved|inactive|recovered|healthy)$/i;

/** @param at When the alert reached us, unless it says so itself. */
export async function toIncident(
  { name, alert }: Case,
  at: string,
): Promise<IncidentInput> {
  const { source, body } = alert;
  const isWebhook = typeof source === "string" && body !== undefined;
  const incident = await read(
    name,
    isWebhook ? source : "alertmanager",
    isWebhook ? body : toDelivery(name, alert, at),
  );
  const title = isWebhook ? "" : stringOf(alert["title"]);
  const titled = title === "" ? incident : { ...incident, title };
  const isQuiet = !isWebhook && QUIET.test(stringOf(alert["state"]));
  const whole = isQuiet ? resolved(titled) : titled;
  return withoutSecrets(whole, "standard").incident;
}

async function read(
  name: string,
  source: string,
  body: unknown,
): Promise<IncidentInput> {
  const webhook = WEBHOOKS.get(`/webhook/${source}`);
  if (webhook === undefined) {
    throw new CommandError(`Cannot use ${name}: nobody sends "${source}"`);
  }
  const config = readConfig(INTAKE_SETTINGS, () => undefined);
  const delivery = await webhook.read(body, config);
  if ("incident" in delivery) return delivery.incident;
  throw new CommandError(`Cannot use ${name}: ${delivery.ignored}`);
}

/** One alert in plain fields, as Alertmanager sends a group of one. */
function toDelivery(name: string, alert: JsonObject, at: string) {
  const labels = objectOf(alert["commonLabels"] ?? alert["labels"]) ?? {};
  const annotations =
    objectOf(alert["commonAnnotations"] ?? alert["annotations"]) ?? {};
  const names = Object.hasOwn(labels, "alertname")
    ? labels
    : { alertname: stringOf(alert["title"]) || name, ...labels };
  return {
    version: "4",
    status: "firing",
    receiver: "incidents",
    groupKey: `{}:{case="${name}"}`,
    groupLabels: { alertname: names["alertname"] },
    commonLabels: names,
    commonAnnotations: annotations,
    alerts: [{
      status: "firing",
      labels: names,
      annotations,
      startsAt: stringOf(
        alert["startsAt"] ?? alert["starts_at"] ?? alert["fired_at"],
      ) || at,
      fingerprint: name,
    }],
  };
}

/** The same incident after its sender has said that it is over. */
function resolved(incident: IncidentInput): IncidentInput {
  const raw = incident.raw ?? {};
  const alerts = Array.isArray(raw["alerts"]) ? raw["alerts"] : [];
  return {
    ...incident,
    raw: {
      ...raw,
      status: "resolved",
      alerts: alerts.map((alert) => ({ ...alert, status: "resolved" })),
    },
  };
}
