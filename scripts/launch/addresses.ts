/**
 * Whom a worker calls and where it listens, told apart.
 *
 * @module
 */
import { type Address, readConfig } from "../../lib/base/config.ts";
import {
  type HostGrant,
  WORKER_SETTINGS,
  type WorkerName,
} from "./permissions.ts";

/** A worker's environment, by variable. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Grants to listen, and grants to connect. */
export interface Net {
  listens: HostGrant[];
  peers: HostGrant[];
}

/** Tells the addresses that a worker listens on from those that it calls. */
export function splitNet(
  worker: WorkerName,
  net: readonly HostGrant[],
  env: Environment,
): Net {
  const { address, healthAddress } = readAddresses(worker, env);
  const own = [address, healthAddress].filter((one) => one !== undefined).map((
    { hostname, port },
  ) => `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`);
  return {
    listens: net.filter(({ host }) => own.includes(host)),
    peers: net.filter(({ host }) => !own.includes(host)),
  };
}

/** The addresses that a worker listens on. */
export function readAddresses(
  worker: WorkerName,
  env: Environment,
): { readonly address?: Address; readonly healthAddress?: Address } {
  const { address, healthAddress } = WORKER_SETTINGS[worker];
  const settings = {
    ...(address && { address }),
    ...(healthAddress && { healthAddress }),
  };
  return readConfig(settings, (name) => env[name]);
}

/** A grant without its port: `[::1]` keeps its brackets. */
export function hostnameOf(host: string): string {
  return host.slice(0, host.lastIndexOf(":"));
}

/** A grant's port. */
export function portOf(host: string): string {
  return host.slice(host.lastIndexOf(":") + 1);
}

/** Whether it is an address and no name. */
export function isAddress(hostname: string): boolean {
  return /^[\d.]+$|^\[/.test(hostname);
}
