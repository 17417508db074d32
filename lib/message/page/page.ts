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
import type { Severity } from "../../incident.ts";
import type { Place } from "../told.ts";
import { chart } from "./chart.ts";
import { claimSections, findQuotes, type Quotes } from "./claims.ts";
import {
  evidenceSection,
  type Excerpts,
  findExcerpts,
  REL,
} from "./evidence.ts";
import {
  factsSection,
  gapsSection,
  lookupsSection,
  moment,
  removedSection,
  timelineSection,
} from "./lists.ts";
import { type Child, element, Markup } from "./markup.ts";
import { CSS } from "./style.ts";
import type { PageLink, PageView, Room } from "./view.ts";

/** Of the whole page, as UTF-8. */
export const PAGE_BYTES_MAX = 512 * 1024;
/** Of the page as it is stored. */
export const PAGE_TYPE = "text/html; charset=utf-8";

/** For the style and what else is around the body. */
const AROUND_BYTES = 16 * 1024;
/** Tried one after the other; the last one fits whatever a bundle may hold. */
const ROOMS: readonly Room[] = [
  { excerptBytes: 4096, chars: 1000, quotes: true },
  { excerptBytes: 2048, chars: 400, quotes: true },
  { excerptBytes: 512, chars: 200, quotes: false },
  { excerptBytes: 0, chars: 60, quotes: false },
];
/** Claims whose evidence is quoted: each takes about as long as redaction. */
const QUOTES_MAX = 40;
const TITLE_CHARS_MAX = 300;
const ADDRESS_CHARS_MAX = 300;
/** Nothing is loaded and nothing runs but the style in the page itself. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";
const VIEWPORT = "width=device-width, initial-scale=1";
const CUT =
  "Texts and excerpts are shorter here than they could be, because the page may have 512 KiB. The artifacts hold all of it.";

/** A page before it is a document. */
export interface PageParts {
  title: string;
  /** Between the tags of `body`. */
  body: string;
}

/** Writes the page. */
export function renderPage(view: PageView): string {
  return pageDocument(renderParts(view));
}

/** The document that shows a page alone. */
export function pageDocument({ title, body }: PageParts): string {
  const head = element(
    "head",
    {},
    element("meta", { charset: "utf-8" }),
    element("meta", {
      "http-equiv": "Content-Security-Policy",
      content: POLICY,
    }),
    element("meta", { name: "viewport", content: VIEWPORT }),
    element("meta", { name: "referrer", content: "no-referrer" }),
    element("title", {}, title),
    element("style", {}, new Markup(CSS)),
  );
  const content = element("body", {}, new Markup(body));
  return `<!DOCTYPE html>\n${
    element("html", { lang: "en" }, head, content).text
  }\n`;
}

/** Writes what the page shows, for a document of its own or a part of another. */
export function renderParts(view: PageView): PageParts {
  const shown = view.level === "full" ? { ...view, texts: new Map() } : view;
  const found = {
    quotes: findQuotes(shown, QUOTES_MAX),
    excerpts: findExcerpts(shown),
  };
  const title = headline(shown);
  let body = "";
  for (const [at, room] of ROOMS.entries()) {
    body = render(shown, title, { ...found, room, isCut: at > 0 });
    if (bytesOf(body).length <= PAGE_BYTES_MAX - AROUND_BYTES) break;
  }
  return { title, body };
}

interface Found {
  quotes: Quotes;
  excerpts: Excerpts;
  room: Room;
  isCut: boolean;
}

function render(
  view: PageView,
  title: string,
  { quotes, excerpts, room, isCut }: Found,
): string {
  const { series = [] } = view.bundle.normalized_context ?? {};
  const main = element(
    "main",
    {},
    top(view, title, room),
    claimSections(view, quotes, room),
    series.length === 0 ? undefined : element(
      "section",
      {},
      element("h2", {}, "Course"),
      series.map(chart),
    ),
    timelineSection(view, room),
    factsSection(view, room),
    gapsSection(view, room),
    lookupsSection(view, room),
    evidenceSection(view, excerpts, room),
    removedSection(view),
  );
  return main.text + bottom(view, isCut).text;
}

function bottom(view: PageView, isCut: boolean): Markup {
  const { bundle, model, confidence, artifacts } = view;
  return element(
    "footer",
    {},
    isCut ? element("p", {}, CUT) : undefined,
    element(
      "p",
      {},
      "Incident ",
      element("code", {}, shorten(foreignLine(bundle.incident_id), 220)),
      ", evidence collected ",
      moment(bundle.collected_at),
      ` UTC. Written by ${named(model)}; ${
        Math.round(confidence * 100)
      } % of what it says rests on more than the webhook.`,
    ),
    artifacts.map(([what, pointer]) =>
      element("p", {}, `${what}: `, artifact(view, pointer))
    ),
  );
}

function artifact({ openUrl }: PageView, pointer: string): Markup {
  const url = openUrl(pointer);
  const code = element("code", {}, pointer);
  return url === undefined ? code : element("a", { href: url, rel: REL }, code);
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
  const whole = [start, end].filter((text) => text !== "").join(": ");
  return whole === "" ? "Incident" : shorten(whole, TITLE_CHARS_MAX);
}

function top(view: PageView, title: string, room: Room): Markup {
  const severity = view.bundle.normalized_context?.severity ?? "warning";
  const state = textIn(view, "state");
  const small = textIn(view, "small");
  return element(
    "header",
    { class: severity },
    element("p", { class: "severity" }, WORDS[severity]),
    element("h1", {}, title),
    state === "" ? undefined : element("p", {}, shorten(state, room.chars)),
    small === ""
      ? undefined
      : element("p", { class: "faint" }, shorten(small, room.chars)),
    linkList(view.links),
  );
}

function linkList(links: readonly PageLink[]): Child {
  if (links.length === 0) return undefined;
  const items = links.map(({ label, url, allowed }) =>
    element(
      "li",
      {},
      allowed
        ? element("a", { href: url, rel: REL }, label)
        : [`${label}: `, element("code", {}, shorten(url, ADDRESS_CHARS_MAX))],
    )
  );
  return element("ul", { class: "links" }, items);
}
