/**
 * NATS and Redis that can be restarted on the same port: the real ones where
 * they are installed, else the stand-ins.
 *
 * Run: nats-server, redis-server. Net: 127.0.0.1. Files: a folder for what
 * Redis keeps, removed with it.
 *
 * @module
 */
import { startNatsServer } from "../../../deploy/devcore/nats_server.ts";
import { startRedisServer } from "../../../deploy/devcore/redis_server.ts";

/** A server of which a trial can take away connections and data. */
export interface Server extends AsyncDisposable {
  readonly kind: "real" | "embedded";
  readonly port: number;
  /** Ends it as a crash would and starts it again. */
  restart(): Promise<void>;
  /** The same, and what it held is gone. */
  restartEmpty(): Promise<void>;
}

/** Which servers to use; `real` where there is one. */
export type Preference = "real" | "embedded";

const START_MS = 10_000;
const POLL_MS = 5;
const PORTS_TRIED_MAX = 3; // Another process may take a free port before us.

/** Starts NATS. */
export async function startNats(preference: Preference): Promise<Server> {
  const real = preference === "real"
    ? await RealServer.start("nats-server", (port) => [
      "--addr=127.0.0.1",
      `--port=${port}`,
    ])
    : undefined;
  if (real !== undefined) return real;
  let server = await startNatsServer();
  const { port } = server;
  const restart = async () => {
    await server.stop();
    server = await startNatsServer({ port });
  };
  return {
    kind: "embedded",
    port,
    restart,
    restartEmpty: restart,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** Starts Redis. @param folder Of its own, for what it keeps. */
export async function startRedis(
  preference: Preference,
  folder: string,
): Promise<Server> {
  const real = preference === "real"
    ? await RealServer.start("redis-server", (port) => [
      "--bind",
      "127.0.0.1",
      "--port",
      `${port}`,
      "--dir",
      folder,
      "--save",
      "",
      // What it has acknowledged has to survive a SIGKILL.
      ...["--appendonly", "yes", "--appendfsync", "always"],
    ], folder)
    : undefined;
  if (real !== undefined) return real;
  const server = await startRedisServer();
  return {
    kind: "embedded",
    port: server.port,
    // deno-lint-ignore require-await -- As the real one, which takes a while.
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

/** A server of another program. */
class RealServer implements Server {
  readonly kind = "real";
  readonly port: number;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #folder: string | undefined;
  #child!: Deno.ChildProcess;

  private constructor(
    command: string,
    args: readonly string[],
    { port, folder }: { port: number; folder: string | undefined },
  ) {
    this.#command = command;
    this.#args = args;
    this.port = port;
    this.#folder = folder;
  }

  /** `undefined` if there is no such program. */
  static async start(
    command: string,
    args: (port: number) => string[],
    folder?: string,
  ): Promise<RealServer | undefined> {
    for (let left = PORTS_TRIED_MAX;; left--) {
      const port = freePort();
      const server = new RealServer(command, args(port), { port, folder });
      try {
        await server.#begin();
        return server;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        await server.#end();
        if (left === 1) throw error;
      }
    }
  }

  async restart(): Promise<void> {
    await this.#end();
    await this.#begin();
  }

  async restartEmpty(): Promise<void> {
    await this.#end();
    await this.#empty();
    await this.#begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await this.#empty();
  }

  async #begin(): Promise<void> {
    if (this.#folder !== undefined) {
      await Deno.mkdir(this.#folder, { recursive: true });
    }
    const child = new Deno.Command(this.#command, {
      args: [...this.#args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#child = child;
    let ended = false;
    child.status.then(() => ended = true);
    const deadline = performance.now() + START_MS;
    while (!ended && performance.now() < deadline) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.port }))
          .close();
        if (!ended) return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
    throw new Error(`Cannot start ${this.#command} on port ${this.port}`);
  }

  async #end(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { // It has ended by itself.
    }
    await this.#child.status;
  }

  async #empty(): Promise<void> {
    if (this.#folder === undefined) return;
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
