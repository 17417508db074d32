/**
 * Reads deliveries of Alertmanager's webhook, version 4. Pure.
 *
 * A delivery is a group of alerts, sent again whenever the group changes and at
 * every repeat interval. It has no event id, so the incident's id and the key
 * come from the firing alerts: the same alerts of the same firing are one
 * delivery, no matter when and by which of two Alertmanagers it is sent.
 *
 * @see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 * @module
 */
import { secretList } from "../../base/config.ts";
import { sha256Hex } from "../../base/digest.ts";
import { type JsonObject, optional, textOf } from "../../base/json.ts";
import { shorten } from "../../base/text.ts";
import type { IncidentInput } from "../../incident.ts";
import { webUrlOf } from "../fields.ts";
import { BEARER } from "../proof.ts";
import { readObject, readPayload, readText } from "../required.ts";
import { severityOf, WORST_FIRST } from "../severity.ts";
import {
  type Delivery,
  DeliveryError,
  type Ignored,
  type Webhook,
} from "../source.ts";
import { type Alert, byStart, cutOf, toAlert, unquote } from "./alert.ts";

/** Half a SHA-256: no two collide, and it still fits on a line. */
const HASH_CHARS = 32;
const NAMES_SHOWN = 3;
const WORD_CHARS_MAX = 60;
const SEVERITY_LABELS = ["severity", "priority"];
/** The first one that all alerts share, from the most to the least specific. */
const SERVICE_LABELS =
  "service service_name app app_kubernetes_io_name application deployment job namespace"
    .split(" ");

const SETTINGS = {
  alertmanagerTokens: secretList("ALERTMANAGER_WEBHOOK_TOKENS", {
    about:
      "bearer tokens of Alertmanager, comma-separated during a rotation; without one its webhook is closed",
  }),
};

export const ALERTMANAGER: Webhook<typeof SETTINGS> = {
  path: "/webhook/alertmanager",
  settings: SETTINGS,
  proof: BEARER,
  secrets: "alertmanagerTokens",
  read: (body) => readAlertmanagerDelivery(body),
};

/** An alert with its identity. */
interface NamedAlert extends Alert {
  fingerprint: string;
  startsAt: string;
}

/** The identity of a group, beside its alerts. */
interface Group {
  receiver: string;
  /** Sorted by name. */
  labels: [name: string, value: string][];
}

/**
 * @param body All its alerts are read, so the caller must limit its length.
 * @throws {DeliveryError} Names the field and what was expected.
 */
export async function readAlertmanagerDelivery(
  body: unknown,
): Promise<Delivery | Ignored> {
  const payload = readPayload(body);
  if (payload["version"] !== "4") {
    throw new DeliveryError('"version" must be "4"');
  }
  const group = readGroup(payload);
  const all = readAlerts(payload["alerts"]);
  const alerts = firingOf(all, payload);
  const oldestFirst = alerts.toSorted(byStart);
  const [first] = oldestFirst;
  if (first === undefined) return { ignored: "resolved" };
  const { receiver, labels } = group;
  const id = await hash([receiver, labels, first.startsAt]);
  const firings = alerts.map(({ fingerprint, startsAt }) =>
    `${fingerprint}@${startsAt}`
  );
  return {
    incident: {
      incident_id: `alertmanager:${id}`,
      source: {
        system: "alertmanager",
        ...optional("url", readUrl(payload, first)),
      },
      title: readTitle(group, alerts),
      ...readSeverity(alerts),
      ...optional("service", sharedLabel(alerts, SERVICE_LABELS)),
      ...optional("dedup_key", textOf(payload["groupKey"], 300)),
      occurred_at: first.startsAt,
      raw: payload,
    },
    key: await hash([receiver, labels, [...new Set(firings)].sort()]),
    ...optional("at", oldestFirst.at(-1)?.startsAt),
  };
}

function readGroup(payload: JsonObject): Group {
  const receiver = unquote(readText(payload["receiver"], "receiver"));
  const labels = readObject(payload["groupLabels"], "groupLabels");
  const pairs = Object.entries(labels).map(([name, value]) => {
    if (typeof value === "string") return [name, value] as [string, string];
    throw new DeliveryError('each of "groupLabels" must be a text');
  });
  return { receiver, labels: pairs.sort(([a], [b]) => a < b ? -1 : 1) };
}

