/**
 * Every collector, in the order in which equal ranks are asked.
 *
 * @module
 */
import type { Config } from "../base/config.ts";
import { alertmanager } from "./collect/alertmanager.ts";
import { github } from "./collect/github.ts";
import { grafana } from "./collect/grafana.ts";
import { history } from "./collect/history.ts";
import { kubernetes } from "./collect/kubernetes.ts";
import { loki } from "./collect/loki.ts";
import { pagerduty } from "./collect/pagerduty.ts";
import { prometheus } from "./collect/prometheus.ts";
import { runbook } from "./collect/runbook.ts";
import type { Collector, Reach } from "./collector.ts";
import type { CollectorSettings } from "./settings.ts";

export const COLLECTORS: readonly Collector<CollectorSettings>[] = [
  pagerduty,
  github,
  kubernetes,
  grafana,
  prometheus,
  history,
  alertmanager,
  loki,
  runbook,
];

/** What the collectors need to reach with these settings. */
export function reachOf(config: Config<CollectorSettings>): Reach[] {
  return COLLECTORS.flatMap((collector) => collector.reach(config));
}
