/**
 * The settings of a message.
 *
 * @module
 */
import { addressOf, optional, origins, url } from "../base/config.ts";

/** The addresses that a message may lead to. */
export const LINK_SETTINGS = {
  linkOrigins: optional(origins("LINK_ORIGINS", {
    about:
      "origins that a message's buttons may link to, besides the source's own",
  })),
  dashboardRunUrl: optional(url("DASHBOARD_RUN_URL", {
    about:
      "address of a run in your dashboard, with {run_id} in place of its id; no button if unset",
  })),
  evidenceUrl: optional(addressOf("EVIDENCE_URL", {
    part: "pointer",
    about:
      "address where people open a piece of evidence, with {pointer} in place of its pointer; no link if unset",
  })),
};

/** The settings of {@linkcode LINK_SETTINGS}. */
export type LinkSettings = typeof LINK_SETTINGS;
