/**
 * The alerts of Alertmanager's webhook, version 4. Pure.
 *
 * @see https://prometheus.io/docs/alerting/latest/notifications/ for the payload.
 * @module
 */
import type { JsonObject } from "../../base/json.ts";
import { toMoment } from "../../incident.ts";
import { byMoment, textsOf } from "../fields.ts";

const TEXT_CHARS_MAX = 4000;

/** Labels or annotations, by name. */
export type Texts = ReadonlyMap<string, string>;

export interface Alert {
  fires: boolean;
  startsAt: string | undefined;
  endsAt: string | undefined;
  labels: Texts;
  annotations: Texts;
  whole: JsonObject;
}

export function toAlert(whole: JsonObject): Alert {
  return {
    fires: whole["status"] !== "resolved",
    labels: textsOf(whole["labels"], TEXT_CHARS_MAX),
    annotations: textsOf(whole["annotations"], TEXT_CHARS_MAX),
    // In UTC, because two Alertmanagers may write one moment in two zones.
    startsAt: toMoment(whole["startsAt"]),
    endsAt: toMoment(whole["endsAt"]),
    whole,
  };
}

/** Sorts the oldest first, and alerts without a start before all others. */
export function byStart(a: Alert, b: Alert): number {
  return byMoment({ at: a.startsAt ?? "" }, { at: b.startsAt ?? "" });
}

/** How many alerts `max_alerts` of the receiver's configuration left out. */
export function cutOf({ truncatedAlerts }: JsonObject): number {
  return typeof truncatedAlerts === "number" ? truncatedAlerts : 0;
}

/** Alertmanager escapes `team.web` as `team\.web`, for regular expressions. */
export function unquote<T>(receiver: T): T | string {
  return typeof receiver === "string"
    ? receiver.replace(/\\([\\.+*?()|[\]{}^$])/g, "$1")
    : receiver;
}
