/**
 * Alertmanager's evidence: the group of alerts in the webhook. Pure.
 *
 * The labels and annotations that all firing alerts share become facts about
 * the incident. The others appear with their alert in the timeline.
 *
 * @module
 */
import {
  isObject,
  type JsonObject,
  optional,
  plainTextOf,
} from "../../base/json.ts";
import { named } from "../../base/foreign.ts";
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
} from "../fields.ts";
import type { Findings } from "../source.ts";
import {
  type Alert,
  byStart,
  cutOf,
  sharedOf,
  toAlert,
  unquote,
} from "./alert.ts";
import {
  alertValuesOf,
  grafanaFacts,
  isGrafana,
  messageOf,
  sharedValuesOf,
} from "./grafana.ts";
import { groupAlerts } from "./groups.ts";
import { isService, subjectOf, tellingFirst, type Texts } from "./labels.ts";
import { alertLinks } from "./links.ts";

/** The name of the alerts among the pieces of evidence. */
const ALERTS = "alerts";
const ALERTS_MAX = 100;
const TEXT_CHARS_MAX = 4000;
/** Leaves an alert's line room for its description. */
const NAME_CHARS_MAX = 120;
const SHARED_FACTS_MAX = 38;
const STARTLESS_MAX = 5;
/** An alert's own labels are cut to leave room for its description. */
const LABELS_CHARS_MAX = 200;

/** The texts that all alerts share. */
interface Shared extends Pick<Alert, "about" | "measuring" | "annotations"> {
  /** What Grafana measured. */
  values: string | undefined;
}

export function collectAlertmanager(incident: IncidentInput): Findings {
  const { service, ...rest } = incident;
  const raw = payloadOf(incident);
  const sender = isGrafana(raw) ? "Grafana" : "Alertmanager";
  const given = Array.isArray(raw["alerts"]) ? raw["alerts"] : [];
  const alerts = given.flatMap((alert) =>
    isObject(alert) ? [toAlert(alert)] : []
  ).toSorted(firingAndOldestFirst);
  const firing = alerts.filter(({ fires }) => fires);
  const most = firing.length > 0 ? firing : alerts;
  const shared: Shared = {
    about: sharedOf(most.map(({ about }) => about)),
    measuring: sharedOf(most.map(({ measuring }) => measuring)),
    annotations: sharedOf(most.map(({ annotations }) => annotations)),
    values: sharedValuesOf(most),
  };
  // A run that an earlier version started may name the exporter.
  const subject = [...shared.measuring.values()].includes(service ?? "")
    ? subjectOf(shared.about)
    : service;
  const resolved = alerts.length - firing.length;
  const counts = `${firing.length} firing, ${resolved} resolved`;
  const listed = alerts.slice(0, ALERTS_MAX);
  const timeline = readTimeline(listed, shared);
  const description = describe(most, { shared, title: incident.title, raw });
  const facts = readFacts(subject, shared);
  const startless = most.filter(({ startsAt }) => startsAt === undefined)
    .map((alert) => sentence(alert, "fires", shared));
  const cut = cutOf(raw);
  // The status covers only the remaining alerts; one that was cut may fire.
  const status = cut > 0 && firing.length === 0
    ? undefined
    : plainTextOf(raw["status"], 100);
  const grouped = groupAlerts(alerts, {
    name: incident.title ?? "",
    piece: ALERTS,
    cut,
  });
  const links = alertLinks(raw, grouped.worst);
  const context: NormalizedContext = {
    ...contextOf({ ...rest, ...optional("service", subject) }),
    ...optional("description", description),
    ...optional("status", status),
    facts: [
      ...alerts.length === 0 ? [] : factOf("alerts", counts, ALERTS),
      ...startless.slice(0, STARTLESS_MAX)
        .flatMap((text) => factOf("start unknown", text, ALERTS)),
      ...grafanaFacts(raw, most, ALERTS),
      ...facts.slice(0, SHARED_FACTS_MAX),
      ...factOf("measured by", labelList(shared.measuring), ALERTS),
      ...factOf("receiver", unquote(raw["receiver"]), PAYLOAD),
    ],
    timeline: timeline.slice(-TIMELINE_MAX),
    ...optional("alerts", grouped.alerts),
    ...optional("links", links.length === 0 ? undefined : links),
  };
  return {
    pieces: [
      payloadPiece(`${sender} webhook as received`, raw),
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
          why: `the webhook left ${
            cut === 1 ? "it" : "them"
          } out, as max_alerts of its receiver says`,
        }]
        : [],
      ...countGap(given.length - listed.length, {
        of: `${given.length} alerts`,
        why:
          `at most ${ALERTS_MAX} are listed; the payload may hold the others`,
      }),
      ...countGap(startless.length - STARTLESS_MAX, {
        of: `${startless.length} alerts without a start`,
        why: `at most ${STARTLESS_MAX} are facts, since no timeline has them`,
      }),
      ...countGap(facts.length - SHARED_FACTS_MAX, {
        of: `${facts.length} labels and annotations that all alerts share`,
        why: `at most ${SHARED_FACTS_MAX} are facts; the alerts hold all`,
      }),
      ...countGap(timeline.length - TIMELINE_MAX, {
        of: `${timeline.length} timeline entries`,
        why: `the newest ${TIMELINE_MAX} are kept`,
      }),
      {
        what: "silences, inhibitions and the current state of the alerts",
        why: `${sender}'s API was not asked; its webhook does not carry them`,
        // Nothing asks Grafana for them.
        ...sender === "Alertmanager" ? { kind: "off" as const } : {},
      },
    ],
  };
}

