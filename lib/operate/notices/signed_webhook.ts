/**
 * Signing what we post to a webhook, so that its receiver knows it from others.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * @module
 */

/** The header names of the specification, in lower case. */
export interface SignedHeaders extends Record<string, string> {
  /** The same for each attempt to deliver the same thing. */
  "webhook-id": string;
  /** When it was signed, in seconds since the epoch. */
  "webhook-timestamp": string;
  /** One signature a key, separated by blanks. */
  "webhook-signature": string;
}

const PREFIX = "whsec_";
const BYTES_MIN = 24;
const BYTES_MAX = 64;
const ALGORITHM = { name: "HMAC", hash: "SHA-256" };

/**
 * The bytes of a key as people copy it: base64, with or without `whsec_`.
 *
 * @throws {RangeError} States what was expected; never quotes the key.
 */
export function readWebhookKey(text: string): Uint8Array<ArrayBuffer> {
  const base64 = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text;
  try {
    const bytes = Uint8Array.fromBase64(base64);
    if (bytes.length >= BYTES_MIN && bytes.length <= BYTES_MAX) return bytes;
  } catch {
    // What follows says it.
  }
  throw new RangeError(
    `base64 of ${BYTES_MIN} to ${BYTES_MAX} random bytes, with or without ${PREFIX} in front`,
  );
}

/**
 * Signs a body.
 *
 * @param keys All of them sign, so that a receiver can change its own.
 */
export async function signWebhook(
  body: string,
  { id, nowMs, keys }: {
    id: string;
    nowMs: number;
    keys: readonly Uint8Array<ArrayBuffer>[];
  },
): Promise<SignedHeaders> {
  const timestamp = Math.floor(nowMs / 1000).toString();
  const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(keys.map(async (bytes) => {
    const key = await crypto.subtle.importKey("raw", bytes, ALGORITHM, false, [
      "sign",
    ]);
    const signature = await crypto.subtle.sign("HMAC", key, content);
    return `v1,${new Uint8Array(signature).toBase64()}`;
  }));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}
