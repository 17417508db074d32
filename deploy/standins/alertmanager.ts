/**
 * A stand-in for Alertmanager's API v2, for demos and tests.
 *
 * @see https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 * @module
 */
import { type ApiStandIn, startApi } from "./api.ts";

/** What the stand-in answers with. */
export interface AlertmanagerData {
  readonly alerts?: readonly unknown[];
  readonly silences?: readonly unknown[];
}

/** Starts it on a free port of 127.0.0.1. */
export function startAlertmanagerApi(
  { alerts = [], silences = [] }: AlertmanagerData = {},
): ApiStandIn {
  return startApi({
    routes: {
      "/api/v2/alerts": () => alerts,
      "/api/v2/silences": () => silences,
      "/api/v2/status": () => ({
        cluster: { peers: [], status: "disabled" },
        versionInfo: { version: "0.25.0" },
      }),
    },
    error: (status) =>
      Response.json({ code: status, message: `failed with ${status}` }, {
        status,
      }),
  });
}
