/**
 * NATS and Redis that can be restarted on the same port: the real servers where
 * they are installed, otherwise the stand-ins.
 *
 * @module
 */
import { startNatsServer } from "../../../../deploy/devcore/nats_server.ts";
import { startRedisServer } from "../../../../deploy/devcore/redis_server.ts";
import type { RealServer } from "../../../../scripts/launch/real_server.ts";
import {
  startRealNats,
  startRealRedis,
} from "../../../support/real_servers.ts";

/** A server whose connections and data a trial can take away. */
export interface Server extends Omit<RealServer, "output"> {
  readonly kind: "real" | "embedded";
}

/** `real` falls back to `embedded` where no server is installed. */
export type Preference = Server["kind"];

export async function startNats(
  preference: Preference,
  folder: string,
): Promise<Server> {
  const real = preference === "real"
    ? await startRealNats([], folder)
    : undefined;
  if (real !== undefined) return Object.assign(real, { kind: "real" as const });
  let server = await startNatsServer();
  const { port, url } = server;
  const restart = async () => {
    await server.stop();
    server = await startNatsServer({ port });
  };
  return {
    kind: "embedded",
    port,
    url,
    restart,
    restartEmpty: restart,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** @param folder For what it keeps on disk. */
export async function startRedis(
  preference: Preference,
  folder: string,
): Promise<Server> {
  const real = preference === "real"
    ? await startRealRedis([], folder)
    : undefined;
  if (real !== undefined) return Object.assign(real, { kind: "real" as const });
  const server = await startRedisServer();
  const { port, url } = server;
  return {
    kind: "embedded",
    port,
    url,
    // deno-lint-ignore require-await -- The real one takes a while.
    async restart() {
      server.disconnectAll();
    },
    // deno-lint-ignore require-await
    async restartEmpty() {
      server.flushAll();
      server.disconnectAll();
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
