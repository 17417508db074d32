/**
 * Stands between a client and a server on loopback, and cuts them off.
 *
 * @module
 */

/** A line that can be cut. */
export interface Line extends AsyncDisposable {
  /** The server's URL, by way of the line. */
  readonly url: string;
  /** Ends every connection, and refuses new ones. */
  cut(): void;
  /** Takes new connections again. */
  mend(): void;
  /**
   * Goes silent on the connections that there are, without ending them, as a
   * machine that lost its power does. New ones work.
   */
  freeze(): void;
}

/** Opens a line to a server. @param url Of the server, on loopback. */
export function openLine(url: string): Line {
  const address = new URL(url);
  const serverPort = Number(address.port);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<{ frozen: boolean; ends: Deno.Conn[] }>();
  let isCut = false;
  const serve = async () => {
    for await (const client of listener) {
      if (isCut) client.close();
      else join(client);
    }
  };
  const join = async (client: Deno.Conn) => {
    const server = await Deno.connect({
      hostname: "127.0.0.1",
      port: serverPort,
    });
    const pair = { frozen: false, ends: [client, server] };
    open.add(pair);
    await Promise.allSettled([
      copy(client, server, pair),
      copy(server, client, pair),
    ]);
    open.delete(pair);
  };
  const serving = serve();
  const end = () => {
    for (const { ends } of open) ends.forEach(close);
  };
  const { port } = listener.addr as Deno.NetAddr;
  address.port = String(port);
  return {
    url: address.href.replace(/\/$/, ""),
    cut() {
      isCut = true;
      end();
    },
    mend: () => void (isCut = false),
    freeze() {
      for (const pair of open) pair.frozen = true;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
      end();
      while (open.size > 0) await new Promise((done) => setTimeout(done, 5));
    },
  };
}

async function copy(
  from: Deno.Conn,
  to: Deno.Conn,
  pair: { frozen: boolean },
): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let read; (read = await from.read(buffer)) !== null;) {
      if (pair.frozen) continue; // Lost on its way; nobody is told.
      for (let at = 0; at < read;) {
        at += await to.write(buffer.subarray(at, read));
      }
    }
  } catch {
    // One of the two has gone; the other is to see it, below.
  }
  if (!pair.frozen) [from, to].forEach(close);
}

function close(end: Deno.Conn): void {
  try {
    end.close();
  } catch {
    // It is closed already.
  }
}
