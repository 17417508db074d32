/**
 * The Ed25519 keys that approvals are signed with, as lines to copy. Pure.
 *
 * @module
 */

/** A key that the poster accepts signatures by. */
export interface PublicKey {
  id: string;
  /** Whose it is; `undefined` if its line names nobody. */
  name: string | undefined;
  /** 32 bytes. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** A key that an approver signs with. */
export interface SigningKey {
  id: string;
  /** 32 bytes. */
  seed: Uint8Array<ArrayBuffer>;
}

/** The kind in front keeps a secret line from passing as a public one. */
const PUBLIC = "ed25519";
const SECRET = "ed25519-secret";
const KEYS_MAX = 50;
const BYTES = 32;
const ID_PATTERN = /^[A-Za-z0-9._-]{1,40}$/;
/** No comma and no colon, which separate keys and their parts. */
const NAME_PATTERN = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._'@()+-]{0,79}$/u;
/**
 * The points of small order, sign bit aside. Anybody can make signatures that
 * they verify; zeros, the likeliest placeholder, are one of them.
 */
const WEAK: ReadonlySet<string> = new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
]);

/** Whether a text may be a key's id. */
export function isKeyId(text: string): boolean {
  return ID_PATTERN.test(text);
}

/** Whether a text may say whose a key is. */
export function isKeyName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

/** @returns A line for `APPROVAL_PUBLIC_KEYS`. */
export function writePublicKey({ id, name, bytes }: PublicKey): string {
  const line = `${PUBLIC}:${id}:${encode(bytes)}`;
  return name === undefined ? line : `${line}:${name}`;
}

/** @returns A line for `APPROVAL_SIGNING_KEY`. */
export function writeSigningKey({ id, seed }: SigningKey): string {
  return `${SECRET}:${id}:${encode(seed)}`;
}

/**
 * Reads lines of public keys, separated by commas; an empty text has none.
 *
 * @throws {RangeError} States what was expected.
 */
export function readPublicKeys(text: string): readonly PublicKey[] {
  if (text === "") return [];
  const lines = text.split(",").map((line) => line.trim()).filter(Boolean);
  const keys = lines.map(readPublicKey);
  const ids = new Set(keys.map(({ id }) => id));
  if (keys.length === 0 || keys.length > KEYS_MAX || ids.size < keys.length) {
    throw new RangeError(`1 to ${KEYS_MAX} public keys, each with its own id`);
  }
  return keys;
}

function readPublicKey(line: string): PublicKey {
  const [kind, id = "", key = "", name, ...more] = line.split(":");
  const bytes = decode(key);
  const isWrong = kind !== PUBLIC || !isKeyId(id) || more.length > 0 ||
    (name !== undefined && !isKeyName(name));
  if (isWrong || bytes === undefined || isWeak(bytes)) {
    throw new RangeError(
      `public keys as deno task keys prints them: ${PUBLIC}:ID:KEY or ${PUBLIC}:ID:KEY:NAME, separated by commas`,
    );
  }
  return { id, name, bytes };
}

/** @throws {RangeError} States what was expected. */
export function readSigningKey(text: string): SigningKey {
  const [kind, id = "", key = "", ...more] = text.split(":");
  const seed = decode(key);
  if (
    kind === SECRET && isKeyId(id) && more.length === 0 && seed !== undefined
  ) {
    return { id, seed };
  }
  throw new RangeError(
    `a private key as deno task keys makes it: ${SECRET}:ID:KEY`,
  );
}

function isWeak(bytes: Uint8Array): boolean {
  const y = Uint8Array.from(bytes);
  y[BYTES - 1]! &= 0x7f;
  return WEAK.has(y.toHex());
}

function encode(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** @returns `undefined` for anything but the one spelling of 32 bytes. */
function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]{43}$/.test(text)) return undefined;
  try {
    return Uint8Array.fromBase64(`${text}=`, {
      alphabet: "base64url",
      lastChunkHandling: "strict",
    });
  } catch {
    return undefined;
  }
}
