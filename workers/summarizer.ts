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
import { messageOf } from "../lib/base/errors.ts";
import { optional } from "../lib/base/json.ts";
import { within } from "../lib/base/time.ts";
import {
  type EvidenceBundle,
  type EvidenceText,
  type SummarizeInput,
  type Summary,
  withIds,
} from "../lib/incident.ts";
import { redactBundle, withRemoved } from "../lib/evidence/redact_bundle.ts";
import { composeMessage } from "../lib/message/compose.ts";
import { composePage } from "../lib/message/page/compose.ts";
import { PAGE_TYPE } from "../lib/message/page/page.ts";
import { redactMessage } from "../lib/message/redact.ts";
import { encodeMessage } from "../lib/message/message.ts";
import { LINK_SETTINGS, type LinkSettings } from "../lib/message/settings.ts";
import {
  type PlatformSettings,
  platformSettings,
} from "../lib/platform/settings.ts";
import { type JobContext, runWorker } from "../lib/platform/worker.ts";
import { type Redaction, startRedaction } from "../lib/redact/redaction.ts";
import { countRemoved } from "../lib/removed.ts";
import { summarize } from "../lib/summary/builtin.ts";
import { claimsOf, type Draft, weigh } from "../lib/summary/draft.ts";
import { toMarkdown } from "../lib/summary/markdown.ts";
import { readWithModel } from "../lib/summary/model/ask.ts";
import { authorOf, join } from "../lib/summary/model/join.ts";
import { checkModel } from "../lib/summary/model/providers.ts";
import { storeRecord } from "../lib/summary/model/record.ts";
import { withReading } from "../lib/summary/model/section.ts";
import { READ_MS, readEvidence } from "../lib/summary/read_evidence.ts";
import { MODEL_SETTINGS, type ModelSettings } from "../lib/summary/settings.ts";

const TOPIC = "job.incident-enricher.summarize";
/** For the Markdown in the job's result; the artifact holds all of it. */
const INLINE_CHARS_MAX = 16_000;
const CONTEXT_KIND = "incident.context";
/** For the page's own store; without it, the summary is good enough. */
const PAGE_MS = 15_000;

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
  await storeRecord(reading, bundle.incident_id, gateway);
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
  };
}

/**
 * Reads the evidence back and stores the page, last of all: what an approval
 * needs is stored already, so a page that fails costs nothing but itself.
 *
 * @returns `undefined` if it could not be stored.
 * @throws The signal's reason if the job was aborted.
 */
async function storePage(
  bundle: EvidenceBundle,
  { gateway, signal, job, settings, constraints, log, leftMs }: JobContext<
    typeof SETTINGS
  >,
  { draft, redaction, read, artifacts }: {
    draft: Draft;
    redaction: Redaction;
    read: readonly EvidenceText[] | undefined;
    artifacts: readonly (readonly [what: string, pointer: string])[];
  },
): Promise<string | undefined> {
  const { redactionLevel: level } = constraints;
  const timeMs = Math.max(0, Math.min(READ_MS, leftMs() - 2 * PAGE_MS));
  // Everything in the context piece stands in the bundle itself.
  const pieces = level === "full"
    ? []
    : withIds(bundle.evidence).filter(({ kind }) => kind !== CONTEXT_KIND);
  try {
    const ids = new Set(pieces.map(({ id }) => id));
    const texts = read?.filter(({ id }) => ids.has(id)) ??
      await readEvidence(pieces, { gateway, signal, timeMs });
    const { kept: redact } = redaction;
    const { confidence } = weigh(draft.report);
    const content = composePage(bundle, { ...draft, confidence }, {
      runId: job.runId,
      level,
      settings,
      texts,
      artifacts,
      redact,
    });
    return await within(
      PAGE_MS,
      gateway.putArtifact({
        content,
        contentType: PAGE_TYPE,
        retention: "audit",
        labels: { incident_id: bundle.incident_id, kind: "incident.page" },
      }),
    );
  } catch (error) {
    signal.throwIfAborted();
    log.warn("Page not stored", { why: messageOf(error) });
    return undefined;
  }
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
