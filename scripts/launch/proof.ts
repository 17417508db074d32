/**
 * Proves the derived permissions on the real workers: what they do not grant is
 * refused, and nothing that they grant is more than is needed.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { type Devcore, startDevcore } from "../../deploy/devcore/devcore.ts";
import { type SlackStandIn, startSlack } from "../../deploy/standins/slack.ts";
import { wait } from "../../lib/base/time.ts";
import { variablesOf } from "../../lib/base/config.ts";
import { messageOf } from "../../lib/base/errors.ts";
import { approve, POST_TOPIC } from "../support/approvals.ts";
import type { CommandContext } from "../terminal/command.ts";
import { table } from "../terminal/format.ts";
import { installBundle } from "../support/install.ts";
import { bundlePack, readPackFolder } from "../pack/pack.ts";
import {
  derivePermissions,
  type Permissions,
  toFlags,
  WORKER_SETTINGS,
  type WorkerName,
  WORKERS,
} from "./permissions.ts";
import { Platform, readAddress } from "../support/platform.ts";
import type { ProbeOrder, Try } from "./probe.ts";
import {
  cacheWorkers,
  readRequirements,
  type SpawnOptions,
  spawnWorker,
  type WorkerProcess,
} from "./process.ts";
import { freePort } from "./free_port.ts";

/** What a permission was needed for: what failed without it. */
export interface Removal {
  /** The permission: `net 127.0.0.1:4222`, `env NATS_URL`. */
  removed: string;
  /** `undefined` if the worker did its work all the same. */
  failure: string | undefined;
}

const PROBE = "scripts/launch/probe.ts";
const READY_MS = 20_000;
/** What fails does so at once; only what works takes its time. */
const STEP_MS = 60_000;
const POLL_MS = 30;
/** Nobody's worker has a reason to go there. */
const STRANGERS = ["example.com:443", "169.254.169.254:80"];

