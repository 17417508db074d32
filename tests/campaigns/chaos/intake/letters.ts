/**
 * What PagerDuty and Alertmanager send.
 *
 * @module
 */
import { createHmac } from "node:crypto";

/** One event on its way. Every attempt sends the very same bytes. */
export interface Letter {
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** How its incident's id begins; the whole id where the sender gives one. */
  incident: string;
}

export const SECRET = "chaos-subscription-secret-0123456789";
export const TOKEN = "chaos-alertmanager-token-0123456789";
const MOMENT = "2026-01-15T09:30:00Z";

/**
 * Writes a signed PagerDuty event.
 *
 * @param token Stands for the trial.
 * @param place Tells the events of one trial apart.
 */
export function writePagerDutyEvent(token: string, place: number): Letter {
  const id = `${token}-${place}`;
  const body = JSON.stringify({
    event: {
      id: `EV-${id}`,
      event_type: "incident.triggered",
      resource_type: "incident",
      occurred_at: `2026-01-15T09:30:0${place}.512Z`,
      data: {
        id,
        type: "incident",
        html_url: `https://chaos.pagerduty.example/incidents/${id}`,
        created_at: MOMENT,
        title: "Checkout latency above 2 s",
        // With a cooldown, all events of this service are one run.
        service: { id: "PSVC", summary: `service of ${token}` },
        urgency: "high",
      },
    },
  });
  const signature = createHmac("sha256", SECRET).update(body).digest("hex");
  return {
    path: "/webhook/pagerduty",
    headers: {
      "Content-Type": "application/json",
      "X-PagerDuty-Signature": `v1=${signature}`,
      "X-Webhook-Id": id,
    },
    body,
    incident: `pagerduty:${id}`,
  };
}

/**
 * Writes a group's notification by one of a pair of Alertmanagers, which write
 * the same alerts differently.
 */
export function writeAlertmanagerGroup(
  token: string,
  place: number,
): Letter {
  const labels = { alertname: "HighLatency", trial: token };
  const alerts = ["c75f68922c9ebc87", "0d8f5a1e66b0c1aa"].map((
    fingerprint,
  ) => ({
    status: "firing",
    labels,
    annotations: {},
    startsAt: place === 0 ? MOMENT : "2026-01-15T10:30:00+01:00",
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "",
    fingerprint,
  }));
  const body = JSON.stringify({
    version: "4",
    groupKey: `{}:{trial="${token}"}`,
    status: "firing",
    receiver: "incident-enricher",
    groupLabels: { trial: token },
    commonLabels: labels,
    externalURL: `http://alertmanager-${place}.example:9093`,
    alerts: place === 0 ? alerts : alerts.toReversed(),
  });
  return {
    path: "/webhook/alertmanager",
    headers: {
      "Content-Type": "application/json",
      "Authorization": `Bearer ${TOKEN}`,
    },
    body,
    incident: "alertmanager:",
  };
}