function firingAndOldestFirst(a: Alert, b: Alert): number {
  if (a.fires !== b.fires) return a.fires ? -1 : 1;
  return byStart(a, b);
}

interface Known {
  shared: Shared;
  title: string | undefined;
  raw: JsonObject;
}

/**
 * The description that all alerts share. Otherwise the oldest alert's, so that
 * the first sentence contains a measurement. Never repeats the title.
 */
function describe(
  [oldest, ...others]: Alert[],
  { shared, title = "", raw }: Known,
): string | undefined {
  const common = textIn(shared.annotations, ["description", "message"]);
  const own = textIn(oldest?.annotations, ["description", "message"]);
  const summary = textIn(shared.annotations, ["summary"]);
  if (common === undefined && own !== undefined) {
    const which = oldest?.startsAt === undefined ? "One" : "Oldest";
    const text = `${which} of ${others.length + 1} alerts: ${own}`;
    return shorten(text, TEXT_CHARS_MAX);
  }
  const text = common ?? messageOf(raw) ?? summary;
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
  service: string | undefined,
  { about, annotations }: Shared,
): Fact[] {
  const said = ["alertname", "severity", "summary", "description", "message"];
  const isGuide = (name: string) => /runbook|dashboard/i.test(name);
  const guides = [...annotations].filter(([name]) =>
    isGuide(name) && !isInternal(name)
  ).map(([name, value]) => [name.replace(/_url$/i, ""), value] as const);
  const others = [...tellingFirst(about), ...annotations].filter((
    [name, value],
  ) =>
    !said.includes(name) && !isGuide(name) && !isInternal(name) &&
    !(isService(name) && value === service)
  );
  return [...guides, ...others]
    .flatMap(([name, value]) => factOf(name, value, ALERTS));
}

/** Grafana's own bookkeeping, such as `__dashboardUid__`. */
function isInternal(name: string): boolean {
  return name.startsWith("__");
}

/** When each fired and was resolved, oldest first. */
function readTimeline(alerts: Alert[], shared: Shared): TimelineEntry[] {
  const entries = alerts.flatMap((alert) => {
    const { fires, startsAt, endsAt } = alert;
    return [
      ...entryOf(startsAt, sentence(alert, "fired", shared), ALERTS),
      // While the alert fires, this is the zero time or the time of expiry.
      ...fires ? [] : entryOf(
        endsAt,
        `${nameOf(alert)} resolved${apart(alert, shared)}`,
        ALERTS,
      ),
    ];
  });
  return entries.toSorted(byMoment);
}

/** `Slow fired (pod=1): p99 is 2 s`; only what not all alerts share. */
function sentence(alert: Alert, verb: string, shared: Shared): string {
  // The first sentence or the title already contains the shared text.
  const own = textIn(
    alert.annotations,
    ["description", "message", "summary"].filter((name) =>
      alert.annotations.get(name) !== shared.annotations.get(name)
    ),
  );
  const detail = own === undefined ? "" : `: ${own}`;
  const values = alertValuesOf(alert);
  const measured = values === undefined || values === shared.values
    ? ""
    : ` [${values}]`;
  return `${nameOf(alert)} ${verb}${apart(alert, shared)}${detail}${measured}`;
}

function nameOf({ labels }: Alert): string {
  const name = labels.get("alertname");
  return name === undefined ? "Alert" : named(name, NAME_CHARS_MAX);
}

/** The labels that set an alert apart; an exporter's only if no others do. */
function apart(alert: Alert, shared: Shared): string {
  const own = differing(alert.about, shared.about);
  const labels = own.size > 0
    ? own
    : differing(alert.measuring, shared.measuring);
  const list = labelList(labels);
  return list === "" ? "" : ` (${shorten(list, LABELS_CHARS_MAX)})`;
}

function differing(labels: Texts, shared: Texts): Texts {
  return new Map(
    [...labels].filter(([name, value]) =>
      name !== "alertname" && !isInternal(name) && shared.get(name) !== value
    ),
  );
}

/** `namespace=shop, pod=cart-1`. */
function labelList(labels: Texts): string {
  return tellingFirst(labels).map(([name, value]) => `${name}=${value}`)
    .join(", ");
}
