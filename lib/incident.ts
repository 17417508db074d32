/**
 * What an incident is, from alert to post: types, and the few rules that every
 * room shares. `pack/schemas` defines the same shapes for the wire.
 *
 * @module
 */
import type { Change, MetricSeries, ModelReading } from "./collected.ts";
import type { RedactionLedger } from "./redact/redaction.ts";

/** The systems that send incidents. */
export type SourceSystem = "mock" | "pagerduty" | "alertmanager";

/** Severity as the sender reports it. */
export type ReportedSeverity =
  | "critical"
  | "high"
  | "error"
  | "medium"
  | "warning"
  | "low"
  | "info"
  | "unknown";

/** Severity from the fetcher on, on the scale of PD-CEF. */
export type Severity = "critical" | "error" | "warning" | "info";

/** Where a post goes. */
export interface Destination {
  /** An artifact or a Slack webhook. */
  mode: "artifact" | "slack";
  /** Ignored unless `POSTER_ALLOW_INPUT_URL` is set. */
  slack_webhook_url?: string;
}

/** An incident as a webhook or a person reports it: the workflow's input. */
export interface IncidentInput {
  /** Visible ASCII, prefixed with the source: `pagerduty:PT4KHLK`. */
  incident_id: string;
  /** One line for people. */
  title?: string;
  /** As the sender reports it. */
  severity?: ReportedSeverity;
  /** The rule that gave the severity. */
  severity_rule?: string;
  /** The affected service. */
  service?: string;
  /** PagerDuty's urgency. */
  urgency?: "high" | "low";
  /** In the source's spelling, such as `P1`. */
  priority?: string;
  /** The key by which the source groups alerts. */
  dedup_key?: string;
  /** RFC 3339. */
  occurred_at?: string;
  /** The sender; `mock` if absent. */
  source?: { system: SourceSystem; url?: string };
  /** The webhook's payload. */
  raw?: Record<string, unknown>;
  /** An artifact if absent. */
  destination?: Destination;
}

/** One piece of evidence, stored as an artifact. */
export interface EvidenceItem {
  /** `E1`, `E2`, …, as citations use it. */
  id?: string;
  /** The kind of evidence, such as `incident.raw`. */
  kind: string;
  /** One line for people. */
  title: string;
  /** `redis://art:<uuid>`. */
  artifact_ptr: string;
  /** MIME type. */
  content_type: string;
  /** Size of the artifact. */
  bytes: number;
  /** Digest of the artifact, 64 hex digits. */
  sha256?: string;
  /** Whether the source had more than the artifact holds. */
  shortened?: boolean;
}

/** A statement and the evidence for it. */
export interface Claim {
  /** One sentence. */
  text: string;
  /** Ids of evidence items, at least one. */
  evidence: string[];
}

/** What a fact or a moment is about. */
export type EvidenceKind =
  | "alert"
  | "change"
  | "metric"
  | "log"
  | "state"
  | "people"
  | "history";

/**
 * Why something is missing.
 *
 * - `off`: not set up. `unconcerned`: set up, but the incident names nothing to
 *   look up there.
 * - `refused`: not allowed to see it. `absent`: the system does not have it.
 * - `late`: no answer in time. `cut`: there is more than may be read.
 *   `limited`: asked too often. `broken`: the answer was none.
 */
export type GapKind =
  | "off"
  | "unconcerned"
  | "refused"
  | "absent"
  | "late"
  | "cut"
  | "limited"
  | "broken";

/** Something that could not be collected. */
export interface Gap {
  /** One noun phrase: `notes of the incident`. */
  what: string;
  /** One clause: `PagerDuty answered 403`. */
  why: string;
  /** Absent for what a webhook itself leaves out. */
  kind?: GapKind;
  /** How many there are of `of`, if that is known. */
  got?: number;
  /** How many there would be. */
  of?: number;
}

/**
 * How a question to another system ended.
 *
 * - `found`: there is a piece of evidence, perhaps with gaps.
 * - `nothing`: asked, and there is nothing.
 * - `failed`: could not ask. `off`: not set up.
 * - `unconcerned`: set up, but the incident names nothing to look up there.
 */
export type LookupState =
  | "found"
  | "nothing"
  | "failed"
  | "off"
  | "unconcerned";

/** One question to another system and how it ended. */
export interface Lookup {
  /** A collector's name, such as `prometheus`. */
  collector: string;
  /** One noun phrase; absent for a collector that was asked nothing. */
  question?: string;
  /** How it ended. */
  state: LookupState;
  /** One clause; absent if something was found. */
  why?: string;
  /** Ids of evidence items. */
  evidence?: string[];
}

/**
 * How something stands: as it should, not as it should, or as it should again
 * after it did not.
 */
export type Health = "well" | "ill" | "recovered";

/** A named value from the evidence. */
export interface Fact {
  /** In the source's spelling. */
  name: string;
  /** The value as text. */
  value: string;
  /** Absent for what the webhook says. */
  kind?: EvidenceKind;
  /** How it stands, where whoever collected it can tell. */
  health?: Health;
  /** Ids of evidence items, at least one. */
  evidence: string[];
}

