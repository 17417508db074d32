/**
 * Bytes and their digests.
 *
 * @module
 */

/** Text as UTF-8; bytes as they are. */
export function bytesOf(content: Uint8Array | string): Uint8Array {
  return typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
}

/** Cuts to at most `bytesMax` bytes, at the end of a character. */
export function cutUtf8(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (bytes.length <= bytesMax) return bytes;
  let end = bytesMax;
  while (end > 0 && (bytes[end]! & 0xC0) === 0x80) end--;
  return bytes.subarray(0, end);
}

/** The SHA-256 of bytes or of UTF-8 text, as 64 lower-case hex digits. */
export async function sha256Hex(content: Uint8Array | string): Promise<string> {
  const bytes = bytesOf(content) as BufferSource;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
