/**
 * Reaching the servers that an operator names: what cannot be reached, and by
 * which variable it is named.
 *
 * @module
 */
import type { Setting } from "../base/config.ts";
import { deadline } from "../base/deadline.ts";
import { messageOf } from "../base/errors.ts";
import { createLog, type Log } from "../base/log.ts";
import { type Bus, connectBus } from "../platform/bus.ts";
import type { BusEndpoint, Endpoint } from "../platform/endpoint.ts";
import { GatewayError } from "../platform/gateway_error.ts";
import {
  BUS_SETTINGS,
  GATEWAY_SETTINGS,
  STORE_SETTINGS,
} from "../platform/settings.ts";
import { connectStore, type Store, StoreError } from "../platform/store.ts";
import { PACK_ID } from "../schemas.ts";
import { OperationError } from "./errors.ts";

/** A person is waiting for the answer. */
export const REACH_MS = 10_000;

const NAME = `${PACK_ID}-scripts`;
/** The clients' own words for a server that says nothing. */
const SILENT = /^(?:TIMEOUT|Connection is closed\.|Command timed out)$/;

/** Connects to Redis without logging. @throws {StoreError} After `ms`. */
export async function openStore(
  redis: Endpoint,
  ms: number,
  parent: AbortSignal,
): Promise<Store> {
  using end = deadline(ms, parent);
  const { signal } = end;
  try {
    return await connectStore({ ...redis, name: NAME, log: silent(), signal });
  } catch (error) {
    parent.throwIfAborted();
    if (!(error instanceof StoreError)) throw error;
    const why = error.message.replace(/^Redis is unavailable: /, "")
      .replace(SILENT, "no answer");
    throw new StoreError(
      error.kind,
      unreachable("Redis", redis, {
        ms,
        why,
        setting: STORE_SETTINGS.redisUrl,
      }),
      error,
    );
  }
}

/** Fails unless NATS takes a connection. @throws {OperationError} After `ms`. */
export async function checkBus(
  nats: BusEndpoint,
  ms: number,
  parent: AbortSignal,
): Promise<void> {
  using end = deadline(ms, parent);
  const { signal } = end;
  let bus: Bus;
  try {
    bus = await connectBus({ ...nats, name: NAME, log: silent(), signal });
  } catch (error) {
    parent.throwIfAborted();
    const why = messageOf(error).replace(SILENT, "no answer");
    throw new OperationError(
      unreachable("NATS", nats, { ms, why, setting: BUS_SETTINGS.natsUrl }),
    );
  }
  await bus.close();
}

/** A call's failure, with the variable to look at. */
export function withVariable(error: unknown, address: string): unknown {
  if (!(error instanceof GatewayError)) return error;
  const { message, status, refusesKey, foreign } = error;
  const { gatewayUrl, apiKey } = GATEWAY_SETTINGS;
  if (status === 0) {
    return error.reworded(
      `${message}; check ${variable(gatewayUrl)}, which names ${address}`,
    );
  }
  if (refusesKey) {
    return error.reworded(`${message}; check ${variable(apiKey)}`);
  }
  if (!foreign) return error;
  return error.reworded(
    `${message}, not from a gateway; check ${
      variable(gatewayUrl)
    }, which names ${address}`,
  );
}

function unreachable(
  server: string,
  { url }: Endpoint,
  { ms, why, setting }: {
    ms: number;
    why: string;
    setting: Setting<unknown>;
  },
): string {
  const { host } = new URL(url);
  return `Cannot connect to ${server} at ${host} within ${
    ms / 1000
  } s (${why}); check ${variable(setting)}`;
}

function variable({ names }: Setting<unknown>): string {
  return names.join(" or ");
}

function silent(): Log {
  return createLog({}, { write() {} });
}
