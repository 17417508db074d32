/**
 * Where a server is, as whom to connect to it and how it is encrypted.
 *
 * @module
 */

/** How a connection is encrypted; PEM texts. */
export interface Tls {
  /** Whose signature counts, instead of the authorities that all know. */
  ca?: string;
  /** The client's certificate. */
  cert?: string;
  /** Its key. */
  key?: string;
  /** The name that the server's certificate must bear, if not the host's. */
  servername?: string;
}

/** A server. */
export interface Endpoint {
  /** Perhaps with user and password, which then win. */
  url: string;
  /** Of the server. */
  username?: string;
  /** Of the server. */
  password?: string;
  /** Present, even if empty, for an encrypted connection and no other. */
  tls?: Tls;
}

/** A NATS server. */
export interface BusEndpoint extends Endpoint {
  /** Instead of user and password. */
  token?: string;
}

/** Whether a URL's scheme asks for TLS. */
export function isEncrypted(url: string): boolean {
  return ["tls:", "rediss:", "https:"].includes(new URL(url).protocol);
}

/** Takes an endpoint apart as the client libraries want it; empty for unset. */
export function splitEndpoint(
  { url, username = "", password = "", tls }: Endpoint,
): { url: URL; username: string; password: string; tls: Tls | undefined } {
  const address = new URL(url);
  const split = {
    username: decode(address.username) || username,
    password: decode(address.password) || password,
    tls: tls ?? (isEncrypted(url) ? {} : undefined),
  };
  address.username = address.password = "";
  return { url: address, ...split };
}

/** A per cent sign that begins no escape stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
