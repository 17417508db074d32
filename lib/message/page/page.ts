/**
 * An incident as one page of HTML: everything that the message says, with the
 * evidence quoted where it is cited. Pure: the same view gives the same bytes.
 *
 * It runs nothing and loads nothing, by its own policy; what comes from outside
 * is escaped by `markup.ts`. It has at most {@linkcode PAGE_BYTES_MAX}.
 *
 * @module
 */
import { bytesOf } from "../../base/digest.ts";
import { foreignLine, named } from "../../base/foreign.ts";
import { shorten } from "../../base/text.ts";
import { type Severity, withIds } from "../../incident.ts";
import type { Place } from "../told.ts";
import { chart } from "./chart.ts";
import { claimSections, findQuotes, type Quotes } from "./claims.ts";
import { evidenceSection, type Excerpts, findExcerpts } from "./evidence.ts";
import {
  factsSection,
  gapsSection,
  lookupsSection,
  moment,
  removedSection,
  timelineSection,
} from "./lists.ts";
import { html, Markup } from "./markup.ts";
import { type Series, seriesOf } from "./series.ts";
import { CSS } from "./style.ts";
import type { PageLink, PageView, Room } from "./view.ts";

/** Of the whole page, as UTF-8. */
export const PAGE_BYTES_MAX = 512 * 1024;
/** Of the page as it is stored. */
export const PAGE_TYPE = "text/html; charset=utf-8";

/** Tried one after the other; the last one fits whatever a bundle may hold. */
const ROOMS: readonly Room[] = [
  { excerptBytes: 4096, chars: 1000, quotes: 60 },
  { excerptBytes: 2048, chars: 400, quotes: 60 },
  { excerptBytes: 512, chars: 200, quotes: 0 },
  { excerptBytes: 0, chars: 60, quotes: 0 },
];
const CHARTS_MAX = 2;
const METRIC_KIND = /^prometheus\.series/;

/** Writes the page. */
export function renderPage(view: PageView): string {
  const shown = view.level === "full" ? { ...view, texts: new Map() } : view;
  const quotes = findQuotes(shown, ROOMS[0]!.quotes);
  const excerpts = findExcerpts(shown);
  const series = findSeries(shown);
  let page = "";
  for (const [at, room] of ROOMS.entries()) {
    page = render(shown, { quotes, excerpts, series, room, isCut: at > 0 });
    if (bytesOf(page).length <= PAGE_BYTES_MAX) break;
  }
  return page;
}

function findSeries({ bundle, texts }: PageView): Series[] {
  return withIds(bundle.evidence).filter(({ kind }) => METRIC_KIND.test(kind))
    .slice(0, CHARTS_MAX).flatMap(({ id, title }) => {
      const text = texts.get(id)?.text;
      return text === undefined
        ? []
        : seriesOf(`${id} · ${foreignLine(title)}`, text) ?? [];
    });
}

interface Found {
  quotes: Quotes;
  excerpts: Excerpts;
  series: readonly Series[];
  room: Room;
  isCut: boolean;
}

function render(
  view: PageView,
  { quotes, excerpts, series, room, isCut }: Found,
): string {
  const { bundle } = view;
  const title = headline(view);
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <title>${title}</title>
        <style>${new Markup(CSS)}</style>
      </head>
      <body>
        <main>
    ${top(view, title, room)}${claimSections(
      view,
      quotes,
      room,
    )}${series.length === 0 ? undefined : html`
      <section>
      <h2>Course</h2>
      ${series.map(chart)}</section>
    `}${timelineSection(view, room)}${factsSection(view, room)}${gapsSection(
      view,
      room,
    )}${lookupsSection(view, room)}${evidenceSection(
      view,
      excerpts,
      room,
    )}${removedSection(view)}</main>
        <footer>
    ${isCut
      ? html`
        <p>Texts and excerpts are shorter here than they could be, because the page may have ${PAGE_BYTES_MAX /
          1024} KiB. The artifacts hold all of it.</p>
      `
      : undefined}<p>Incident <code>${shorten(
        foreignLine(bundle.incident_id),
        220,
      )}</code>, evidence collected ${moment(
        bundle.collected_at,
      )} UTC. Written by ${named(view.model)}, confidence ${view
      .confidence}.</p>
    ${view.artifacts.map(([what, pointer]) =>
      html`
        <p>${what}: ${artifact(view, pointer)}</p>
      `
    )}</footer>
      </body>
    </html>
  `.text;
}

function artifact({ openUrl }: PageView, pointer: string): Markup {
  const url = openUrl(pointer);
  return url === undefined
    ? html`<code>${pointer}</code>`
    : html`<a href="${url}" rel="noopener noreferrer"><code>${pointer}</code></a>`;
}

const WORDS: Readonly<Record<Severity, string>> = {
  critical: "Critical",
  error: "Error",
  warning: "Warning",
  info: "Info",
};

function textIn({ report }: PageView, place: Place): string {
  return report.claims.find((told) => told.place === place)?.text ?? "";
}

/** `checkout-api: p99 latency 2.4 s (limit 2 s)`. */
function headline(view: PageView): string {
  const { report: { priority, subject = "" } } = view;
  const start = [priority ?? "", foreignLine(subject)]
    .filter((text) => text !== "").join(" · ");
  const end = foreignLine(textIn(view, "headline"));
  return [start, end].filter((text) => text !== "").join(": ");
}

function top(view: PageView, title: string, room: Room): Markup {
  const severity = view.bundle.normalized_context?.severity ?? "warning";
  const state = textIn(view, "state");
  const small = textIn(view, "small");
  return html`
    <header class="${severity}">
    <p class="severity">${WORDS[severity] ?? "Warning"}</p>
    <h1>${title}</h1>
    ${state === "" ? undefined : html`
      <p>${shorten(state, room.chars)}</p>
    `}${small === "" ? undefined : html`
      <p class="faint">${shorten(small, room.chars)}</p>
    `}${linkList(view.links)}</header>
  `;
}

function linkList(links: readonly PageLink[]): Markup {
  if (links.length === 0) return html``;
  return html`
    <ul class="links">
    ${links.map(({ label, url, allowed }) =>
      allowed
        ? html`
          <li><a href="${url}" rel="noopener noreferrer">${label}</a></li>
        `
        : html`
          <li>${label}: <code>${shorten(url, 300)}</code></li>
        `
    )}</ul>
  `;
}