/** A platform on this machine with the pack, Slack and the four workers. */
export class Stand implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #core: Devcore;
  readonly #slack: SlackStandIn;
  readonly #platform: Platform;
  readonly #requirements: Record<WorkerName, string[]>;
  readonly #ports: Record<WorkerName, number>;
  readonly #ingesterPort = freePort();
  readonly #token = crypto.randomUUID();
  readonly #workers = new Map<WorkerName, WorkerProcess>();
  readonly #signal: AbortSignal;
  #incidents = 0;

  private constructor(parts: {
    stack: AsyncDisposableStack;
    core: Devcore;
    slack: SlackStandIn;
    platform: Platform;
    requirements: Record<WorkerName, string[]>;
    signal: AbortSignal;
  }) {
    this.#stack = parts.stack;
    this.#core = parts.core;
    this.#slack = parts.slack;
    this.#platform = parts.platform;
    this.#requirements = parts.requirements;
    this.#signal = parts.signal;
    this.#ports = Object.fromEntries(
      WORKERS.map((worker) => [worker, freePort()]),
    ) as Record<WorkerName, number>;
  }

  /** Starts all but the workers. */
  static async start(): Promise<Stand> {
    await using stack = new AsyncDisposableStack();
    const { signal } = new AbortController();
    const core = stack.use(await startDevcore({ reloadMs: 100 }));
    const slack = stack.use(await startSlack());
    const address = readAddress((name) => core.env[name]);
    const platform = stack.use(new Platform(address, { signal }));
    const bundle = await bundlePack(await readPackFolder("pack"));
    const options = { upgrade: false, force: false, signal };
    await installBundle(platform, bundle, options);
    await cacheWorkers(WORKERS);
    const requirements = await readRequirements();
    const parts = { core, slack, platform, requirements, signal };
    return new Stand({ ...parts, stack: stack.move() });
  }

  /** The variables of a worker, every one of which it needs here. */
  env(worker: WorkerName): Record<string, string> {
    const { NATS_URL, REDIS_URL, ...gateway } = this.#core.env;
    const common = {
      ...gateway,
      HEALTH_ADDR: `127.0.0.1:${this.#ports[worker]}`,
    };
    if (worker === "ingester") {
      return {
        ...common,
        INGESTER_ADDR: `127.0.0.1:${this.#ingesterPort}`,
        MOCK_WEBHOOK_TOKENS: this.#token,
        DEFAULT_DESTINATION_MODE: "slack",
      };
    }
    return {
      ...common,
      NATS_URL: NATS_URL!,
      REDIS_URL: REDIS_URL!,
      ...(worker === "poster"
        ? {
          SLACK_WEBHOOK_URL: this.#slack.url,
          SLACK_ALLOWED_HOSTS: this.#slack.host,
        }
        : {}),
    };
  }

  /** What a worker may do here. */
  permissions(worker: WorkerName): Permissions {
    const env = this.env(worker);
    const requires = this.#requirements[worker];
    return derivePermissions(worker, requires, (name) => env[name]);
  }

  /** Starts a worker in the place of the one that runs, if one does. */
  async spawn(
    worker: WorkerName,
    options: SpawnOptions = {},
  ): Promise<WorkerProcess> {
    await this.#workers.get(worker)?.kill();
    const requires = this.#requirements[worker];
    const process = spawnWorker(worker, requires, this.env(worker), options);
    this.#workers.set(worker, process);
    return process;
  }

  /**
   * The test of one worker: it starts without a complaint, its health is good,
   * and an incident goes through it to Slack.
   *
   * @throws {Error} Saying what failed.
   */
  async check(worker: WorkerName): Promise<void> {
    const process = this.#workers.get(worker)!;
    await untilReady(process);
    await this.#checkHealth(worker);
    const runId = await this.#send();
    const posted = this.#slack.received.length;
    const jobId = await this.#untilWaiting(runId);
    await approve(this.#platform, jobId);
    const run = await this.#untilEnded(runId);
    if (run["status"] !== "succeeded") throw new Error(whyFailed(run));
    if (this.#slack.received.length !== posted + 1) {
      throw new Error("nothing reached Slack");
    }
  }

  async #checkHealth(worker: WorkerName): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (true) {
      const response = await fetch(
        `http://127.0.0.1:${this.#ports[worker]}/readyz`,
      );
      const { problems } = await response.json() as { problems: object };
      if (response.ok) return;
      const lasting = JSON.stringify(problems).includes("no permission");
      if (lasting || performance.now() > deadline) {
        throw new Error(`not ready: ${JSON.stringify(problems)}`);
      }
      await wait(POLL_MS, this.#signal);
    }
  }

  async #send(): Promise<string> {
    const id = `proof-${++this.#incidents}`;
    const url = `http://127.0.0.1:${this.#ingesterPort}/webhook/mock`;
    const body = JSON.stringify({ id, title: "Proof of permissions" });
    const headers = { Authorization: `Bearer ${this.#token}` };
    const response = await fetch(url, { method: "POST", headers, body });
    const answer = await response.json() as JsonObject;
    if (response.status === 202) return String(answer["run_id"]);
    throw new Error(`answered ${response.status}: ${answer["error"]}`);
  }

  async #untilWaiting(runId: string): Promise<string> {
    return await this.#poll("the post to ask for approval", async () => {
      const waiting = (await this.#platform.waiting()).find((
        { jobId, topic },
      ) => topic === POST_TOPIC && jobId.startsWith(`${runId}:`));
      if (waiting !== undefined) return waiting.jobId;
      const run = await this.#platform.call("GET", `/workflow-runs/${runId}`);
      if (isOver(run)) throw new Error(whyFailed(run));
    });
  }

  async #untilEnded(runId: string): Promise<JsonObject> {
    return await this.#poll("the run to end", async () => {
      const run = await this.#platform.call("GET", `/workflow-runs/${runId}`);
      return isOver(run) ? run : undefined;
    });
  }

  async #poll<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + STEP_MS;
    while (performance.now() < deadline) {
      const value = await ask();
      if (value !== undefined) return value;
      await wait(POLL_MS, this.#signal);
    }
    throw new Error(`waited ${STEP_MS / 1000} s for ${what}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#workers.values()].map((one) => one.kill()));
    await this.#stack.disposeAsync();
  }
}

/** Ready without a warning: a worker that retries has lost something. */
async function untilReady(process: WorkerProcess): Promise<void> {
  const line = await process.waitForLine(
    ({ msg, level }) =>
      msg === "Worker ready" || level === "warn" || level === "error",
    READY_MS,
  );
  if (line["msg"] !== "Worker ready") {
    throw new Error(`${line["msg"]}: ${line["error"]}`);
  }
}

function isOver(run: JsonObject): boolean {
  return !["running", "pending", "waiting"].includes(String(run["status"]));
}

function whyFailed(run: JsonObject): string {
  const steps = Object.values(
    (run["steps"] ?? {}) as Record<string, JsonObject>,
  );
  const errors = steps.flatMap(({ error }) =>
    error ? [String((error as JsonObject)["message"])] : []
  );
  return errors[0] ?? `the run is ${run["status"]}`;
}

/**
 * Tries what a worker may not do, inside it, and lets it do its work after.
 *
 * @param flags Those that it is started with.
 */
export async function proveRefusals(
  stand: Stand,
  worker: WorkerName,
  flags: readonly string[] = stand.permissions(worker).flags,
): Promise<Try[]> {
  const own = stand.permissions(worker);
  const others = WORKERS.filter((other) => other !== worker);
  const hosts = others.flatMap((other) =>
    stand.permissions(other).net.map(({ host }) => host)
  );
  const [first] = own.net.map(({ host }) => host);
  const [hostname, port] = first!.split(":");
  const granted = new Set(own.net.map(({ host }) => host));
  const known = new Set(variablesOf(WORKER_SETTINGS[worker]));
  const order: ProbeOrder = {
    hosts: [
      ...new Set(hosts),
      ...STRANGERS,
      `${hostname}:${Number(port) === 65535 ? 1 : Number(port) + 1}`,
    ].filter((host) => !granted.has(host)),
    variables: [
      ...new Set(
        others.flatMap((other) => variablesOf(WORKER_SETTINGS[other])),
      ),
      "HOME",
      "PATH",
    ].filter((name) => !known.has(name)),
  };
  const process = await stand.spawn(worker, {
    flags,
    preload: PROBE,
    args: [JSON.stringify(order)],
    // All of them are set, so that one that could be read would be.
    more: Object.fromEntries(
      order.variables.filter((name) => !["HOME", "PATH"].includes(name)).map((
        name,
      ) => [name, "probe"]),
    ),
  });
  const { tries } = await process.waitFor("Probe", READY_MS);
  await stand.check(worker);
  return tries as Try[];
}

/** Takes each permission away that is not optional, and sees what fails. */
export async function proveMinimal(
  stand: Stand,
  worker: WorkerName,
): Promise<Removal[]> {
  const own = stand.permissions(worker);
  const set = Object.keys(stand.env(worker));
  const without: [string, Permissions][] = [
    ...own.net.map(({ host, why }) =>
      [`net ${host} (${why})`, {
        ...own,
        net: own.net.filter((grant) => grant.host !== host),
      }] as [string, Permissions]
    ),
    ...own.env.filter(({ name }) => set.includes(name)).map(({ name }) =>
      [`env ${name}`, {
        ...own,
        env: own.env.filter((grant) => grant.name !== name),
      }] as [string, Permissions]
    ),
  ];
  const removals: Removal[] = [];
  for (const [removed, permissions] of without) {
    await stand.spawn(worker, { flags: toFlags(permissions) });
    const failure = await stand.check(worker).then(
      () => undefined,
      messageOf,
    );
    removals.push({ removed, failure });
  }
  await stand.spawn(worker); // Whole again, for the others.
  await stand.check(worker);
  return removals;
}

/**
 * Proves and prints both tables.
 *
 * @returns Whether all was as it should be.
 */
export async function prove(
  workers: readonly WorkerName[],
  context: CommandContext,
): Promise<boolean> {
  await using stand = await Stand.start();
  for (const worker of WORKERS) await stand.spawn(worker);
  for (const worker of WORKERS) await stand.check(worker);
  let wrong = 0;
  for (const worker of workers) {
    const tries = await proveRefusals(stand, worker);
    context.out(`${worker}: what it may not do, tried inside it`);
    print(
      tries.map(({ tried, outcome, said }) => [
        tried,
        outcome,
        /NotCapable|--cached-only/.exec(said)?.[0] ?? said,
      ]),
      context,
    );
    wrong += tries.filter(({ outcome }) => outcome === "allowed").length;
    context.out(`${worker}: and then it did its work`);
    context.out();
  }
  for (const worker of workers) {
    const removals = await proveMinimal(stand, worker);
    context.out(`${worker}: what fails without each permission`);
    print(
      removals.map((
        { removed, failure },
      ) => [removed, failure ?? "NOTHING FAILED"]),
      context,
    );
    wrong += removals.filter(({ failure }) => failure === undefined).length;
    context.out();
  }
  context.out(
    wrong === 0
      ? "Proved: nothing else is allowed, and nothing is granted in vain"
      : `NOT proved: ${wrong} of the above are not as they should be`,
  );
  return wrong === 0;
}

function print(rows: string[][], context: CommandContext): void {
  const width = 140;
  for (const line of table(rows)) {
    context.out(
      `  ${line.length > width ? `${line.slice(0, width - 1)}…` : line}`,
    );
  }
}
