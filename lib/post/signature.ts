/**
 * Signatures of approvals: what is signed, and which of them release a post.
 *
 * The platform's record of an approval binds a job's pointer, not what it points
 * to. Whoever can write Redis can change that afterwards; a signature they
 * cannot.
 *
 * @module
 */
import { bytesOf, sha256Hex } from "../base/digest.ts";
import {
  objectOf,
  optional,
  parseJson,
  stringOf,
  textOf,
} from "../base/json.ts";
import type { PublicKey, SigningKey } from "./keys.ts";

/** What an approver signs. */
export interface Statement {
  tenant: string;
  jobId: string;
  /** Of the message, as 64 hex digits. */
  digest: string;
  /** The destination's id. */
  destination: string;
  /** RFC 3339: from when on it releases nothing. */
  expiresAt: string;
  /** Who approved, if the key is that of a desk which several people use. */
  by?: string;
}

/** A key that signed, and for whom if it signs for several people. */
export type Signer = PublicKey & { by?: string };

/** A job's signatures are a list of JSON texts under this key. */
export function signaturesKey(jobId: string): string {
  return `incident-enricher:approval:${jobId}`;
}

/** As many of a job's signatures are read, the newest ones. */
export const SIGNATURES_MAX = 100;

const ALGORITHM = "Ed25519";
/** Keeps a signature from meaning anything else, now or in a later version. */
const DOMAIN = "incident-enricher approval v1";
/** Of statements that name a person. */
const DOMAIN_BY = "incident-enricher approval v2";
const VERSION = 1;
const VERSION_BY = 2;
const BY_CHARS_MAX = 100;
const ITEM_CHARS_MAX = 2_000;
const SIGNATURE_PATTERN = /^[\w-]{86}$/;
/** What RFC 8410 puts in front of the 32 bytes of a private key. */
const PKCS8_START = Uint8Array.fromHex("302e020100300506032b657004220420");

/** Makes a pair of keys. @param given An id of one's own, and whose it is. */
export async function createKeys(
  given: { id?: string | undefined; name?: string | undefined } = {},
): Promise<{ signing: SigningKey; public: PublicKey }> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
  const seed = new Uint8Array(pkcs8).slice(PKCS8_START.length);
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  const bytes = new Uint8Array(raw);
  const id = given.id ?? (await sha256Hex(bytes)).slice(0, 16);
  return { signing: { id, seed }, public: { id, name: given.name, bytes } };
}

/** Signs a statement. @returns An item for the list of the job's signatures. */
export async function sign(
  { id, seed }: SigningKey,
  statement: Statement,
): Promise<string> {
  const pkcs8 = Uint8Array.of(...PKCS8_START, ...seed);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, false, [
    "sign",
  ]);
  const bytes = encode(id, statement);
  const signature = await crypto.subtle.sign(ALGORITHM, key, bytes);
  return JSON.stringify({
    v: statement.by === undefined ? VERSION : VERSION_BY,
    key: id,
    tenant: statement.tenant,
    job_id: statement.jobId,
    message_sha256: statement.digest,
    destination: statement.destination,
    expires_at: statement.expiresAt,
    ...optional("by", statement.by),
    signature: new Uint8Array(signature).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    }),
  });
}

/** JSON keeps the fields apart, whatever they contain, and the list their order. */
function encode(
  keyId: string,
  { tenant, jobId, digest, destination, expiresAt, by }: Statement,
): Uint8Array<ArrayBuffer> {
  const fields = [keyId, tenant, jobId, digest, destination, expiresAt];
  const all = by === undefined
    ? [DOMAIN, ...fields]
    : [DOMAIN_BY, ...fields, by];
  return bytesOf(JSON.stringify(all)) as Uint8Array<ArrayBuffer>;
}

/** Why a signature releases nothing; those that come closest are last. */
const PROBLEMS = [
  "nobody signed it",
  "its signature cannot be read",
  "its signature is false",
  "the key that signed it is not in APPROVAL_PUBLIC_KEYS",
  "the signature belongs to another tenant",
  "the signature belongs to another job",
  "the signature belongs to another message",
  "the signature belongs to another destination",
  "the signature has expired",
] as const;

type Rank = number;

/**
 * Finds who signed.
 *
 * @param items The list of the job's signatures, unchecked.
 * @param wanted Exactly what is to be posted, and where.
 * @returns The keys of all valid signatures. Without one, why the signature that
 * came closest is not valid.
 */
export async function findSigners(
  items: readonly string[],
  wanted: Omit<Statement, "expiresAt" | "by">,
  { keys, nowMs }: { keys: readonly PublicKey[]; nowMs: number },
): Promise<{ signers: Signer[]; problem: string }> {
  const signers = new Map<string, Signer>();
  let closest: Rank = 0;
  for (const item of items) {
    const found = await check(item, wanted, { keys, nowMs });
    if (typeof found === "object") {
      signers.set(JSON.stringify([found.id, found.by]), found);
    } else closest = Math.max(closest, found);
  }
  return { signers: [...signers.values()], problem: PROBLEMS[closest]! };
}

/** @returns Whose valid signature it is, or why it is none. */
async function check(
  item: string,
  wanted: Omit<Statement, "expiresAt" | "by">,
  { keys, nowMs }: { keys: readonly PublicKey[]; nowMs: number },
): Promise<Signer | Rank> {
  const rank = (problem: typeof PROBLEMS[number]) => PROBLEMS.indexOf(problem);
  const read = readItem(item);
  if (read === undefined) return rank("its signature cannot be read");
  const { keyId, statement, signature } = read;
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined) {
    return rank("the key that signed it is not in APPROVAL_PUBLIC_KEYS");
  }
  if (!await verify(key, encode(keyId, statement), signature)) {
    return rank("its signature is false");
  }
  const { tenant, jobId, digest, destination, expiresAt } = statement;
  if (tenant !== wanted.tenant) {
    return rank("the signature belongs to another tenant");
  }
  if (jobId !== wanted.jobId) {
    return rank("the signature belongs to another job");
  }
  if (digest !== wanted.digest) {
    return rank("the signature belongs to another message");
  }
  if (destination !== wanted.destination) {
    return rank("the signature belongs to another destination");
  }
  // An unreadable time is no time ahead.
  return nowMs < Date.parse(expiresAt)
    ? { ...key, ...optional("by", statement.by) }
    : rank("the signature has expired");
}

async function verify(
  { bytes }: PublicKey,
  statement: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", bytes, ALGORITHM, false, [
    "verify",
  ]);
  return await crypto.subtle.verify(ALGORITHM, key, signature, statement);
}

function readItem(
  item: string,
): {
  keyId: string;
  statement: Statement;
  signature: Uint8Array<ArrayBuffer>;
} | undefined {
  if (item.length > ITEM_CHARS_MAX) return undefined;
  const read = objectOf(parseJson(item));
  const by = textOf(read?.["by"], BY_CHARS_MAX);
  const version = by === undefined ? VERSION : VERSION_BY;
  if (read === undefined || read["v"] !== version) return undefined;
  const signature = stringOf(read["signature"]);
  if (!SIGNATURE_PATTERN.test(signature)) return undefined;
  const statement = {
    tenant: stringOf(read["tenant"]),
    jobId: stringOf(read["job_id"]),
    digest: stringOf(read["message_sha256"]),
    destination: stringOf(read["destination"]),
    expiresAt: stringOf(read["expires_at"]),
    ...optional("by", by),
  };
  return {
    keyId: stringOf(read["key"]),
    statement,
    signature: Uint8Array.fromBase64(signature, { alphabet: "base64url" }),
  };
}
