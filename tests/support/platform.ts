/**
 * A platform at the address of a gateway stand-in.
 *
 * @module
 */
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
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

/** Calls on a platform that answers `GET` requests by their path. */
export async function onAnswers<T>(
  answers: Record<string, unknown>,
  use: (platform: Platform) => Promise<T>,
): Promise<T> {
  await using server = startGateway(({ path }) => {
    const answer = answers[path.replace("/api/v1", "")];
    return answer === undefined ? plain(501, "no") : Response.json(answer);
  });
  await using platform = platformAt(server.url);
  return await use(platform);
}
