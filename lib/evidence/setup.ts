/**
 * What the set-up of most collectors shares.
 *
 * @module
 */
import { hostWithPort } from "../base/address.ts";
import {
  fileContent,
  optional,
  secret,
  type Setting,
  text,
} from "../base/config.ts";
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

type AccountKey = "Username" | "Password" | "Tenant";

/** `<PREFIX>_USERNAME`, `<PREFIX>_PASSWORD` and `<PREFIX>_TENANT`. */
export function account<K extends string>(
  key: K,
  prefix: string,
  { title, systems }: { title: string; systems: string },
): { [P in `${K}${AccountKey}`]: Setting<string | undefined> } {
  return {
    [`${key}Username`]: optional(text(`${prefix}_USERNAME`, {
      about: `user for ${title}, instead of a token`,
    })),
    [`${key}Password`]: optional(secret(`${prefix}_PASSWORD`, {
      about: "password of that user",
    })),
    [`${key}Tenant`]: optional(text(`${prefix}_TENANT`, {
      about: `X-Scope-OrgID for ${systems}`,
      pattern: /^[\w!.*'()|-]{1,150}$/,
      expected: "a tenant's id",
    })),
  } as { [P in `${K}${AccountKey}`]: Setting<string | undefined> };
}

/** The part of a connection that such settings determine; a user comes before a token. */
export function access(
  { ca, token, username, password = "", tenant }: {
    [K in "ca" | "token" | "username" | "password" | "tenant"]?:
      | string
      | undefined;
  },
): Pick<HttpConnection, "headers" | "ca"> {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  const authorization = username !== undefined
    ? `Basic ${bytes.toBase64()}`
    : token === undefined
    ? undefined
    : `Bearer ${token}`;
  return {
    headers: () => ({
      ...authorization === undefined ? {} : { Authorization: authorization },
      ...tenant === undefined ? {} : { "X-Scope-OrgID": tenant },
    }),
    ca,
  };
}

/** The host of a URL as permissions name it; none without a URL. */
export function hostOf(url: string | undefined, why: string): Reach[] {
  if (url === undefined) return [];
  return [{ host: hostWithPort(new URL(url)), why }];
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
