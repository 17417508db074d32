/**
 * Hosts as permissions name them: `host:port`, IPv6 in brackets.
 *
 * @module
 */
import type { Address } from "../../lib/base/config.ts";

const USUAL_PORTS: Readonly<Record<string, string>> = {
  "http:": "80",
  "https:": "443",
  "nats:": "4222",
  "tls:": "4222",
  "redis:": "6379",
  "rediss:": "6379",
};

/** One host with its port: no comma, blank or `*`, no missing port. */
const HOST_PATTERN = /^(?:\[[0-9a-f:.]+\]|[\w.-]+):\d+$/i;

/** Whether a permission for this text grants one host, and no other. */
export function isHost(text: string): boolean {
  return HOST_PATTERN.test(text);
}

/**
 * The host of a URL, or of an address to listen on. What {@linkcode isHost} does
 * not accept must not become a permission.
 */
export function hostOf(target: string | Address): string {
  if (typeof target === "string") {
    const { hostname, port, protocol } = new URL(target);
    return `${hostname}:${port || (USUAL_PORTS[protocol] ?? "")}`;
  }
  const { hostname, port } = target;
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** A host without its port: `[::1]` keeps its brackets. */
export function hostnameOf(host: string): string {
  return host.slice(0, host.lastIndexOf(":"));
}

/** A host's port. */
export function portOf(host: string): string {
  return host.slice(host.lastIndexOf(":") + 1);
}

/** Whether a host name is an IP address. */
export function isAddress(hostname: string): boolean {
  return /^[\d.]+$|^\[/.test(hostname);
}
