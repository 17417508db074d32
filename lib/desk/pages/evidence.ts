/**
 * What a post rests on: claims with the lines that bear them, courses, moments,
 * gaps, look-ups, and each piece of evidence. Pure.
 *
 * @module
 */
import { foreignLine } from "../../base/foreign.ts";
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
import { h, type Markup } from "../html.ts";
import { seriesOf } from "../../message/page/series.ts";
import type { PageView, Room } from "../../message/page/view.ts";
import type { Reading } from "../reading.ts";
import { pathOf } from "./list.ts";

const ROOM: Room = { excerptBytes: 4096, chars: 1000, quotes: 60 };
const CHARTS_MAX = 5;
const METRIC_KIND = /^prometheus\.series/;

export function evidenceParts({ view, facts }: Reading): readonly Markup[] {
  if (view === undefined) return [];
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
  return [
    ...claimSections(linked, findQuotes(linked, ROOM.quotes), ROOM),
    charts(linked),
    timelineSection(linked, ROOM),
    factsSection(linked, ROOM),
    gapsSection(linked, ROOM),
    lookupsSection(linked, ROOM),
    evidenceSection(linked, findExcerpts(linked), ROOM),
    removedSection(linked),
  ];
}

function charts({ bundle, texts }: PageView): Markup {
  const drawn = withIds(bundle.evidence)
    .filter(({ kind }) => METRIC_KIND.test(kind)).slice(0, CHARTS_MAX)
    .flatMap(({ id, title }) => {
      const text = texts.get(id)?.text;
      const series = text === undefined
        ? undefined
        : seriesOf(`${id} · ${foreignLine(title)}`, text);
      return series === undefined ? [] : [chart(series)];
    });
  return drawn.length === 0
    ? h``
    : h`<section><h2>Course</h2>${drawn}</section>`;
}
