/**
 * Fixes how the NATS client handles its sockets.
 *
 * When the client is done with a socket, it removes every listener. If the
 * server then resets the connection, as it does after refusing credentials, the
 * error has no listener and ends the process. The fix keeps one listener on
 * each socket. Seen with nats 2.29.3 on Deno 2.9.6.
 *
 * @module
 */
import type { Socket } from "node:net";
import { NodeTransport } from "nats/lib/src/node_transport.js";

type Open = (...args: unknown[]) => Promise<Socket>;

const transport = NodeTransport.prototype as unknown as Record<
  "dial" | "startTLS",
  Open
>;

let mended = false;

export function mendSockets(): void {
  if (mended) return;
  mended = true;
  for (const method of ["dial", "startTLS"] as const) {
    const open = transport[method];
    transport[method] = async function (...args) {
      return keepListening(await open.apply(this, args));
    };
  }
}

function keepListening(socket: Socket): Socket {
  const remove = socket.removeAllListeners;
  socket.removeAllListeners = (...events) => {
    remove.apply(socket, events); // Given `undefined` it removes nothing.
    return socket.on("error", () => {});
  };
  return socket.on("error", () => {});
}