function readAlerts(value: unknown): NamedAlert[] {
  if (!Array.isArray(value)) throw new DeliveryError('"alerts" must be a list');
  return value.map((item, at) => {
    const field = `alerts[${at}]`;
    const whole = readObject(item, field);
    const { status } = whole;
    if (status !== "firing" && status !== "resolved") {
      throw new DeliveryError(`"${field}.status" must be firing or resolved`);
    }
    const fingerprint = readText(whole["fingerprint"], `${field}.fingerprint`);
    const alert = toAlert(whole);
    const { startsAt } = alert;
    if (startsAt !== undefined) return { ...alert, fingerprint, startsAt };
    throw new DeliveryError(
      `"${field}.startsAt" must be a date-time such as 2026-01-15T09:30:00Z`,
    );
  });
}

/**
 * The firing alerts. `max_alerts` may have cut off exactly these, and the
 * webhook's status covers only the remaining ones. Then the remaining alerts
 * stand for them, because a firing group must not count as resolved. If it is
 * resolved after all, they most likely yield the key of their own firing.
 */
function firingOf(alerts: NamedAlert[], payload: JsonObject): NamedAlert[] {
  const firing = alerts.filter(({ fires }) => fires);
  return firing.length === 0 && cutOf(payload) > 0 ? alerts : firing;
}

/** `HighLatency: p99 above 2s`, or the group's labels if there is no summary. */
function readTitle({ receiver, labels }: Group, alerts: Alert[]): string {
  const names = [
    ...new Set(alerts.flatMap(({ labels }) => labels.get("alertname") ?? [])),
  ].sort();
  const summary = shared(
    alerts,
    ({ annotations }) => annotations.get("summary") ?? annotations.get("title"),
  );
  const others = labels.filter(([name]) => name !== "alertname")
    .map(([name, value]) => `${name}=${value}`).join(", ");
  const more = names.length - NAMES_SHOWN;
  const what = names.length === 0
    ? others === "" ? `Alerts for ${receiver}` : `Alerts of ${others}`
    : names.slice(0, NAMES_SHOWN).join(", ") +
      (more > 0 ? ` and ${more} more` : "");
  const where = names.length === 0 || others === "" ? "" : ` (${others})`;
  const title = summary === undefined ? what + where : `${what}: ${summary}`;
  return shorten(title, 1000);
}

/** The worst severity among the alerts, and the label with it. */
function readSeverity(
  alerts: Alert[],
): Pick<IncidentInput, "severity" | "severity_rule"> {
  const said = alerts.flatMap(({ labels }) =>
    SEVERITY_LABELS.filter((name) => labels.has(name)).slice(0, 1)
      .map((name) => ({ name, word: labels.get(name) ?? "" }))
  );
  const worst =
    WORST_FIRST.map((severity) =>
      said.find(({ word }) => severityOf(word) === severity)
    ).find((label) => label !== undefined) ?? said[0];
  if (worst === undefined) return {};
  const { name, word } = worst;
  const label = `label ${name} "${shorten(word, WORD_CHARS_MAX)}"`;
  const severity = severityOf(word);
  if (severity === undefined) {
    return {
      severity: "unknown",
      severity_rule: `${label} is not a known severity, so warning`,
    };
  }
  const so = word === severity ? "" : `, so ${severity}`;
  const differ = new Set(said.map(({ word }) => word)).size > 1;
  const of = differ ? `, the worst of ${said.length} alerts` : "";
  return { severity, severity_rule: label + so + of };
}

/** Alertmanager's own page, or the query behind the alert. */
function readUrl(payload: JsonObject, first: Alert): string | undefined {
  return webUrlOf(payload["externalURL"]) ??
    webUrlOf(first.whole["generatorURL"]);
}

function sharedLabel(
  alerts: Alert[],
  names: readonly string[],
): string | undefined {
  for (const name of names) {
    const value = textOf(
      shared(alerts, ({ labels }) => labels.get(name)),
      200,
    );
    if (value !== undefined) return value;
  }
  return undefined;
}

/**
 * The value that all these alerts share. `commonLabels` and `commonAnnotations`
 * do not help, because they also depend on the resolved alerts.
 */
function shared(
  alerts: Alert[],
  read: (alert: Alert) => string | undefined,
): string | undefined {
  const [value, ...others] = new Set(alerts.map(read));
  return others.length === 0 ? value : undefined;
}

/** JSON separates the parts unambiguously. */
async function hash(parts: unknown[]): Promise<string> {
  return (await sha256Hex(JSON.stringify(parts))).slice(0, HASH_CHARS);
}
