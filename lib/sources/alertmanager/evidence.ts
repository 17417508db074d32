/**
 * Alertmanager's evidence: the group of alerts in the webhook. Pure.
 *
 * The labels and annotations that all firing alerts share become facts about
 * the incident. The others appear with their alert in the timeline.
 *
 * @module
 */
import { isObject, objectOf, optional, plainTextOf } from "../../base/json.ts";
import { counted, shorten } from "../../base/text.ts";
import type {
  Fact,
  IncidentInput,
  NormalizedContext,
  TimelineEntry,
} from "../../incident.ts";
import {
  byMoment,
  contextOf,
  countGap,
  entryOf,
  factOf,
  jsonPiece,
  PAYLOAD,
  payloadOf,
  payloadPiece,
  TIMELINE_MAX,
  webUrlOf,
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
const ALERTS_MAX = 100;
const TEXT_CHARS_MAX = 4000;
const SHARED_FACTS_MAX = 40;
/** An alert's own labels are cut to leave room for its description. */
const LABELS_CHARS_MAX = 200;

/** The texts that all alerts share. */
type Shared = Pick<Alert, "labels" | "annotations">;

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
  const resolved = alerts.length - firing.length;
  const counts = `${firing.length} firing, ${resolved} resolved`;
  const listed = alerts.slice(0, ALERTS_MAX);
  const timeline = readTimeline(listed, shared);
  const { title } = incident;
  const description = describe(most, { shared, title });
  const cut = cutOf(raw);
  // The status covers only the remaining alerts; one that was cut may fire.
  const status = cut > 0 && firing.length === 0
    ? undefined
    : plainTextOf(raw["status"], 100);
  const context: NormalizedContext = {
    ...contextOf(incident),
    ...optional("description", description),
    ...optional("status", status),
    facts: [
      ...alerts.length === 0 ? [] : factOf("alerts", counts, ALERTS),
      ...readFacts(incident, shared),
      ...readGrafanaFacts(most),
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
        title: `Alerts: ${counts}`,
      }, listed.map(({ whole }) => whole))],
    ],
    context,
    gaps: [
      ...cut > 0
        ? [{
          what: counted(cut, "more alert"),
          why: "the webhook left them out, as max_alerts of its receiver says",
        }]
        : [],
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
        what: "silences, inhibitions and the current state of the alerts",
        why:
          "Alertmanager's API was not asked; its webhook does not carry them",
      },
    ],
  };
}

function firingAndOldestFirst(a: Alert, b: Alert): number {
  if (a.fires !== b.fires) return a.fires ? -1 : 1;
  return byStart(a, b);
}

/**
 * The description that all alerts share. Otherwise the oldest alert's, so that
 * the first sentence contains a measurement. Never repeats the title.
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

/** Runbooks and dashboards come first: a message shows only the first few facts. */
function readFacts(
  { service }: IncidentInput,
  { labels, annotations }: Shared,
): Fact[] {
  const said = ["alertname", "severity", "summary", "description", "message"];
  const isGuide = (name: string) => /runbook|dashboard/i.test(name);
  const guides = [...annotations].filter(([name]) => isGuide(name))
    .map(([name, value]) => [name.replace(/_url$/i, ""), value] as const);
  const others = [...labels, ...annotations].filter(([name, value]) =>
    !said.includes(name) && !isGuide(name) && value !== service &&
    !name.startsWith("__") // Grafana's own bookkeeping.
  );
  return [...guides, ...others]
    .flatMap(([name, value]) => factOf(name, value, ALERTS))
    .slice(0, SHARED_FACTS_MAX);
}

/** What Grafana adds to an alert: its pages, and the values that it measured. */
function readGrafanaFacts(alerts: Alert[]): Fact[] {
  const [oldest] = alerts;
  const pages = ["dashboard", "panel", "silence"].flatMap((name) =>
    factOf(name, webUrlOf(oldest?.whole[`${name}URL`]), ALERTS)
  );
  const values = new Set(alerts.map(valuesOf));
  const [shared] = values.size === 1 ? values : [];
  return [...pages, ...factOf("values", shared, ALERTS)];
}

/** `B=44.24, C=1`, as Grafana's `values` has them. */
function valuesOf({ whole }: Alert): string | undefined {
  const values = Object.entries(objectOf(whole["values"]) ?? {}).flatMap(
    ([name, value]) => typeof value === "number" ? [`${name}=${value}`] : [],
  );
  return values.length === 0 ? undefined : values.join(", ");
}

/** When each fired and was resolved, oldest first. */
function readTimeline(alerts: Alert[], shared: Shared): TimelineEntry[] {
  const entries = alerts.flatMap((alert) => {
    const { fires, startsAt, endsAt } = alert;
    const name = alert.labels.get("alertname") ?? "Alert";
    const where = apart(alert.labels, shared.labels);
    // The first sentence or the title already contains the shared text.
    const own = textIn(
      alert.annotations,
      ["description", "message", "summary"].filter((name) =>
        alert.annotations.get(name) !== shared.annotations.get(name)
      ),
    );
    const detail = own === undefined ? "" : `: ${own}`;
    return [
      ...entryOf(startsAt, `${name} fired${where}${detail}`, ALERTS),
      // While the alert fires, this is the zero time or the time of expiry.
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

/** The texts that all of these share, in the first one's order. */
function sharedOf(all: readonly Texts[]): Texts {
  const [first, ...others] = all;
  return new Map(
    [...first ?? []].filter(([name, value]) =>
      others.every((texts) => texts.get(name) === value)
    ),
  );
}
