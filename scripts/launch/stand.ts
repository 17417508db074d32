/**
 * The whole path: a platform with the pack installed, and the workers as
 * processes with their own permissions.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { variablesOf } from "../../lib/base/config.ts";
import { deadline } from "../../lib/base/deadline.ts";
import { wait } from "../../lib/base/time.ts";
import type { SlackStandIn } from "../../deploy/standins/slack.ts";
import { bundlePack, readPackFolder } from "../pack/pack.ts";
import { POST_TOPIC, TOPIC_PREFIX } from "../../lib/operate/pack.ts";
import {
  type Bundle,
  installBundle,
  type Installed,
} from "../../lib/operate/install.ts";
import {
  Platform,
  readAddress,
  type WaitingJob,
} from "../../lib/operate/platform.ts";
import { CommandError } from "../terminal/command.ts";
import { readRequirements, type Requirements } from "./environment.ts";
import { freePort } from "./free_port.ts";
import {
  derivePermissions,
  PATH_WORKERS,
  type Permissions,
  WORKER_SETTINGS,
  type WorkerName,
  WORKERS,
} from "./permissions.ts";
import {
  cacheWorkers,
  type SpawnOptions,
  spawnWorker,
  type WorkerProcess,
} from "./process.ts";

type Variables = Readonly<Record<string, string>>;

/** What a stand is made of. */
export interface StandOptions {
  /** The variables that name the platform. */
  platformEnv: Variables;
  /** Where posts go; without it they become artifacts. */
  slack?: SlackStandIn | undefined;
  /** More variables for the workers; these win. */
  env?: Variables | ((worker: WorkerName) => Variables);
  /** Who decides about posts. */
  principal?: string;
  /** How long a run may take to ask for approval, and then to end. */
  timeoutMs?: number;
  /** How often to ask the platform, with two calls each time. */
  pollMs?: number;
  signal?: AbortSignal;
}

const READY_MS = 30_000;
const ROUTABLE_MS = 45_000;
const WEBHOOK_MS = 10_000;
const TOPICS = 3;

/** Modules are fetched once for all stands of this process. */
let cached: Promise<void> | undefined;

/** A platform with the pack and its workers. */
export class Stand implements AsyncDisposable {
  readonly platform: Platform;
  /** The newest process of each worker. */
  readonly workers = new Map<WorkerName, WorkerProcess>();
  readonly ingesterUrl = `http://127.0.0.1:${freePort()}`;
  readonly slack: SlackStandIn | undefined;
  readonly signal: AbortSignal;
  readonly #options: StandOptions & { timeoutMs: number; pollMs: number };
  readonly #requirements: Requirements;

  private constructor(options: StandOptions, requirements: Requirements) {
    const { platformEnv, principal = "tester", slack } = options;
    const { signal = new AbortController().signal } = options;
    this.#options = { timeoutMs: 30_000, pollMs: 40, ...options };
    this.#requirements = requirements;
    this.slack = slack;
    this.signal = signal;
    const address = readAddress((name) => platformEnv[name]);
    this.platform = new Platform(address, { signal, principal });
  }

  /** Opens a stand that has nothing installed and no workers yet. */
  static async open(options: StandOptions): Promise<Stand> {
    return new Stand(options, await readRequirements());
  }

