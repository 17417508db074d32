/**
 * The settings of all collectors.
 *
 * @module
 */
import { fileContent, optional } from "../base/config.ts";
import { alertmanager } from "./collect/alertmanager.ts";
import { github } from "./collect/github.ts";
import { grafana } from "./collect/grafana.ts";
import { history } from "./collect/history.ts";
import { kubernetes } from "./collect/kubernetes.ts";
import { loki } from "./collect/loki.ts";
import { pagerduty } from "./collect/pagerduty.ts";
import { prometheus } from "./collect/prometheus.ts";
import { runbook } from "./collect/runbook.ts";

/** As many services as a catalogue may have need up to a mebibyte. */
const CATALOG_CHARS_MAX = 1024 * 1024;

/** What each collector reads from the environment, and what they share. */
export const COLLECTOR_SETTINGS = {
  catalog: optional(fileContent("CATALOG_FILE", {
    charsMax: CATALOG_CHARS_MAX,
    about:
      "YAML file that says which repository, workload, logs and runbook a service has",
  })),
  ...pagerduty.settings,
  ...github.settings,
  ...kubernetes.settings,
  ...grafana.settings,
  ...prometheus.settings,
  ...history.settings,
  ...alertmanager.settings,
  ...loki.settings,
  ...runbook.settings,
};

/** The settings of {@linkcode COLLECTOR_SETTINGS}. */
export type CollectorSettings = typeof COLLECTOR_SETTINGS;
