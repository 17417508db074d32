/**
 * What the ingester reads from its environment to know its senders.
 *
 * @module
 */
import {
  flag,
  integer,
  secretList,
  type Setting,
  someOf,
} from "../base/config.ts";
import { PAGERDUTY_INCIDENT_EVENTS } from "./pagerduty.ts";

/** The settings of {@linkcode INTAKE_SETTINGS}. */
export type IntakeSettings = {
  /** `PAGERDUTY_WEBHOOK_SECRETS`. */
  readonly pagerdutySecrets: Setting<readonly string[]>;
  /** `ALERTMANAGER_WEBHOOK_TOKENS`. */
  readonly alertmanagerTokens: Setting<readonly string[]>;
  /** `MOCK_WEBHOOK_TOKENS`. */
  readonly mockTokens: Setting<readonly string[]>;
  /** `INGEST_MOCK_OPEN`. */
  readonly mockOpen: Setting<boolean>;
  /** `INGEST_TRUST_DESTINATION`. */
  readonly trustDestination: Setting<boolean>;
  /** `INGEST_EVENTS`. */
  readonly events: Setting<readonly string[]>;
  /** `INGEST_COOLDOWN_S`. */
  readonly cooldownS: Setting<number>;
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
    about: "bearer tokens of the mock webhook; it is closed without",
  }),
  mockOpen: flag("INGEST_MOCK_OPEN", {
    about: "1: the mock webhook takes what anybody sends; for demos only",
    fallback: false,
  }),
  trustDestination: flag("INGEST_TRUST_DESTINATION", {
    about: "1: who sends to the mock webhook chooses where the post goes",
    fallback: false,
  }),
  events: someOf("INGEST_EVENTS", {
    about: "PagerDuty's event types that start a run",
    values: PAGERDUTY_INCIDENT_EVENTS,
    fallback: "incident.triggered",
  }),
  cooldownS: integer("INGEST_COOLDOWN_S", {
    about:
      "seconds within which all that one service reports becomes one run; 0: each delivery its own",
    fallback: 0,
    min: 0,
    max: 86_400,
  }),
  inFlightMax: integer("INGEST_MAX_INFLIGHT", {
    about: "webhooks answered at the same time; more get 429",
    fallback: 256,
    min: 1,
    max: 10_000,
  }),
};
