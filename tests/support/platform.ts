/**
 * A platform at the address of a gateway stand-in.
 *
 * @module
 */
import { Platform, type PlatformOptions } from "../../lib/operate/platform.ts";

/** Connects without Redis. */
export function platformAt(
  url: string,
  options: Partial<PlatformOptions> = {},
): Platform {
  const address = { gateway: { url, apiKey: "k" }, redis: undefined };
  return new Platform(address, {
    signal: new AbortController().signal,
    ...options,
  });
}
