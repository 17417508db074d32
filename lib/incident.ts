/**
 * What an incident is, from alert to post. Types only, and the few rules that
 * every room shares; the shapes on the wire are those of `pack/schemas`.
 *
 * @module
 */

/** The systems that incidents come from. */
export type SourceSystem = "mock" | "pagerduty" | "alertmanager";

/** Severity as it is reported. */
export type ReportedSeverity =
  | "critical"
  | "high"
  | "error"
  | "medium"
  | "warning"
  | "low"
  | "info"
  | "unknown";

/** Severity as the fetcher and all after it use it (PD-CEF). */
export type Severity = "critical" | "error" | "warning" | "info";

/** Where the post goes. */
export interface Destination {
  /** An artifact, or a Slack webhook. */
  mode: "artifact" | "slack";
  /** Ignored unless the poster is told to heed it. */
  slack_webhook_url?: string;
}

/** An incident as a webhook or a person hands it over. */
export interface IncidentInput {
  /** Visible ASCII without blanks, with its source in front (`pagerduty:PT4KHLK`). */
  incident_id: string;
  /** One line for people. */
  title?: string;
  /** As reported. */
  severity?: ReportedSeverity;
  /** How the reported severity was arrived at. */
  severity_rule?: string;
  /** What is affected. */
  service?: string;
  /** PagerDuty's. */
  urgency?: "high" | "low";
  /** As the source spells it, such as `P1`. */
  priority?: string;
  /** What the source groups its alerts by. */
  dedup_key?: string;
  /** RFC 3339. */
  occurred_at?: string;
  /** Where it comes from; `mock` if absent. */
  source?: { system: SourceSystem; url?: string };
  /** What the webhook carried. */
  raw?: Record<string, unknown>;
  /** An artifact if absent. */
  destination?: Destination;
}

/** One piece of evidence, stored as an artifact. */
export interface EvidenceItem {
  /** `E1`, `E2`, …: what a citation names. */
  id?: string;
  /** What it is, such as `incident.raw`. */
  kind: string;
  /** One line for people. */
  title: string;
  /** `redis://art:<uuid>`. */
  artifact_ptr: string;
  /** MIME type. */
  content_type: string;
  /** Length of the artifact. */
  bytes: number;
  /** Of the artifact, as 64 hex digits. */
  sha256?: string;
  /** The source had more than the artifact holds. */
  shortened?: boolean;
}

/** A statement and the evidence that it rests on. */
export interface Claim {
  /** One sentence. */
  text: string;
  /** Ids of evidence items, at least one. */
  evidence: string[];
}

/** A named value out of the evidence. */
export interface Fact {
  /** As the source spells it. */
  name: string;
  /** As text. */
  value: string;
  /** Ids of evidence items, at least one. */
  evidence: string[];
}

/** Something that happened, at a moment (RFC 3339, UTC). */
export interface TimelineEntry {
  /** RFC 3339, UTC. */
  at: string;
  /** One sentence. */
  text: string;
  /** Ids of evidence items, at least one. */
  evidence: string[];
}

/** The incident in plain fields, the same for every source. */
export interface NormalizedContext {
  /** One line for people. */
  title?: string;
  /** As the source has it. */
  description?: string;
  /** On the scale of PD-CEF. */
  severity?: Severity;
  /** The rule that gave the severity. */
  severity_rule?: string;
  /** What is affected. */
  service?: string;
  /** As the source spells it. */
  status?: string;
  /** Where it comes from. */
  source?: { system: string; url?: string };
  /** RFC 3339, UTC. */
  occurred_at?: string;
  /** At most 50. */
  facts?: Fact[];
  /** Oldest first, at most 50. */
  timeline?: TimelineEntry[];
}

