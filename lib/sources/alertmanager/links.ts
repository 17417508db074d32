/**
 * The addresses that alerts name in known fields. Pure.
 *
 * Whether one becomes a button is decided by its origin, where the message is
 * made. A silence mutes an alert, so it is told apart by its kind and its label
 * says what it does.
 *
 * @module
 */
import { type JsonObject, objectOf, optional } from "../../base/json.ts";
import type { LinkKind, NamedLink } from "../../incident.ts";
import { webUrlOf } from "../fields.ts";
import type { Alert } from "./alert.ts";

/** Of the alerts, the worst first. */
const ALERTS_MAX = 3;
export const LINKS_MAX = 12;
const URL_CHARS_MAX = 1000;

const FIELDS: readonly [kind: LinkKind, names: readonly string[]][] = [
  ["runbook", ["runbook_url", "runbook"]],
  ["panel", ["panelURL", "panel_url"]],
  ["dashboard", ["dashboardURL", "dashboard_url", "dashboard"]],
  ["logs", ["logs_url", "log_url", "logs"]],
  ["graph", ["generatorURL"]],
];

/**
 * The addresses of the worst alerts, and the form that silences the group.
 *
 * @param worst One alert of each name, the worst first, with its place.
 */
export function alertLinks(
  payload: JsonObject,
  worst: readonly { alert: Alert; name: string; place?: string }[],
): NamedLink[] {
  const links = worst.slice(0, ALERTS_MAX).flatMap(({ alert, name, place }) =>
    FIELDS.flatMap(([kind, names]) => {
      const given = names.map((field) =>
        urlOf(alert.annotations.get(field) ?? alert.whole[field])
      ).find((url) => url !== undefined);
      if (given === undefined) return [];
      const of = kind === "runbook" || kind === "graph" ? name : place;
      return [{ kind, url: given, ...optional("of", of?.slice(0, 100)) }];
    })
  );
  const silence = silenceOf(payload, worst[0]?.alert);
  const once = links.filter(({ url }, at) =>
    links.findIndex((other) => other.url === url) === at
  );
  return [
    ...once.slice(0, LINKS_MAX - 1),
    ...silence === undefined
      ? []
      : [{ kind: "silence" as const, url: silence }],
  ];
}

/** The sender's own address, or Alertmanager's form for the group's labels. */
function silenceOf(
  payload: JsonObject,
  worst: Alert | undefined,
): string | undefined {
  const given = urlOf(worst?.whole["silenceURL"]);
  if (given !== undefined) return given;
  const site = urlOf(payload["externalURL"]);
  const labels = Object.entries(objectOf(payload["groupLabels"]) ?? {})
    .flatMap(([name, value]) =>
      typeof value === "string" && /^[A-Za-z_]\w*$/.test(name)
        ? [`${name}=${JSON.stringify(value)}`]
        : []
    );
  if (site === undefined || labels.length === 0 || "orgId" in payload) return;
  const filter = encodeURIComponent(`{${labels.join(",")}}`);
  return urlOf(`${site.replace(/\/+$/, "")}/#/silences/new?filter=${filter}`);
}

function urlOf(value: unknown): string | undefined {
  const url = webUrlOf(value);
  return url !== undefined && url.length <= URL_CHARS_MAX ? url : undefined;
}
