/**
 * Composes the page about a bundle of evidence. Pure.
 *
 * @module
 */
import type { Config } from "../../base/config.ts";
import { foreignLine } from "../../base/foreign.ts";
import type { EvidenceText } from "../../collected.ts";
import type { EvidenceBundle, LinkKind } from "../../incident.ts";
import type { RedactionLevel } from "../../redact/redaction.ts";
import { evidenceUrl } from "../evidence_url.ts";
import { allowedUrl, incidentLink, runLink } from "../links.ts";
import type { LinkSettings } from "../settings.ts";
import type { Report } from "../told.ts";
import { renderPage } from "./page.ts";
import type { PageLink, PageView } from "./view.ts";

/** The facts of a page beside its bundle and draft. */
export interface PagePlace {
  /** Empty for a job outside a workflow. */
  runId: string;
  level: RedactionLevel;
  settings: Config<LinkSettings>;
  /** What was read of the evidence. */
  texts: readonly EvidenceText[];
  /** Artifacts beside the page: what each is, and its pointer. */
  artifacts: readonly (readonly [what: string, pointer: string])[];
  /** Removes what the level forbids. */
  redact: (text: string) => string;
}

/** The part of a summary that a page shows. */
export interface PageDraft {
  report: Report;
  model: string;
  confidence: number;
}

/** The page as HTML, to be stored as `text/html`. */
export function composePage(
  bundle: EvidenceBundle,
  draft: PageDraft,
  place: PagePlace,
): string {
  return renderPage(pageView(bundle, draft, place));
}

/** What the page shows. */
export function pageView(
  bundle: EvidenceBundle,
  draft: PageDraft,
  { runId, level, settings, texts, artifacts, redact }: PagePlace,
): PageView {
  return {
    bundle,
    report: draft.report,
    model: draft.model,
    confidence: draft.confidence,
    level,
    texts: new Map(texts.map((text) => [text.id, text])),
    links: linksOf(bundle, runId, settings),
    artifacts,
    openUrl: (pointer) => evidenceUrl(settings.evidenceUrl, pointer),
    redact,
  };
}

const LABELS: Readonly<Record<LinkKind, string>> = {
  incident: "Incident",
  bridge: "Bridge",
  runbook: "Runbook",
  graph: "Graph",
  dashboard: "Dashboard",
  panel: "Panel",
  logs: "Logs",
  silence: "Silence",
};
const OF_CHARS_MAX = 60;

/** All that the sender names, unlike a message, which has room for five. */
function linksOf(
  { normalized_context: context = {} }: EvidenceBundle,
  runId: string,
  settings: Config<LinkSettings>,
): PageLink[] {
  const origins = settings.linkOrigins ?? [];
  const { source, links = [] } = context;
  const incident = incidentLink(source, origins);
  const own = [incident, runLink(settings.dashboardRunUrl, runId)]
    .flatMap((link) => link ?? []);
  const unlinked = incident === undefined && source?.url !== undefined
    ? [{ label: "Incident", url: foreignLine(source.url), allowed: false }]
    : [];
  const named = links.map(({ kind, url, of = "" }): PageLink => {
    const allowed = allowedUrl(url, source?.system, origins);
    const about = foreignLine(of).slice(0, OF_CHARS_MAX);
    return {
      label: about === "" ? LABELS[kind] : `${LABELS[kind]}: ${about}`,
      url: allowed ?? foreignLine(url),
      allowed: allowed !== undefined,
    };
  });
  return [
    ...own.map(({ label, url }) => ({ label, url, allowed: true })),
    ...unlinked,
    ...named,
  ];
}
