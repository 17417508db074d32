/**
 * Speaks bytes to any server on loopback, for what a client library would hide.
 *
 * @module
 */
import { Buffer } from "node:buffer";

const WAIT_MS = 10_000;

/** A plain socket. */
export class RawSocket implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = Buffer.allocUnsafe(64 * 1024);
  #unread = "";
  #ended = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects to a port of 127.0.0.1. */
  static async open(port: number): Promise<RawSocket> {
    return new RawSocket(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /**
   * Writes a text, one byte a character, or bytes.
   *
   * @returns False if the other side has cut the connection.
   */
  async send(data: string | Uint8Array): Promise<boolean> {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#connection.write(bytes.subarray(at));
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Tells the server that nothing more comes, but goes on reading. */
  async finish(): Promise<void> {
    await this.#connection.closeWrite().catch(() => {});
  }

  /**
   * Reads up to and with `ending`, one character a byte.
   *
   * @throws {Error} If it does not come within 10 seconds.
   */
  async readUntil(ending: string): Promise<string> {
    const pieces: string[] = [];
    let text = this.#unread;
    for (let at = -1; at === -1;) {
      at = text.indexOf(ending);
      // What may be the start of the ending is looked at again, with more.
      const sure = at === -1
        ? Math.max(0, text.length - ending.length + 1)
        : at + ending.length;
      pieces.push(text.slice(0, sure));
      text = text.slice(sure);
      if (at === -1 && this.#ended) {
        const got = JSON.stringify((pieces.join("") + text).slice(-200));
        const expected = JSON.stringify(ending);
        throw new Error(
          `Cannot read: got ${got} at the end, expected ${expected}`,
        );
      }
      if (at === -1) text += await this.#read();
    }
    this.#unread = text;
    return pieces.join("");
  }

  /**
   * Reads until the server closes, one character a byte.
   *
   * @throws {Error} If it stays silent and open for 10 seconds.
   */
  async readToEnd(): Promise<string> {
    const pieces = [this.#unread];
    while (!this.#ended) pieces.push(await this.#read());
    this.#unread = "";
    return pieces.join("");
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.#connection.close();
  }

  async #read(): Promise<string> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new Error(`Cannot read: got nothing for ${WAIT_MS} ms`));
    }, WAIT_MS);
    // A reset ends the stream like a close: the tests ask only for the end.
    const reading = this.#connection.read(this.#buffer).catch(() => null);
    const length = await Promise.race([reading, late.promise])
      .finally(() => clearTimeout(timer));
    if (length === null) this.#ended = true;
    return this.#buffer.toString("latin1", 0, length ?? 0);
  }
}
