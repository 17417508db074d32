/**
 * Who uses the desk: whom a proxy has signed in, or who they say they are.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Config } from "../base/config.ts";
import type { DeskSettings } from "./settings.ts";

/** As a header of HTTP carries it to the platform, which records it. */
const NAME_PATTERN = /^[!-~](?:[ -~]{0,98}[!-~])?$/;
const COOKIE = "desk-name";
/** A month. */
const COOKIE_S = 30 * 24 * 3600;
/** In front of the header's name, a proxy may prove itself with this. */
export const SECRET_HEADER = "X-Desk-Proxy-Secret";

/** Who sent a request. */
export type Person =
  /** `signedIn` if a proxy vouches for the name. */
  | { name: string; signedIn: boolean }
  /** Nobody has asked yet. */
  | "unknown"
  /** The request came round the proxy, or the proxy names nobody. */
  | "refused";

/** The name as it is recorded; `undefined` if it cannot be. */
export function readName(text: string): string | undefined {
  const name = text.trim();
  return NAME_PATTERN.test(name) ? name : undefined;
}

/** Tells who sent a request. */
export function readPerson(
  headers: Headers,
  { userHeader, proxySecret }: Pick<
    Config<DeskSettings>,
    "userHeader" | "proxySecret"
  >,
): Person {
  if (userHeader === undefined || proxySecret === undefined) {
    const name = readName(readCookie(headers.get("Cookie") ?? ""));
    return name === undefined ? "unknown" : { name, signedIn: false };
  }
  const given = headers.get(userHeader) ?? "";
  // So come two headers of that name, and the first may be the browser's own.
  const name = given.includes(", ") ? undefined : readName(given);
  const proven = proofsOf(headers).some((proof) => isSame(proof, proxySecret));
  return proven && name !== undefined ? { name, signedIn: true } : "refused";
}

/** The cookie that keeps a name: no proof of anything, so it lives long. */
export function nameCookie(name: string): string {
  const value = encodeURIComponent(name);
  return `${COOKIE}=${value}; Path=/; Max-Age=${COOKIE_S}; HttpOnly; SameSite=Lax`;
}

function readCookie(header: string): string {
  const found = header.slice(0, 4_096).split(";").map((part) => part.trim())
    .find((part) => part.startsWith(`${COOKIE}=`));
  try {
    return decodeURIComponent(found?.slice(COOKIE.length + 1) ?? "");
  } catch {
    return "";
  }
}

/** A header of its own, or the password of basic authentication. */
function proofsOf(headers: Headers): string[] {
  const own = headers.get(SECRET_HEADER);
  const [, basic] = /^Basic ([\w+/=]{1,4000})$/i
    .exec(headers.get("Authorization") ?? "") ?? [];
  return [
    ...own === null ? [] : [own],
    ...basic === undefined ? [] : [passwordOf(basic)],
  ];
}

function passwordOf(basic: string): string {
  try {
    const text = new TextDecoder().decode(Uint8Array.fromBase64(basic));
    return text.slice(text.indexOf(":") + 1);
  } catch {
    return "";
  }
}

/** In constant time: digests are of one length, whatever was sent. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
