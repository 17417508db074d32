/**
 * Workers as processes of their own, each with its own permissions.
 *
 * @module
 */
import { variablesOf } from "../../lib/base/config.ts";
import { aborted, deadline } from "../../lib/base/deadline.ts";
import { CommandError, LinesError } from "../terminal/command.ts";
import {
  derivePermissions,
  WORKER_SETTINGS,
  type WorkerName,
} from "./permissions.ts";

/** As many of the last lines as help to see why a process failed. */
const LINES_KEPT = 20;
const STOP_MS = 30_000;
const ROOT = new URL("../../", import.meta.url);

/** The fields of one line of a worker's log; none if the line is not JSON. */
export type LogLine = Record<string, unknown>;

/** A worker's process. */
export class WorkerProcess implements AsyncDisposable {
  /** Resolves with its exit code once it has ended and its log is read. */
  readonly ended: Promise<number>;
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #readers = new Set<(line: string) => void>();
  #code: number | undefined;
  /** Resolves at its next line or its end. */
  #changed = Promise.withResolvers<void>();

  constructor(
    readonly name: WorkerName,
    /** The flags that Deno was started with. */
    readonly flags: readonly string[],
    child: Deno.ChildProcess,
  ) {
    this.#child = child;
    this.ended = this.#follow();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The newest lines of its log, oldest first. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Whether its newest lines hold a text. */
  hasLogged(text: string): boolean {
    return this.#lines.some((line) => line.includes(text));
  }

  /**
   * Waits for a line of its log: one with that message, or one that fits.
   *
   * @returns The line's fields.
   * @throws {CommandError} If it ends first, or the line does not come in time.
   */
  async waitFor(
    wanted: string | ((line: LogLine) => boolean),
    timeoutMs: number,
  ): Promise<LogLine> {
    const fits = typeof wanted === "string"
      ? ({ msg }: LogLine) => msg === wanted
      : wanted;
    using end = deadline(timeoutMs);
    const passed = aborted(end.signal);
    while (true) {
      const line = this.#lines.map(parseLine).find(fits);
      if (line !== undefined) return line;
      if (this.#code !== undefined) throw this.#endedEarly(this.#code);
      if (end.passed) {
        throw new CommandError(
          `The ${this.name} did not log the expected line within ${
            timeoutMs / 1000
          } s`,
        );
      }
      await Promise.race([this.#changed.promise, passed]);
    }
  }

  #endedEarly(code: number): CommandError {
    const line = this.#lines.at(-1) ?? "";
    const why = String(parseLine(line)["error"] ?? line);
    return new CommandError(
      `The ${this.name} ended with exit code ${code}${why && ` (${why})`}`,
    );
  }

  /** Calls `reader` with each line of its log from now on. */
  onLine(reader: (line: string) => void): void {
    this.#readers.add(reader);
  }

  /** Ends it with SIGTERM, after 30 s with SIGKILL, and waits until it is gone. */
  async stop(): Promise<number> {
    const timer = setTimeout(() => this.signal("SIGKILL"), STOP_MS);
    this.signal("SIGTERM");
    const code = await this.ended;
    clearTimeout(timer);
    return code;
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
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

  async #follow(): Promise<number> {
    let rest = "";
    for await (
      const chunk of this.#child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") this.#take(line);
      this.#tell();
    }
    this.#code = (await this.#child.status).code;
    this.#tell();
    return this.#code;
  }

  #take(line: string): void {
    this.#readers.forEach((reader) => reader(line));
    this.#lines.push(line);
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

/**
 * Runs a subcommand of this Deno in the project's folder.
 *
 * @param explain Says what failed, given what Deno wrote on standard error.
 * @throws {CommandError} If it does not end with the expected code.
 */
export async function runDeno(
  args: string[],
  explain: (said: string) => string,
  expected = 0,
): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code === expected) return;
  throw new LinesError(explain(new TextDecoder().decode(stderr).trim()));
}

/** Fetches every module that the workers need, since they may fetch none. */
export async function cacheWorkers(
  workers: readonly WorkerName[],
): Promise<void> {
  const files = workers.map((worker) => `workers/${worker}.ts`);
  await runDeno(
    ["cache", "--quiet", "--frozen", ...files],
    (said) => `Cannot fetch the workers' modules:\n${said}`,
  );
}

/** What a worker is started with instead of its own. */
export interface SpawnOptions {
  /** Instead of the derived ones. */
  flags?: readonly string[];
  /** A module that runs before the worker. */
  preload?: string;
  /** Instead of `workers/<worker>.ts`. */
  file?: string;
  /** Instead of the configuration nearest to the file. */
  config?: string;
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
  const envOf = (name: string) => env[name];
  const { flags = derivePermissions(worker, requires, envOf).flags } = options;
  const child = workerCommand(worker, envOf, { ...options, flags }, {
    stdout: "null",
    stderr: "piped",
  }).spawn();
  return new WorkerProcess(worker, flags, child);
}

/** The command that runs a worker, with every variable that it reads. */
export function workerCommand(
  worker: WorkerName,
  env: (name: string) => string | undefined,
  options: SpawnOptions & { flags: readonly string[] },
  streams: Pick<Deno.CommandOptions, "stdout" | "stderr"> = {},
): Deno.Command {
  const { flags, preload, config, args = [], more = {} } = options;
  const { file = `workers/${worker}.ts` } = options;
  // Every one of its variables, so that none comes from this process unasked.
  const variables = Object.fromEntries(
    variablesOf(WORKER_SETTINGS[worker]).map((name) => [name, env(name) ?? ""]),
  );
  // Not the name `deno`: that may be a wrapper, which a signal would not pass.
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...(config === undefined ? [] : [`--config=${config}`]),
      ...flags,
      ...(preload === undefined ? [] : [`--preload=${preload}`]),
      file,
      ...args,
    ],
    cwd: ROOT,
    env: { ...variables, ...more },
    stdin: "null",
    ...streams,
  });
}
