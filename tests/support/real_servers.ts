/**
 * Starts the real `nats-server` and `redis-server` where they are installed.
 *
 * Run: nats-server, redis-server. Net: 127.0.0.1. Files: a folder for each
 * server, removed with it.
 *
 * @module
 */
import {
  type Call,
  type RealServer,
  startReal,
} from "../../scripts/launch/real_server.ts";

/**
 * Starts `nats-server` on a free loopback port.
 *
 * @param args Further arguments, as `["--auth", "token"]`.
 * @param folder Created for it instead of a temporary one.
 * @param more Files that it reads and variables.
 * @returns The server, accepting connections; undefined if not on the PATH.
 * @throws {Error} If it ends or stays silent instead; with what it printed.
 */
export function startRealNats(
  args: readonly string[] = [],
  folder?: string,
  more: Pick<Call, "files" | "env"> = {},
): Promise<RealServer | undefined> {
  return startReal("nats-server", (port) => ({
    ...more,
    url: `nats://127.0.0.1:${port}`,
    args: ["--addr", "127.0.0.1", "--port", `${port}`, ...args],
  }), folder);
}

/**
 * Starts `redis-server` on a free loopback port.
 *
 * @param args Further arguments, as `["--requirepass", "password"]`; with
 * `--tls-cert-file` among them it speaks TLS only.
 * @param folder Created for it, to keep what it acknowledges, even through a
 * SIGKILL. Without it nothing is kept on disk.
 * @param more Files that it reads.
 * @returns The server, accepting connections; undefined if not on the PATH.
 * @throws {Error} If it ends or stays silent instead; with what it printed.
 */
export function startRealRedis(
  args: readonly string[] = [],
  folder?: string,
  more: Pick<Call, "files"> = {},
): Promise<RealServer | undefined> {
  const keeps = folder === undefined
    ? ["--appendonly", "no"]
    : ["--appendonly", "yes", "--appendfsync", "always"];
  const tls = args.includes("--tls-cert-file");
  return startReal("redis-server", (port) => ({
    ...more,
    url: `${tls ? "rediss" : "redis"}://127.0.0.1:${port}`,
    args: [
      ...["--bind", "127.0.0.1", "--save", "", ...keeps],
      ...(tls ? ["--port", "0", "--tls-port"] : ["--port"]),
      `${port}`,
      ...args,
    ],
  }), folder);
}

/** Whether a server that these start is not installed; a test ignores itself then. */
export async function isMissing(
  ...starts: (() => Promise<RealServer | undefined>)[]
): Promise<boolean> {
  for (const start of starts) {
    await using server = await start();
    if (server === undefined) return true;
  }
  return false;
}
