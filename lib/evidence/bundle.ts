/**
 * Turns findings into a bundle: stores each piece as a bounded, numbered
 * artifact.
 *
 * @module
 */
import { cutUtf8, sha256Hex } from "../base/digest.ts";
import { optional } from "../base/json.ts";
import { counted } from "../base/text.ts";
import type {
  EvidenceBundle,
  EvidenceItem,
  Lookup,
  NormalizedContext,
} from "../incident.ts";
import { jsonPiece } from "../sources/fields.ts";
import type { Findings, Piece } from "../sources/source.ts";

/** Stores one artifact for 30 days and returns its pointer. */
export type PutEvidence = (
  piece: Piece,
  content: Uint8Array,
) => Promise<string>;

/** A longer piece is cut, and its item says so. */
export const PIECE_BYTES_MAX = 256 * 1024;
/** Any more pieces are counted as a gap. */
export const PIECES_MAX = 50;
/** As the schema has it. */
const GAPS_MAX = 50;

/**
 * Stores every piece, and the incident in plain fields as one more. Numbers them
 * in order: `E1`, `E2`, …. The context cites pieces by name in the findings and
 * by number in the bundle.
 *
 * @param put Called for one piece at a time, because all clients share the
 * gateway's budget of requests.
 */
export async function buildBundle(
  incidentId: string,
  { pieces: found, context: named, gaps, lookups = [], subjectKey }: Findings,
  { put, now }: { put: PutEvidence; now: Date },
): Promise<EvidenceBundle> {
  const kept = found.slice(0, PIECES_MAX - 1);
  const ids = new Map(kept.map(({ name }, at) => [name, `E${at + 1}`]));
  const context = numbered(named, ids);
  const last = jsonPiece({
    name: "context",
    kind: "incident.context",
    title: "Incident in plain fields",
  }, context);
  const evidence: EvidenceItem[] = [];
  for (const piece of [...kept, last]) {
    const whole = new TextEncoder().encode(piece.content);
    const content = cutUtf8(whole, PIECE_BYTES_MAX);
    const { kind, title, contentType } = piece;
    evidence.push({
      id: `E${evidence.length + 1}`,
      kind,
      title,
      artifact_ptr: await put(piece, content),
      content_type: contentType,
      bytes: content.length,
      sha256: await sha256Hex(content),
      ...(content.length < whole.length ? { shortened: true } : {}),
    });
  }
  const left = found.length - kept.length;
  const why = `a bundle holds at most ${PIECES_MAX}`;
  const more = left > 0 ? [{ what: counted(left, "more piece"), why }] : [];
  const missing = [...gaps, ...more];
  return {
    incident_id: incidentId,
    collected_at: now.toISOString(),
    evidence,
    normalized_context: context,
    ...(missing.length > 0 ? { gaps: missing.slice(0, GAPS_MAX) } : {}),
    ...(lookups.length > 0
      ? { lookups: lookups.map((lookup) => cite(lookup, ids)) }
      : {}),
    ...optional("subject_key", subjectKey),
  };
}

/** Replaces names by numbers; what the bundle does not hold is not cited. */
function cite(
  { evidence: names = [], ...lookup }: Lookup,
  ids: ReadonlyMap<string, string>,
): Lookup {
  const evidence = names.flatMap((name) => ids.get(name) ?? []);
  return evidence.length === 0 ? lookup : { ...lookup, evidence };
}

/** Replaces names by numbers, and drops entries that cite no kept piece. */
function numbered(
  context: NormalizedContext,
  ids: ReadonlyMap<string, string>,
): NormalizedContext {
  const renumber = <T extends { evidence: string[] }>(items: T[]): T[] =>
    items.flatMap((item) => {
      const evidence = item.evidence.flatMap((name) => ids.get(name) ?? []);
      return evidence.length === 0 ? [] : [{ ...item, evidence }];
    });
  const { facts, timeline, alerts, series } = context;
  return {
    ...context,
    ...(alerts && {
      alerts: { ...alerts, groups: renumber(alerts.groups) },
    }),
    ...(facts && { facts: renumber(facts) }),
    ...(timeline && { timeline: renumber(timeline) }),
    ...(series && { series: renumber(series) }),
  };
}
