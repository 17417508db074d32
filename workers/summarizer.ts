/**
 * Summarize worker: sums up the evidence and cites it.
 *
 * Takes jobs of `job.incident-enricher.summarize`: `{evidence}`. Returns a
 * `Summary` and stores two artifacts: the Markdown, and the exact message that
 * an approval releases. Net: NATS, Redis, gateway. Env: `SETTINGS`. No files,
 * no processes.
 *
 * @module
 */
import { sha256Hex } from "../lib/base/digest.ts";
import { shorten } from "../lib/base/text.ts";
import type { SummarizeInput, Summary } from "../lib/incident.ts";
import { redactBundle, withRemoved } from "../lib/evidence/redact_bundle.ts";
import { composeMessage } from "../lib/message/compose.ts";
import { redactMessage } from "../lib/message/redact.ts";
import { encodeMessage } from "../lib/message/render.ts";
import { LINK_SETTINGS, type LinkSettings } from "../lib/message/settings.ts";
import {
  type PlatformSettings,
  platformSettings,
} from "../lib/platform/settings.ts";
import { type JobContext, runWorker } from "../lib/platform/worker.ts";
import { startRedaction } from "../lib/redact/redaction.ts";
import { countRemoved } from "../lib/removed.ts";
import { summarize } from "../lib/summary/builtin.ts";
import { toMarkdown } from "../lib/summary/markdown.ts";

const TOPIC = "job.incident-enricher.summarize";
/** For the Markdown in the job's result; the artifact holds all of it. */
const INLINE_CHARS_MAX = 16_000;

/** Everything that this worker reads from its environment. */
export const SETTINGS: PlatformSettings & LinkSettings = {
  ...platformSettings(
    "incident-enricher-summarizer",
    "incident-enricher-summarize",
  ),
  ...LINK_SETTINGS,
};

/**
 * Summarizes a bundle and renders the message about it.
 *
 * @returns The summary, with the message's pointer and the digest of its bytes.
 */
export async function summarizeEvidence(
  { evidence }: SummarizeInput,
  { gateway, job, progress, settings, constraints, count }: JobContext<
    typeof SETTINGS
  >,
): Promise<Summary> {
  const { redactionLevel: level } = constraints;
  // Whoever wrote the bundle, and whatever its parts make together.
  const redaction = startRedaction({ level });
  const { kept } = redaction;
  const known = redactBundle(evidence, redaction);
  const draft = kept(summarize(known));
  const bundle = withRemoved(known, redaction.ledger());
  const markdown = toMarkdown(draft, bundle);
  const labels = { incident_id: bundle.incident_id };
  progress(40, "storing the summary");
  const summaryPtr = await gateway.putArtifact({
    content: markdown,
    contentType: "text/markdown; charset=utf-8",
    retention: "audit",
    labels: { ...labels, kind: "incident.summary" },
  });
  const place = { summaryPtr, runId: job.runId, level, settings };
  const composed = composeMessage(bundle, draft, place);
  const message = encodeMessage(redactMessage(composed, redaction));
  countRemoved(redaction.ledger(), count);
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

function inline(markdown: string, pointer: string): string {
  if (markdown.length <= INLINE_CHARS_MAX) return markdown;
  const cut = shorten(markdown, INLINE_CHARS_MAX);
  return `${cut}\n\nShortened; the whole summary is ${pointer}.\n`;
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
