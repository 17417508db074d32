/**
 * Alertmanager's webhook, version 4. Pure.
 *
 * A delivery is a group of alerts, sent again whenever the group changes and
 * at every repeat interval. It has no event id, so incident and key are made
 * of what fires: the same alerts of the same firing are one delivery, whoever
 * of a pair of Alertmanagers sends it and whenever.
 *
 * @see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 * @module
 */
import { type JsonObject, objectOf, optional, textOf } from "../base/json.ts";
import { sha256Hex } from "../base/digest.ts";
import { shorten } from "../base/errors.ts";
import { type IncidentInput, toMoment } from "../incident.ts";
import {
  checkDepth,
  type Delivery,
  DeliveryError,
  type Ignored,
} from "./delivery.ts";
import { webUrlOf } from "./fields.ts";
import { SEVERITIES, severityOf } from "./severity.ts";

/** Half a SHA-256: nobody makes two alike, and it still fits on a line. */
const HASH_CHARS = 32;
const NAMES_SHOWN = 3;
const WORD_CHARS_MAX = 60;
const SEVERITY_LABELS = ["severity", "priority"];
/** The first that all alerts share, from what says most to what says least. */
const SERVICE_LABELS = [
  ...["service", "service_name", "app", "app_kubernetes_io_name"],
  ...["application", "deployment", "job", "namespace"],
];

interface Alert {
  fires: boolean;
  fingerprint: string;
  startsAt: string;
  labels: ReadonlyMap<string, string>;
  annotations: ReadonlyMap<string, string>;
  generatorUrl: unknown;
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

/** Alertmanager sends `team.web` as `team\.web`, for use in an expression. */
function unquote(receiver: string): string {
  return receiver.replace(/\\([\\.+*?()|[\]{}^$])/g, "$1");
}

function readAlerts(value: unknown): Alert[] {
  if (!Array.isArray(value)) throw new DeliveryError('"alerts" must be a list');
  return value.map((item, at) => {
    const alert = objectOf(item);
    if (alert === undefined) {
      throw new DeliveryError(`"alerts[${at}]" must be an object`);
    }
    const { status, fingerprint } = alert;
    if (status !== "firing" && status !== "resolved") {
      throw new DeliveryError(
        `"alerts[${at}].status" must be firing or resolved`,
      );
    }
    if (typeof fingerprint !== "string" || fingerprint === "") {
      throw new DeliveryError(`"alerts[${at}].fingerprint" must be a text`);
    }
    // In UTC: two Alertmanagers may write one moment in two zones.
    const startsAt = toMoment(alert["startsAt"]);
    if (startsAt === undefined) {
      throw new DeliveryError(
        `"alerts[${at}].startsAt" must be a date-time such as 2026-01-15T09:30:00Z`,
      );
    }
    return {
      fires: status === "firing",
      fingerprint,
      startsAt,
      labels: textsOf(alert["labels"]),
      annotations: textsOf(alert["annotations"]),
      generatorUrl: alert["generatorURL"],
    };
  });
}

/**
 * The alerts that fire. `max_alerts` may have cut away just these, and the
 * webhook's status is that of the alerts that are left. So these stand for
 * them: a group that fires must not be taken for one that is over. If it is
 * over, they most likely make the key of the delivery that they fired in.
 */
function firingOf(alerts: Alert[], { truncatedAlerts }: JsonObject): Alert[] {
  const firing = alerts.filter(({ fires }) => fires);
  const isCut = typeof truncatedAlerts === "number" && truncatedAlerts > 0;
  return firing.length === 0 && isCut ? alerts : firing;
}

function byStart(a: Alert, b: Alert): number {
  return a.startsAt < b.startsAt ? -1 : a.startsAt > b.startsAt ? 1 : 0;
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
    SEVERITIES.map((severity) =>
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
  return webUrlOf(payload["externalURL"]) ?? webUrlOf(first.generatorUrl);
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
 * What all of these alerts say. Not `commonLabels` and `commonAnnotations`:
 * these want the resolved ones to agree, too.
 */
function shared(
  alerts: Alert[],
  read: (alert: Alert) => string | undefined,
): string | undefined {
  const [value, ...others] = new Set(alerts.map(read));
  return others.length === 0 ? value : undefined;
}

/** The texts of an object, by name; a map, since a label may be `constructor`. */
function textsOf(value: unknown): ReadonlyMap<string, string> {
  const pairs = Object.entries(objectOf(value) ?? {}).flatMap(
    ([name, value]) => {
      const text = textOf(value, 1000);
      return text === undefined ? [] : [[name, text] as const];
    },
  );
  return new Map(pairs);
}

/** JSON keeps apart what a separator would not. */
async function hash(parts: unknown[]): Promise<string> {
  return (await sha256Hex(JSON.stringify(parts))).slice(0, HASH_CHARS);
}
