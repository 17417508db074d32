/**
 * Sends prepared HTTP requests, a fixed number at a time, and times the answers.
 *
 * Uses plain TCP, one connection per request in flight: it shares the machine
 * with what it measures, and `fetch` would cost as much as that.
 *
 * @module
 */

export interface LoadOptions {
  port: number;
  /** Whole requests, sent once each in this order. */
  requests: readonly Uint8Array<ArrayBuffer>[];
  /** Connections, each with one request at a time. */
  inFlight: number;
  /** How long after the first request the last may be sent. */
  forMs: number;
  /** Nothing is sent after it aborts. */
  signal?: AbortSignal;
  /** Whether an answer, its head included, is right for a request. */
  isRight: (answer: string, nth: number) => boolean;
}

export interface LoadResult {
  /** How many were sent, counted from the first. */
  sent: number;
  /** The requests without an answer, or with a wrong one. */
  failed: { nth: number; answer: string }[];
  /** From the first request to the last answer. */
  ms: number;
  /** Milliseconds that each right answer took, shortest first. */
  latencies: Float64Array;
}

/** How long the last answers may take. */
const GRACE_MS = 15_000;
const BUFFER_BYTES = 4096;
const NO_ANSWER = "no answer";

/** Sends requests until none are left or time is up. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { port, requests, inFlight, forMs, signal, isRight } = options;
  const end = () => {
    for (const connection of connections) connection.close();
  };
  const failed: LoadResult["failed"] = [];
  const latencies = new Float64Array(requests.length);
  let right = 0;
  let sent = 0;
  const connections = await Promise.all(
    Array.from({ length: inFlight }, () => Connection.open(port)),
  );
  const start = performance.now();
  const giveUp = setTimeout(end, forMs + GRACE_MS);
  signal?.addEventListener("abort", end, { once: true });
  const talk = async (connection: Connection) => {
    while (sent < requests.length && performance.now() - start < forMs) {
      const nth = sent++;
      const sentAt = performance.now();
      const answer = await connection.exchange(requests[nth]!);
      if (isRight(answer, nth)) {
        latencies[right++] = performance.now() - sentAt;
      } else {
        failed.push({ nth, answer });
        // Whatever else comes on this connection may be anything.
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
    signal?.removeEventListener("abort", end);
    end();
  }
}

/** The value that `share` of the sorted values do not exceed. */
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
      // It was closed when time was up.
    }
  }
}

/** Our own server answers in ASCII, with a length or in chunks. */
function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(text) ?? [];
  return length === undefined
    ? text.endsWith("\r\n0\r\n\r\n")
    : text.length >= end + 4 + Number(length);
}
