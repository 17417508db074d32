/**
 * Summarize worker: says what the evidence says, and cites it.
 *
 * Takes jobs of `job.incident-enricher.summarize`: `{evidence}`. Gives a
 * `Summary` and stores two artifacts: the Markdown, and the exact message that
 * an approval releases. Net: NATS, Redis, gateway. Env: `SETTINGS`. No files,
 * no processes.
 *
 * @module
 */
import {
  type Config,
  optionalOrigins,
  optionalUrl,
  type Setting,
} from "../lib/base/config.ts";
import { sha256Hex } from "../lib/base/digest.ts";
import { shorten } from "../lib/base/errors.ts";
import type {
  EvidenceBundle,
  SummarizeInput,
  Summary,
} from "../lib/incident.ts";
import { incidentLink, runLink } from "../lib/message/links.ts";
import {
  encodeMessage,
  type Message,
  renderMessage,
} from "../lib/message/render.ts";
import {
  type PlatformSettings,
  platformSettings,
} from "../lib/platform/settings.ts";
import { type JobContext, runWorker } from "../lib/platform/worker.ts";
import { type Draft, summarize, toMarkdown } from "../lib/summary/builtin.ts";

const TOPIC = "job.incident-enricher.summarize";
/** What of the Markdown travels with the job; the artifact holds all of it. */
const INLINE_CHARS_MAX = 16_000;

/** The settings of {@linkcode SETTINGS}. */
export type SummarizerSettings = PlatformSettings & {
  readonly linkOrigins: Setting<readonly string[] | undefined>;
  readonly dashboardRunUrl: Setting<string | undefined>;
};

/** Everything that this worker reads from its environment. */
export const SETTINGS: SummarizerSettings = {
  ...platformSettings(
    "incident-enricher-summarizer",
    "incident-enricher-summarize",
  ),
  linkOrigins: optionalOrigins("LINK_ORIGINS", {
    about:
      "origins that a message's buttons may lead to, beside the source's own",
  }),
  dashboardRunUrl: optionalUrl("DASHBOARD_RUN_URL", {
    about:
      "where a dashboard shows a run, with {run_id} for its id; no button if unset",
  }),
};

/**
 * Summarizes a bundle and renders the message about it.
 *
 * @returns The summary, with the message's pointer and the digest of its bytes.
 */
export async function summarizeEvidence(
  { evidence: bundle }: SummarizeInput,
  { gateway, job, progress, settings }: JobContext<typeof SETTINGS>,
): Promise<Summary> {
  const draft = summarize(bundle);
  const markdown = toMarkdown(draft, bundle);
  const labels = { incident_id: bundle.incident_id };
  progress(40, "storing the summary");
  const summaryPtr = await gateway.putArtifact({
    content: markdown,
    contentType: "text/markdown; charset=utf-8",
    retention: "audit",
    labels: { ...labels, kind: "incident.summary" },
  });
  const message = encodeMessage(
    composeMessage(bundle, draft, { summaryPtr, runId: job.runId, settings }),
  );
  progress(80, "storing the message to be approved");
  const messagePtr = await gateway.putArtifact({
    content: message,
    contentType: "application/json",
    retention: "audit",
    labels: { ...labels, kind: "incident.message" },
  });
  return {
    incident_id: bundle.incident_id,
    summary_md: inline(markdown, summaryPtr),
    highlights: draft.highlights,
    action_items: draft.actionItems,
    confidence: draft.confidence,
    model: draft.model,
    artifact_ptr: summaryPtr,
    message_ptr: messagePtr,
    message_sha256: await sha256Hex(message),
  };
}

/** What a message names beside its bundle and draft. */
export interface MessagePlace {
  /** Where the whole summary is kept. */
  summaryPtr: string;
  /** Empty for a job outside a workflow. */
  runId: string;
  /** Where buttons may lead. */
  settings: Config<Pick<SummarizerSettings, "linkOrigins" | "dashboardRunUrl">>;
}

/** Composes the message about a bundle. Pure. */
export function composeMessage(
  bundle: EvidenceBundle,
  draft: Draft,
  { summaryPtr, runId, settings }: MessagePlace,
): Message {
  const context = bundle.normalized_context ?? {};
  return renderMessage({
    incidentId: bundle.incident_id,
    context,
    lead: draft.lead,
    leadEvidence: draft.leadEvidence,
    highlights: draft.highlights,
    actionItems: draft.actionItems,
    evidence: bundle.evidence,
    gaps: bundle.gaps ?? [],
    summaryPtr,
    links: [
      incidentLink(context.source, settings.linkOrigins ?? []),
      runLink(settings.dashboardRunUrl, runId),
    ].filter((link) => link !== undefined),
  });
}

function inline(markdown: string, pointer: string): string {
  if (markdown.length <= INLINE_CHARS_MAX) return markdown;
  return `${
    shorten(markdown, INLINE_CHARS_MAX)
  }\n\nShortened; the whole summary is ${pointer}.\n`;
}

if (import.meta.main) {
  await runWorker({
    topic: TOPIC,
    settings: SETTINGS,
    input: "SummarizeInput",
    output: "Summary",
    handle: summarizeEvidence,
  });
}
