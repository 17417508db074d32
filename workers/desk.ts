/**
 * Desk: pages on which people read what will be posted, and approve or reject it.
 *
 * Serves HTML to people and takes no jobs. Approves at the gateway, signs if it
 * has a key. Reads posting records, destinations and the workers' snapshot from
 * Redis; writes only notices, decisions and signatures there. Net: its address,
 * gateway, Redis. Env: `SETTINGS`. No NATS, no files, no processes.
 *
 * @module
 */
import { address, type Config } from "../lib/base/config.ts";
import { linkSignal } from "../lib/base/deadline.ts";
import { errorFields, type Log } from "../lib/base/log.ts";
import {
  type HttpOptions,
  type HttpService,
  serveHttp,
  type ServerSettings,
  serverSettings,
} from "../lib/base/service.ts";
import { openDesk } from "../lib/desk/desk.ts";
import { DESK_SETTINGS, type DeskSettings } from "../lib/desk/settings.ts";
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
): HttpService {
  const stop = linkSignal();
  const address = {
    gateway: gatewayEndpoint(config),
    redis: storeEndpoint(config),
  };
  const operator = openOperator(address, config, stop);
  const desk = openDesk(config, operator, log);
  const readiness = new Readiness({ gateway: operator.platform.gateway });
  desk.start();
  return {
    handle: desk.handle,
    report: async () => ({
      ...await readiness.report(),
      counts: desk.counts(),
    }),
    [Symbol.dispose]() {
      stop.abort(new DOMException("The desk stops", "AbortError"));
      Promise.resolve(desk[Symbol.asyncDispose]())
        .then(() => operator[Symbol.asyncDispose]())
        .catch((error) => log.warn("Cannot disconnect", errorFields(error)));
    },
  };
}

/** The worker. */
export const DESK: HttpOptions<typeof SETTINGS> = {
  name: "incident-enricher-desk",
  settings: SETTINGS,
  open: openService,
};

if (import.meta.main) await serveHttp(DESK);
