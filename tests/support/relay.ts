/**
 * A TCP relay in front of a server, which sees the traffic and can hold it.
 *
 * @module
 */

import { wait } from "../../lib/base/time.ts";

const HOSTNAME = "127.0.0.1";
const RELISTEN_MS = 20;
const never = new AbortController().signal;

/** Both ends of one relayed connection. */
export class Pair {
  readonly client: Reader;
  readonly server: Reader;
  #open = true;
  readonly #closed = Promise.withResolvers<void>();

  constructor(client: Deno.TcpConn, server: Deno.TcpConn) {
    this.client = new Reader(client);
    this.server = new Reader(server);
  }

  /** Resolves when both are cut. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Cuts both. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.client.close();
    this.server.close();
    this.#closed.resolve();
  }
}

/** Thrown by a read when nothing more can come. */
export class Ended extends Error {}

/** A socket that can be read by lines and by lengths. */
export class Reader {
  readonly #socket: Deno.TcpConn;
  #unread = new Uint8Array();

  constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
    try {
      socket.setNoDelay(true);
    } catch { // It is gone; a read will tell.
    }
  }

  /** Up to and with a line feed. @throws {Ended} */
  async line(): Promise<Uint8Array> {
    while (true) {
      const end = this.#unread.indexOf(10) + 1;
      if (end > 0) return this.#take(end);
      await this.#fill();
    }
  }

  /** So many bytes. @throws {Ended} */
  async bytes(length: number): Promise<Uint8Array> {
    while (this.#unread.length < length) await this.#fill();
    return this.#take(length);
  }

  /** Whatever there is. @throws {Ended} */
  async some(): Promise<Uint8Array> {
    if (this.#unread.length === 0) await this.#fill();
    return this.#take(this.#unread.length);
  }

  /** Writes it all. @throws {Ended} */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#socket.write(bytes.subarray(at));
      }
    } catch {
      throw new Ended();
    }
  }

  /** Cuts it. */
  close(): void {
    try {
      this.#socket.close();
    } catch { // It was closed before.
    }
  }

  #take(length: number): Uint8Array {
    const taken = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return taken;
  }

  async #fill(): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    const length = await this.#socket.read(buffer).catch(() => null);
    if (length === null) throw new Ended();
    this.#unread = join([this.#unread, buffer.subarray(0, length)]);
  }
}

/** Byte arrays as one. */
export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Passes everything on, both ways, until one side ends. */
async function passOn(pair: Pair): Promise<void> {
  const copy = async (from: Reader, to: Reader): Promise<never> => {
    try {
      while (true) await to.write(await from.some());
    } finally {
      pair.close();
    }
  };
  const { client, server } = pair;
  await Promise.allSettled([copy(client, server), copy(server, client)]);
}

/** Relays every connection to a server on loopback. */
export class Relay implements AsyncDisposable {
  readonly #upstreamPort: number;
  readonly #converse: (pair: Pair) => Promise<void>;
  /** By their port as the server sees it. */
  readonly #pairs = new Map<number, Pair>();
  readonly #conversations = new Set<Promise<void>>();
  #listener = Deno.listen({ hostname: HOSTNAME, port: 0 });
  #accepting = this.#accept();
  #down: Promise<void> | undefined;
  #disposed = false;
  readonly port: number = this.#listener.addr.port;

  /** @param converse Relays one connection until a read throws {@linkcode Ended}. */
  constructor(upstreamPort: number, converse = passOn) {
    this.#upstreamPort = upstreamPort;
    this.#converse = converse;
  }

  /** Cuts every connection and goes on listening. */
  cutAll(): void {
    for (const pair of this.#pairs.values()) pair.close();
  }

  /** Cuts the connection that reaches the server from this port. */
  cut(port: number): void {
    this.#pairs.get(port)?.close();
  }

  /** Resolves when that connection has ended. */
  async ended(port: number): Promise<void> {
    await this.#pairs.get(port)?.closed;
  }

  /** Cuts every connection and refuses new ones for a while. */
  goDown(ms: number): Promise<void> {
    return this.#down ??= this.#relisten(ms).finally(() =>
      this.#down = undefined
    );
  }

  async #relisten(ms: number): Promise<void> {
    this.#listener.close();
    this.cutAll();
    await this.#accepting;
    await wait(ms, never);
    while (!this.#disposed) {
      try {
        this.#listener = Deno.listen({ hostname: HOSTNAME, port: this.port });
        this.#accepting = this.#accept();
        return;
      } catch { // An outgoing connection may use the port for a while.
        await wait(RELISTEN_MS, never);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await this.#down;
    try {
      this.#listener.close();
    } catch { // It was down.
    }
    this.cutAll();
    await this.#accepting;
    await Promise.all(this.#conversations);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const conversation = this.#relay(client).finally(() =>
        this.#conversations.delete(conversation)
      );
      this.#conversations.add(conversation);
    }
  }

  async #relay(client: Deno.TcpConn): Promise<void> {
    let server;
    try {
      server = await Deno.connect({
        hostname: HOSTNAME,
        port: this.#upstreamPort,
      });
    } catch {
      return client.close(); // The server is away.
    }
    const pair = new Pair(client, server);
    if (this.#down !== undefined || this.#disposed) return pair.close();
    const { port } = server.localAddr;
    this.#pairs.set(port, pair);
    try {
      await this.#converse(pair);
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
    } finally {
      pair.close();
      this.#pairs.delete(port);
    }
  }
}