/** Something that happened at one moment. */
export interface TimelineEntry {
  /** RFC 3339, UTC. */
  at: string;
  /** One sentence. */
  text: string;
  /** Absent for what the webhook says. */
  kind?: EvidenceKind;
  /** For a change that a collector found. */
  change?: Change;
  /** Ids of evidence items, at least one. */
  evidence: string[];
}

/**
 * What the alerts of one name say, so that a summary can tell of many alerts in
 * one line without reading the payload.
 */
export interface AlertGroup {
  /** The alert's name, or the incident's title where alerts have none. */
  name: string;
  /** Of all its alerts: those of one name but two severities are two groups. */
  severity: Severity;
  /** How many fire, or did if none does any more. */
  count: number;
  /** When the first of these began: RFC 3339, UTC. */
  since?: string;
  /** When the last of these began, if that is another moment. */
  newest?: string;
  /** What is ill, the first that fell ill first: at most 5 short names. */
  where?: string[];
  /** How many different ones there are, if more than `where` holds. */
  places?: number;
  /** The worst one's own sentence, without what all alerts say. */
  says?: string;
  /** What is ill by the worst one, if there are several. */
  worst?: string;
  /** The value that `says` states, as it is written there. */
  value?: string;
  /** The limit that `says` states. */
  limit?: string;
  /** Their summary, if all alerts of this name have one and the same. */
  shared?: string;
  /** Ids of evidence items, at least one. */
  evidence: string[];
}

/** The alerts of an incident, grouped by name and severity. */
export interface Alerts {
  /** How many fire. */
  firing: number;
  /** How many are resolved. */
  resolved: number;
  /** How many more the sender left out; nobody knows if these fire. */
  cut?: number;
  /** How many are of the worst severity, if not all of them are. */
  worst?: number;
  /** When the last of all began: RFC 3339, UTC. */
  newest?: string;
  /** How many different things are ill, if the groups do not name them all. */
  places?: number;
  /** The sentence that all firing alerts say, if they also say others. */
  all_say?: string;
  /** What all firing alerts have in common, such as `cluster: eu-west-1`. */
  place?: string;
  /** Who owns it, if all alerts say the same. */
  team?: string;
  /** The worst first, then the oldest, then by name: at most 20. */
  groups: AlertGroup[];
  /** What `groups` had no room for. */
  others?: { groups: number; alerts: number; severity: Severity };
}

/** Where a link leads, by the field that gave it. */
export type LinkKind =
  | "incident"
  | "bridge"
  | "runbook"
  | "graph"
  | "dashboard"
  | "panel"
  | "logs"
  | "silence";

/** An address from a known field. Only its origin decides if it is a button. */
export interface NamedLink {
  /** By the field that gave it. */
  kind: LinkKind;
  /** http or https. */
  url: string;
  /** What tells it from others of its kind: an alert's name, a place, a number. */
  of?: string;
}

/** The incident in plain fields, the same for every source. */
export interface NormalizedContext {
  /** One line for people. */
  title?: string;
  /** In the source's own words. */
  description?: string;
  /** On the PD-CEF scale. */
  severity?: Severity;
  /** The rule that gave the severity. */
  severity_rule?: string;
  /** The affected service. */
  service?: string;
  /** In the source's spelling. */
  status?: string;
  /** The sender. */
  source?: { system: string; url?: string };
  /** RFC 3339, UTC. */
  occurred_at?: string;
  /** At most 50. */
  facts?: Fact[];
  /** Oldest first, at most 50. */
  timeline?: TimelineEntry[];
  /**
   * For sources that send alerts; absent in bundles of older versions. Facts
   * and timeline hold the same in the sender's order, as far as they reach.
   */
  alerts?: Alerts;
  /** The worst alert's first, at most 12. */
  links?: NamedLink[];
  /** Of the alerts' own numbers, the worst alert's first: at most 5. */
  series?: MetricSeries[];
  /** What redaction has removed before. */
  redacted?: RedactionLedger;
}

/** What is known about an incident. */
export interface EvidenceBundle {
  /** Prefixed with the source. */
  incident_id: string;
  /** RFC 3339, UTC. */
  collected_at: string;
  /** At most 50, in citation order. */
  evidence: EvidenceItem[];
  /** The incident in plain fields. */
  normalized_context?: NormalizedContext;
  /** What could not be collected, and why. */
  gaps?: Gap[];
  /** What was looked up in other systems, and how each look-up ended. */
  lookups?: Lookup[];
  /** The same for all incidents of one subject: 64 hex digits. */
  subject_key?: string;
}

