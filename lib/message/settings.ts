/**
 * What a message depends on beside its incident.
 *
 * @module
 */
import { optional, origins, url } from "../base/config.ts";

/** Where a message's buttons may lead. */
export const LINK_SETTINGS = {
  linkOrigins: optional(origins("LINK_ORIGINS", {
    about:
      "origins that a message's buttons may lead to, beside the source's own",
  })),
  dashboardRunUrl: optional(url("DASHBOARD_RUN_URL", {
    about:
      "where a dashboard shows a run, with {run_id} for its id; no button if unset",
  })),
};

/** The settings of {@linkcode LINK_SETTINGS}. */
export type LinkSettings = typeof LINK_SETTINGS;
