/**
 * What Grafana's own alerting adds to Alertmanager's webhook. Pure.
 *
 * Each field may stand in an alert or beside the alerts. `silenceURL` opens a
 * form that mutes the alert, so it never becomes a fact or another field's link,
 * whatever the field that carries it: it has a link of its own, see `links.ts`.
 *
 * @see https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
 * @module
 */
import { type JsonObject, objectOf, textOf } from "../../base/json.ts";
import type { Fact } from "../../incident.ts";
import { factOf, webUrlOf } from "../fields.ts";
import type { Alert } from "./alert.ts";

const TEXT_CHARS_MAX = 4000;
const VALUES_MAX = 20;
/** Of a measured value; the stored alert has all digits. */
const DIGITS_MAX = 6;
/** The best first: it shows the measurement. */
const PAGES = ["panel", "dashboard"] as const;

export function isGrafana(payload: JsonObject): boolean {
  return payload["version"] === "1" || "orgId" in payload;
}

/** The page that all these alerts share: their panel, dashboard or rule. */
export function pageOf(
  payload: JsonObject,
  alerts: readonly Alert[],
): string | undefined {
  const rule = isGrafana(payload) ? ["generatorURL"] : [];
  return [...PAGES.map((page) => `${page}URL`), ...rule]
    .map((name) => urlOf(name, payload, alerts))
    .find((url) => url !== undefined);
}

/** The pages and values that all these alerts share. */
export function grafanaFacts(
  payload: JsonObject,
  alerts: readonly Alert[],
  piece: string,
): Fact[] {
  const values = valuesOf(payload) ?? sharedValuesOf(alerts);
  return [
    ...factOf("values", values, piece),
    ...[...PAGES, "image"].flatMap((page) =>
      factOf(page, urlOf(`${page}URL`, payload, alerts), piece)
    ),
  ];
}

export function sharedValuesOf(alerts: readonly Alert[]): string | undefined {
  return shared(alerts.map(alertValuesOf));
}

/** `B=44.2394, C=1`; as Grafana's own text if it names no numbers. */
export function alertValuesOf({ whole }: Alert): string | undefined {
  return valuesOf(whole);
}

/** The title that a team wrote for people; not the default, a list of labels. */
export function titleOf({ title }: JsonObject): string | undefined {
  const text = textOf(title, 1000);
  return text === undefined || /^\[(?:firing|resolved)\b/i.test(text)
    ? undefined
    : text;
}

/** The message that a team wrote; not the default, a list of all labels. */
export function messageOf({ message }: JsonObject): string | undefined {
  const text = textOf(message, TEXT_CHARS_MAX);
  return text === undefined || /^\*\*(?:firing|resolved)\*\*/i.test(text)
    ? undefined
    : text;
}

function urlOf(
  name: string,
  payload: JsonObject,
  alerts: readonly Alert[],
): string | undefined {
  return shared(alerts.map(({ whole }) => pageUrlOf(whole[name]))) ??
    pageUrlOf(payload[name]);
}

function pageUrlOf(value: unknown): string | undefined {
  const url = webUrlOf(value);
  return url === undefined || /\/silences?(?:[/?#]|$)/i.test(url)
    ? undefined
    : url;
}

function valuesOf({ values, valueString }: JsonObject): string | undefined {
  const numbers = Object.entries(objectOf(values) ?? {}).flatMap(
    ([name, value]) =>
      typeof value === "number"
        ? [`${name}=${Number(value.toPrecision(DIGITS_MAX))}`]
        : [],
  );
  return numbers.length > 0
    ? numbers.slice(0, VALUES_MAX).join(", ")
    : textOf(valueString, TEXT_CHARS_MAX);
}

/** The one value of all, if it is one. */
function shared(values: (string | undefined)[]): string | undefined {
  const [value, ...others] = new Set(values);
  return others.length === 0 ? value : undefined;
}
