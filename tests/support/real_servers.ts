/**
 * Starts the real `nats-server`, `redis-server` and `prometheus-alertmanager`
 * for tests, where they are installed, and speaks bytes to any server on
 * loopback.
 *
 * Run: nats-server, redis-server, prometheus-alertmanager. Net: 127.0.0.1.
 * Files: a temporary folder a server, removed with it.
 *
 * @module
 */
const STARTS_MAX = 3; // Another process may take the free port before us.
const START_MS = 10_000;
const STOP_MS = 5_000;
const WAIT_MS = 10_000;
const POLL_MS = 5;
const OUTPUT_CHARACTERS_MAX = 4096;

/** A real server, listening on 127.0.0.1; disposing of it ends its process. */
export interface RealServer extends AsyncDisposable {
  /** Where clients connect. */
  readonly url: string;
  /** The port it listens on. */
  readonly port: number;
  /** The end of what it has printed so far. */
  readonly output: string;
}

/**
 * Starts `nats-server` on a free loopback port.
 *
 * @param args Further arguments, as `["--auth", "token"]`.
 * @returns The server, accepting connections; undefined if not on the PATH.
 * @throws {Error} If it ends or stays silent instead; with what it printed.
 */
export function startRealNats(
  args: string[] = [],
): Promise<RealServer | undefined> {
  return start("nats-server", (port) => ({
    url: `nats://127.0.0.1:${port}`,
    args: ["--addr", "127.0.0.1", "--port", `${port}`, ...args],
  }));
}

/**
 * Starts `redis-server` on a free loopback port; it keeps nothing on disk.
 *
 * @param args Further arguments, as `["--requirepass", "password"]`; with
 * `--tls-cert-file` among them it speaks TLS only.
 * @returns The server, accepting connections; undefined if not on the PATH.
 * @throws {Error} If it ends or stays silent instead; with what it printed.
 */
export function startRealRedis(
  args: string[] = [],
): Promise<RealServer | undefined> {
  const usual = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const tls = args.includes("--tls-cert-file");
  return start("redis-server", (port) => ({
    url: `${tls ? "rediss" : "redis"}://127.0.0.1:${port}`,
    args: [
      ...usual,
      ...(tls ? ["--port", "0", "--tls-port"] : ["--port"]),
      `${port}`,
      ...args,
    ],
  }));
}

/**
 * Starts Alertmanager, as Debian names it, on a free loopback port, without
 * gossip and with data of its own.
 *
 * @param config The text of its alertmanager.yml.
 * @returns The server, accepting connections; undefined if not on the PATH.
 * @throws {Error} If it ends or stays silent instead; with what it printed.
 */
export function startRealAlertmanager(
  config: string,
): Promise<RealServer | undefined> {
  return start("prometheus-alertmanager", (port) => ({
    url: `http://127.0.0.1:${port}`,
    args: [
      "--config.file=alertmanager.yml",
      "--storage.path=data",
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
    ],
    files: { "alertmanager.yml": config },
  }));
}

/** A plain socket, for what a client library would hide. */
export class RawSocket implements Disposable {
  readonly #connection: Deno.TcpConn;
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
    const bytes = typeof data === "string" ? latin1(data) : data;
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
    const buffer = new Uint8Array(64 * 1024);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new Error(`Cannot read: got nothing for ${WAIT_MS} ms`));
    }, WAIT_MS);
    // A reset ends the stream like a close: the tests ask only for the end.
    const reading = this.#connection.read(buffer).catch(() => null);
    const length = await Promise.race([reading, late.promise])
      .finally(() => clearTimeout(timer));
    if (length === null) this.#ended = true;
    let text = "";
    for (let at = 0; at < (length ?? 0); at += 4096) {
      const piece = buffer.subarray(at, Math.min(length ?? 0, at + 4096));
      text += String.fromCharCode(...piece);
    }
    return text;
  }
}

/**
 * Polls until a condition holds.
 *
 * @throws {Error} If it does not within 10 seconds.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!await condition()) {
    if (performance.now() > deadline) {
      throw new Error(`Cannot wait longer: ${what} not within ${WAIT_MS} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** How a server is called. */
interface Call {
  url: string;
  args: string[];
  /** Written into its folder before it starts: their texts by name. */
  files?: Record<string, string>;
}

async function start(
  command: string,
  describe: (port: number) => Call,
): Promise<RealServer | undefined> {
  for (let left = STARTS_MAX;; left--) {
    const port = freePort();
    const { url, ...call } = describe(port);
    const process = await Process.spawn(command, call);
    if (process === undefined) return undefined;
    if (await process.listens(port)) {
      return {
        url,
        port,
        get output() {
          return process.output;
        },
        [Symbol.asyncDispose]: () => process.end(),
      };
    }
    await process.end();
    if (left === 1) {
      throw new Error(`Cannot start ${command}: ${process.output}`);
    }
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A child process in a temporary folder of its own. */
class Process {
  /** The end of what it printed. */
  output = "";
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #draining: Promise<unknown>;
  #ended = false;

  private constructor(child: Deno.ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#draining = Promise.all([
      this.#drain(child.stdout),
      this.#drain(child.stderr),
      child.status.then(() => this.#ended = true),
    ]);
  }

  /** Starts a command; undefined if there is none of the name. */
  static async spawn(
    command: string,
    { args, files = {} }: Omit<Call, "url">,
  ): Promise<Process | undefined> {
    const folder = await Deno.makeTempDir({ prefix: `${command}-` });
    try {
      for (const [name, text] of Object.entries(files)) {
        await Deno.writeTextFile(`${folder}/${name}`, text);
      }
      const child = new Deno.Command(command, {
        args,
        cwd: folder,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      return new Process(child, folder);
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Waits until it accepts connections; false if it ends or never does. */
  async listens(port: number): Promise<boolean> {
    const deadline = performance.now() + START_MS;
    while (!this.#ended && performance.now() < deadline) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return !this.#ended;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
    return false;
  }

  /** Ends it by its own id, hard if asking does not help, and tidies up. */
  async end(): Promise<void> {
    this.#kill("SIGTERM");
    const timer = setTimeout(() => this.#kill("SIGKILL"), STOP_MS);
    await this.#draining;
    clearTimeout(timer);
    await Deno.remove(this.#folder, { recursive: true });
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) { // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #drain(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.output = (this.output + decoder.decode(chunk, { stream: true }))
        .slice(-OUTPUT_CHARACTERS_MAX);
    }
  }
}
