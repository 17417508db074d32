/**
 * Composes the message about a bundle of evidence. Pure.
 *
 * @module
 */
import type { Config } from "../base/config.ts";
import { optional } from "../base/json.ts";
import type { EvidenceBundle } from "../incident.ts";
import { describeLookups } from "../lookups.ts";
import type { RedactionLevel } from "../redact/redaction.ts";
import { describeRemoved } from "../removed.ts";
import { incidentLink, runLink } from "./links.ts";
import type { LinkSettings } from "./settings.ts";
import { type Message, type MessageView, renderMessage } from "./render.ts";

/** The facts in a message beside its bundle and summary. */
export interface MessagePlace {
  summaryPtr: string;
  /** Empty for a job outside a workflow. */
  runId: string;
  /** `standard` if not given. */
  level?: RedactionLevel;
  settings: Config<LinkSettings>;
}

/** The part of a summary that a message shows. */
export type MessageDraft = Pick<
  MessageView,
  "lead" | "leadEvidence" | "highlights" | "actionItems"
>;

export function composeMessage(
  bundle: EvidenceBundle,
  { lead, leadEvidence = [], highlights, actionItems }: MessageDraft,
  { summaryPtr, runId, level, settings }: MessagePlace,
): Message {
  const context = bundle.normalized_context ?? {};
  return renderMessage({
    incidentId: bundle.incident_id,
    context,
    lead,
    leadEvidence,
    highlights,
    actionItems,
    evidence: bundle.evidence,
    gaps: bundle.gaps ?? [],
    summaryPtr,
    ...optional("lookedUp", describeLookups(bundle.lookups ?? [])),
    ...optional("removed", describeRemoved(context.redacted ?? {}, level)),
    links: [
      incidentLink(context.source, settings.linkOrigins ?? []),
      runLink(settings.dashboardRunUrl, runId),
    ].filter((link) => link !== undefined),
  });
}
