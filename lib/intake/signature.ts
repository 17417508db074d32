/**
 * Who sent a webhook: PagerDuty's signature, and bearer tokens. Pure.
 *
 * Nothing that a sender writes makes these throw, and how long they take says
 * nothing about how close a guess came.
 *
 * @module
 */

/** The senders' own take a few hundred; runtimes allow up to 16 KiB or more. */
const HEADER_CHARS_MAX = 4096;
/** PagerDuty sends one for each active secret, two during a rotation. */
const SIGNATURES_MAX = 10;

/**
 * Whether a body carries PagerDuty's signature by one of our secrets.
 *
 * @param body The bytes as they came, before any parsing.
 * @param header `X-PagerDuty-Signature`: `v1=<64 hex>[,v1=<64 hex>…]`, at most
 * 10 parts and 4096 characters; other versions are skipped.
 * @param secrets All that are valid now, two during a rotation. An empty one
 * is skipped: anybody could sign with it.
 * @see PagerDuty's developer documentation, "Verifying Signatures".
 */
export async function verifySignature(
  body: Uint8Array,
  header: string | null,
  secrets: readonly string[],
): Promise<boolean> {
  const signatures = readSignatures(header);
  if (signatures.length === 0) return false;
  let valid = false;
  for (const secret of secrets) {
    if (secret === "") continue;
    const expected = await hmacSha256(secret, body);
    // Each is compared with each, so that the time does not say which it was.
    for (const signature of signatures) {
      valid = isSame(signature, expected) || valid;
    }
  }
  return valid;
}

/**
 * Whether a request carries one of our tokens.
 *
 * @param header `Authorization`: `Bearer <token>`, at most 4096 characters.
 * @param tokens All that are valid now, two during a rotation. An empty one is
 * skipped.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 */
export async function verifyBearer(
  header: string | null,
  tokens: readonly string[],
): Promise<boolean> {
  if (header === null || header.length > HEADER_CHARS_MAX) return false;
  const [, given] = /^bearer +([!-~]+)$/i.exec(header) ?? [];
  if (given === undefined) return false;
  // Digests have one length, so that a token's own length is not told either.
  const digest = await sha256(given);
  let valid = false;
  for (const token of tokens) {
    valid = token !== "" && isSame(digest, await sha256(token)) || valid;
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

async function hmacSha256(
  secret: string,
  body: Uint8Array,
): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const mac = await crypto.subtle.sign("HMAC", key, body as BufferSource);
  return new Uint8Array(mac);
}

async function sha256(text: string): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Looks at every byte, wherever the first difference is. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (const [at, byte] of a.entries()) difference |= byte ^ b[at]!;
  return difference === 0;
}
