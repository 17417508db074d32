/**
 * The small print of a message: as of when, what is left out, what the citations
 * are, what was not found and what was removed. Pure.
 *
 * @module
 */
import { oneLine, OWN_MARK, quoted } from "../base/foreign.ts";
import { capitalized, counted } from "../base/text.ts";
import { type EvidenceItem, withIds } from "../incident.ts";
import { fit } from "./block_kit.ts";
import { plainId } from "./cited.ts";
import { evidenceLink, withoutControls } from "./controls.ts";
import type { Told } from "./told.ts";
import type { ReportView } from "./view.ts";

/** How many claims of each place are not shown. */
export interface Left {
  happened: number;
  model: number;
  changed: number;
  seen: number;
  next: number;
}

const LINE_CHARS_MAX = 300;
const EVIDENCE_CHARS_MAX = 300;
const TITLE_CHARS_MAX = 60;
const NOUNS: Readonly<Record<keyof Left, string>> = {
  happened: "more finding",
  model: "model claim",
  changed: "more change",
  seen: "earlier time",
  next: "more step",
};
/** At least one line of mrkdwn, at most 5. */
export function smallPrint(
  view: ReportView,
  { text, left, shown, cut }: {
    text: string;
    left: Left;
    /** The claims that people read. */
    shown: readonly Told[];
    /** How many of them leave out words. */
    cut: number;
  },
): string[] {
  const { incidentId, lookedUp, removed } = view;
  const own = `${text === "" ? "Incident" : `${text} · incident`} `;
  const id = /^[a-z]+:[\w.:-]{1,60}$/i.test(incidentId)
    ? incidentId
    : quoted(incidentId, 80);
  const rest = restOf(left, cut);
  const note = view.claims.find(({ place, by }) =>
    place === "small" && by === "model"
  )?.text;
  return [
    // Cut words push out neither what is left nor where it is.
    fit(`${OWN_MARK} ${own}${id}`, LINE_CHARS_MAX - rest.length) + rest,
    ...citedLine(view, shown),
    ...note === undefined
      ? []
      : [fit(`${OWN_MARK} ${capitalized(oneLine(note))}`, LINE_CHARS_MAX)],
    ...lookedUp === undefined
      ? []
      : [fit(`${OWN_MARK} ${capitalized(oneLine(lookedUp))}`, LINE_CHARS_MAX)],
    ...removed === undefined ? [] : [`${OWN_MARK} ${removed}`],
  ];
}

/** `· in the stored summary: 2 more changes, 1 text that is cut here`. */
function restOf(left: Left, cut: number): string {
  const parts = [
    ...Object.entries(NOUNS).flatMap(([place, noun]) => {
      const count = left[place as keyof Left];
      return count === 0 ? [] : [counted(count, noun)];
    }),
    ...cut === 0 ? [] : [
      cut === 1 ? "1 text that is cut here" : `${cut} texts that are cut here`,
    ],
  ];
  return parts.length === 0
    ? ""
    : ` · in the stored summary: ${parts.join(", ")}`;
}

/** Explains the citations, and opens what they cite. */
function citedLine(
  { evidence, openUrl }: ReportView,
  shown: readonly Told[],
): string[] {
  const cited = new Set(
    shown.flatMap(({ collected, evidence }) => collected ? evidence : []),
  );
  const items = withIds(evidence).filter(({ id }) => cited.has(id))
    .map((item) => ({
      link: linkOf(item, openUrl),
      title: fit(quoted(item.title, TITLE_CHARS_MAX), 2 * TITLE_CHARS_MAX),
    }));
  if (items.length === 0) return [];
  let line = OWN_MARK;
  for (const [at, { link, title }] of items.entries()) {
    const next = `${line}${at === 0 ? "" : " ·"} ${link} ${title}`;
    const left = items.length - at;
    const rest = ` · and ${left} more in the stored summary`;
    if (withoutControls(next + rest).length > EVIDENCE_CHARS_MAX && at > 0) {
      return [line + rest];
    }
    line = next;
  }
  return [line];
}

function linkOf(
  { id, artifact_ptr }: EvidenceItem & { id: string },
  openUrl: ReportView["openUrl"],
): string {
  const citation = `[${plainId(id)}]`;
  const url = openUrl(artifact_ptr);
  return url === undefined ? citation : evidenceLink(url, citation);
}
