/**
 * The ingester's settings: who may send, and which delivery starts which run.
 *
 * @module
 */
import { type Config, integer, oneOf, text } from "../base/config.ts";
import { REDACTION_LEVELS } from "../removed.ts";
import { ALERTMANAGER } from "../sources/alertmanager/webhook.ts";
import { MOCK } from "../sources/mock/webhook.ts";
import { PAGERDUTY } from "../sources/pagerduty/webhook.ts";

/** Who may send, and which delivery starts which run. */
export const INTAKE_SETTINGS = {
  ...PAGERDUTY.settings,
  ...ALERTMANAGER.settings,
  ...MOCK.settings,
  cooldownS: integer("INGEST_COOLDOWN_S", {
    about:
      "length in seconds of the windows within which deliveries for one service share a run, but for worse ones; 0 for none",
    fallback: 0,
    min: 0,
    max: 86_400,
  }),
  maxAgeS: integer("INGEST_MAX_AGE_S", {
    about:
      "how many seconds a PagerDuty event may be old, or ahead, before it is ignored; 0 for any number",
    fallback: 86_400,
    min: 0,
    max: 315_360_000,
  }),
  redactionLevel: oneOf("INGEST_REDACTION_LEVEL", {
    about:
      "what is removed from a webhook before a run starts: none, standard (credentials), strict (also who somebody is) or full (every text)",
    values: REDACTION_LEVELS,
    fallback: "standard",
  }),
  inFlightMax: integer("INGEST_MAX_INFLIGHT", {
    about:
      "webhooks handled at the same time; any more get 429, but each open source always has an equal share",
    fallback: 256,
    min: 1,
    max: 10_000,
  }),
  addressConnectionsMax: integer("INGEST_CONNECTIONS_PER_ADDRESS", {
    about:
      "connections from one address; 0 for any number, as a proxy in front needs",
    fallback: 0,
    min: 0,
    max: 10_000,
  }),
  workflowId: text("INGESTER_WORKFLOW_ID", {
    about: "workflow to start for an incident",
    fallback: "incident-enricher.enrich",
  }),
  destinationMode: oneOf("DEFAULT_DESTINATION_MODE", {
    about: "where posts go: artifact or slack",
    values: ["artifact", "slack"],
    fallback: "artifact",
  }),
};

/** The settings of {@linkcode INTAKE_SETTINGS}. */
export type IntakeSettings = typeof INTAKE_SETTINGS;
/** The values of {@linkcode INTAKE_SETTINGS}. */
export type IntakeConfig = Config<IntakeSettings>;
