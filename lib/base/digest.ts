/**
 * Digests.
 *
 * @module
 */

/** The SHA-256 of bytes or of UTF-8 text, as 64 lower-case hex digits. */
export async function sha256Hex(content: Uint8Array | string): Promise<string> {
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  return new Uint8Array(digest).toHex();
}
