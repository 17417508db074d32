/**
 * Gathers everything about an incident: what its webhook says, and what the
 * collectors find.
 *
 * @module
 */
import { mapTexts, optional } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import { removeUnseen } from "../base/text.ts";
import type { IncidentInput, NormalizedContext } from "../incident.ts";
import { type RedactionLevel, startRedaction } from "../redact/redaction.ts";
import { byMoment } from "../sources/fields.ts";
import type { Findings } from "../sources/source.ts";
import { findEntry, readCatalog } from "./catalog.ts";
import { collectFindings } from "./collect.ts";
import { COLLECTORS } from "./collectors.ts";
import type { CollectorSettings } from "./settings.ts";
import type { Config } from "../base/config.ts";
import { type Collected, runCollectors } from "./run_collectors.ts";
import { toSubject } from "./subject.ts";

/** As the schema of a bundle has them. */
const FACTS_MAX = 100;
const TIMELINE_MAX = 100;
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
  /** Reads one of our own lists in Redis. */
  list(key: string): Promise<readonly string[]>;
}

/** @throws The signal's reason if it aborts. No other failure throws. */
export async function gather(
  incident: IncidentInput,
  { settings, level, leftMs, ...options }: GatherOptions,
): Promise<Findings> {
  const findings = collectFindings(incident, level);
  const known = toSubject(mapTexts(incident, removeUnseen), options.now);
  const entry = settings.catalog === undefined
    ? undefined
    : findEntry(readCatalog(settings.catalog), known);
  const collected = await runCollectors(COLLECTORS, {
    ...options,
    config: settings,
    subject: { ...known, ...optional("entry", entry) },
    timeMs: Math.max(0, Math.min(COLLECT_MS, leftMs - RESERVE_MS)),
    redaction: startRedaction({ level }),
  });
  return addCollected(findings, collected, known.system);
}

/**
 * Adds what collectors found. The webhook's own pieces come first; what it lacks
 * is no gap any more once a collector has asked its sender.
 */
export function addCollected(
  { pieces, context, gaps }: Findings,
  collected: Collected,
  system: string,
): Findings {
  const facts = [...context.facts ?? [], ...collected.facts];
  const timeline = [...context.timeline ?? [], ...collected.timeline];
  const merged: NormalizedContext = {
    ...context,
    ...facts.length > 0 ? { facts: facts.slice(0, FACTS_MAX) } : {},
    ...timeline.length > 0
      // The newest are kept.
      ? { timeline: timeline.toSorted(byMoment).slice(-TIMELINE_MAX) }
      : {},
  };
  const isAsked = collected.lookups.some(({ collector, state }) =>
    collector === system && state !== "off"
  );
  return {
    pieces: [...pieces, ...collected.pieces],
    context: merged,
    gaps: [
      ...gaps.filter(({ kind }) => !(isAsked && kind === "off")),
      ...collected.gaps,
    ],
    lookups: collected.lookups,
  };
}
