/**
 * One ingester of a lane: a real process, which can be ended and started again.
 *
 * @module
 */
import { wait } from "../../../../lib/base/time.ts";
import {
  spawnWorker,
  type WorkerProcess,
} from "../../../../scripts/launch/process.ts";

/** What makes a replica. */
export interface ReplicaOptions {
  id: string;
  requires: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Instead of the product's ingester, and which of its kind. */
  mutant: { file: string; name: string } | undefined;
}

const READY_MS = 30_000;
/** Its grace is longer; nothing that it holds here may take as long. */
const STOP_MS_MAX = 7_000;
const LINES_MAX = 200;
const never = new AbortController().signal;

/** An ingester. */
export class Replica implements AsyncDisposable {
  readonly id: string;
  readonly #options: ReplicaOptions;
  #process: WorkerProcess | undefined;
  #starting: Promise<void> | undefined;
  /** Sent what ends it: nobody has to answer for it. */
  readonly #ended = new WeakSet<WorkerProcess>();
  #disposed = false;
  #lines: string[] = [];
  /** Where it takes webhooks; 0 while nobody does. */
  port = 0;
  /** How often its process was sent a signal: who counts knows of each. */
  strikes = 0;

  constructor(options: ReplicaOptions) {
    this.id = options.id;
    this.#options = options;
  }

  /** Whether it runs and takes webhooks. */
  get alive(): boolean {
    const process = this.#process;
    return process !== undefined && this.#starting === undefined &&
      !this.#ended.has(process);
  }

  /** What it logged in this trial. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Begins another trial. */
  forget(): void {
    this.#lines = [];
  }

  /** Starts it, unless it runs; resolves when it takes webhooks. */
  start(): Promise<void> {
    return this.#starting ??= this.#run().finally(() =>
      this.#starting = undefined
    );
  }

  /** Whoever ends it while it begins has it begin again. */
  async #run(): Promise<void> {
    while (this.#process === undefined && !this.#disposed) {
      const process = this.#process = this.#spawn();
      try {
        const line = await process.waitFor("Worker ready", READY_MS);
        this.port = Number(new URL(String(line["url"])).port);
      } catch (error) {
        if (!this.#ended.has(process)) throw error;
        await process.ended;
      }
    }
  }

  #spawn(): WorkerProcess {
    const { requires, env, mutant } = this.#options;
    const process = spawnWorker("ingester", requires, {
      ...env,
      INGESTER_ADDR: "127.0.0.1:0",
    }, {
      // The first is for whoever looks at a list of processes.
      args: [`chaos-${Deno.pid}`, ...(mutant ? [mutant.name] : [])],
      ...(mutant && { file: mutant.file, config: "deno.json" }),
    });
    process.onLine((line) => {
      if (this.#lines.length < LINES_MAX) this.#lines.push(line);
    });
    process.ended.then(() => this.#forget(process));
    return process;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.#end((process) => process.kill());
  }

  /** Asks it to end; resolves when it has. @throws {Error} If it takes long. */
  async stop(): Promise<void> {
    const start = performance.now();
    await this.#end((process) => process.stop());
    const ms = Math.round(performance.now() - start);
    if (ms > STOP_MS_MAX) throw new Error(`${this.id} took ${ms} ms to stop`);
  }

  async #end(end: (process: WorkerProcess) => Promise<unknown>): Promise<void> {
    this.strikes++;
    const process = this.#process;
    if (process === undefined) return;
    this.#ended.add(process);
    await end(process);
    this.#forget(process);
  }

  #forget(process: WorkerProcess): void {
    if (this.#process !== process) return;
    this.#process = undefined;
    // Some other process may get it meanwhile.
    this.port = 0;
  }

  /** Stands still for a while; resolves when it goes on. */
  async pause(ms: number): Promise<void> {
    this.strikes++;
    const process = this.#process;
    process?.signal("SIGSTOP");
    await wait(ms, never);
    process?.signal("SIGCONT");
    this.strikes++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await this.kill();
    await this.#starting?.catch(() => {});
  }
}
