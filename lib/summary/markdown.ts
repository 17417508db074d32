/**
 * A summary as Markdown. Pure.
 *
 * @module
 */
import {
  type Claim,
  type EvidenceBundle,
  type EvidenceItem,
  type Lookup,
  type LookupState,
  toMoment,
  withIds,
} from "../incident.ts";
import { foreignLine, named, quoted } from "../base/foreign.ts";
import { counted, shorten } from "../base/text.ts";
import { titleOf } from "../lookups.ts";
import { plainId, subject } from "../message/render.ts";
import { partsOf } from "../message/words.ts";
import { keepCited } from "./citations.ts";
import type { Draft } from "./draft.ts";

const TITLE_CHARS_MAX = 200;

/** Writes a draft as Markdown, with every citation and the list of evidence. */
export function toMarkdown(draft: Draft, bundle: EvidenceBundle): string {
  const context = bundle.normalized_context ?? {};
  const { title = "", timeline = [] } = context;
  const gaps = bundle.gaps ?? [];
  const entries = timeline.map(({ at, text, evidence }) => ({
    text: `${momentOf(at)} ${foreignLine(text)}`,
    evidence,
  }));
  const cited = keepCited(entries, bundle.evidence, entries.length);
  const name = foreignLine(title) || foreignLine(bundle.incident_id);
  const heading = plain(
    `${subject(context)}: ${shorten(name, TITLE_CHARS_MAX)}`,
  );
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
    ...listSection("Alerts, the worst first", alertLines(bundle)),
    ...listSection("Timeline", cited.map(claimLine)),
    ...listSection(
      "What is missing",
      gaps.map(({ what, why }) => plain(quoted(`${what}: ${why}`, 800))),
    ),
    ...listSection(
      "What was looked up",
      (bundle.lookups ?? []).map((lookup) => lookupLine(lookup, bundle)),
    ),
    ...listSection("Evidence", withIds(bundle.evidence).map(evidenceLine)),
    `Written by ${
      plain(named(draft.model))
    }, confidence ${draft.confidence}, ` +
    `evidence of ${plain(momentOf(bundle.collected_at))}.`,
    "",
  ].join("\n");
}

function listSection(title: string, items: string[]): string[] {
  return items.length === 0
    ? []
    : [`## ${title}`, "", ...items.map((item) => `- ${item}`), ""];
}

/** A line for each name, of which a message shows only the first. */
function alertLines(
  { normalized_context, evidence }: EvidenceBundle,
): string[] {
  const { groups = [], others } = normalized_context?.alerts ?? {};
  const claims = groups.map((group): Claim => {
    const { name, severity, count, since, newest, where = [], places } = group;
    const from = since === undefined ? "" : `, from ${momentOf(since)}`;
    const to = newest === undefined ? "" : ` to ${momentOf(newest)}`;
    const more = (places ?? where.length) - where.length;
    const on = where.length === 0
      ? ""
      : ` on ${where.map((place) => named(place)).join(", ")}` +
        (more > 0 ? ` and ${more} more` : "");
    const said = [group.shared, group.says].flatMap((text) =>
      text === undefined ? [] : quoted(text)
    ).join(" ");
    return {
      text: `${severity}: ${named(name)} ×${count}${on}${from}${to}${
        said && ` · ${said}`
      }`,
      evidence: group.evidence,
    };
  });
  const rest = others === undefined ? [] : [
    plain(
      `${counted(others.groups, "more name")} (${
        counted(others.alerts, "alert")
      }), at worst ${others.severity}, in the payload`,
    ),
  ];
  return [
    ...keepCited(claims, evidence, claims.length).map(claimLine),
    ...rest,
  ];
}

function momentOf(at: string): string {
  return toMoment(at) ?? named(at, 40);
}

function claimLine({ text, evidence }: Claim): string {
  return `${plain(text)} [${evidence.map(plainId).join(", ")}]`;
}

function evidenceLine(item: EvidenceItem): string {
  const { id = "", title, kind, bytes, artifact_ptr, shortened } = item;
  const about = `${named(kind)}, ${bytes} bytes${
    shortened ? ", shortened" : ""
  }`;
  const pointer = foreignLine(artifact_ptr).replaceAll("`", "'");
  return `[${plainId(id)}] ${plain(quoted(title))} (${
    plain(about)
  }): \`${pointer}\``;
}

/** How a look-up ended, in words. */
export const STATES: Readonly<Record<LookupState, string>> = {
  found: "found",
  nothing: "nothing there",
  failed: "could not ask",
  off: "not set up",
  unconcerned: "not concerned",
};

function lookupLine(
  { collector, question, state, why, evidence = [] }: Lookup,
  bundle: EvidenceBundle,
): string {
  const what = question === undefined ? "" : `, ${quoted(question, 250)}`;
  const isSaid = why === undefined || state === "off";
  const text = `${titleOf(collector)}${what}: ${STATES[state]}${
    isSaid ? "" : `: ${quoted(why, 500)}`
  }`;
  const [cited] = keepCited([{ text, evidence }], bundle.evidence, 1);
  return cited === undefined ? plain(text) : claimLine(cited);
}

/** A word that some reader of Markdown would turn into a link. */
const ADDRESS =
  /:\/\/|^(?:www\.|mailto:|tel:)|@[\w-]+\.|[\w-]\.[a-z]{2,}(?![\w.])/i;

/**
 * One line of evidence, in which no text can pass for our own markup. What could
 * become a link stands as code.
 */
function plain(text: string): string {
  return partsOf(foreignLine(text), (word) => ADDRESS.test(word))
    .map(({ text, code }) =>
      code ? `\`${text}\`` : text.replace(/[\\`*_{}[\]<>#|!~&]/g, "\\$&")
    ).join("")
    .replace(/^(\d+)(?=[.)])|^(?=[-+=])/, "$1\\"); // A list or a ruler.
}
