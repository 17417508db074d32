/**
 * The desk's own settings, beside those that reach the platform.
 *
 * @module
 */
import { isLoopback } from "../base/address.ts";
import {
  type Address,
  type Config,
  optional,
  secret,
  type Setting,
  text,
} from "../base/config.ts";
import { ConfigError } from "../base/errors.ts";
import { NOTICE_SETTINGS } from "../operate/notices/settings.ts";
import { OPERATOR_SETTINGS } from "../operate/operator.ts";

/** Where people reach the desk, as an origin. */
const DESK_URL: Setting<string | undefined> = optional(Object.freeze({
  ...text("DESK_URL", {
    about: "where people reach the desk, such as https://desk.example.com",
  }),
  parse: readOrigin,
}));

/** Who may use the desk, how its links begin, what it signs with, and whom it tells. */
export const DESK_SETTINGS = {
  deskUrl: DESK_URL,
  userHeader: optional(text("DESK_USER_HEADER", {
    about: "header in which a proxy names the person; without it the desk asks",
    pattern: /^[A-Za-z][A-Za-z0-9-]{0,99}$/,
    expected: "the name of a header",
  })),
  proxySecret: optional(secret("DESK_PROXY_SECRET", {
    about: "what that proxy proves itself with, 16 characters or more",
  })),
  ...OPERATOR_SETTINGS,
  ...NOTICE_SETTINGS,
};

/** The settings of {@linkcode DESK_SETTINGS}. */
export type DeskSettings = typeof DESK_SETTINGS;

/** How often the platform is asked. Tests bring their own. */
export interface WatcherPace {
  /** Between two looks at what waits. */
  lookMs?: number;
  /** How many jobs are read in a second. */
  readsASecond?: number;
}

const SECRET_CHARS_MIN = 16;

/**
 * Refuses a desk that anybody on the network could use.
 *
 * @throws {ConfigError} Says which variable to set.
 */
export function checkExposure(
  { address, deskUrl, userHeader, proxySecret }:
    & Config<DeskSettings>
    & { readonly address: Address },
): void {
  if ((userHeader === undefined) !== (proxySecret === undefined)) {
    throw new ConfigError(
      "DESK_USER_HEADER and DESK_PROXY_SECRET must be set together",
    );
  }
  if (proxySecret !== undefined && proxySecret.length < SECRET_CHARS_MIN) {
    throw new ConfigError(
      `DESK_PROXY_SECRET must have at least ${SECRET_CHARS_MIN} characters`,
    );
  }
  if (userHeader !== undefined && deskUrl === undefined) {
    throw new ConfigError(
      "DESK_URL is required with DESK_USER_HEADER: it says which host the proxy serves",
    );
  }
  if (userHeader !== undefined) return;
  if (deskUrl !== undefined && !isLoopback(new URL(deskUrl).hostname)) {
    throw new ConfigError(
      "DESK_URL must name this machine, unless DESK_USER_HEADER and DESK_PROXY_SECRET name a proxy that signs people in",
    );
  }
  if (!isLoopback(address.hostname)) {
    throw new ConfigError(
      "DESK_ADDR must be a loopback address, unless DESK_USER_HEADER and DESK_PROXY_SECRET name a proxy that signs people in",
    );
  }
}

/** @throws {RangeError} */
function readOrigin(text: string): string {
  const url = URL.parse(text);
  const isOrigin = url !== null && url.href === `${url.origin}/` &&
    (url.protocol === "https:" ||
      url.protocol === "http:" && isLoopback(url.hostname));
  if (isOrigin) return url.origin;
  // Over plain http, browsers do not say which site a form came from.
  throw new RangeError(
    "an https origin such as https://desk.example.com; http only for this machine",
  );
}
