/**
 * The versions of Deno that this project supports.
 *
 * @module
 */
import { ConfigError } from "./errors.ts";

/** The oldest supported version, as major and minor number. */
export const DENO_MIN = "2.9";

/**
 * Refuses an old version of Deno before it fails in some obscure way.
 *
 * @throws {ConfigError} Says which version is needed and how to get it.
 */
export function checkRuntime(version: string = Deno.version.deno): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [majorMin = 0, minorMin = 0] = DENO_MIN.split(".").map(Number);
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  throw new ConfigError(
    `Deno ${version} is too old, ${DENO_MIN} or newer is needed: run "deno upgrade", or use "npx -y deno"`,
  );
}
