/**
 * Turns pieces of evidence into a bundle: each an artifact, each bounded.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import type {
  EvidenceBundle,
  EvidenceItem,
  NormalizedContext,
} from "../incident.ts";

/** A piece of evidence that is not stored yet. */
export interface Piece {
  /** `E1`, `E2`, …, as the context cites it. */
  id: string;
  /** What it is, for whoever filters artifacts. */
  kind: string;
  /** One line for people. */
  title: string;
  /** MIME type. */
  contentType: string;
  /** All of it; what is stored may be shorter. */
  content: string;
}

/** Stores one artifact for 30 days and returns its pointer. */
export type PutEvidence = (
  piece: Piece,
  content: Uint8Array,
) => Promise<string>;

/** What a source knows of an incident. */
export interface Findings {
  /** In the order cited. */
  pieces: Piece[];
  /** The incident in plain fields. */
  context: NormalizedContext;
  /** What could not be had, and why. */
  gaps: { what: string; why: string }[];
}

/** A longer piece is cut, and its item says so. */
export const PIECE_BYTES_MAX = 256 * 1024;
/** Pieces beyond these are counted as a gap. */
export const PIECES_MAX = 50;

/**
 * Stores every piece.
 *
 * @param put Called once a piece, one after the other: the gateway's budget of
 * requests is everybody's.
 */
export async function buildBundle(
  incidentId: string,
  { pieces, context, gaps }: Findings,
  { put, now }: { put: PutEvidence; now: Date },
): Promise<EvidenceBundle> {
  const evidence: EvidenceItem[] = [];
  for (const piece of pieces.slice(0, PIECES_MAX)) {
    const whole = new TextEncoder().encode(piece.content);
    const content = cutUtf8(whole, PIECE_BYTES_MAX);
    const { id, kind, title, contentType } = piece;
    evidence.push({
      id,
      kind,
      title,
      artifact_ptr: await put(piece, content),
      content_type: contentType,
      bytes: content.length,
      sha256: await sha256Hex(content),
      ...(content.length < whole.length ? { shortened: true } : {}),
    });
  }
  const left = pieces.length - evidence.length;
  const missing = left > 0
    ? [...gaps, {
      what: `${left} more pieces`,
      why: `a bundle holds at most ${PIECES_MAX}`,
    }]
    : gaps;
  return {
    incident_id: incidentId,
    collected_at: now.toISOString(),
    evidence,
    normalized_context: context,
    ...(missing.length > 0 ? { gaps: missing } : {}),
  };
}

/** At most `bytesMax` bytes, ending at the end of a character. */
function cutUtf8(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (bytes.length <= bytesMax) return bytes;
  let end = bytesMax;
  while (end > 0 && (bytes[end]! & 0xC0) === 0x80) end--;
  return bytes.subarray(0, end);
}
