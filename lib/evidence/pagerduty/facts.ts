/**
 * What PagerDuty's records say, as facts and moments. Pure.
 *
 * @module
 */
import { optional } from "../../base/json.ts";
import { ageOf, utcOf } from "../../base/text.ts";
import type { Change } from "../../collected.ts";
import type { Finding, FoundFact } from "../collector.ts";
import type {
  PagerDutyAlert,
  PagerDutyChange,
  PagerDutyIncident,
  PagerDutyLogEntry,
  PagerDutyNote,
} from "./records.ts";
import type { Subject } from "../subject.ts";
import { byTime, changeKindOf, fromStart, wordsOf } from "../wording.ts";

/** Of each kind, in a piece. */
export const LISTED_MAX = 100;
/** As many moments as the runner keeps. */
export const ENTRIES_MAX = 20;
const NAMES_MAX = 10;
const NOTE_CHARS_MAX = 300;
const SEVERITIES = ["critical", "error", "warning", "info"];

/** What has been read about the incident. */
export interface KnownIncident {
  incident?: PagerDutyIncident;
  alerts?: PagerDutyAlert[];
  log?: PagerDutyLogEntry[];
  notes?: PagerDutyNote[];
}

/** Of the alerts, the first ones are kept; of the rest, the newest. */
export function describeIncident(
  known: KnownIncident,
  subject: Subject,
): Finding {
  const { incident, alerts, log, notes } = known;
  const entries = [
    ...(alerts ?? []).map((
      { at, summary = "without a summary", severity },
    ) => ({
      at: at ?? "",
      text: `Alert: ${summary}${
        severity === undefined ? "" : ` (${severity})`
      }`,
      kind: "alert" as const,
    })),
    // A trigger is an alert or the opening; a note says more than its entry.
    ...(log ?? []).filter(({ type, summary }) =>
      type !== "trigger" && summary !== undefined &&
      !(type === "annotate" && notes !== undefined)
    ).map(({ at = "", summary }) => ({ at, text: `PagerDuty: ${summary}` })),
    ...(notes ?? []).map((note) => ({
      at: note.at ?? "",
      text: `Note of ${describeNote(note)}`,
    })),
  ];
  if (incident === undefined && entries.length === 0) {
    return { nothing: "no alert, log entry or note" };
  }
  return {
    piece: {
      title: "The incident in PagerDuty",
      value: {
        ...incident,
        alerts: alerts?.slice(0, LISTED_MAX),
        log: log?.slice(-LISTED_MAX),
        notes: notes?.slice(-LISTED_MAX),
      },
    },
    facts: [
      ...incident === undefined ? [] : peopleOf(incident, subject),
      ...alertsOf(alerts ?? []),
      ...(notes ?? []).slice(-1).map((note) => ({
        name: "last note",
        value: describeNote(note),
      })),
    ],
    timeline: entries.toSorted(byTime).slice(-ENTRIES_MAX),
  };
}

function peopleOf(
  {
    status,
    status_since,
    status_by,
    assigned,
    acknowledged,
    responders,
    pending,
  }: PagerDutyIncident,
  subject: Subject,
): FoundFact[] {
  const names = (all: (string | undefined)[]) =>
    [...new Set(all.filter((name) => name !== undefined))]
      .slice(0, NAMES_MAX).join(", ");
  const takers = names(acknowledged.map(({ by }) => by));
  // A trigger is by a service.
  const by = status === "triggered"
    ? ""
    : status === "acknowledged" && takers !== ""
    ? takers
    : status_by ?? "";
  const now = [
    by === "" ? status : `${status} by ${by}`,
    status_since === undefined ? "" : fromStart(status_since, subject),
  ];
  const escalation = pending.find(({ action }) => action === "escalate")?.at;
  const facts: [name: string, value: string | undefined][] = [
    ["PagerDuty status", now.filter((part) => part).join(", ")],
    ["assigned now to", names(assigned.map(({ to }) => to))],
    [
      "responders",
      names(
        responders.map(({ name, state }) =>
          name === undefined || state === undefined
            ? name
            : `${name} (${state})`
        ),
      ),
    ],
    [
      "next escalation",
      escalation === undefined ? undefined : utcOf(escalation),
    ],
  ];
  return facts.flatMap(([name, value]) => value ? [{ name, value }] : []);
}

function alertsOf(alerts: readonly PagerDutyAlert[]): FoundFact[] {
  if (alerts.length === 0) return [];
  const open = alerts.filter(({ status }) => status !== "resolved").length;
  const worst = SEVERITIES.find((severity) =>
    alerts.some((alert) => alert.severity === severity)
  );
  return [{
    name: "alerts in the incident",
    value: `${alerts.length}, ${open} of them not resolved${
      worst === undefined ? "" : `, the worst ${worst}`
    }`,
    kind: "alert",
  }];
}

export function describeChange(
  { summary = "without a summary", services, source }: PagerDutyChange,
): string {
  const on = services.length === 0 ? "" : ` on ${services.join(", ")}`;
  return `${summary}${on}${source === undefined ? "" : ` from ${source}`}`;
}

/** A change event in its parts; only its summary says what it is. */
export function toChange(
  { summary, services, source, links: [link] }: PagerDutyChange,
): Change {
  return {
    what: changeKindOf(summary ?? "") ?? "other",
    ...optional("of", services[0]),
    ...optional("by", source),
    ...optional("says", summary),
    ...optional("url", link?.href),
  };
}

/** `resolved after 41 min by Ada Example`, as far as it is known. */
export function describeEnd(
  { status = "unknown", status_by, created_at, resolved_at }: PagerDutyIncident,
): string {
  if (status !== "resolved") return `not resolved, still ${status}`;
  const after = resolved_at === undefined || created_at === undefined
    ? ""
    : ` after ${ageOf(Date.parse(resolved_at) - Date.parse(created_at))}`;
  return `resolved${after}${status_by === undefined ? "" : ` by ${status_by}`}`;
}

export function describeNote({ by = "somebody", text }: PagerDutyNote): string {
  return `${by}: ${wordsOf(text.replace(/\s+/g, " "), NOTE_CHARS_MAX)}`;
}
