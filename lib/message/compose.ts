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
import type { Report } from "./told.ts";
import { incidentLink, messageLinks, runLink, unlinked } from "./links.ts";
import type { LinkSettings } from "./settings.ts";
import { type Message, type MessageView, renderMessage } from "./render.ts";
import { renderReport } from "./report.ts";

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
export interface MessageDraft extends
  Pick<
    MessageView,
    "lead" | "leadEvidence" | "highlights" | "actionItems"
  > {
  /** What the rules have told, if they have; then nothing else is shown. */
  report?: Report;
}

export function composeMessage(
  bundle: EvidenceBundle,
  { lead, leadEvidence = [], highlights, actionItems, report }: MessageDraft,
  { summaryPtr, runId, level, settings }: MessagePlace,
): Message {
  const context = bundle.normalized_context ?? {};
  const origins = settings.linkOrigins ?? [];
  const run = runLink(settings.dashboardRunUrl, runId);
  if (report !== undefined) {
    const number = context.facts?.find(({ name, kind }) =>
      name === "incident number" && kind === undefined
    )?.value;
    return renderReport({
      ...report,
      claims: [...report.claims, ...unlinked(context, origins)],
      incidentId: bundle.incident_id,
      context,
      evidence: bundle.evidence,
      ...optional("lookedUp", describeLookups(bundle.lookups ?? [])),
      ...optional("removed", describeRemoved(context.redacted ?? {}, level)),
      links: messageLinks(context, { origins, run, number }),
    });
  }
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
      incidentLink(context.source, origins),
      run,
    ].filter((link) => link !== undefined),
  });
}
