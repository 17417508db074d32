/**
 * A summary as Markdown. Pure.
 *
 * @module
 */
import {
  type Claim,
  type EvidenceBundle,
  type EvidenceItem,
  withIds,
} from "../incident.ts";
import { keepCited } from "./citations.ts";
import type { Draft } from "./draft.ts";

/** Writes a draft as Markdown, with every citation and the list of evidence. */
export function toMarkdown(draft: Draft, bundle: EvidenceBundle): string {
  const { title = "", timeline = [] } = bundle.normalized_context ?? {};
  const gaps = bundle.gaps ?? [];
  const entries = timeline.map(({ at, text, evidence }) => ({
    text: `${at} ${text}`,
    evidence,
  }));
  const cited = keepCited(entries, bundle.evidence, entries.length);
  const heading = plain(title) || plain(bundle.incident_id);
  const { lead: text, leadEvidence } = draft;
  const lead = leadEvidence.length === 0
    ? plain(text)
    : claimLine({ text, evidence: leadEvidence });
  return [
    `# ${heading}`,
    "",
    lead,
    "",
    ...listSection("What we know", draft.highlights.map(claimLine)),
    ...listSection("What to do", draft.actionItems.map(claimLine)),
    ...listSection("Timeline", cited.map(claimLine)),
    ...listSection(
      "What is missing",
      gaps.map(({ what, why }) => `${plain(what)}: ${plain(why)}`),
    ),
    ...listSection("Evidence", withIds(bundle.evidence).map(evidenceLine)),
    `Written by ${draft.model}, confidence ${draft.confidence}, evidence of ${bundle.collected_at}.`,
    "",
  ].join("\n");
}

function listSection(title: string, items: string[]): string[] {
  return items.length === 0
    ? []
    : [`## ${title}`, "", ...items.map((item) => `- ${item}`), ""];
}

function claimLine({ text, evidence }: Claim): string {
  return `${plain(text)} [${evidence.join(", ")}]`;
}

function evidenceLine(item: EvidenceItem): string {
  const { id, title, kind, bytes, artifact_ptr, shortened } = item;
  const about = `${plain(kind)}, ${bytes} bytes${
    shortened ? ", shortened" : ""
  }`;
  return `[${id}] ${plain(title)} (${about}): \`${artifact_ptr}\``;
}

/** One line of evidence, in which no text can pass for our own markup. */
function plain(text: string): string {
  return text.replace(/\s+/g, " ").trim()
    .replace(/[\\`*_{}[\]<>#|!~&]/g, "\\$&")
    .replace(/^(\d+)(?=[.)])|^(?=[-+=])/, "$1\\"); // A list or a ruler.
}
