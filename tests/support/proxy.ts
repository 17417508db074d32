/**
 * Stands between a client and a server on loopback, and can cut them off.
 *
 * @module
 */
import { type Pair, type Reader, Relay } from "./relay.ts";

/** A line that can be cut. */
export interface Line extends AsyncDisposable {
  /** The server's URL through the line. */
  readonly url: string;
  /** Ends every connection, and refuses new ones. */
  cut(): void;
  /** Takes new connections again. */
  mend(): void;
  /**
   * Silences the open connections without ending them, as a machine without power
   * would. New connections work.
   */
  freeze(): void;
}

/** Opens a line to a server. @param url Of the server, on loopback. */
export function openLine(url: string): Line {
  const address = new URL(url);
  const over = Promise.withResolvers<void>();
  const frozen = new WeakSet<Pair>();
  const open = new Set<Pair>();
  let isCut = false;
  const relay = new Relay(Number(address.port), async (pair) => {
    if (isCut) return;
    const copy = async (from: Reader, to: Reader) => {
      try {
        while (true) {
          const bytes = await from.some();
          if (!frozen.has(pair)) await to.write(bytes);
        }
      } catch {
        // A frozen line does not even pass on that one side has ended.
        if (frozen.has(pair)) await over.promise;
      } finally {
        pair.close();
      }
    };
    open.add(pair);
    const { client, server } = pair;
    await Promise.all([copy(client, server), copy(server, client)]);
    open.delete(pair);
  });
  address.port = String(relay.port);
  return {
    url: address.href.replace(/\/$/, ""),
    cut() {
      isCut = true;
      relay.cutAll();
    },
    mend: () => void (isCut = false),
    freeze: () => open.forEach((pair) => frozen.add(pair)),
    async [Symbol.asyncDispose]() {
      over.resolve();
      await relay[Symbol.asyncDispose]();
    },
  };
}
