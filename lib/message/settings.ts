/**
 * What a message depends on beside its incident.
 *
 * @module
 */
import { optionalOrigins, optionalUrl, type Setting } from "../base/config.ts";

/** The settings of {@linkcode LINK_SETTINGS}. */
export type LinkSettings = {
  readonly linkOrigins: Setting<readonly string[] | undefined>;
  readonly dashboardRunUrl: Setting<string | undefined>;
};

/** Where a message's buttons may lead. */
export const LINK_SETTINGS: LinkSettings = {
  linkOrigins: optionalOrigins("LINK_ORIGINS", {
    about:
      "origins that a message's buttons may lead to, beside the source's own",
  }),
  dashboardRunUrl: optionalUrl("DASHBOARD_RUN_URL", {
    about:
      "where a dashboard shows a run, with {run_id} for its id; no button if unset",
  }),
};
