/**
 * Artifacts: bytes with a type, labels and an end.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { filled, type Json, Refusal } from "./common.ts";

interface Artifact {
  bytes: Uint8Array;
  metadata: Json;
  tenant: string;
  expiresAt: number;
}

const DAY_MS = 24 * 3600_000;
const DAYS: ReadonlyMap<string, number> = new Map([
  ["short", 1],
  ["standard", 7],
  ["audit", 30],
]);
const TENANT = "default";

/** Every artifact that is kept. */
export class Artifacts {
  readonly #clock: () => number;
  readonly #kept = new Map<string, Artifact>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * Stores one.
   *
   * @param body As the caller sent it, unchecked.
   * @param bytesMax The caller's own limit, if it gave one.
   * @throws {Refusal}
   */
  put(body: Json, bytesMax: number): Json {
    const labels = (body["labels"] ?? {}) as Record<string, unknown>;
    const { content, content_base64, content_type = "", retention = "" } = body;
    const texts = [content, content_base64, content_type, retention];
    const typed = [...texts, ...Object.values(labels)].every((value) =>
      value === undefined || typeof value === "string"
    );
    if (!typed) throw new Refusal(400, "invalid json");
    const bytes = decode(content_base64 as string, content as string);
    if (bytes.length > bytesMax) throw new Refusal(413, "artifact too large");
    const asked = String(retention).toLowerCase();
    const kept = DAYS.has(asked) ? asked : "standard";
    const pointer = `redis://art:${randomUUID()}`;
    const tenant = String(labels["tenant_id"] ?? TENANT);
    this.#kept.set(pointer, {
      bytes,
      metadata: {
        ...filled({ content_type }),
        size_bytes: bytes.length,
        retention: kept,
        labels: { ...labels, tenant_id: tenant },
      },
      tenant,
      expiresAt: this.#clock() + DAYS.get(kept)! * DAY_MS,
    });
    return { artifact_ptr: pointer, size_bytes: bytes.length };
  }

  /** Reads one; unlike on the platform, no other key of Redis. @throws {Refusal} */
  read(pointer: string): Json {
    if (!pointer.startsWith("redis://")) {
      throw new Refusal(500, `invalid pointer prefix: ${pointer}`);
    }
    const artifact = this.#kept.get(pointer);
    if (artifact === undefined || artifact.expiresAt <= this.#clock()) {
      throw new Refusal(404, "artifact not found");
    }
    if (artifact.tenant !== TENANT) {
      throw new Refusal(403, "tenant access denied");
    }
    return {
      artifact_ptr: pointer,
      content_base64: artifact.bytes.toBase64(),
      metadata: artifact.metadata,
    };
  }

  /** Forgets all, as the platform does with its Redis. */
  clear(): void {
    this.#kept.clear();
  }
}

function decode(base64 = "", content = ""): Uint8Array {
  if (base64 === "") {
    if (content === "") throw new Refusal(400, "content required");
    return new TextEncoder().encode(content);
  }
  try {
    return Uint8Array.fromBase64(base64, { lastChunkHandling: "strict" });
  } catch {
    throw new Refusal(400, "invalid base64 content");
  }
}
