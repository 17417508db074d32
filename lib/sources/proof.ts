/**
 * Proofs of a webhook's sender: PagerDuty's signature, and bearer tokens.
 *
 * No input makes them throw, and their running time does not reveal how close a
 * guess came.
 *
 * `node:crypto` is built into Deno. For a body of 8 KB it took 15 µs; WebCrypto,
 * which uses other threads, took 85 µs.
 *
 * @module
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export interface Proof {
  /** If the headers suffice, the body of a stranger is never read. */
  readonly by: "headers" | "body";
  /** The header with the proof. */
  readonly header: string;
  /** The answer to a sender without the proof. */
  readonly refusal: string;
  /** The scheme for `WWW-Authenticate`, if there is one. */
  readonly challenge?: string;
  /**
   * @param header The header's value.
   * @param secrets All valid secrets; an empty one is skipped.
   * @param body The original bytes, empty for a proof by headers.
   */
  verify(
    header: string | null,
    secrets: readonly string[],
    body: Uint8Array,
  ): boolean;
}

export const BEARER: Proof = {
  by: "headers",
  header: "Authorization",
  refusal: "Authorization must be Bearer with a known token",
  challenge: "Bearer",
  verify: verifyBearer,
};

export const PAGERDUTY_SIGNATURE: Proof = {
  by: "body",
  header: "X-PagerDuty-Signature",
  refusal:
    "X-PagerDuty-Signature does not match the body with any known secret",
  verify: verifySignature,
};

/** Senders need a few hundred; runtimes allow 16 KiB or more. */
const HEADER_CHARS_MAX = 4096;
/** PagerDuty sends one per active secret: two during a rotation. */
const SIGNATURES_MAX = 10;

/**
 * Whether PagerDuty signed a body with one of our secrets.
 *
 * @param header `v1=<64 hex>[,v1=<64 hex>…]`, at most 10 parts and 4096
 * characters; other versions are skipped.
 * @param secrets Two during a rotation. An empty one is skipped, because anybody
 * could sign with it.
 * @param body The original bytes, before any parsing.
 * @see PagerDuty's developer documentation, "Verifying Signatures".
 */
export function verifySignature(
  header: string | null,
  secrets: readonly string[],
  body: Uint8Array,
): boolean {
  const signatures = readSignatures(header);
  if (signatures.length === 0) return false;
  let valid = false;
  for (const secret of secrets) {
    if (secret === "") continue;
    const expected = createHmac("sha256", secret).update(body).digest();
    // Compares all pairs, so that the time does not reveal which one matched.
    for (const signature of signatures) {
      valid = timingSafeEqual(signature, expected) || valid;
    }
  }
  return valid;
}

/**
 * Whether a request carries one of our tokens.
 *
 * @param header `Bearer <token>`, at most 4096 characters.
 * @param tokens Two during a rotation. An empty one is skipped.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 */
export function verifyBearer(
  header: string | null,
  tokens: readonly string[],
): boolean {
  const [, given] = header !== null && header.length <= HEADER_CHARS_MAX
    ? /^bearer +([!-~]+)$/i.exec(header) ?? []
    : [];
  if (given === undefined) return false;
  // All digests are equally long, so the token's length stays secret, too.
  const digest = sha256(given);
  let valid = false;
  for (const token of tokens) {
    valid = token !== "" && timingSafeEqual(digest, sha256(token)) || valid;
  }
  return valid;
}

function readSignatures(header: string | null): Uint8Array[] {
  if (header === null || header.length > HEADER_CHARS_MAX) return [];
  const parts = header.split(",");
  if (parts.length > SIGNATURES_MAX) return [];
  return parts.flatMap((part) => {
    const [, hex] = /^v1=([0-9a-f]{64})$/.exec(part) ?? [];
    return hex === undefined ? [] : [Uint8Array.fromHex(hex)];
  });
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
