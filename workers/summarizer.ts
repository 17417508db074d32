/**
 * Summarize worker: sums up the evidence and cites it.
 *
 * Takes jobs of `job.incident-enricher.summarize`: `{evidence}`. Returns a
 * `Summary` and stores three artifacts: the Markdown, the exact message that an
 * approval releases, and a page that quotes the evidence; a fourth, if a model
 * was asked, holds what was sent and what came back. Net: NATS, Redis, gateway,
 * the model's host if there is one. Env: `SETTINGS`. No files, no processes.
 *
 * @module
 */
import { sha256Hex } from "../lib/base/digest.ts";
import { shorten } from "../lib/base/text.ts";
import { optional } from "../lib/base/json.ts";
import type { SummarizeInput, Summary } from "../lib/incident.ts";
import { redactBundle, withRemoved } from "../lib/evidence/redact_bundle.ts";
import { composeMessage } from "../lib/message/compose.ts";
import { redactMessage } from "../lib/message/redact.ts";
import { encodeMessage } from "../lib/message/message.ts";
import { LINK_SETTINGS, type LinkSettings } from "../lib/message/settings.ts";
import {
  type PlatformSettings,
  platformSettings,
} from "../lib/platform/settings.ts";
import { type JobContext, runWorker } from "../lib/platform/worker.ts";
import { startRedaction } from "../lib/redact/redaction.ts";
import { countRemoved } from "../lib/removed.ts";
import { summarize } from "../lib/summary/builtin.ts";
import { claimsOf } from "../lib/summary/draft.ts";
import { toMarkdown } from "../lib/summary/markdown.ts";
import { readWithModel } from "../lib/summary/model/ask.ts";
import { authorOf, join } from "../lib/summary/model/join.ts";
import { checkModel } from "../lib/summary/model/providers.ts";
import { storeRecord } from "../lib/summary/model/record.ts";
import { toldReading } from "../lib/summary/model/told_reading.ts";
import { withReading } from "../lib/summary/model/section.ts";
import { storePage } from "../lib/summary/store_page.ts";
import { MODEL_SETTINGS, type ModelSettings } from "../lib/summary/settings.ts";

const TOPIC = "job.incident-enricher.summarize";
/** For the Markdown in the job's result; the artifact holds all of it. */
const INLINE_CHARS_MAX = 16_000;

/** Everything that this worker reads from its environment. */
export const SETTINGS: PlatformSettings & LinkSettings & ModelSettings = {
  ...platformSettings(
    "incident-enricher-summarizer",
    "incident-enricher-summarize",
  ),
  ...LINK_SETTINGS,
  ...MODEL_SETTINGS,
};

/**
 * Summarizes a bundle and renders the message about it.
 *
 * @returns The summary, with the message's pointer and the digest of its bytes.
 */
export async function summarizeEvidence(
  { evidence }: SummarizeInput,
  context: JobContext<typeof SETTINGS>,
): Promise<Summary> {
  const { gateway, job, progress, settings, constraints, count } = context;
  const { redactionLevel: level } = constraints;
  // Whoever wrote the bundle, and whatever its parts make together.
  const redaction = startRedaction({ level });
  const { kept } = redaction;
  const known = redactBundle(evidence, redaction);
  const own = kept(summarize(known));
  const bundle = withRemoved(known, redaction.ledger());
  const reading = await readWithModel(bundle, { ...context, redaction });
  const draft = join(own, reading);
  const markdown = withReading(
    toMarkdown(own, bundle, settings.evidenceUrl),
    reading,
  );
  const labels = { incident_id: bundle.incident_id };
  progress(40, "storing the summary");
  const summaryPtr = await gateway.putArtifact({
    content: markdown,
    contentType: "text/markdown; charset=utf-8",
    retention: "audit",
    labels: { ...labels, kind: "incident.summary" },
  });
  const place = { runId: job.runId, level, settings };
  const composed = composeMessage(bundle, draft.report, place);
  const message = encodeMessage(redactMessage(composed, redaction));
  progress(70, "storing the message to be approved");
  const messagePtr = await gateway.putArtifact({
    content: message,
    contentType: "application/json",
    retention: "audit",
    labels: { ...labels, kind: "incident.message" },
  });
  const recordPtr = await storeRecord(reading, bundle.incident_id, gateway);
  progress(80, "storing the page");
  const pagePtr = await storePage(bundle, context, {
    draft,
    redaction,
    read: reading?.texts,
    artifacts: [["Summary", summaryPtr], ["Message", messagePtr]],
  });
  countRemoved(redaction.ledger(), count);
  return {
    incident_id: bundle.incident_id,
    summary_md: inline(markdown, summaryPtr),
    ...claimsOf(draft.report, bundle.evidence),
    ...optional("verdict", draft.report.verdict),
    model: authorOf(own, reading),
    artifact_ptr: summaryPtr,
    message_ptr: messagePtr,
    message_sha256: await sha256Hex(message),
    ...optional("page_ptr", pagePtr),
    ...optional("model_reading", toldReading(reading, recordPtr)),
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
    caution: checkModel,
    input: "SummarizeInput",
    output: "Summary",
    handle: summarizeEvidence,
  });
}
