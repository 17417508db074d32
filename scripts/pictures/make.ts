/**
 * Makes a message and its page without a platform: artifacts are kept nowhere.
 *
 * @module
 */
import type { Config } from "../../lib/base/config.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { buildBundle } from "../../lib/evidence/bundle.ts";
import { collectFindings } from "../../lib/evidence/collect.ts";
import { redactBundle, withRemoved } from "../../lib/evidence/redact_bundle.ts";
import type { EvidenceText } from "../../lib/collected.ts";
import type { IncidentInput } from "../../lib/incident.ts";
import { qualifiedId } from "../../lib/incident_id.ts";
import { composeMessage } from "../../lib/message/compose.ts";
import { type Footer, withFooter } from "../../lib/message/footer.ts";
import { encodeMessage, type Message } from "../../lib/message/message.ts";
import { pageView } from "../../lib/message/page/compose.ts";
import { type PageParts, renderParts } from "../../lib/message/page/page.ts";
import { redactMessage } from "../../lib/message/redact.ts";
import type { LINK_SETTINGS } from "../../lib/message/settings.ts";
import {
  type RedactionLevel,
  startRedaction,
} from "../../lib/redact/redaction.ts";
import type { Findings } from "../../lib/sources/source.ts";
import { summarize } from "../../lib/summary/builtin.ts";
import { weigh } from "../../lib/summary/draft.ts";

/** A message as it would be posted, and the page about it. */
export interface Preview {
  /** With its footer. */
  message: Message;
  /** Of the part that an approval would release. */
  digest: string;
  page: PageParts;
}

/** What only a run knows of its message. */
export type Released = Omit<Footer, "digest">;

const PLACEHOLDERS: Released = {
  approval: { by: "(the approver)", at: "(the time)", ruleId: "(the rule)" },
  runId: "preview",
};

export interface PreviewOptions {
  released?: Released;
  level?: RedactionLevel;
  /** When the evidence was collected. */
  now?: Date;
}

/**
 * Makes the message that the fetcher and the summarizer would make of an
 * incident without other systems. The same incident gives the same bytes.
 */
export function previewMessage(
  incident: IncidentInput,
  settings: Config<typeof LINK_SETTINGS>,
  options: PreviewOptions = {},
): Promise<Preview> {
  const findings = collectFindings(incident, options.level ?? "standard");
  return previewFindings(
    { incidentId: qualifiedId(incident), findings },
    settings,
    options,
  );
}

/** The same of what was found. */
export async function previewFindings(
  { incidentId, findings }: { incidentId: string; findings: Findings },
  settings: Config<typeof LINK_SETTINGS>,
  { released = PLACEHOLDERS, level = "standard", now = new Date() }:
    PreviewOptions = {},
): Promise<Preview> {
  const texts: EvidenceText[] = [];
  let artifacts = 0;
  const pointer = () => `redis://art:preview-${++artifacts}`;
  const fetched = await buildBundle(incidentId, findings, {
    now,
    put({ kind }, content) {
      const id = `E${artifacts + 1}`;
      if (kind !== "incident.context") {
        texts.push({ id, text: new TextDecoder().decode(content) });
      }
      return Promise.resolve(pointer());
    },
  });
  const redaction = startRedaction({ level });
  const known = redactBundle(fetched, redaction);
  const draft = redaction.kept(summarize(known));
  const bundle = withRemoved(known, redaction.ledger());
  const place = { runId: released.runId, level, settings };
  const composed = composeMessage(bundle, draft.report, place);
  const message = redactMessage(composed, redaction);
  const digest = await sha256Hex(encodeMessage(message));
  const { confidence } = weigh(draft.report);
  const page = renderParts(pageView(bundle, { ...draft, confidence }, {
    ...place,
    texts,
    artifacts: [],
    redact: redaction.kept,
  }));
  const footer = { ...released, digest };
  return { message: withFooter(message, footer), digest, page };
}
