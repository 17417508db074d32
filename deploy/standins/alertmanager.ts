/**
 * A stand-in for Alertmanager's API v2, for demos and tests.
 *
 * @see https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 * @module
 */
import { objectOf } from "../../lib/base/json.ts";
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
      "/api/v2/alerts": ({ query }) => {
        const filters = query.getAll("filter").map(readMatcher);
        if (filters.includes(undefined)) {
          return Response.json("bad matcher format", { status: 400 });
        }
        return alerts.filter((alert) =>
          filters.every((one) => {
            const labels = objectOf(objectOf(alert)?.["labels"]) ?? {};
            return labels[one!.name] === one!.value;
          })
        );
      },
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

/** An equality, with or without quotes; the stand-in knows no other. */
function readMatcher(text: string) {
  const match = /^(\w+)="?([^"]*)"?$/.exec(text);
  return match === null ? undefined : { name: match[1]!, value: match[2]! };
}
