/**
 * Hosts as permissions and settings name them. Pure.
 *
 * @module
 */

/** Whether only this machine reaches a host, as a `URL` or an address names it. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(hostname);
}

/** `prometheus.example.com:443`: the host of an http or https URL with its port. */
export function hostWithPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === "https:" ? "443" : "80")}`;
}
