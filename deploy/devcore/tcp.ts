/**
 * What the embedded NATS and Redis servers share: a listener on loopback, and
 * connections that read on demand and queue what is sent.
 *
 * Bytes are text with one character per byte (latin1), so that any encoding
 * passes unchanged.
 * Net: one port of 127.0.0.1. No environment, files or processes.
 *
 * @module
 */
import { Buffer } from "node:buffer";

const HOSTNAME = "127.0.0.1";
const CONNECTIONS_MAX = 256; // Any more are closed without a word.
const LINGER_MS = 2_000; // For the client to read our last words.

/** A listener with its connections; disposing of it stops it. */
export interface TcpServer extends AsyncDisposable {
  readonly port: number;
  /** Counts the open connections. */
  connections(): number;
  /** Cuts off every client without a word, and goes on listening. */
  disconnectAll(): void;
  /** Cuts off every client and frees the port. */
  stop(): Promise<void>;
}

/** Ends a conversation; its message is sent as the last words. */
export class Hangup extends Error {}

/**
 * Listens on 127.0.0.1.
 *
 * @param port 0 for a free one.
 * @param converse Serves one connection until it throws {@linkcode Hangup}, as
 * every read does when the client has left.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
export function listenTcp(
  port: number,
  converse: (connection: Connection) => Promise<never>,
): TcpServer {
  const listener = Deno.listen({ hostname: HOSTNAME, port });
  const conversations = new Map<Connection, Promise<void>>();
  const accepting = accept();
  let stopped = false;

  async function accept(): Promise<void> {
    for await (const socket of listener) {
      const connection = new Connection(socket);
      if (conversations.size >= CONNECTIONS_MAX) connection.close();
      const conversation = attend(connection)
        .finally(() => conversations.delete(connection));
      conversations.set(connection, conversation);
    }
  }

  async function attend(connection: Connection): Promise<void> {
    try {
      await converse(connection);
    } catch (error) {
      if (!(error instanceof Hangup)) throw error; // A bug of ours.
      await connection.end(error.message);
    }
  }

  function disconnectAll(): void {
    for (const connection of conversations.keys()) connection.close();
  }

  async function stop(): Promise<void> {
    if (!stopped) listener.close();
    stopped = true;
    await accepting;
    disconnectAll();
    await Promise.all(conversations.values());
  }

  return {
    port: listener.addr.port,
    connections: () => conversations.size,
    disconnectAll,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** One client's socket, its unread input and its unsent output. */
export class Connection {
  readonly #socket: Deno.TcpConn;
  readonly #buffer = Buffer.alloc(64 * 1024);
  #unread = "";
  #unsent = "";
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
    try {
      socket.setNoDelay(true); // Else a reply may wait 40 ms for the last.
    } catch { // It has gone, which the next read will tell on every system.
    }
  }

  /** Does not count the block that is being written. */
  get unsentBytes(): number {
    return this.#unsent.length;
  }

  /** Reads through a line feed, or `bytesMax` without one. @throws {Hangup} */
  async readLine(bytesMax: number): Promise<string> {
    let end = this.#unread.indexOf("\n") + 1;
    while (end === 0 && this.#unread.length < bytesMax) {
      await this.#fill();
      end = this.#unread.indexOf("\n") + 1;
    }
    return await this.read(Math.min(end || bytesMax, bytesMax));
  }

  /** Reads exactly so many bytes. @throws {Hangup} */
  async read(length: number): Promise<string> {
    while (this.#unread.length < length) await this.#fill();
    const taken = this.#unread.slice(0, length);
    this.#unread = this.#unread.slice(length);
    return taken;
  }

  /** Queues output; resolves once it is written or lost with the socket. */
  async send(text: string): Promise<void> {
    if (this.#closed) return;
    this.#unsent += text;
    await (this.#writing ??= this.#write());
  }

  /** Sends what is queued and the last words, waits for the client, closes. */
  async end(lastWords: string): Promise<void> {
    const timer = setTimeout(() => this.close(), LINGER_MS);
    const ending = this.send(lastWords)
      .then(() => this.#socket.closeWrite()).catch(() => this.close());
    // Closing a socket with unread bytes resets it and may lose the words.
    while (await this.#receive() !== null);
    await ending;
    clearTimeout(timer);
    this.close();
  }

  close(): void {
    if (!this.#closed) this.#socket.close();
    this.#closed = true;
  }

  async #write(): Promise<void> {
    await Promise.resolve(); // Gathers what is sent in one go.
    try {
      while (this.#unsent !== "") {
        const block = Buffer.from(this.#unsent, "latin1");
        this.#unsent = "";
        for (let at = 0; at < block.length;) {
          at += await this.#socket.write(block.subarray(at));
        }
      }
    } catch { // The client or we have closed the socket.
      this.close();
    }
    this.#writing = undefined;
  }

  async #fill(): Promise<void> {
    const length = await this.#receive();
    if (length === null) throw new Hangup();
    this.#unread += this.#buffer.toString("latin1", 0, length);
  }

  /** Takes a reset, like our own close(), for an ordinary end. */
  #receive(): Promise<number | null> {
    return this.#socket.read(this.#buffer).catch(() => null);
  }
}