/** What the evidence says, written for people. */
export interface Summary {
  /** Prefixed with the source. */
  incident_id: string;
  /** Markdown, shortened if long. */
  summary_md: string;
  /** What happened, what changed before, and what was seen before. */
  highlights: Claim[];
  /** What to do next. */
  action_items: Claim[];
  /** `nothing is wrong now: …`, only where everything that was checked is well. */
  verdict?: string;
  /** The share of claims that rest on more than the webhook, 0 to 1. */
  confidence?: number;
  /** The author: `builtin` or a model. */
  model?: string;
  /** Artifact with the whole Markdown. */
  artifact_ptr?: string;
  /** Artifact with the exact message that an approval releases. */
  message_ptr?: string;
  /** Digest of the message's bytes, 64 hex digits. */
  message_sha256?: string;
  /** Artifact with the page: HTML with the evidence quoted where it is cited. */
  page_ptr?: string;
  /** What came of asking a model; absent if none was asked. */
  model_reading?: ModelReading;
}

/** Input of the summarizer. */
export interface SummarizeInput {
  /** The fetcher's result. */
  evidence: EvidenceBundle;
}

/** Input of the poster. */
export interface PostInput {
  /** Input of the run. */
  incident: IncidentInput;
  /** The fetcher's result. */
  evidence: EvidenceBundle;
  /** The summarizer's result. */
  summary: Summary;
}

/** What was posted, where, and who approved it. */
export interface PostResult {
  /** As in the input. */
  incident_id: string;
  /** Where it went. */
  mode: "slack" | "artifact";
  /** RFC 3339, UTC. */
  posted_at: string;
  /** Slack's answer; a webhook does not reveal its channel. */
  slack?: { ok: boolean; channel?: string; ts?: string; permalink?: string };
  /** Artifact with the payload that was sent. */
  artifact_ptr?: string;
  /** Digest of the approved message, 64 hex digits. */
  message_sha256?: string;
  /** The job that posted. */
  job_id?: string;
  /** Its run. */
  run_id?: string;
  /** Host and, if not 443, port. */
  destination_host?: string;
  /** Who approved it, when, and the rule that required it. */
  approval?: { by: string; at: string; rule_id: string; signed_by?: string };
  /** Set if it was posted before, so nothing was sent now. */
  repeat?: boolean;
  /** For a repeat: the severity of the message that was posted. */
  posted_as?: Severity;
  /** The message before, if this one says that the severity has risen. */
  update_of?: { severity: Severity; posted_at: string };
  /** Set if nothing was sent because the job was a dry run. */
  dry_run?: boolean;
  /** What people should know, one sentence each. */
  warnings?: string[];
}

/** Every severity, the worst first. */
export const WORST_FIRST: readonly Severity[] = [
  "critical",
  "error",
  "warning",
  "info",
];

/** Whether `one` is worse than `other`. */
export function isWorse(one: Severity, other: Severity): boolean {
  return WORST_FIRST.indexOf(one) < WORST_FIRST.indexOf(other);
}

const SEVERITY_OF: Readonly<Record<ReportedSeverity, Severity>> = {
  critical: "critical",
  high: "error",
  error: "error",
  medium: "warning",
  warning: "warning",
  low: "info",
  info: "info",
  // Unknown does not mean harmless.
  unknown: "warning",
};

/** Every reported severity, the worst first. */
export const REPORTED_SEVERITIES: readonly ReportedSeverity[] = Object.keys(
  SEVERITY_OF,
) as ReportedSeverity[];

/**
 * The PD-CEF severity for a reported one, and the rule that gave it.
 *
 * @see https://support.pagerduty.com/main/docs/pd-cef for the four values.
 */
export function toSeverity(
  reported: ReportedSeverity | undefined,
): { severity: Severity; rule: string } {
  if (reported === undefined) {
    return { severity: "warning", rule: "none reported, so warning" };
  }
  const severity = SEVERITY_OF[reported];
  const rule = severity === reported
    ? `reported as ${reported}`
    : `reported as ${reported}, so ${severity}`;
  return { severity, rule };
}

/** 0002-01-01T00:00:00Z. */
const YEAR_2_MS = -62_104_060_800_000;
const MOMENT =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/i;

/**
 * Converts a date-time with a zone to UTC, to the millisecond. Seconds are
 * optional. `undefined` for anything else: `Date` would accept `"5"`, and would
 * read a time without a zone as this machine's local time.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3339 for the form.
 */
export function toMoment(text: unknown): string | undefined {
  if (typeof text !== "string" || !MOMENT.test(text)) return undefined;
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) return undefined;
  const utc = moment.toISOString();
  // The zone may shift it outside the years 0 to 9999, which RFC 3339 lacks.
  return MOMENT.test(utc) && !isZeroTime(text) ? utc : undefined;
}

/**
 * Whether a date-time means "not set". Go writes the year 1 for that, in any
 * zone, and programs that count seconds write the first second of 1970.
 */
export function isZeroTime(text: unknown): boolean {
  if (typeof text !== "string" || !MOMENT.test(text)) return false;
  const ms = Date.parse(text);
  return ms < YEAR_2_MS || ms === 0;
}

/** Items with their id or, if they have none, one from their position. */
export function withIds(
  items: readonly EvidenceItem[],
): (EvidenceItem & { id: string })[] {
  return items.map((item, at) => ({ ...item, id: item.id ?? `E${at + 1}` }));
}
