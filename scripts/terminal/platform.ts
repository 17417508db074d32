/**
 * The platform that a command's environment names.
 *
 * @module
 */
import { optional } from "../../lib/base/json.ts";
import { Platform, readAddress } from "../../lib/operate/platform.ts";
import {
  GATEWAY_SETTINGS,
  STORE_SETTINGS,
} from "../../lib/platform/settings.ts";
import type { CommandContext } from "./command.ts";

/** What a command reads to find the platform, for its help. */
export const PLATFORM_VARIABLES: readonly (readonly [string, string])[] = [
  ["CORETEX_GATEWAY_URL", GATEWAY_SETTINGS.gatewayUrl.about],
  ["CORETEX_API_KEY", GATEWAY_SETTINGS.apiKey.about],
  [
    "REDIS_URL",
    `${STORE_SETTINGS.redisUrl.about}, to see the scheduler's workers (optional)`,
  ],
];

/** @throws {ConfigError} If the environment names no platform. */
export function openPlatform(
  { env, signal }: CommandContext,
  principal?: string,
): Platform {
  const options = { signal, ...optional("principal", principal) };
  return new Platform(readAddress(env), options);
}
