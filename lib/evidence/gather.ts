/**
 * Gathers everything about an incident: what its webhook says, and what the
 * collectors find.
 *
 * @module
 */
import type { Config } from "../base/config.ts";
import { mapTexts, optional } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import { removeUnseen } from "../base/text.ts";
import type {
  EvidenceKind,
  IncidentInput,
  NormalizedContext,
} from "../incident.ts";
import {
  addLedgers,
  type Redaction,
  type RedactionLedger,
  type RedactionLevel,
  startRedaction,
} from "../redact/redaction.ts";
import { boundLedger } from "../removed.ts";
import { byMoment, factOf, jsonPiece } from "../sources/fields.ts";
import type { Findings } from "../sources/source.ts";
import {
  type Catalog,
  type CatalogEntry,
  findEntry,
  readCatalog,
} from "./catalog.ts";
import { collectFindings, type SourceFindings } from "./collect.ts";
import { COLLECTORS } from "./collectors.ts";
import { fitFindings } from "./fit.ts";
import { type Collected, runCollectors } from "./run_collectors.ts";
import type { CollectorSettings } from "./settings.ts";
import { toSubject } from "./subject.ts";
import { withholdContext } from "./withhold.ts";

/** As the schema of a bundle has them. */
const FACTS_MAX = 100;
const TIMELINE_MAX = 100;
/** The name of the catalogue's entry among the pieces. */
const ENTRY = "catalog";
/** For all collectors together. */
const COLLECT_MS = 10_000;
/** Of the job's time, for storing what they found. */
const RESERVE_MS = 5_000;

export interface GatherOptions {
  readonly settings: Config<CollectorSettings>;
  /** What policy asks for. */
  readonly level: RedactionLevel;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** Left of the job's time. */
  readonly leftMs: number;
  readonly log: Log;
  /** Reads our own posts about a subject, the newest last. */
  history(subjectKey: string): Promise<readonly string[]>;
}

let parsed: { text: string; catalog: Catalog } | undefined;

/** A process has one catalogue, which takes a while to parse. */
function parsedCatalog(text: string): Catalog {
  if (parsed?.text !== text) parsed = { text, catalog: readCatalog(text) };
  return parsed.catalog;
}

/** @throws The signal's reason if it aborts. No other failure throws. */
export async function gather(
  incident: IncidentInput,
  { settings, level, leftMs, ...options }: GatherOptions,
): Promise<Findings & { removed: RedactionLedger }> {
  const findings = collectFindings(incident, level);
  const known = toSubject(mapTexts(incident, removeUnseen), options.now);
  const entry = settings.catalog === undefined
    ? undefined
    : findEntry(parsedCatalog(settings.catalog), known);
  const redaction = level === "full"
    ? startRedaction({ level }) // What it lets stay belongs to incidents.
    : findings.redaction;
  const collected = await runCollectors(COLLECTORS, {
    ...options,
    config: settings,
    subject: { ...known, ...optional("entry", entry) },
    timeMs: Math.max(0, Math.min(COLLECT_MS, leftMs - RESERVE_MS)),
    redaction,
    history: () =>
      known.key === undefined
        ? Promise.resolve([])
        : options.history(known.key),
  });
  const removed = redaction === findings.redaction
    ? redaction.ledger()
    : addLedgers(findings.removed, redaction.ledger());
  return {
    ...addCollected(findings, withEntry(collected, entry, redaction), {
      level,
      removed,
    }),
    ...optional("subjectKey", known.key),
    removed,
  };
}

/** Adds what the catalogue says itself: whom to ask, and where to look. */
function withEntry(
  collected: Collected,
  entry: CatalogEntry | undefined,
  { value, kept, level }: Redaction,
): Collected {
  if (entry === undefined || level === "full") return collected;
  const { name, owner, dashboards = [], depends_on = [] } = entry;
  const piece = jsonPiece({
    name: ENTRY,
    kind: "catalog.entry",
    title: kept(`Catalogue's entry ${name}`),
  }, value(entry));
  const facts: [name: string, value: unknown, kind: EvidenceKind][] = [
    ["owner", owner, "people"],
    ["depends on", depends_on.join(", "), "state"],
    ...dashboards.map((url): [string, string, EvidenceKind] => [
      "dashboard",
      url,
      "state",
    ]),
  ];
  return {
    ...collected,
    pieces: [...collected.pieces, piece],
    // After what was found now, which says more.
    facts: [
      ...collected.facts,
      ...facts.flatMap(([name, text, kind]) =>
        factOf(name, value(text), ENTRY).map((fact) => ({ ...fact, kind }))
      ),
    ],
  };
}

/**
 * Adds what collectors found. The webhook's own pieces come first; what it lacks
 * is no gap any more once a collector has asked its sender.
 */
export function addCollected(
  { pieces, context: given, gaps, before }: SourceFindings,
  collected: Collected,
  { level, removed }: { level: RedactionLevel; removed: RedactionLedger },
): Findings {
  const { redacted: _, ...context } = given;
  const facts = [...context.facts ?? [], ...collected.facts];
  const timeline = [...context.timeline ?? [], ...collected.timeline];
  const isAsked = collected.lookups.some(({ collector, state }) =>
    collector === context.source?.system && state !== "off" &&
    state !== "unconcerned"
  );
  const { series } = collected;
  const merged = {
    context: {
      ...context,
      ...series.length > 0 ? { series } : {},
      ...facts.length > 0 ? { facts: facts.slice(0, FACTS_MAX) } : {},
      ...timeline.length > 0
        // The newest are kept.
        ? { timeline: timeline.toSorted(byMoment).slice(-TIMELINE_MAX) }
        : {},
    } satisfies NormalizedContext,
    gaps: [
      ...gaps.filter(({ kind }) => !(isAsked && kind === "off")),
      ...collected.gaps,
    ],
  };
  const shown = level === "full" ? withholdContext(merged) : merged;
  const ledger = boundLedger(addLedgers(before, removed));
  return fitFindings({
    pieces: [...pieces, ...collected.pieces],
    context: Object.keys(ledger).length === 0
      ? shown.context
      : { ...shown.context, redacted: ledger },
    gaps: shown.gaps,
    lookups: level === "full"
      ? collected.lookups.map(({ why: _, question: __, ...lookup }) => lookup)
      : collected.lookups,
  });
}
