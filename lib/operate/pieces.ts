/**
 * Pieces of evidence, read back whole for whoever decides by them.
 *
 * A piece never changes, so what was read is kept for a while; the gateway's
 * requests are everybody's. What is read must have the digest that the bundle
 * names.
 *
 * @module
 */
import { sha256Hex } from "../base/digest.ts";
import { OutsideError } from "../base/errors.ts";
import type { EvidenceText } from "../collected.ts";
import { type EvidenceItem, withIds } from "../incident.ts";
import { readInBatches } from "./batches.ts";
import type { Platform } from "./platform.ts";

/** Reads in flight. */
const AT_ONCE = 6;
/** As long as the fetcher makes a piece. */
const PIECE_BYTES_MAX = 256 * 1024;
const KEPT_CHARS_MAX = 32 * 1024 * 1024;
const POINTER = /^redis:\/\/art:[^\s]+$/;

/** Reads pieces of evidence, and keeps what it has read. */
export class Pieces {
  readonly #platform: Platform;
  /** The one read longest ago first. */
  readonly #kept = new Map<string, string>();
  #chars = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /**
   * @returns One text for each item, in their order: `text`, or the `problem`
   * that kept it from being read, as a clause.
   */
  async read(items: readonly EvidenceItem[]): Promise<EvidenceText[]> {
    return await readInBatches(withIds(items), AT_ONCE, async (item) => ({
      id: item.id,
      ...await this.#readOne(item),
    }));
  }

  async #readOne(
    { artifact_ptr: pointer, sha256 = "" }: EvidenceItem,
  ): Promise<Omit<EvidenceText, "id">> {
    if (!POINTER.test(pointer)) {
      return { problem: "its pointer names no artifact" };
    }
    const key = `${pointer} ${sha256}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.#keep(key, kept);
      return { text: kept };
    }
    const { gateway, signal } = this.#platform;
    try {
      const { bytes } = await gateway.readArtifact(
        pointer,
        PIECE_BYTES_MAX,
        signal,
      );
      if (bytes.length > PIECE_BYTES_MAX) return { problem: "it is too long" };
      if (sha256 !== "" && await sha256Hex(bytes) !== sha256) {
        return { problem: "its bytes have another digest" };
      }
      const text = new TextDecoder().decode(bytes);
      this.#keep(key, text);
      return { text };
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error;
      return {
        problem: error.missing
          ? "the platform has no such artifact any more"
          : "the gateway did not give it",
      };
    }
  }

  #keep(key: string, text: string): void {
    this.#drop(key);
    this.#kept.set(key, text);
    this.#chars += text.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#chars <= KEPT_CHARS_MAX) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#chars -= this.#kept.get(key)?.length ?? 0;
    this.#kept.delete(key);
  }
}
