/**
 * Desk: pages on which people read what will be posted, and approve or reject it.
 *
 * Serves HTML to people and takes no jobs. Approves at the gateway, signs if it
 * has a key. Reads posting records, destinations and the workers' snapshot from
 * Redis; writes only notices, decisions and signatures there. Net: its address,
 * gateway, Redis, the notices' hosts. Env: `SETTINGS`. No NATS, files or processes.
 *
 * @module
 */
import { address, type Config } from "../lib/base/config.ts";
import { linkSignal } from "../lib/base/deadline.ts";
import type { Log } from "../lib/base/log.ts";
import {
  type HttpOptions,
  type HttpService,
  serveHttp,
  type ServerSettings,
  serverSettings,
} from "../lib/base/service.ts";
import { openDesk } from "../lib/desk/desk.ts";
import {
  DESK_SETTINGS,
  type DeskSettings,
  type WatcherPace,
} from "../lib/desk/settings.ts";
import { openOperator } from "../lib/operate/operator.ts";
import { Readiness } from "../lib/platform/readiness.ts";
import {
  GATEWAY_SETTINGS,
  gatewayEndpoint,
  type GatewaySettings,
  STORE_SETTINGS,
  storeEndpoint,
  type StoreSettings,
} from "../lib/platform/settings.ts";

/** Everything that this worker reads from its environment. */
export const SETTINGS:
  & GatewaySettings
  & StoreSettings
  & DeskSettings
  & ServerSettings = {
    ...serverSettings(
      "desk",
      address("DESK_ADDR", {
        about: "host:port to listen on for people",
        fallback: "127.0.0.1:8090",
      }),
    ),
    ...GATEWAY_SETTINGS,
    ...STORE_SETTINGS,
    ...DESK_SETTINGS,
  };

/** Opens the service that people's browsers talk to. */
export function openService(
  config: Config<typeof SETTINGS>,
  log: Log,
  pace: WatcherPace = {},
): HttpService {
  const stop = linkSignal();
  const address = {
    gateway: gatewayEndpoint(config),
    redis: storeEndpoint(config),
  };
  const operator = openOperator(address, config, stop);
  const desk = openDesk(config, operator, log, pace);
  const readiness = new Readiness({ gateway: operator.platform.gateway });
  desk.start();
  return {
    handle: desk.handle,
    async report() {
      const { problems, warnings } = await readiness.report();
      const all = [...warnings, ...desk.warnings()];
      return { problems, warnings: all, counts: desk.counts() };
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new DOMException("The desk stops", "AbortError"));
      // Settles the notice on its way, 10 s at most.
      await desk[Symbol.asyncDispose]();
      await operator[Symbol.asyncDispose]();
    },
  };
}

/** The worker. */
export const DESK: HttpOptions<typeof SETTINGS> = {
  name: "incident-enricher-desk",
  settings: SETTINGS,
  open: (config, log) => openService(config, log),
};

if (import.meta.main) await serveHttp(DESK);
