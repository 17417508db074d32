/**
 * Alertmanager's webhook, version 4: what a delivery asks for. Pure.
 *
 * A delivery is a group of alerts, sent again whenever the group changes and at
 * every repeat interval. It has no event id, so incident and key are derived
 * from what fires: the same alerts of the same firing are one delivery, no
 * matter which of a pair of Alertmanagers sends it, and when.
 *
 * @see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 * @module
 */
import { secretList } from "../../base/config.ts";
import { sha256Hex } from "../../base/digest.ts";
import { shorten } from "../../base/text.ts";
import {
  type JsonObject,
  objectOf,
  optional,
  textOf,
} from "../../base/json.ts";
import type { IncidentInput } from "../../incident.ts";
import { webUrlOf } from "../fields.ts";
import { BEARER } from "../proof.ts";
import { severityOf, WORST_FIRST } from "../severity.ts";
import {
  checkDepth,
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
/** The first that all alerts share, from what says most to what says least. */
const SERVICE_LABELS = [
  ...["service", "service_name", "app", "app_kubernetes_io_name"],
  ...["application", "deployment", "job", "namespace"],
];

const TOKENS = secretList("ALERTMANAGER_WEBHOOK_TOKENS", {
  about:
    "bearer tokens of Alertmanager, comma-separated during a rotation; without one its webhook is closed",
});
const SETTINGS = { alertmanagerTokens: TOKENS };

/** Alertmanager's webhook. */
export const ALERTMANAGER: Webhook<typeof SETTINGS> = {
  path: "/webhook/alertmanager",
  settings: SETTINGS,
  proof: BEARER,
  secrets: TOKENS,
  read: (body) => readAlertmanagerDelivery(body),
};

/** An alert that has everything that tells it apart. */
interface NamedAlert extends Alert {
  fingerprint: string;
  startsAt: string;
}

/** What names a group, beside its alerts. */
interface Group {
  /** As it is configured. */
  receiver: string;
  /** Sorted by name. */
  labels: [name: string, value: string][];
}

/**
 * Reads a delivery of Alertmanager.
 *
 * @param body The parsed body, all of whose alerts are read: whoever reads it
 * bounds its bytes.
 * @throws {DeliveryError} Names the field and what was expected.
 */
export async function readAlertmanagerDelivery(
  body: unknown,
): Promise<Delivery | Ignored> {
  const payload = objectOf(body);
  if (payload === undefined) {
    throw new DeliveryError("the body must be a JSON object");
  }
  checkDepth(payload);
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
  const { receiver } = payload;
  if (typeof receiver !== "string" || receiver === "") {
    throw new DeliveryError('"receiver" must be a text');
  }
  const name = unquote(receiver);
  const labels = objectOf(payload["groupLabels"]);
  if (labels === undefined) {
    throw new DeliveryError('"groupLabels" must be an object');
  }
  const pairs = Object.entries(labels).map(([name, value]) => {
    if (typeof value === "string") return [name, value] as [string, string];
    throw new DeliveryError('each of "groupLabels" must be a text');
  });
  return { receiver: name, labels: pairs.sort(([a], [b]) => a < b ? -1 : 1) };
}

function readAlerts(value: unknown): NamedAlert[] {
  if (!Array.isArray(value)) throw new DeliveryError('"alerts" must be a list');
  return value.map((item, at) => {
    const refuse = (problem: string): never => {
      throw new DeliveryError(`"alerts[${at}]${problem}`);
    };
    const whole = objectOf(item) ?? refuse('" must be an object');
    const { status, fingerprint } = whole;
    if (status !== "firing" && status !== "resolved") {
      return refuse('.status" must be firing or resolved');
    }
    if (typeof fingerprint !== "string" || fingerprint === "") {
      return refuse('.fingerprint" must be a text');
    }
    const alert = toAlert(whole);
    const startsAt = alert.startsAt ??
      refuse('.startsAt" must be a date-time such as 2026-01-15T09:30:00Z');
    return { ...alert, fingerprint, startsAt };
  });
}

/**
 * The alerts that fire. `max_alerts` may have cut away exactly these, and the
 * webhook's status is that of the alerts that are left. Then these stand for
 * them, because a firing group must not be taken for one that is over. If it is
 * over, they most likely yield the key of the delivery that they fired in.
 */
function firingOf(alerts: NamedAlert[], payload: JsonObject): NamedAlert[] {
  const firing = alerts.filter(({ fires }) => fires);
  return firing.length === 0 && cutOf(payload) > 0 ? alerts : firing;
}

/** `HighLatency: p99 above 2s`; without a summary, the labels that group it. */
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

/** The worst of the alerts, and the label that says so. */
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
      severity_rule: `${label} is none that is known, so warning`,
    };
  }
  const so = word === severity ? "" : `, so ${severity}`;
  const differ = new Set(said.map(({ word }) => word)).size > 1;
  const of = differ ? `, the worst of ${said.length} alerts` : "";
  return { severity, severity_rule: label + so + of };
}

/** Alertmanager's own page; else the query whose result is the alert. */
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
 * What all of these alerts say. `commonLabels` and `commonAnnotations` are no
 * use: they only hold what the resolved alerts say, too.
 */
function shared(
  alerts: Alert[],
  read: (alert: Alert) => string | undefined,
): string | undefined {
  const [value, ...others] = new Set(alerts.map(read));
  return others.length === 0 ? value : undefined;
}

/** JSON keeps apart what a separator would not. */
async function hash(parts: unknown[]): Promise<string> {
  return (await sha256Hex(JSON.stringify(parts))).slice(0, HASH_CHARS);
}
