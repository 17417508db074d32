/**
 * Reads deliveries of Alertmanager's webhook, and of Grafana's own alerting,
 * which sends the same with more fields. Pure.
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
import {
  type JsonObject,
  optional,
  stringOf,
  textOf,
} from "../../base/json.ts";
import { shorten } from "../../base/text.ts";
import { type IncidentInput, isZeroTime, WORST_FIRST } from "../../incident.ts";
import { webUrlOf } from "../fields.ts";
import { BEARER } from "../proof.ts";
import { readObject, readPayload, readText } from "../required.ts";
import { reportedAs, severityOf } from "../severity.ts";
import {
  type Delivery,
  DeliveryError,
  type Ignored,
  type Webhook,
} from "../source.ts";
import {
  type Alert,
  byStart,
  cutOf,
  sharedOf,
  toAlert,
  unquote,
} from "./alert.ts";
import { pageOf, titleOf } from "./grafana.ts";
import { fullSubjectOf, subjectOf } from "./labels.ts";

/** Half a SHA-256: no two collide, and it still fits on a line. */
const HASH_CHARS = 32;
const NAMES_SHOWN = 3;
const WORD_CHARS_MAX = 200;
const SEVERITY_LABELS = ["severity", "priority"];

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
}

/** The identity of a group, beside its alerts. */
interface Group {
  receiver: string;
  /**
   * The matchers of the group's route, and its labels. The labels alone may be
   * those of another route's group.
   */
  key: string | undefined;
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
  const { version } = payload;
  if (version !== "4" && version !== "1") {
    throw new DeliveryError(
      '"version" must be "4", or "1" as Grafana sends it',
    );
  }
  const group = readGroup(payload);
  const all = readAlerts(payload["alerts"]);
  const alerts = firingOf(all, payload);
  const oldestFirst = alerts.toSorted(byStart);
  const [first] = oldestFirst;
  if (first === undefined) return { ignored: "resolved" };
  const times = oldestFirst.flatMap(({ startsAt }) => startsAt ?? []);
  const [since] = times;
  const about = sharedOf(alerts.map(({ about }) => about));
  const identity = [
    group.receiver,
    group.key ?? [group.labels, oldestOf(alerts, since)],
  ];
  const firings = alerts.map(({ fingerprint, startsAt = "" }) =>
    `${fingerprint}@${startsAt}`
  );
  return {
    incident: {
      incident_id: `alertmanager:${await hash([...identity, since ?? ""])}`,
      source: {
        system: "alertmanager",
        ...optional("url", readUrl(payload, oldestFirst)),
      },
      title: readTitle(group, { payload, alerts }),
      ...readSeverity(alerts),
      ...optional("service", subjectOf(about)),
      ...optional("dedup_key", textOf(payload["groupKey"], 300)),
      ...optional("occurred_at", since),
      raw: payload,
    },
    key: await hash([...identity, [...new Set(firings)].sort()]),
    ...optional("at", times.at(-1)),
    ...optional("foldedBy", fullSubjectOf(about)),
  };
}

function readGroup(payload: JsonObject): Group {
  const receiver = unquote(readText(payload["receiver"], "receiver"));
  const labels = readObject(payload["groupLabels"], "groupLabels");
  const pairs = Object.entries(labels).map(([name, value]) => {
    if (typeof value === "string") return [name, value] as [string, string];
    throw new DeliveryError('each of "groupLabels" must be a text');
  });
  pairs.sort(([a], [b]) => a < b ? -1 : 1);
  return {
    receiver,
    key: stringOf(payload["groupKey"]) || undefined,
    labels: pairs,
  };
}

/**
 * Stands for a group without a key. Neither Alertmanager nor Grafana sends one,
 * but a refused alert would be lost. Two groups may share labels and a start,
 * but hardly ever an alert.
 */
function oldestOf(
  alerts: NamedAlert[],
  since: string | undefined,
): string | undefined {
  return alerts.filter(({ startsAt }) => startsAt === since)
    .map(({ fingerprint }) => fingerprint).sort()[0];
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
    if (alert.startsAt === undefined && !isZeroTime(whole["startsAt"])) {
      throw new DeliveryError(
        `"${field}.startsAt" must be a date-time such as 2026-01-15T09:30:00Z`,
      );
    }
    return { ...alert, fingerprint };
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
function readTitle(
  { receiver, labels }: Group,
  { payload, alerts }: { payload: JsonObject; alerts: Alert[] },
): string {
  const written = titleOf(payload);
  if (written !== undefined) return written;
  const names = [
    ...new Set(alerts.flatMap(({ labels }) => labels.get("alertname") ?? [])),
  ].sort();
  const summary = shared(
    alerts,
    ({ annotations }) => annotations.get("summary") ?? annotations.get("title"),
  );
  const others = labels.filter(([name]) =>
    name !== "alertname" &&
    !alerts.every(({ measuring }) => measuring.has(name))
  ).map(([name, value]) => `${name}=${value}`).join(", ");
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
  const said = alerts.flatMap(({ labels }) => {
    const given = SEVERITY_LABELS.flatMap((wanted) =>
      [...labels].filter(([name]) => name.toLowerCase() === wanted)
        .map(([name, text]) => ({ name, word: shorten(text, WORD_CHARS_MAX) }))
    );
    const known = given.find(({ word }) => severityOf(word) !== undefined);
    return known ?? given.slice(0, 1);
  });
  const worst = WORST_FIRST.map((severity) =>
    // Unknown does not mean harmless.
    said.find(({ word }) => (severityOf(word) ?? "warning") === severity)
  ).find((label) => label !== undefined);
  if (worst === undefined) return {};
  const { severity, severity_rule } = reportedAs(
    `label ${worst.name}`,
    worst.word,
  );
  const differ = new Set(said.map(({ word }) => word)).size > 1;
  const of = differ ? `, the worst of ${said.length} alerts` : "";
  return { severity, severity_rule: severity_rule + of };
}

/** Grafana's page about the alerts, Alertmanager's own, or the query. */
function readUrl(payload: JsonObject, alerts: Alert[]): string | undefined {
  return pageOf(payload, alerts) ?? webUrlOf(payload["externalURL"]) ??
    webUrlOf(alerts[0]?.whole["generatorURL"]);
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
