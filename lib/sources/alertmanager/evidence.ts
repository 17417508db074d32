/**
 * Alertmanager's evidence: the group of alerts that the webhook carried. Pure.
 *
 * What all firing alerts share are facts about the incident. What sets one apart
 * stands with it in the timeline.
 *
 * @module
 */
import { shorten } from "../../base/text.ts";
import { isObject, plainTextOf } from "../../base/json.ts";
import type {
  Fact,
  IncidentInput,
  NormalizedContext,
  TimelineEntry,
} from "../../incident.ts";
import {
  byMoment,
  contextOf,
  entryOf,
  factOf,
  jsonPiece,
  PAYLOAD,
  payloadOf,
  payloadPiece,
  TIMELINE_MAX,
} from "../fields.ts";
import type { Findings } from "../source.ts";
import {
  type Alert,
  byStart,
  cutOf,
  type Texts,
  toAlert,
  unquote,
} from "./alert.ts";

/** The name of the alerts among the pieces of evidence. */
const ALERTS = "alerts";
/** The payload may hold more. */
const ALERTS_MAX = 100;
const TEXT_CHARS_MAX = 4000;
const SHARED_FACTS_MAX = 40;
/** For the labels that set one alert apart, so that its words have room. */
const LABELS_CHARS_MAX = 200;

/** What all alerts share. */
interface Shared {
  labels: Texts;
  annotations: Texts;
}

/** Collects what Alertmanager's webhook carried about an incident. */
export function collectAlertmanager(incident: IncidentInput): Findings {
  const raw = payloadOf(incident);
  const given = Array.isArray(raw["alerts"]) ? raw["alerts"] : [];
  const alerts = given.flatMap((alert) =>
    isObject(alert) ? [toAlert(alert)] : []
  ).toSorted(firingAndOldestFirst);
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
      ...factOf("receiver", unquote(raw["receiver"]), PAYLOAD),
    ],
    timeline: timeline.slice(-TIMELINE_MAX),
  };
  return {
    pieces: [
      payloadPiece("Alertmanager webhook as received", raw),
      ...alerts.length === 0 ? [] : [jsonPiece({
        name: ALERTS,
        kind: "alertmanager.alerts",
        title: `Alerts: ${counted}`,
      }, listed.map(({ whole }) => whole))],
    ],
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

function firingAndOldestFirst(a: Alert, b: Alert): number {
  if (a.fires !== b.fires) return a.fires ? -1 : 1;
  return byStart(a, b);
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
      ...entryOf(startsAt, `${name} fired${where}${detail}`, ALERTS),
      // While it fires, this is the zero time or when it would expire.
      ...fires ? [] : entryOf(endsAt, `${name} resolved${where}`, ALERTS),
    ];
  });
  return entries.toSorted(byMoment);
}

/** The labels that set an alert apart. */
function apart(labels: Texts, shared: Texts): string {
  const own = [...labels].filter(([name, value]) =>
    name !== "alertname" && shared.get(name) !== value
  ).map(([name, value]) => `${name}=${value}`).join(", ");
  return own === "" ? "" : ` (${shorten(own, LABELS_CHARS_MAX)})`;
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
