/**
 * The Alertmanager source: the group of alerts that the webhook carried. Pure.
 *
 * What all alerts that fire share are facts of the incident; what sets one
 * apart stands with it in the timeline.
 *
 * @see https://prometheus.io/docs/alerting/latest/notifications/ for the payload.
 * @module
 */
import { type JsonObject, objectOf, plainTextOf } from "../base/json.ts";
import { shorten } from "../base/errors.ts";
import {
  type Fact,
  type IncidentInput,
  type NormalizedContext,
  type TimelineEntry,
  toMoment,
} from "../incident.ts";
import type { Findings } from "./bundle.ts";
import {
  contextOf,
  factOf,
  jsonPieces,
  payloadOf,
  RAW,
  TIMELINE_MAX,
  VALUE_CHARS_MAX,
} from "./fields.ts";

/** More are in the payload only. */
const ALERTS_MAX = 100;
const ALERTS = "E2";
const TEXT_CHARS_MAX = 4000;
const SHARED_FACTS_MAX = 40;
/** For the labels that set one alert apart, so that its words have room. */
const LABELS_CHARS_MAX = 200;

type Texts = ReadonlyMap<string, string>;

interface Alert {
  fires: boolean;
  labels: Texts;
  annotations: Texts;
  startsAt: string | undefined;
  endsAt: string | undefined;
  whole: JsonObject;
}

/** What all alerts share. */
interface Shared {
  labels: Texts;
  annotations: Texts;
}

/** Reads an incident of Alertmanager from its webhook's payload. */
export function readAlertmanagerIncident(incident: IncidentInput): Findings {
  const raw = payloadOf(incident);
  const given = Array.isArray(raw["alerts"]) ? raw["alerts"] : [];
  const alerts = given.flatMap(readAlert).toSorted(firingAndOldestFirst);
  const firing = alerts.filter(({ fires }) => fires);
  const most = firing.length > 0 ? firing : alerts;
  const shared: Shared = {
    labels: sharedOf(most.map(({ labels }) => labels)),
    annotations: sharedOf(most.map(({ annotations }) => annotations)),
  };
  const counted = `${firing.length} firing, ${
    alerts.length - firing.length
  } resolved`;
  const listed = alerts.slice(0, ALERTS_MAX);
  const timeline = readTimeline(listed, shared);
  const { title } = incident;
  const description = describe(most, { shared, title });
  const cut = cutOf(raw);
  // It is that of the alerts that are left, and those that are not may fire.
  const status = cut > 0 && firing.length === 0
    ? undefined
    : plainTextOf(raw["status"], 100);
  const context: NormalizedContext = {
    ...contextOf(incident),
    ...(description === undefined ? {} : { description }),
    ...(status === undefined ? {} : { status }),
    facts: [
      ...alerts.length === 0 ? [] : factOf("alerts", counted, ALERTS),
      ...readFacts(incident, shared),
      ...factOf("receiver", unquote(raw["receiver"]), RAW),
    ],
    timeline: timeline.slice(-TIMELINE_MAX),
  };
  return {
    pieces: jsonPieces([
      {
        kind: "incident.raw",
        title: "Alertmanager webhook as received",
        value: raw,
      },
      ...alerts.length === 0 ? [] : [{
        kind: "alertmanager.alerts",
        title: `Alerts: ${counted}`,
        value: listed.map(({ whole }) => whole),
      }],
      {
        kind: "incident.context",
        title: "Incident in plain fields",
        value: context,
      },
    ]),
    context,
    gaps: [
      ...cutGaps(cut),
      ...countGap(given.length - listed.length, {
        of: `${given.length} alerts`,
        why:
          `at most ${ALERTS_MAX} are listed; the payload may hold the others`,
      }),
      ...countGap(timeline.length - TIMELINE_MAX, {
        of: `${timeline.length} timeline entries`,
        why: `the newest ${TIMELINE_MAX} are kept`,
      }),
      {
        what: "silences, inhibitions and what the alerts are by now",
        why:
          "Alertmanager's API was not asked yet; a webhook does not carry them",
      },
    ],
  };
}

/** Alertmanager sends `team.web` as `team\.web`, for use in an expression. */
function unquote(receiver: unknown): unknown {
  return typeof receiver === "string"
    ? receiver.replace(/\\([\\.+*?()|[\]{}^$])/g, "$1")
    : receiver;
}

function readAlert(value: unknown): Alert[] {
  const whole = objectOf(value);
  if (whole === undefined) return [];
  return [{
    fires: whole["status"] !== "resolved",
    labels: textsOf(whole["labels"]),
    annotations: textsOf(whole["annotations"]),
    startsAt: toMoment(whole["startsAt"]),
    endsAt: toMoment(whole["endsAt"]),
    whole,
  }];
}