  /** Installs the pack over whatever is there, until it is in force. */
  async install(
    bundle?: Bundle,
    onProgress: (what: string) => void = () => {},
  ): Promise<Installed> {
    bundle ??= await bundlePack(await readPackFolder("pack"));
    const options = { upgrade: true, pollMs: this.#options.pollMs, onProgress };
    return await installBundle(this.platform, bundle, options);
  }

  /** The variables that a worker is started with, among those that it reads. */
  variables(worker: WorkerName): Record<string, string> {
    const { platformEnv, slack, env = {} } = this.#options;
    const all: Variables = {
      ...platformEnv,
      INGESTER_ADDR: new URL(this.ingesterUrl).host,
      INGEST_MOCK_OPEN: "1",
      ...slack && {
        DEFAULT_DESTINATION_MODE: "slack",
        SLACK_WEBHOOK_URL: slack.url,
        SLACK_ALLOWED_HOSTS: slack.host,
      },
      ...typeof env === "function" ? env(worker) : env,
    };
    return Object.fromEntries(
      variablesOf(WORKER_SETTINGS[worker]).flatMap((name) =>
        all[name] ? [[name, all[name]]] : []
      ),
    );
  }

  /** What a worker may do here. */
  permissions(worker: WorkerName): Permissions {
    const requires = this.#requirements[worker];
    const variables = this.variables(worker);
    return derivePermissions(worker, requires, (name) => variables[name]);
  }

  /** Starts a worker in place of the one that runs, if one does. */
  async spawn(
    worker: WorkerName,
    options: SpawnOptions = {},
  ): Promise<WorkerProcess> {
    this.signal.throwIfAborted(); // Nobody would stop what is started now.
    await this.workers.get(worker)?.kill();
    const process = this.spawnBeside(worker, {}, options);
    this.workers.set(worker, process);
    return process;
  }

  /** Starts another process of a worker, which is the caller's to stop. */
  spawnBeside(
    worker: WorkerName,
    env: Variables,
    options: SpawnOptions = {},
  ): WorkerProcess {
    const requires = this.#requirements[worker];
    const variables = { ...this.variables(worker), ...env };
    return spawnWorker(worker, requires, variables, options);
  }

  /** Starts the workers of the path, or others; resolves when they are ready. */
  async startWorkers(
    optionsOf: (worker: WorkerName) => SpawnOptions = () => ({}),
    workers: readonly WorkerName[] = PATH_WORKERS,
  ): Promise<void> {
    await (cached ??= cacheWorkers(WORKERS));
    const processes = await Promise.all(
      workers.map((worker) => this.spawn(worker, optionsOf(worker))),
    );
    await Promise.all(
      processes.map((process) => process.waitFor("Worker ready", READY_MS)),
    );
  }

  /** Waits until the scheduler has a worker for every topic. */
  async untilRoutable(onPoll: () => void = () => {}): Promise<void> {
    await this.#until("The scheduler does not see the workers", async () => {
      const { topics = {} } = await this.platform.workers() ?? {};
      const available = Object.entries(topics).filter((
        [topic, { available }],
      ) => topic.startsWith(TOPIC_PREFIX) && available);
      if (available.length === TOPICS) return true;
      onPoll();
    }, ROUTABLE_MS);
  }

  /** Sends a webhook, by default one of the mock source. */
  async send(
    body: JsonObject | string,
    { path = "/webhook/mock", headers = {} as Variables } = {},
  ): Promise<{ status: number; answer: JsonObject }> {
    using end = deadline(WEBHOOK_MS, this.signal);
    const response = await fetch(this.ingesterUrl + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
      signal: end.signal,
    });
    return { status: response.status, answer: await response.json() };
  }

  /**
   * Waits until a run's post asks for approval.
   *
   * @param onRun Is given the run as it goes on.
   * @throws {RunEndedError} If the run ends before.
   */
  async untilWaiting(
    runId: string,
    onRun: (run: JsonObject) => void = () => {},
  ): Promise<WaitingJob> {
    return await this.#until(
      "The run's post did not ask for approval",
      async () => {
        const run = await this.readRun(runId);
        onRun(run);
        const waiting = (await this.platform.waiting())
          .filter(({ jobId }) => jobId.startsWith(`${runId}:`));
        const post = waiting.find(({ topic }) => topic === POST_TOPIC);
        if (post !== undefined) {
          // It went on since it was read.
          onRun(await this.readRun(runId));
          return post;
        }
        const [other] = waiting;
        if (other !== undefined) {
          throw new CommandError(
            `The platform wants approval for ${other.topic}, by rule ${other.ruleId}: its own rules object to the input`,
          );
        }
        if (isOver(run)) throw new RunEndedError(run);
      },
    );
  }

  /** The same. @returns The post's job id. */
  async untilApproval(runId: string): Promise<string> {
    return (await this.untilWaiting(runId)).jobId;
  }

  /** Waits until a run has ended. */
  async untilEnded(runId: string, timeoutMs?: number): Promise<JsonObject> {
    return await this.#until("The run did not end", async () => {
      const run = await this.readRun(runId);
      return isOver(run) ? run : undefined;
    }, timeoutMs);
  }

  async readRun(runId: string): Promise<JsonObject> {
    return await this.platform.call("GET", `/workflow-runs/${runId}`);
  }

  job(jobId: string): Promise<JsonObject> {
    return this.platform.job(jobId);
  }

  async #until<T>(
    failure: string,
    ask: () => Promise<T | undefined>,
    timeoutMs = this.#options.timeoutMs,
  ): Promise<T> {
    const end = performance.now() + timeoutMs;
    while (true) {
      const value = await ask();
      if (value !== undefined) return value;
      if (performance.now() > end) {
        throw new CommandError(`${failure} within ${timeoutMs / 1000} s`);
      }
      await wait(this.#options.pollMs, this.signal);
    }
  }

  /** Stops every worker, all at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.values().map((worker) => worker.stop()));
    await this.platform[Symbol.asyncDispose]();
  }
}

/** Opens a stand with the pack in force and every worker at work. */
export async function startStand(
  options: StandOptions & {
    /** How a worker is started, if not as its file with its own flags. */
    spawn?: (worker: WorkerName, permissions: Permissions) => SpawnOptions;
  },
): Promise<Stand> {
  const { spawn = () => ({}) } = options;
  await using stack = new AsyncDisposableStack();
  const stand = stack.use(await Stand.open(options));
  await Promise.all([
    stand.install(),
    stand.startWorkers((worker) => spawn(worker, stand.permissions(worker))),
  ]);
  await stand.untilRoutable();
  stack.move();
  return stand;
}

/** A run that failed, or that had ended before its post asked for approval. */
export class RunEndedError extends CommandError {
  /** The reason alone. */
  readonly why: string;

  constructor({ status, steps }: JsonObject) {
    const failed = Object.values((steps ?? {}) as Record<string, JsonObject>)
      .find(({ error }) => error);
    const why = (failed?.["error"] as JsonObject | undefined)?.["message"];
    super(
      failed === undefined
        ? `The run is ${status} already: an incident with this id was sent before, and nothing new was started`
        : `The run is ${status}: step ${failed["step_id"]} failed with ${why}`,
    );
    this.why = String(why ?? `the run is ${status}`);
  }
}

function isOver({ status }: JsonObject): boolean {
  return !["running", "pending", "waiting"].includes(String(status));
}
