/**
 * What a post rests on: claims with the lines that bear them, courses, moments,
 * gaps, look-ups, and each piece of evidence. Pure.
 *
 * @module
 */
import { withIds } from "../../incident.ts";
import { chart } from "../../message/page/chart.ts";
import { claimSections, findQuotes } from "../../message/page/claims.ts";
import { evidenceSection, findExcerpts } from "../../message/page/evidence.ts";
import {
  factsSection,
  gapsSection,
  lookupsSection,
  removedSection,
  timelineSection,
} from "../../message/page/lists.ts";
import { h, type Part } from "../html.ts";
import { type Child, join, Markup } from "../../message/page/markup.ts";
import type { PageView, Room } from "../../message/page/view.ts";
import type { Reading } from "../reading.ts";
import { pathOf } from "./list.ts";

const ROOM: Room = { excerptBytes: 4096, chars: 1000, quotes: true };
const QUOTES_MAX = 60;

export function evidenceParts({ view, facts }: Reading): Part {
  if (view === undefined) return "";
  const shown = view.level === "full" ? { ...view, texts: new Map() } : view;
  const path = pathOf(facts.jobId);
  const pointers = new Map(
    withIds(view.bundle.evidence).map((
      { id, artifact_ptr },
    ) => [artifact_ptr, id]),
  );
  const linked: PageView = {
    ...shown,
    // Redacted as the page is, and by way of the desk: browsers have no key.
    openUrl: (pointer) => {
      const id = pointers.get(pointer);
      const isRead = id !== undefined &&
        shown.texts.get(id)?.text !== undefined;
      return isRead ? `${path}/evidence/${id}` : undefined;
    },
  };
  const parts: Child[] = [
    ...claimSections(linked, findQuotes(linked, QUOTES_MAX), ROOM),
    charts(linked),
    timelineSection(linked, ROOM),
    factsSection(linked, ROOM),
    gapsSection(linked, ROOM),
    lookupsSection(linked, ROOM),
    evidenceSection(linked, findExcerpts(linked), ROOM),
    removedSection(linked),
  ];
  return new Markup(join(parts));
}

function charts({ bundle }: PageView): Child {
  const { series = [] } = bundle.normalized_context ?? {};
  return series.length === 0
    ? undefined
    : h`<section><h2>Course</h2>${series.map(chart)}</section>`;
}
