/**
 * The alerts of Alertmanager's webhook. Pure.
 *
 * @see https://prometheus.io/docs/alerting/latest/notifications/ for the payload.
 * @module
 */
import type { JsonObject } from "../../base/json.ts";
import { toMoment } from "../../incident.ts";
import { byMoment, textsOf } from "../fields.ts";
import { part, type Parted, type Texts } from "./labels.ts";

const TEXT_CHARS_MAX = 4000;

export interface Alert extends Parted {
  fires: boolean;
  startsAt: string | undefined;
  endsAt: string | undefined;
  labels: Texts;
  annotations: Texts;
  whole: JsonObject;
}

export function toAlert(whole: JsonObject): Alert {
  const labels = textsOf(whole["labels"], TEXT_CHARS_MAX);
  return {
    fires: whole["status"] !== "resolved",
    labels,
    ...part(labels),
    annotations: textsOf(whole["annotations"], TEXT_CHARS_MAX),
    // In UTC, because two Alertmanagers may write one moment in two zones.
    startsAt: toMoment(whole["startsAt"]),
    endsAt: toMoment(whole["endsAt"]),
    whole,
  };
}

/** Sorts the oldest first, and alerts without a start after all others. */
export function byStart(a: Alert, b: Alert): number {
  return byMoment({ at: a.startsAt ?? "~" }, { at: b.startsAt ?? "~" });
}

/** The texts that all of these share, in the first one's order. */
export function sharedOf(all: readonly Texts[]): Texts {
  const [first, ...others] = all;
  return new Map(
    [...first ?? []].filter(([name, value]) =>
      others.every((texts) => texts.get(name) === value)
    ),
  );
}

/** How many alerts `max_alerts` of the receiver's configuration left out. */
export function cutOf({ truncatedAlerts }: JsonObject): number {
  return Number.isSafeInteger(truncatedAlerts) ? Number(truncatedAlerts) : 0;
}

/** Alertmanager escapes `team.web` as `team\.web`, for regular expressions. */
export function unquote<T>(receiver: T): T | string {
  return typeof receiver === "string"
    ? receiver.replace(/\\([\\.+*?()|[\]{}^$])/g, "$1")
    : receiver;
}
