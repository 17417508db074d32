/**
 * What the set-up of most collectors shares.
 *
 * @module
 */
import { fileContent, optional, secret, type Setting } from "../base/config.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import { GapError, type HttpConnection, type Reach } from "./collector.ts";

/** `<PREFIX>_TOKEN`, a bearer token, and `<PREFIX>_TLS_CA`. */
export function authority<K extends string>(
  key: K,
  prefix: string,
  title: string,
): { [P in `${K}Token` | `${K}Ca`]: Setting<string | undefined> } {
  return {
    [`${key}Token`]: optional(secret(`${prefix}_TOKEN`, {
      about: `bearer token for ${title}`,
    })),
    [`${key}Ca`]: optional(fileContent(`${prefix}_TLS_CA`, {
      about: `PEM file with the CA certificates to trust for ${title}`,
    })),
  } as { [P in `${K}Token` | `${K}Ca`]: Setting<string | undefined> };
}

/** The part of a connection that such settings determine. */
export function bearer(
  token: string | undefined,
  ca: string | undefined,
): Pick<HttpConnection, "headers" | "ca"> {
  return {
    headers: () =>
      token === undefined
        ? {} as Record<string, string>
        : { Authorization: `Bearer ${token}` },
    ca,
  };
}

/** The host of a URL as permissions name it; none without a URL. */
export function hostOf(url: string | undefined, why: string): Reach[] {
  if (url === undefined) return [];
  const { hostname, port, protocol } = new URL(url);
  const usual = protocol === "https:" ? "443" : "80";
  return [{ host: `${hostname}:${port || usual}`, why }];
}

/**
 * The objects of a list in an answer.
 *
 * @throws {GapError} If it is no list.
 */
export function listOf(value: unknown, what: string): JsonObject[] {
  if (Array.isArray(value)) return value.filter(isObject);
  throw new GapError("broken", `the answer holds no list of ${what}`);
}
