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
  mode: "artifact" | "slack";
  slack_webhook_url?: string;
}

/** An incident as a webhook or a person hands it over. */
export interface IncidentInput {
  incident_id: string;
  title?: string;
  severity?: ReportedSeverity;
  severity_rule?: string;
  service?: string;
  urgency?: "high" | "low";
  priority?: string;
  dedup_key?: string;
  occurred_at?: string;
  source?: { system: SourceSystem; url?: string };
  raw?: Record<string, unknown>;
  destination?: Destination;
}

/** One piece of evidence, stored as an artifact. */
export interface EvidenceItem {
  /** `E1`, `E2`, …: what a citation names. */
  id?: string;
  kind: string;
  title: string;
  artifact_ptr: string;
  content_type: string;
  bytes: number;
  sha256?: string;
  /** The source had more than the artifact holds. */
  shortened?: boolean;
}

/** A statement and the evidence that it rests on. */
export interface Claim {
  text: string;
  evidence: string[];
}

/** A named value out of the evidence. */
export interface Fact {
  name: string;
  value: string;
  evidence: string[];
}

/** Something that happened, at a moment (RFC 3339, UTC). */
export interface TimelineEntry {
  at: string;
  text: string;
  evidence: string[];
}

/** The incident in plain fields, the same for every source. */
export interface NormalizedContext {
  title?: string;
  description?: string;
  severity?: Severity;
  severity_rule?: string;
  service?: string;
  status?: string;
  source?: { system: string; url?: string };
  occurred_at?: string;
  facts?: Fact[];
  timeline?: TimelineEntry[];
}

/** What is known of an incident. */
export interface EvidenceBundle {
  incident_id: string;
  collected_at: string;
  evidence: EvidenceItem[];
  normalized_context?: NormalizedContext;
  gaps?: { what: string; why: string }[];
}

/** What the evidence says, for people. */
export interface Summary {
  incident_id: string;
  summary_md: string;
  highlights: Claim[];
  action_items: Claim[];
  confidence?: number;
  model?: string;
  artifact_ptr?: string;
  message_ptr?: string;
  message_sha256?: string;
}

/** What the summarizer takes. */
export interface SummarizeInput {
  evidence: EvidenceBundle;
}

/** What the poster takes. */
export interface PostInput {
  incident: IncidentInput;
  evidence: EvidenceBundle;
  summary: Summary;
}

/** What was posted, where, and who released it. */
export interface PostResult {
  incident_id: string;
  mode: "slack" | "artifact";
  posted_at: string;
  slack?: { ok: boolean; channel?: string; ts?: string; permalink?: string };
  artifact_ptr?: string;
  message_sha256?: string;
  job_id?: string;
  run_id?: string;
  destination_host?: string;
  approval?: { by: string; at: string; rule_id: string };
  repeat?: boolean;
  dry_run?: boolean;
  warnings?: string[];
}

const SEVERITIES: Readonly<Record<ReportedSeverity, Severity>> = {
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
  const severity = SEVERITIES[reported];
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
