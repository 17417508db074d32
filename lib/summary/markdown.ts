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
  const lines = [`# ${heading}`, "", lead, ""];
  lines.push(...listSection("What we know", draft.highlights.map(claimLine)));
  lines.push(...listSection("What to do", draft.actionItems.map(claimLine)));
  lines.push(...listSection("Timeline", cited.map(claimLine)));
  lines.push(
    ...listSection(
      "What is missing",
      (bundle.gaps ?? []).map(({ what, why }) =>
        `${plain(what)}: ${plain(why)}`
      ),
    ),
  );
  lines.push(
    ...listSection("Evidence", withIds(bundle.evidence).map(evidenceLine)),
  );
  lines.push(
    `Written by ${draft.model}, confidence ${draft.confidence}, evidence of ${bundle.collected_at}.`,
    "",
  );
  return lines.join("\n");
}

function listSection(title: string, items: string[]): string[] {
  return items.length === 0
    ? []
    : [`## ${title}`, "", ...items.map((item) => `- ${item}`), ""];
}

function claimLine({ text, evidence }: Claim): string {
  return `${plain(text)} [${evidence.join(", ")}]`;
}

function evidenceLine(
  { id, title, kind, bytes, artifact_ptr, shortened }: EvidenceItem & {
    id: string;
  },
): string {
  const cut = shortened ? ", shortened" : "";
  return `[${id}] ${plain(title)} (${
    plain(kind)
  }, ${bytes} bytes${cut}): \`${artifact_ptr}\``;
}

/** One line in which nothing of the evidence can pass for our own markup. */
function plain(text: string): string {
  return text.replace(/\s+/g, " ").trim()
    .replace(/[\\`*_{}[\]<>#|!~&]/g, "\\$&")
    .replace(/^(\d+)(?=[.)])|^(?=[-+=])/, "$1\\"); // A list or a ruler.
}
