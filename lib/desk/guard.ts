/**
 * Which requests the desk takes at all: those for its own name, and forms only
 * from its own pages.
 *
 * @module
 */
import type { Config } from "../base/config.ts";
import { isLoopback } from "../base/address.ts";
import type { DeskSettings } from "./settings.ts";

type Guarded = Pick<Config<DeskSettings>, "deskUrl" | "userHeader">;

/**
 * Whether a request names the desk by a name of its own. Another site's name may
 * resolve to this machine, and its pages would then count as the desk's.
 */
export function isOwnHost(
  headers: Headers,
  { deskUrl, userHeader }: Guarded,
): boolean {
  const host = headers.get("Host") ?? "";
  if (deskUrl !== undefined && host === new URL(deskUrl).host) return true;
  // Behind a proxy, nobody else comes by a local name.
  if (userHeader !== undefined) return false;
  return isLoopback(host.replace(/:\d{1,5}$/, ""));
}

/**
 * Whether a form was sent from one of the desk's own pages. Browsers say so
 * where the connection is safe; old ones only name the page's origin.
 */
export function isOwnForm(
  headers: Headers,
  { deskUrl, userHeader }: Guarded,
): boolean {
  const site = headers.get("Sec-Fetch-Site");
  if (site !== null) return site === "same-origin";
  const origin = headers.get("Origin") ?? "";
  if (origin === deskUrl) return true;
  // Behind a proxy, a page without TLS is anybody's on the way.
  if (userHeader !== undefined) return false;
  const { host, protocol } = URL.parse(origin) ?? {};
  return protocol === "http:" && host === headers.get("Host");
}
