/**
 * Which connections a server keeps when there are too many.
 *
 * @module
 */
import type { Socket } from "node:net";

/** The open connections of one server. */
export class Connections {
  readonly #max: number;
  readonly #perAddressMax: number;
  readonly #open = new Map<Socket, string>();
  readonly #perAddress = new Map<string, number>();
  /** Those without a request in hand, the longest idle one first. */
  readonly #idle = new Set<Socket>();

  /** Bounds all connections, and those of one address; 0 for any number. */
  constructor(max: number, perAddressMax: number) {
    this.#max = max;
    this.#perAddressMax = perAddressMax === 0 ? Infinity : perAddressMax;
  }

  /**
   * Takes a new connection. If there are too many, the one that has been idle
   * for longest is closed, or the new one if none is idle.
   */
  add(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    const same = this.#perAddress.get(address) ?? 0;
    if (same >= this.#perAddressMax) {
      if (!this.#drop((one) => this.#open.get(one) === address)) {
        return void socket.destroy();
      }
    } else if (this.#open.size >= this.#max && !this.#drop(() => true)) {
      return void socket.destroy();
    }
    this.#open.set(socket, address);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    this.#idle.add(socket);
    socket.once("close", () => this.#forget(socket));
  }

  /** A request has come on a connection. */
  busy(socket: Socket): void {
    this.#idle.delete(socket);
  }

  /** All requests of a connection are answered. */
  rest(socket: Socket): void {
    if (!this.#open.has(socket)) return;
    this.#idle.delete(socket);
    this.#idle.add(socket);
  }

  #drop(fits: (socket: Socket) => boolean): boolean {
    const oldest = this.#idle.values().find(fits);
    if (oldest === undefined) return false;
    this.#forget(oldest);
    oldest.destroy();
    return true;
  }

  #forget(socket: Socket): void {
    const address = this.#open.get(socket);
    if (address === undefined) return;
    this.#open.delete(socket);
    this.#idle.delete(socket);
    const left = this.#perAddress.get(address)! - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}
