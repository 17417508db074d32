/**
 * Sends prepared HTTP requests, so many at a time, and times the answers.
 *
 * Over plain TCP, one connection for each request in flight: it shares the
 * machine with what it measures, and `fetch` would cost as much as that does.
 *
 * @module
 */

/** What is sent. */
export interface LoadOptions {
  port: number;
  /** Each a whole request; sent once, in this order. */
  requests: readonly Uint8Array<ArrayBuffer>[];
  /** Connections, each with one request at a time. */
  inFlight: number;
  /** None is sent later than this. */
  forMs: number;
  /** Whether an answer, head and all, is the right one for a request. */
  isRight: (answer: string, nth: number) => boolean;
}

/** What came back. */
export interface LoadResult {
  /** Of the first so many requests, all that were sent. */
  sent: number;
  /** The requests that got no answer, or a wrong one. */
  failed: { nth: number; answer: string }[];
  /** From the first request to the last answer. */
  ms: number;
  /** How long each right answer took, in milliseconds, shortest first. */
  latencies: Float64Array;
}

/** Whoever was sent a request last gets so long to answer. */
const GRACE_MS = 15_000;
const BUFFER_BYTES = 4096;
const NO_ANSWER = "no answer";

/** Sends requests until they are used up or the time is. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { port, requests, inFlight, forMs, isRight } = options;
  const failed: LoadResult["failed"] = [];
  const latencies = new Float64Array(requests.length);
  let right = 0;
  let sent = 0;
  const connections = await Promise.all(
    Array.from({ length: inFlight }, () => Connection.open(port)),
  );
  const start = performance.now();
  const giveUp = setTimeout(() => {
    for (const connection of connections) connection.close();
  }, forMs + GRACE_MS);
  const talk = async (connection: Connection) => {
    while (sent < requests.length && performance.now() - start < forMs) {
      const nth = sent++;
      const sentAt = performance.now();
      const answer = await connection.exchange(requests[nth]!);
      if (isRight(answer, nth)) {
        latencies[right++] = performance.now() - sentAt;
      } else {
        failed.push({ nth, answer });
        // What else comes here may be anything.
        if (answer === NO_ANSWER) return;
      }
    }
  };
  try {
    await Promise.all(connections.map(talk));
    const ms = performance.now() - start;
    return { sent, failed, ms, latencies: latencies.slice(0, right).sort() };
  } finally {
    clearTimeout(giveUp);
    for (const connection of connections) connection.close();
  }
}

/** The value that `share` of the sorted values are not above. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

class Connection {
  readonly #tcp: Deno.TcpConn;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #decoder = new TextDecoder();

  private constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
  }

  static async open(port: number): Promise<Connection> {
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
    tcp.setNoDelay();
    return new Connection(tcp);
  }

  /** Sends a request and reads its answer. */
  async exchange(request: Uint8Array<ArrayBuffer>): Promise<string> {
    let text = "";
    try {
      for (let at = 0; at < request.length;) {
        at += await this.#tcp.write(at === 0 ? request : request.subarray(at));
      }
      while (!isWhole(text)) {
        const length = await this.#tcp.read(this.#buffer);
        if (length === null) return NO_ANSWER;
        text += this.#decoder.decode(this.#buffer.subarray(0, length));
      }
      return text;
    } catch {
      return NO_ANSWER;
    }
  }

  close(): void {
    try {
      this.#tcp.close();
    } catch {
      // It has been closed when time was up.
    }
  }
}

/** Our own server's answers are in ASCII, with a length or in chunks. */
function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(text) ?? [];
  return length === undefined
    ? text.endsWith("\r\n0\r\n\r\n")
    : text.length >= end + 4 + Number(length);
}
