/**
 * Where the stand-in's jobs may go: the routing overlay, the workers that were
 * heard, and the one of them that fits a job best.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import type { Heartbeat, JobRequest } from "../../lib/platform/gen/cap_pb.ts";
import { type Base, filled, isoSeconds } from "./common.ts";
import type { ConfigDocuments } from "./config.ts";
import { CORDUM_1 } from "./profile.ts";

/** The pools of each topic, and what each pool offers. */
interface Routing {
  topics: Readonly<Record<string, string | string[]>>;
  pools: Readonly<Record<string, { requires?: string[] }>>;
}

const HEARTBEAT_TTL_MS = 30_000;
const OVERLOADED = 0.9;
const LOAD_MAX = 90;
/** Labels that do not restrict where a job may go. */
const UNCONSTRAINING =
  /^(approval_granted|secrets_present|(workflow|run|step|node|worker)_id|cordum\..*)$/;

export class Placement {
  readonly #config: ConfigDocuments;
  readonly #clock: Base["clock"];
  readonly #isCordum1: boolean;
  readonly #heard = new Map<string, { heartbeat: Heartbeat; at: number }>();
  #routing: Routing = {
    topics: { "job.default": "default" },
    pools: { default: {} },
  };

  constructor(
    config: ConfigDocuments,
    { clock, isCordum1 }: Pick<Base, "clock" | "isCordum1">,
  ) {
    this.#config = config;
    this.#clock = clock;
    this.#isCordum1 = isCordum1;
  }

  /** Adopts the routing overlay; one without topics changes nothing. */
  loadRouting(): void {
    const { topics = {}, pools = {} } = this.#config
      .read("default", "pools") as Partial<Routing>;
    if (Object.keys(topics).length > 0) this.#routing = { topics, pools };
  }

  hear(heartbeat: Heartbeat): void {
    // No dispatch reaches the subject that any other id would make.
    const { workerId } = heartbeat;
    if (!/^[^\s.*>]+$/.test(workerId)) return;
    const others = this.#live().filter((one) => one.workerId !== workerId);
    // Its licence lets no more in, and says nothing.
    if (this.#isCordum1 && others.length >= CORDUM_1.workersMax) return;
    this.#heard.set(workerId, { heartbeat, at: this.#clock() });
  }

  /** Every worker ever heard of, and when last. */
  heard(): { heartbeat: Heartbeat; at: number }[] {
    return [...this.#heard.values()];
  }

  workers(): Heartbeat[] {
    return this.heard().map(({ heartbeat }) => heartbeat);
  }

  /**
   * Finds the worker with the least to do that may take a job.
   *
   * @returns No `workerId` if none is free now, a `problem` if none can be.
   */
  find(
    { topic, meta, labels }: JobRequest,
  ): { workerId?: string | undefined; problem?: string } {
    const pools = this.#routing.topics[topic];
    if (pools === undefined) {
      return { problem: `topic ${JSON.stringify(topic)}` };
    }
    const fold = (name: string) => name.trim().toLowerCase();
    const required = meta?.requires.map(fold) ?? [];
    const eligible = [pools].flat().filter((pool) => {
      const offered = this.#routing.pools[pool]?.requires?.map(fold) ?? [];
      return required.every((name) => offered.includes(name));
    });
    if (eligible.length === 0) return { problem: "no pool satisfies requires" };
    const wanted = Object.entries(labels).filter(([name]) =>
      this.#isCordum1
        ? CORDUM_1.constraining.test(name)
        : !UNCONSTRAINING.test(name)
    );
    const [best] = this.#live().filter((worker) =>
      eligible.includes(worker.pool) && !isOverloaded(worker) &&
      wanted.every(([name, value]) => worker.labels[name] === value)
    ).toSorted((a, b) => scoreOf(a) - scoreOf(b));
    return { workerId: best?.workerId };
  }

  /** The value of `sys:workers:snapshot`: pools, topics and live workers. */
  snapshot(): JsonObject {
    const live = this.#live();
    const load = (pool: string) => {
      const members = live.filter((worker) => worker.pool === pool);
      const sum = (field: "activeJobs" | "maxParallelJobs") =>
        members.reduce((total, worker) => total + worker[field], 0);
      return {
        workers: members.length,
        active_jobs: sum("activeJobs"),
        capacity: sum("maxParallelJobs"),
      };
    };
    const topics = Object.entries(this.#routing.topics).map(([topic, to]) => {
      const [pool = ""] = [to].flat();
      const { workers, capacity } = load(pool);
      return [topic, { pool, workers, capacity, available: workers > 0 }];
    });
    const workers = live.map((worker) => ({
      worker_id: worker.workerId,
      pool: worker.pool,
      active_jobs: worker.activeJobs,
      max_parallel_jobs: worker.maxParallelJobs,
      ...filled({ capabilities: worker.capabilities }),
    }));
    const pools = live.map(({ pool }) => [pool, load(pool)]);
    return {
      captured_at: isoSeconds(this.#clock()),
      topics: Object.fromEntries(topics),
      ...filled({ pools: Object.fromEntries(pools), workers }),
    };
  }

  #live(): Heartbeat[] {
    const since = this.#clock() - HEARTBEAT_TTL_MS;
    return [...this.#heard.values()].filter(({ at }) => at > since)
      .map(({ heartbeat }) => heartbeat);
  }
}

function isOverloaded(worker: Heartbeat): boolean {
  const { activeJobs, maxParallelJobs, cpuLoad, gpuUtilization } = worker;
  const isFull = maxParallelJobs > 0 &&
    activeJobs / maxParallelJobs >= OVERLOADED;
  return isFull || cpuLoad >= LOAD_MAX || gpuUtilization >= LOAD_MAX;
}

function scoreOf({ activeJobs, cpuLoad, gpuUtilization }: Heartbeat): number {
  return activeJobs + (cpuLoad + gpuUtilization) / 100;
}
