/**
 * Workers as processes of their own, each with its own permissions.
 *
 * @module
 */
import {
  derivePermissions,
  WORKER_SETTINGS,
  WORKER_TOPICS,
  type WorkerName,
} from "./permissions.ts";
import { parse } from "@std/yaml";
import { variablesOf } from "../../lib/base/config.ts";
import { CommandError } from "../terminal/command.ts";

/** The last lines that a process wrote, for when it fails. */
const LINES_KEPT = 20;
const STOP_MS = 30_000;
const ROOT = new URL("../../", import.meta.url);

/** The fields of one line of a worker's log. */
export type LogLine = Record<string, unknown>;

/** A running worker. */
export class WorkerProcess implements AsyncDisposable {
  readonly name: WorkerName;
  /** What the runtime was told that it may do. */
  readonly flags: readonly string[];
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #readers = new Set<(line: string) => void>();
  readonly #reading: Promise<void>;
  #ended: number | undefined;

  constructor(
    name: WorkerName,
    flags: readonly string[],
    child: Deno.ChildProcess,
  ) {
    this.name = name;
    this.flags = flags;
    this.#child = child;
    this.#reading = this.#read();
    child.status.then(({ code }) => {
      this.#ended = code;
      this.#tell();
    });
  }

  /** The process's id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves with its exit code, once it has ended. */
  get ended(): Promise<number> {
    return this.#child.status.then(({ code }) => code);
  }

  /** The newest lines of its log, oldest first. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /**
   * Waits for a line of its log, or for as many of them as `times` says.
   *
   * @returns The last one's fields.
   * @throws {CommandError} If it ends first, or in time does not come.
   */
  waitFor(
    message: string,
    timeoutMs: number,
    times = 1,
  ): Promise<LogLine> {
    return this.waitForLine(({ msg }) => msg === message, timeoutMs, times);
  }

  /** Waits for a line that `fits`. @throws {CommandError} As `waitFor` does. */
  async waitForLine(
    fits: (line: LogLine) => boolean,
    timeoutMs: number,
    times = 1,
  ): Promise<LogLine> {
    const deadline = performance.now() + timeoutMs;
    while (true) {
      const line = this.#lines.map(parseLine).filter(fits)[times - 1];
      if (line !== undefined) return line;
      if (this.#ended !== undefined) {
        const line = this.#lines.at(-1) ?? "";
        const last = String(parseLine(line)["error"] ?? line);
        throw new CommandError(
          `The ${this.name} ended with exit code ${this.#ended}${
            last === "" ? "" : ` (${last})`
          }`,
        );
      }
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new CommandError(
          `The ${this.name} did not say what was waited for within ${
            timeoutMs / 1000
          } s`,
        );
      }
      await this.#change(left);
    }
  }

  /** Calls `reader` with each line of its log from now on. */
  onLine(reader: (line: string) => void): void {
    this.#readers.add(reader);
  }

  /** Ends it with SIGTERM, after 30 s with SIGKILL, and waits until it is gone. */
  async stop(): Promise<number> {
    const timer = setTimeout(() => this.signal("SIGKILL"), STOP_MS);
    this.signal("SIGTERM");
    const { code } = await this.#child.status;
    clearTimeout(timer);
    await this.#reading;
    return code;
  }

  /** Stands still until it is killed, as a machine out of breath does. */
  freeze(): void {
    this.signal("SIGSTOP");
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#child.status;
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Sends it a signal, if it still runs. */
  signal(name: Deno.Signal): void {
    try {
      this.#child.kill(name);
    } catch {
      // It has ended already.
    }
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (
      const chunk of this.#child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      const full = lines.filter((line) => line !== "");
      for (const line of full) this.#readers.forEach((reader) => reader(line));
      this.#lines.push(...full);
      this.#lines.splice(0, Math.max(0, this.#lines.length - LINES_KEPT));
      this.#tell();
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#listeners.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#listeners.add(done);
    });
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

/** What each worker's topic requires, as the pack's manifest says. */
export async function readRequirements(): Promise<
  Record<WorkerName, string[]>
> {
  const text = await Deno.readTextFile(new URL("pack/pack.yaml", ROOT));
  const { topics } = parse(text) as {
    topics: { name: string; requires: string[] }[];
  };
  const of = (worker: WorkerName) =>
    topics.find(({ name }) => name === WORKER_TOPICS[worker])?.requires ?? [];
  return {
    fetcher: of("fetcher"),
    ingester: of("ingester"),
    poster: of("poster"),
    summarizer: of("summarizer"),
  };
}

/** Fetches every module that the workers need, since they may fetch none. */
export async function cacheWorkers(
  workers: readonly WorkerName[],
): Promise<void> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      "cache",
      "--quiet",
      "--frozen",
      ...workers.map((worker) => `workers/${worker}.ts`),
    ],
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (output.success) return;
  const text = new TextDecoder().decode(output.stderr).trim();
  throw new CommandError(`Cannot fetch the workers' modules:\n${text}`);
}

/** What a worker is started with instead of its own. */
export interface SpawnOptions {
  /** Instead of the derived ones. */
  flags?: readonly string[];
  /** A module that runs before the worker. */
  preload?: string;
  /** Instead of `workers/<worker>.ts`. */
  file?: string;
  /** For `preload`; workers read none. */
  args?: readonly string[];
  /** Variables beside those that the worker reads. */
  more?: Readonly<Record<string, string>>;
}

/**
 * Starts a worker as a process with exactly its own permissions.
 *
 * @param env What it gets; every other variable that it reads is empty, however
 * this process was started.
 */
export function spawnWorker(
  worker: WorkerName,
  requires: readonly string[],
  env: Readonly<Record<string, string>>,
  options: SpawnOptions = {},
): WorkerProcess {
  const flags = options.flags ??
    derivePermissions(worker, requires, (name) => env[name]).flags;
  // Not the name `deno`: that may be a wrapper, which a signal would not pass.
  const child = new Deno.Command(Deno.execPath(), {
    ...workerCommand(worker, (name) => env[name], { ...options, flags }),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  return new WorkerProcess(worker, flags, child);
}

/** How a worker is called, and with which variables. */
export function workerCommand(
  worker: WorkerName,
  env: (name: string) => string | undefined,
  options: SpawnOptions & { flags: readonly string[] },
): { args: string[]; cwd: URL; env: Record<string, string> } {
  const { flags, preload, args = [], more = {} } = options;
  const { file = `workers/${worker}.ts` } = options;
  // Every one of its variables, so that none comes from this process unasked.
  const variables = Object.fromEntries(
    variablesOf(WORKER_SETTINGS[worker]).map((name) => [name, env(name) ?? ""]),
  );
  return {
    args: [
      "run",
      ...flags,
      ...(preload === undefined ? [] : [`--preload=${preload}`]),
      file,
      ...args,
    ],
    cwd: ROOT,
    env: { ...variables, ...more },
  };
}
