/**
 * Reads pieces of evidence back, for whoever quotes them.
 *
 * A bundle has only pointers. Only pointers to artifacts are followed, and what
 * is read must have the digest that the bundle names. A piece that cannot be
 * read says why and loses nothing else.
 *
 * The texts are as they were stored: redact what you show of them at the job's
 * level, after cutting.
 *
 * @module
 */
import { deadline } from "../base/deadline.ts";
import { sha256Hex } from "../base/digest.ts";
import { OutsideError } from "../base/errors.ts";
import type { EvidenceText } from "../collected.ts";
import { type EvidenceItem, withIds } from "../incident.ts";
import type { JobGateway } from "../platform/context.ts";

/** Reads in flight; the gateway's budget of requests is everybody's. */
const AT_ONCE = 4;
/** As long as the fetcher makes a piece. */
const PIECE_BYTES_MAX = 256 * 1024;
/** For all pieces together. */
export const READ_MS = 20_000;
const POINTER = /^redis:\/\/art:[^\s]+$/;

export interface ReadOptions {
  gateway: Pick<JobGateway, "readArtifact">;
  /** The job's: ends all reads, and then throws. */
  signal: AbortSignal;
  /** How long all reads together may take; {@linkcode READ_MS} if not given. */
  timeMs?: number;
}

/**
 * Reads pieces, at most four at a time.
 *
 * @returns One text for each item, in their order: `text`, or the `problem` that
 * kept it from being read, as a clause.
 * @throws The signal's reason if the job was aborted; nothing else.
 */
export async function readEvidence(
  items: readonly EvidenceItem[],
  { gateway, signal, timeMs = READ_MS }: ReadOptions,
): Promise<EvidenceText[]> {
  using end = deadline(timeMs, signal);
  const texts: EvidenceText[] = [];
  const rest = withIds(items).entries();
  const read = async () => {
    for (const [at, item] of rest) {
      texts[at] = {
        id: item.id,
        ...end.signal.aborted
          ? { problem: LATE }
          : await readOne(item, gateway, end.signal),
      };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  signal.throwIfAborted();
  return texts;
}

const LATE = "there was not enough time";

async function readOne(
  { artifact_ptr, sha256 }: EvidenceItem,
  gateway: ReadOptions["gateway"],
  signal: AbortSignal,
): Promise<Omit<EvidenceText, "id">> {
  if (!POINTER.test(artifact_ptr)) {
    return { problem: "its pointer names no artifact" };
  }
  try {
    const { bytes } = await gateway.readArtifact(
      artifact_ptr,
      PIECE_BYTES_MAX,
      signal,
    );
    if (bytes.length > PIECE_BYTES_MAX) return { problem: "it is too long" };
    if (sha256 !== undefined && await sha256Hex(bytes) !== sha256) {
      return { problem: "its bytes have another digest" };
    }
    return { text: new TextDecoder().decode(bytes) };
  } catch (error) {
    if (signal.aborted) return { problem: LATE };
    const isMissing = error instanceof OutsideError && error.missing;
    return {
      problem: isMissing
        ? "the platform has no such artifact any more"
        : "the gateway did not give it",
    };
  }
}
