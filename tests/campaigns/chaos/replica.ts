/**
 * One worker of a lane. Its real process can be ended and started again.
 *
 * @module
 */
import { wait } from "../../../lib/base/time.ts";
import type {
  LogLine,
  SpawnOptions,
  WorkerProcess,
} from "../../../scripts/launch/process.ts";

/** A worker that is wrong on purpose, in place of the product's. */
export interface Mutant {
  name: string;
  file: string;
}

/** One line of the log, and which process wrote it. */
export interface Line {
  starts: number;
  fields: LogLine;
}

const READY_MS = 30_000;
/** Nothing that it has in hand here takes as long, though its grace allows it. */
const STOP_MS_MAX = 7_000;
const LINES_MAX = 200;

export function spawnOptions(
  mutant: Mutant | undefined,
  ...args: string[]
): SpawnOptions {
  return {
    // The first marks our processes in a list of all.
    args: [`chaos-${Deno.pid}`, mutant?.name ?? "", ...args],
    ...(mutant && { file: mutant.file }),
  };
}

export class Replica implements AsyncDisposable {
  readonly id: string;
  readonly #spawn: () => WorkerProcess;
  #process: WorkerProcess | undefined;
  #starting: Promise<void> | undefined;
  /** Ended on purpose, which is no failure. */
  readonly #ended = new WeakSet<WorkerProcess>();
  #lines: Line[] = [];
  #disposed = false;
  /** How often a process was started. */
  starts = 0;
  /** How often it was sent a signal, so that callers notice one. */
  strikes = 0;
  /** Where it takes requests; 0 if it takes none or does not run. */
  port = 0;

  constructor(id: string, spawn: () => WorkerProcess) {
    this.id = id;
    this.#spawn = spawn;
  }

  /** Perhaps not ready yet. */
  get process(): WorkerProcess | undefined {
    return this.#process;
  }

  /** Whether it runs and takes work. */
  get alive(): boolean {
    return this.#process !== undefined && this.#starting === undefined;
  }

  /** What it logged in this trial. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** Begins another trial. */
  forget(): void {
    this.#lines = [];
  }

  /** Starts it unless it runs; resolves when it takes work. */
  start(): Promise<void> {
    return this.#starting ??= this.#run().finally(() =>
      this.#starting = undefined
    );
  }

  /** Begins again if it is ended while it begins. */
  async #run(): Promise<void> {
    while (this.#process === undefined && !this.#disposed) {
      const process = this.#begin();
      try {
        const { url } = await process.waitFor("Worker ready", READY_MS);
        if (url !== undefined) this.port = Number(new URL(String(url)).port);
      } catch (error) {
        if (!this.#ended.has(process)) throw error;
      }
    }
  }

  #begin(): WorkerProcess {
    const process = this.#process = this.#spawn();
    const starts = ++this.starts;
    process.onLine((text) => {
      if (this.#lines.length >= LINES_MAX) return;
      this.#lines.push({ starts, fields: parse(text) });
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
    this.#forget(process);
    await end(process);
  }

  #forget(process: WorkerProcess): void {
    if (this.#process !== process) return;
    this.#process = undefined;
    // Another process may get that port.
    this.port = 0;
  }

  /** Stops it for a while, or until the signal aborts. Then it goes on. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    this.strikes++;
    const process = this.#process;
    process?.signal("SIGSTOP");
    await wait(ms, signal).catch(() => {});
    process?.signal("SIGCONT");
    this.strikes++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await this.kill();
    await this.#starting?.catch(() => {});
  }
}

function parse(text: string): LogLine {
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}
