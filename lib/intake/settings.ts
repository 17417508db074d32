/**
 * What the ingester reads from its environment to know its senders.
 *
 * @module
 */
import { integer, list, secretList, type Setting } from "../config.ts";

/** The settings of {@linkcode INTAKE_SETTINGS}. */
export type IntakeSettings = {
  /** `PAGERDUTY_WEBHOOK_SECRETS`. */
  readonly pagerdutySecrets: Setting<readonly string[]>;
  /** `ALERTMANAGER_WEBHOOK_TOKENS`. */
  readonly alertmanagerTokens: Setting<readonly string[]>;
  /** `MOCK_WEBHOOK_TOKENS`. */
  readonly mockTokens: Setting<readonly string[]>;
  /** `INGEST_EVENTS`. */
  readonly events: Setting<readonly string[]>;
  /** `INGEST_MAX_INFLIGHT`. */
  readonly inFlightMax: Setting<number>;
};

/** Who may send, and what starts a run. */
export const INTAKE_SETTINGS: IntakeSettings = {
  pagerdutySecrets: secretList("PAGERDUTY_WEBHOOK_SECRETS", {
    about:
      "secrets of the PagerDuty subscription, several while they are rotated; its webhook is closed without",
  }),
  alertmanagerTokens: secretList("ALERTMANAGER_WEBHOOK_TOKENS", {
    about: "bearer tokens of Alertmanager; its webhook is closed without",
  }),
  mockTokens: secretList("MOCK_WEBHOOK_TOKENS", {
    about: "bearer tokens of the mock webhook, which is open without",
  }),
  events: list("INGEST_EVENTS", {
    about: "PagerDuty's event types that start a run",
    fallback: "incident.triggered",
  }),
  inFlightMax: integer("INGEST_MAX_INFLIGHT", {
    about: "webhooks answered at the same time; more get 429",
    fallback: 256,
    min: 1,
    max: 10_000,
  }),
};
