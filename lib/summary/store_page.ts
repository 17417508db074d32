/**
 * Stores the page with the evidence quoted where it is cited.
 *
 * @module
 */
import { messageOf } from "../base/errors.ts";
import { within } from "../base/time.ts";
import type { EvidenceText } from "../collected.ts";
import { type EvidenceBundle, withIds } from "../incident.ts";
import { composePage } from "../message/page/compose.ts";
import { PAGE_TYPE } from "../message/page/page.ts";
import type { LinkSettings } from "../message/settings.ts";
import type { JobContext } from "../platform/context.ts";
import type { Redaction } from "../redact/redaction.ts";
import { type Draft, weigh } from "./draft.ts";
import { READ_MS, readEvidence } from "./read_evidence.ts";

const CONTEXT_KIND = "incident.context";
/** For the page's own store; without it, the summary is good enough. */
const PAGE_MS = 15_000;

/**
 * Reads the evidence back and stores the page, last of all: what an approval
 * needs is stored already, so a page that fails costs nothing but itself.
 *
 * @returns `undefined` if it could not be stored.
 * @throws The signal's reason if the job was aborted.
 */
export async function storePage(
  bundle: EvidenceBundle,
  { gateway, signal, job, settings, constraints, log, leftMs }: JobContext<
    LinkSettings
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
