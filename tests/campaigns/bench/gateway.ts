/**
 * The gateway stand-in of benchmarks, as whoever measures sees it.
 *
 * @module
 */
import { CommandError } from "../../../scripts/terminal/command.ts";

/**
 * What a stand-in can do wrong with each tenth key, to see that it is noticed:
 * forget its start, answer 503 after it, or give another run's id.
 */
export const FAULTS = ["lose", "double", "mix"] as const;

/** One of {@linkcode FAULTS}. */
export type Fault = typeof FAULTS[number];

/** How the stand-in answers. */
export interface GatewayBehaviour {
  /** Before each answer. */
  delayMs: number;
  fault?: Fault;
}

/** What it was asked. */
export interface GatewayCounts {
  /** Each key, and how often a run was started for it. */
  starts: [key: string, count: number][];
}

const FILE = new URL("gateway_process.ts", import.meta.url);

/** A stand-in that runs. */
export class BenchGateway implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  /** Without a path. */
  readonly url: string;

  private constructor(child: Deno.ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Starts it. @throws {CommandError} If it ends instead. */
  static async start(): Promise<BenchGateway> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net=127.0.0.1:0", FILE.pathname],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let text = "";
    for await (
      const chunk of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      text += chunk;
      if (text.endsWith("\n")) break;
    }
    if (!/^\d+\n$/.test(text)) {
      throw new CommandError("The gateway stand-in did not start");
    }
    return new BenchGateway(child, `http://127.0.0.1:${text.trim()}`);
  }

  /** Forgets everything and behaves like this from now on. */
  async reset(behaviour: GatewayBehaviour): Promise<void> {
    await this.#control({
      method: "POST",
      body: JSON.stringify(behaviour),
    });
  }

  /** What it was asked since the last reset. */
  counts(): Promise<GatewayCounts> {
    return this.#control({});
  }

  async #control(init: RequestInit): Promise<GatewayCounts> {
    const response = await fetch(`${this.url}/bench`, init);
    return await response.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
  }
}