/** What is known of an incident. */
export interface EvidenceBundle {
  /** With its source in front. */
  incident_id: string;
  /** RFC 3339, UTC. */
  collected_at: string;
  /** In the order cited, at most 50. */
  evidence: EvidenceItem[];
  /** The incident in plain fields. */
  normalized_context?: NormalizedContext;
  /** What could not be had, and why. */
  gaps?: { what: string; why: string }[];
}

/** What the evidence says, for people. */
export interface Summary {
  /** With its source in front. */
  incident_id: string;
  /** Markdown, shortened if it is long. */
  summary_md: string;
  /** What is known. */
  highlights: Claim[];
  /** What to do next. */
  action_items: Claim[];
  /** 0 to 1. */
  confidence?: number;
  /** What wrote it. */
  model?: string;
  /** The whole Markdown. */
  artifact_ptr?: string;
  /** The exact message that an approval releases. */
  message_ptr?: string;
  /** Of its bytes, as 64 hex digits. */
  message_sha256?: string;
}

/** What the summarizer takes. */
export interface SummarizeInput {
  /** The fetcher's result. */
  evidence: EvidenceBundle;
}

/** What the poster takes. */
export interface PostInput {
  /** The run's input. */
  incident: IncidentInput;
  /** The fetcher's result. */
  evidence: EvidenceBundle;
  /** The summarizer's result. */
  summary: Summary;
}

/** What was posted, where, and who released it. */
export interface PostResult {
  /** As the input names it. */
  incident_id: string;
  /** Where it went. */
  mode: "slack" | "artifact";
  /** RFC 3339, UTC. */
  posted_at: string;
  /** What Slack said; a webhook tells no channel. */
  slack?: { ok: boolean; channel?: string; ts?: string; permalink?: string };
  /** The payload as it was sent. */
  artifact_ptr?: string;
  /** Of the approved message, as 64 hex digits. */
  message_sha256?: string;
  /** The job that posted. */
  job_id?: string;
  /** Its run. */
  run_id?: string;
  /** Host and, if not 443, port. */
  destination_host?: string;
  /** Who released it, when, and the rule that asked for it. */
  approval?: { by: string; at: string; rule_id: string };
  /** It had been posted before; nothing was sent now. */
  repeat?: boolean;
  /** Nothing was sent. */
  dry_run?: boolean;
  /** What a person should know, one sentence each. */
  warnings?: string[];
}

const SEVERITY_OF: Readonly<Record<ReportedSeverity, Severity>> = {
  critical: "critical",
  high: "error",
  error: "error",
  medium: "warning",
  warning: "warning",
  low: "info",
  info: "info",
  // Nobody said that it is harmless.
  unknown: "warning",
};

/** Every reported severity, the worst first. */
export const REPORTED_SEVERITIES: readonly ReportedSeverity[] = Object.keys(
  SEVERITY_OF,
) as ReportedSeverity[];

/**
 * The severity that all after the fetcher use, and the rule that gave it.
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

const MOMENT =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/i;

/**
 * A date-time with its zone, in UTC and to the millisecond; seconds may be left
 * out. `undefined` for anything else: a `Date` would make something of `"5"`,
 * and take a time without a zone for this machine's.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3339 for the form.
 */
export function toMoment(text: unknown): string | undefined {
  if (typeof text !== "string" || !MOMENT.test(text)) return undefined;
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) return undefined;
  const utc = moment.toISOString();
  // The zone may move it out of the years 0 to 9999, which the form cannot say.
  return MOMENT.test(utc) ? utc : undefined;
}

/** An incident's id with its source in front, whoever wrote it. */
export function qualifiedId(incident: IncidentInput): string {
  const prefix = `${incident.source?.system ?? "mock"}:`;
  const { incident_id: id } = incident;
  return id.startsWith(prefix) ? id : prefix + id;
}

/** The items with an id each: theirs, or their place in the list. */
export function withIds(
  items: readonly EvidenceItem[],
): (EvidenceItem & { id: string })[] {
  return items.map((item, at) => ({ ...item, id: item.id ?? `E${at + 1}` }));
}
