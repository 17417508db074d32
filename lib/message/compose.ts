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
import { evidenceUrl } from "./evidence_url.ts";
import { messageAddresses, messageLinks, runLink } from "./links.ts";
import type { Message } from "./message.ts";
import { renderReport } from "./report.ts";
import type { LinkSettings } from "./settings.ts";
import type { Report } from "./told.ts";

/** The facts in a message beside its bundle and what is told of it. */
export interface MessagePlace {
  /** Empty for a job outside a workflow. */
  runId: string;
  /** `standard` if not given. */
  level?: RedactionLevel;
  settings: Config<LinkSettings>;
}

/** Composes a message; the same report always gives the same bytes. */
export function composeMessage(
  bundle: EvidenceBundle,
  report: Report,
  { runId, level, settings }: MessagePlace,
): Message {
  const context = bundle.normalized_context ?? {};
  const origins = settings.linkOrigins ?? [];
  const run = runLink(settings.dashboardRunUrl, runId);
  const number = context.facts?.find(({ name, kind }) =>
    name === "incident number" && kind === undefined
  )?.value;
  return renderReport({
    ...report,
    incidentId: bundle.incident_id,
    context,
    evidence: bundle.evidence,
    ...optional("lookedUp", describeLookups(bundle.lookups ?? [])),
    ...optional("removed", describeRemoved(context.redacted ?? {}, level)),
    links: messageLinks(context, {
      origins,
      run,
      number,
      change: report.change,
    }),
    addresses: messageAddresses(context, origins),
    openUrl: (pointer) => evidenceUrl(settings.evidenceUrl, pointer),
  });
}