function firingAndOldestFirst(a: Alert, b: Alert): number {
  if (a.fires !== b.fires) return a.fires ? -1 : 1;
  return compare(a.startsAt ?? "", b.startsAt ?? "");
}

/**
 * What all of them say; else what the oldest says, so that the first sentence
 * has a measurement in it. Nothing that the title says already.
 */
function describe(
  [oldest, ...others]: Alert[],
  { shared, title = "" }: { shared: Shared; title: string | undefined },
): string | undefined {
  const common = textIn(shared.annotations, ["description", "message"]);
  const own = textIn(oldest?.annotations, ["description", "message"]);
  const summary = textIn(shared.annotations, ["summary"]);
  if (common === undefined && own !== undefined) {
    const text = `Oldest of ${others.length + 1} alerts: ${own}`;
    return shorten(text, TEXT_CHARS_MAX);
  }
  const text = common ?? summary;
  return text === undefined || title.includes(text) ? undefined : text;
}

function textIn(
  texts: Texts | undefined,
  names: readonly string[],
): string | undefined {
  const found = names.find((name) => texts?.has(name));
  return found === undefined ? undefined : texts?.get(found);
}

/** What to do first: a message shows only the first few. */
function readFacts(
  { service }: IncidentInput,
  { labels, annotations }: Shared,
): Fact[] {
  const said = ["alertname", "severity", "summary", "description", "message"];
  const isGuide = (name: string) => /runbook|dashboard/i.test(name);
  const guides = [...annotations].filter(([name]) => isGuide(name))
    .map(([name, value]) => [name.replace(/_url$/i, ""), value] as const);
  const others = [...labels, ...annotations].filter(([name, value]) =>
    !said.includes(name) && !isGuide(name) && value !== service
  );
  return [...guides, ...others]
    .flatMap(([name, value]) => factOf(name, value, ALERTS))
    .slice(0, SHARED_FACTS_MAX);
}

/** When each fired and was resolved, oldest first. */
function readTimeline(alerts: Alert[], shared: Shared): TimelineEntry[] {
  const entries = alerts.flatMap((alert) => {
    const { fires, startsAt, endsAt } = alert;
    const name = alert.labels.get("alertname") ?? "Alert";
    const where = apart(alert.labels, shared.labels);
    // Not what all of them say: that stands in the first sentence or the title.
    const own = textIn(
      alert.annotations,
      ["description", "message", "summary"].filter((name) =>
        alert.annotations.get(name) !== shared.annotations.get(name)
      ),
    );
    const detail = own === undefined ? "" : `: ${own}`;
    return [
      ...entryOf(startsAt, `${name} fired${where}${detail}`),
      // While it fires, this is the zero time or when it would expire.
      ...entryOf(fires ? undefined : endsAt, `${name} resolved${where}`),
    ];
  });
  return entries.toSorted((a, b) => compare(a.at, b.at));
}

function entryOf(at: string | undefined, text: string): TimelineEntry[] {
  return at === undefined
    ? []
    : [{ at, text: shorten(text, VALUE_CHARS_MAX), evidence: [ALERTS] }];
}

/** The labels that set an alert apart. */
function apart(labels: Texts, shared: Texts): string {
  const own = [...labels].filter(([name, value]) =>
    name !== "alertname" && shared.get(name) !== value
  ).map(([name, value]) => `${name}=${value}`).join(", ");
  return own === "" ? "" : ` (${shorten(own, LABELS_CHARS_MAX)})`;
}

/** How many alerts `max_alerts` of the receiver's configuration left out. */
function cutOf({ truncatedAlerts }: JsonObject): number {
  return typeof truncatedAlerts === "number" ? truncatedAlerts : 0;
}

function cutGaps(cut: number): Findings["gaps"] {
  if (!(cut > 0)) return [];
  return [{
    what: `${cut} more ${cut === 1 ? "alert" : "alerts"}`,
    why: "the webhook left them out, as max_alerts of its receiver says",
  }];
}

function countGap(
  count: number,
  { of, why }: { of: string; why: string },
): Findings["gaps"] {
  return count > 0 ? [{ what: `${count} of ${of}`, why }] : [];
}

/** What every one of these says, in the first one's order. */
function sharedOf(all: readonly Texts[]): Texts {
  const [first, ...others] = all;
  return new Map(
    [...first ?? []].filter(([name, value]) =>
      others.every((texts) => texts.get(name) === value)
    ),
  );
}

/** The texts of an object, by name; a map, since a label may be `constructor`. */
function textsOf(value: unknown): Texts {
  return new Map(
    Object.entries(objectOf(value) ?? {}).flatMap(([name, value]) => {
      const text = plainTextOf(value, TEXT_CHARS_MAX);
      return text === undefined ? [] : [[name, text] as const];
    }),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
