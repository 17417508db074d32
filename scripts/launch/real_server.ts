/**
 * Starts real servers, each as a process in a folder of its own, where they are
 * installed.
 *
 * @module
 */
import { freePort } from "./free_port.ts";

const STARTS_MAX = 3; // Another process may take the free port before us.
const START_MS = 10_000;
const STOP_MS = 5_000;
const POLL_MS = 5;
const OUTPUT_CHARACTERS_MAX = 4096;

/** A real server on 127.0.0.1; disposing of it ends its process. */
export interface RealServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The last of what it has printed so far. */
  readonly output: string;
  /** Ends it as a crash would and starts it again on the same port. */
  restart(): Promise<void>;
  /** Does the same, but without what it kept in its folder. */
  restartEmpty(): Promise<void>;
}

/** How a server is started on a port. */
export interface Call {
  url: string;
  args: string[];
  /** Texts by file name, written into its folder before it starts. */
  files?: Record<string, string>;
  /** Variables beside those of this process. */
  env?: Record<string, string>;
  /** Fills its folder before it starts for the first time. */
  prepare?: (folder: string) => Promise<void>;
}

/**
 * Starts a server on a free loopback port.
 *
 * @param folder Created for it instead of a temporary one; removed with it.
 * @returns The server, accepting connections; undefined if not on the PATH.
 * @throws {Error} If it ends or stays silent instead; with what it printed.
 */
export function startReal(
  command: string,
  describe: (port: number) => Call,
  folder?: string,
): Promise<RealServer | undefined> {
  return Process.start(command, describe, folder);
}

/** A server in a folder of its own, whose process can be restarted. */
class Process implements RealServer {
  readonly url: string;
  output = "";
  readonly #args: readonly string[];
  readonly #files: Readonly<Record<string, string>>;
  readonly #env: Readonly<Record<string, string>>;
  #child: Deno.ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly command: string,
    readonly port: number,
    readonly folder: string,
    { url, args, files = {}, env = {} }: Call,
  ) {
    this.url = url;
    this.#args = args;
    this.#files = files;
    this.#env = env;
  }

  static async start(
    command: string,
    describe: (port: number) => Call,
    given?: string,
  ): Promise<Process | undefined> {
    for (let left = STARTS_MAX;; left--) {
      const port = freePort();
      const folder = given ??
        await Deno.makeTempDir({ prefix: `${command}-` });
      const call = describe(port);
      const server = new Process(command, port, folder, call);
      try {
        await Deno.mkdir(folder, { recursive: true });
        await call.prepare?.(folder);
        await server.#begin();
        return server;
      } catch (error) {
        await server[Symbol.asyncDispose]();
        if (error instanceof Deno.errors.NotFound) return undefined;
        if (left === 1) throw error;
      }
    }
  }

  async restart(): Promise<void> {
    await this.#end("SIGKILL");
    await this.#begin();
  }

  async restartEmpty(): Promise<void> {
    await this.#end("SIGKILL");
    await Deno.remove(this.folder, { recursive: true });
    await this.#begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#kill("SIGKILL"), STOP_MS);
    await this.#end("SIGTERM");
    clearTimeout(timer);
    await Deno.remove(this.folder, { recursive: true });
  }

  /** @throws {Error} Unless it accepts connections. */
  async #begin(): Promise<void> {
    await Deno.mkdir(this.folder, { recursive: true });
    for (const [name, text] of Object.entries(this.#files)) {
      await Deno.writeTextFile(`${this.folder}/${name}`, text);
    }
    const child = this.#child = new Deno.Command(this.command, {
      args: [...this.#args],
      cwd: this.folder,
      env: this.#env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let running = true;
    this.#ended = Promise.all([
      this.#drain(child.stdout),
      this.#drain(child.stderr),
      child.status.then(() => running = false),
    ]);
    const deadline = performance.now() + START_MS;
    while (running && performance.now() < deadline) {
      try {
        const { port } = this;
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        if (running) return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
    throw new Error(`Cannot start ${this.command}: ${this.output}`);
  }

  async #end(signal: Deno.Signal): Promise<void> {
    this.#kill(signal);
    await this.#ended;
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child?.kill(signal);
    } catch (error) { // It has ended already.
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
