/**
 * A platform at the address of a gateway stand-in.
 *
 * @module
 */
import { Platform, type PlatformOptions } from "../../lib/operate/platform.ts";
import type { ReadOptions } from "../../lib/operate/waiting.ts";

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

/** Reads waiting jobs without the records of posts. */
export const NO_REDIS: ReadOptions = {
  maxAgeS: 60,
  posts: () => Promise.resolve(undefined),
};
